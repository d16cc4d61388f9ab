//! POSIX ACLs as Linux stores and changes them (fs/posix_acl.c): codec, validity, chmod, inheritance.
//!
//! Written apart from the codec of the library on purpose: two authors rarely make the same mistake.

use std::io;

use rustix::io::Errno;

/// The stored entries, in stored order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Acl(pub(super) Vec<Entry>);

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) tag: Tag,
    /// r 4, w 2, x 1.
    pub(super) perm: u32,
}

/// Whom an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Tag {
    Owner,
    User(u32),
    OwningGroup,
    Group(u32),
    Mask,
    Other,
}

const VERSION: u32 = 2;
const NO_ID: u32 = u32::MAX;

/// What the kernel reads in an attribute value that is written (`posix_acl_from_xattr`); whether it takes it is another
/// question, see [`Acl::valid`].
pub(super) fn decode(value: &[u8]) -> io::Result<Option<Acl>> {
    if value.is_empty() {
        return Ok(None);
    }
    let Some((version, entries)) = value.split_first_chunk::<4>() else { return Err(Errno::INVAL.into()) };
    if u32::from_le_bytes(*version) != VERSION {
        return Err(Errno::OPNOTSUPP.into());
    }
    let (entries, rest) = entries.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Errno::INVAL.into());
    }
    if entries.is_empty() {
        return Ok(None);
    }
    Ok(Some(Acl(entries.iter().map(entry).collect::<io::Result<Vec<_>>>()?)))
}

fn entry(raw: &[u8; 8]) -> io::Result<Entry> {
    let [t0, t1, p0, p1, id @ ..] = *raw;
    let id = u32::from_le_bytes(id);
    let tag = match u16::from_le_bytes([t0, t1]) {
        0x01 => Tag::Owner,
        0x02 | 0x08 if id == NO_ID => return Err(Errno::INVAL.into()),
        0x02 => Tag::User(id),
        0x04 => Tag::OwningGroup,
        0x08 => Tag::Group(id),
        0x10 => Tag::Mask,
        0x20 => Tag::Other,
        _ => return Err(Errno::INVAL.into()),
    };
    Ok(Entry { tag, perm: u32::from(u16::from_le_bytes([p0, p1])) })
}

/// The attribute value that is read back.
pub(super) fn encode(acl: &Acl) -> Vec<u8> {
    let mut value = VERSION.to_le_bytes().to_vec();
    for entry in &acl.0 {
        let (tag, id) = match entry.tag {
            Tag::Owner => (0x01u16, NO_ID),
            Tag::User(id) => (0x02, id),
            Tag::OwningGroup => (0x04, NO_ID),
            Tag::Group(id) => (0x08, id),
            Tag::Mask => (0x10, NO_ID),
            Tag::Other => (0x20, NO_ID),
        };
        value.extend(tag.to_le_bytes());
        value.extend((entry.perm as u16).to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    value
}

impl Acl {
    /// The order and completeness that the kernel insists on (`posix_acl_valid`). Sorted ids and unique names are not
    /// among it.
    pub(super) fn valid(&self) -> io::Result<()> {
        let mut phase = 0;
        let mut named = false;
        for entry in &self.0 {
            if entry.perm > 7 {
                return Err(Errno::INVAL.into());
            }
            phase = match (phase, entry.tag) {
                (0, Tag::Owner) => 1,
                (1, Tag::User(_)) | (2, Tag::Group(_)) => {
                    named = true;
                    phase
                }
                (1, Tag::OwningGroup) => 2,
                (2, Tag::Mask) => 3,
                (2, Tag::Other) if !named => 4,
                (3, Tag::Other) => 4,
                _ => return Err(Errno::INVAL.into()),
            };
        }
        if phase == 4 { Ok(()) } else { Err(Errno::INVAL.into()) }
    }

    /// The mode bits that this ACL amounts to, and whether they say all of it.
    pub(super) fn as_mode(&self) -> (u32, bool) {
        let (mut mode, mut whole) = (0, true);
        for entry in &self.0 {
            match entry.tag {
                Tag::Owner => mode |= entry.perm << 6,
                Tag::OwningGroup => mode |= entry.perm << 3,
                Tag::Other => mode |= entry.perm,
                // The mask stands before `other` and after the owning group: it takes the place of the group bits.
                Tag::Mask => {
                    mode = (mode & !0o070) | (entry.perm << 3);
                    whole = false;
                }
                Tag::User(_) | Tag::Group(_) => whole = false,
            }
        }
        (mode, whole)
    }

    /// How many entries name somebody.
    pub(super) fn named(&self) -> usize {
        self.0.iter().filter(|entry| matches!(entry.tag, Tag::User(_) | Tag::Group(_))).count()
    }

    /// What `chmod` does: the group bits go to the mask, if there is one.
    pub(super) fn chmod(&mut self, mode: u32) {
        let masked = self.0.iter().any(|entry| entry.tag == Tag::Mask);
        for entry in &mut self.0 {
            match entry.tag {
                Tag::Owner => entry.perm = (mode >> 6) & 7,
                Tag::Mask => entry.perm = (mode >> 3) & 7,
                Tag::OwningGroup if !masked => entry.perm = (mode >> 3) & 7,
                Tag::Other => entry.perm = mode & 7,
                Tag::OwningGroup | Tag::User(_) | Tag::Group(_) => {}
            }
        }
    }

    /// What a new inode gets from this default ACL: its access ACL, if the mode does not say it all, and its mode.
    /// The umask plays no part.
    pub(super) fn inherit(&self, mode: u32) -> (Option<Self>, u32) {
        let mut acl = self.clone();
        let masked = acl.0.iter().any(|entry| entry.tag == Tag::Mask);
        for entry in &mut acl.0 {
            match entry.tag {
                Tag::Owner => entry.perm &= mode >> 6,
                Tag::Mask => entry.perm &= mode >> 3,
                Tag::OwningGroup if !masked => entry.perm &= mode >> 3,
                Tag::Other => entry.perm &= mode,
                Tag::OwningGroup | Tag::User(_) | Tag::Group(_) => {}
            }
        }
        let (bits, whole) = acl.as_mode();
        ((!whole).then_some(acl), (mode & !0o777) | bits)
    }
}
