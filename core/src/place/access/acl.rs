//! POSIX access control lists in the form in which Linux stores them.
//!
//! The attribute is a 4-byte version and 8 bytes per entry, little-endian, as in `linux/posix_acl_xattr.h`; the entries'
//! meaning is that of acl(5). What is read keeps the stored order and its duplicates, because the kernel lets the first
//! match win. What is written is sorted, and its mask is the one that was asked for, never one computed from the entries:
//! a mask that is recomputed wakes entries that somebody put to sleep.

use std::collections::BTreeSet;

use super::permissions::Permissions;
use crate::ground::error::{Error, ErrorKind, Result};

/// The id of an entry whose user or group has no number in this user namespace (user_namespaces(7)).
pub const UNMAPPED: u32 = u32::MAX;

const VERSION: u32 = 2;

/// The numbers of `linux/posix_acl.h`.
mod tag {
    pub(super) const OWNER: u16 = 0x01;
    pub(super) const USER: u16 = 0x02;
    pub(super) const OWNING_GROUP: u16 = 0x04;
    pub(super) const GROUP: u16 = 0x08;
    pub(super) const MASK: u16 = 0x10;
    pub(super) const OTHER: u16 = 0x20;
}

/// Owner, group and other permissions of an inode, with the named entries and the mask if it has an ACL.
///
/// # Examples
///
/// ```
/// use certwright::access::Acl;
///
/// let acl: Acl = "user::rw-,user:33:r--,group::---,mask::r--,other::---".parse()?;
/// assert_eq!(acl.mode(), 0o640, "the mask takes the place of the group bits");
/// assert_eq!(Acl::from_xattr(&acl.to_xattr())?, acl);
/// assert!(Acl::from_mode(0o640).is_minimal());
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Acl {
    owner: Permissions,
    users: Vec<Named>,
    owning_group: Permissions,
    groups: Vec<Named>,
    mask: Option<Permissions>,
    other: Permissions,
}

/// An entry that names a user or a group by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Named {
    /// The uid or gid, or [`UNMAPPED`].
    pub id: u32,
    /// What the entry grants before the mask is applied.
    pub permissions: Permissions,
}

impl Named {
    /// An entry for `id`.
    pub const fn new(id: u32, permissions: Permissions) -> Self {
        Self { id, permissions }
    }
}

/// Whom an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// The owner of the inode.
    Owner,
    /// The user with this uid.
    User(u32),
    /// The group of the inode.
    OwningGroup,
    /// The group with this gid.
    Group(u32),
    /// Nobody: the most that every entry but those of owner and other gives.
    Mask,
    /// Everybody for whom nothing else counted.
    Other,
}

impl EntryKind {
    const fn tag(self) -> (u16, u32) {
        match self {
            Self::Owner => (tag::OWNER, UNMAPPED),
            Self::User(id) => (tag::USER, id),
            Self::OwningGroup => (tag::OWNING_GROUP, UNMAPPED),
            Self::Group(id) => (tag::GROUP, id),
            Self::Mask => (tag::MASK, UNMAPPED),
            Self::Other => (tag::OTHER, UNMAPPED),
        }
    }

    /// The kernel takes any id in an unnamed entry.
    const fn from_tag(tag: u16, id: u32) -> Option<Self> {
        match tag {
            tag::OWNER => Some(Self::Owner),
            tag::USER => Some(Self::User(id)),
            tag::OWNING_GROUP => Some(Self::OwningGroup),
            tag::GROUP => Some(Self::Group(id)),
            tag::MASK => Some(Self::Mask),
            tag::OTHER => Some(Self::Other),
            _ => None,
        }
    }
}

impl Acl {
    /// What mode bits alone say; only the lowest nine count.
    pub const fn from_mode(mode: u32) -> Self {
        Self {
            owner: Permissions::from_bits(mode >> 6),
            users: Vec::new(),
            owning_group: Permissions::from_bits(mode >> 3),
            groups: Vec::new(),
            mask: None,
            other: Permissions::from_bits(mode),
        }
    }

    /// An ACL with named entries, in canonical order. `mode` gives the entries of owner, owning group and other.
    ///
    /// Of several entries for one user the first is kept, since the kernel stops there. Several for one group all count
    /// (without being added up), so only exact repetitions go.
    pub fn extended(
        mode: u32,
        users: impl IntoIterator<Item = Named>,
        groups: impl IntoIterator<Item = Named>,
        mask: Permissions,
    ) -> Self {
        let held = Self {
            users: users.into_iter().collect(),
            groups: groups.into_iter().collect(),
            mask: Some(mask),
            ..Self::from_mode(mode)
        };
        held.canonical()
    }

    /// The same rules in the order in which they are written: sorted by id, without entries that never count.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let mut acl = self.clone();
        let mut seen = BTreeSet::new();
        acl.users.retain(|entry| seen.insert(entry.id));
        acl.users.sort_unstable();
        acl.groups.sort_unstable();
        acl.groups.dedup();
        acl
    }

    /// Read the attribute: everything that the kernel can hold.
    ///
    /// # Errors
    ///
    /// `Unsupported` for another version of the format; `Io` when the attribute is damaged.
    pub fn from_xattr(bytes: &[u8]) -> Result<Self> {
        let (version, entries) = bytes.split_first_chunk::<4>().ok_or_else(|| damaged("it is too short"))?;
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return Err(Error::new(ErrorKind::Unsupported, "this version of the ACL format is not known")
                .context("version", version));
        }
        let (entries, rest) = entries.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(damaged("it ends within an entry"));
        }
        let mut parts = Parts::default();
        let mut last = 0;
        for [t0, t1, p0, p1, id @ ..] in entries {
            let (tag, bits) = (u16::from_le_bytes([*t0, *t1]), u16::from_le_bytes([*p0, *p1]));
            let id = u32::from_le_bytes(*id);
            let kind = EntryKind::from_tag(tag, id).ok_or_else(|| damaged("it has an entry of an unknown kind"))?;
            if bits > 7 {
                return Err(damaged("an entry has permissions that do not exist"));
            }
            if tag < last {
                return Err(damaged("its entries are out of order"));
            }
            last = tag;
            parts
                .put(kind, Permissions::from_bits(u32::from(bits)))
                .ok_or_else(|| damaged("an entry that may be there once is there twice"))?;
        }
        parts.finish().ok_or_else(|| damaged("an entry that has to be there is missing"))
    }

    /// The attribute, in canonical order.
    pub fn to_xattr(&self) -> Vec<u8> {
        let acl = self.canonical();
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for (kind, permissions) in acl.entries() {
            let (tag, id) = kind.tag();
            bytes.extend_from_slice(&tag.to_le_bytes());
            bytes.extend_from_slice(&[permissions.bits() as u8, 0]);
            bytes.extend_from_slice(&id.to_le_bytes());
        }
        bytes
    }

    /// Every entry in stored order.
    pub fn entries(&self) -> impl Iterator<Item = (EntryKind, Permissions)> {
        let named = |kind: fn(u32) -> EntryKind| move |entry: &Named| (kind(entry.id), entry.permissions);
        [(EntryKind::Owner, self.owner)]
            .into_iter()
            .chain(self.users.iter().map(named(EntryKind::User)))
            .chain([(EntryKind::OwningGroup, self.owning_group)])
            .chain(self.groups.iter().map(named(EntryKind::Group)))
            .chain(self.mask.map(|mask| (EntryKind::Mask, mask)))
            .chain([(EntryKind::Other, self.other)])
    }

    /// The nine permission bits that the kernel shows: the mask, where there is one, in place of the group bits.
    pub fn mode(&self) -> u32 {
        self.owner.bits() << 6 | self.mask.unwrap_or(self.owning_group).bits() << 3 | self.other.bits()
    }

    /// Whether mode bits say the same, so that no attribute is stored.
    pub fn is_minimal(&self) -> bool {
        self.mask.is_none() && self.users.is_empty() && self.groups.is_empty()
    }

    /// What the owner may do.
    pub const fn owner(&self) -> Permissions {
        self.owner
    }

    /// The entries of named users, in stored order.
    pub fn users(&self) -> &[Named] {
        &self.users
    }

    /// What the owning group may do, before the mask.
    pub const fn owning_group(&self) -> Permissions {
        self.owning_group
    }

    /// The entries of named groups, in stored order.
    pub fn groups(&self) -> &[Named] {
        &self.groups
    }

    /// The most that named entries and the owning group get; `None` without an ACL.
    pub const fn mask(&self) -> Option<Permissions> {
        self.mask
    }

    /// What everybody else may do.
    pub const fn other(&self) -> Permissions {
        self.other
    }
}

/// Entries as they come, in any order.
#[derive(Default)]
pub(super) struct Parts {
    owner: Option<Permissions>,
    users: Vec<Named>,
    owning_group: Option<Permissions>,
    groups: Vec<Named>,
    mask: Option<Permissions>,
    other: Option<Permissions>,
}

impl Parts {
    /// Add an entry; `None` when one that may be there once is there already.
    pub(super) fn put(&mut self, kind: EntryKind, permissions: Permissions) -> Option<()> {
        let before = match kind {
            EntryKind::Owner => self.owner.replace(permissions),
            EntryKind::OwningGroup => self.owning_group.replace(permissions),
            EntryKind::Mask => self.mask.replace(permissions),
            EntryKind::Other => self.other.replace(permissions),
            EntryKind::User(id) => {
                self.users.push(Named::new(id, permissions));
                None
            }
            EntryKind::Group(id) => {
                self.groups.push(Named::new(id, permissions));
                None
            }
        };
        before.is_none().then_some(())
    }

    /// The whole; `None` when an entry that has to be there is missing.
    pub(super) fn finish(self) -> Option<Acl> {
        let Self { owner, users, owning_group, groups, mask, other } = self;
        if mask.is_none() && !(users.is_empty() && groups.is_empty()) {
            return None;
        }
        Some(Acl { owner: owner?, users, owning_group: owning_group?, groups, mask, other: other? })
    }
}

fn damaged(why: &'static str) -> Error {
    Error::new(ErrorKind::Io, "the ACL attribute is damaged").context("why", why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Written by hand from `linux/posix_acl_xattr.h`: u::rw-,u:1234:r--,g::---,m::r--,o::---
    const NAMED: [u8; 44] = [
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 210, 4, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255, 16, 0, 4,
        0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
    ];

    pub(crate) fn any_permissions() -> impl Strategy<Value = Permissions> {
        (0_u32..8).prop_map(Permissions::from_bits)
    }

    fn any_named() -> impl Strategy<Value = Vec<Named>> {
        let id = prop_oneof![4 => 0_u32..6, 1 => any::<u32>()];
        prop::collection::vec((id, any_permissions()).prop_map(|(id, bits)| Named::new(id, bits)), 0..5)
    }

    prop_compose! {
        fn any_acl()(mode in 0_u32..0o1000, users in any_named(), groups in any_named(), mask in 0_u32..8) -> Acl {
            Acl::extended(mode, users, groups, Permissions::from_bits(mask))
        }
    }

    #[test]
    fn reads_and_writes_the_form_of_the_header_file() {
        let acl = Acl::from_xattr(&NAMED).unwrap();
        assert_eq!(acl.users(), [Named::new(1234, Permissions::READ)]);
        assert_eq!((acl.mode(), acl.mask(), acl.is_minimal()), (0o640, Some(Permissions::READ), false));
        assert_eq!(acl.to_xattr(), NAMED);
    }

    #[test]
    fn what_the_kernel_refuses_is_damaged() {
        let mut cases: Vec<Vec<u8>> = vec![vec![], vec![2, 0, 0], NAMED[..40].to_vec(), NAMED[..4].to_vec()];
        let mut edit = |at: usize, value: u8| {
            let mut bytes = NAMED.to_vec();
            bytes[at] = value;
            cases.push(bytes);
        };
        edit(6, 8); // a permission bit that does not exist
        edit(12, 3); // an unknown tag
        edit(12, 0x20); // out of order
        edit(28, 0x20); // no mask
        edit(36, 0x10); // two masks, no other
        for case in cases {
            let error = Acl::from_xattr(&case).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{case:?}");
        }
        let mut newer = NAMED;
        newer[0] = 3;
        assert_eq!(Acl::from_xattr(&newer).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn stored_order_and_duplicates_are_kept_on_reading_and_sorted_on_writing() {
        let mut bytes = NAMED[..12].to_vec();
        for (uid, bits) in [(9_u32, 4_u8), (3, 0), (9, 7)] {
            bytes.extend_from_slice(&[2, 0, bits, 0]);
            bytes.extend_from_slice(&uid.to_le_bytes());
        }
        bytes.extend_from_slice(&NAMED[20..]);
        let acl = Acl::from_xattr(&bytes).unwrap();
        assert_eq!(acl.users().iter().map(|named| named.id).collect::<Vec<_>>(), [9, 3, 9]);
        let written = Acl::from_xattr(&acl.to_xattr()).unwrap();
        assert_eq!(written.users(), [Named::new(3, Permissions::NONE), Named::new(9, Permissions::READ)]);
    }

    proptest! {
        #[test]
        fn survives_a_round_trip(acl in any_acl()) {
            prop_assert_eq!(Acl::from_xattr(&acl.to_xattr()).unwrap(), acl);
        }

        #[test]
        fn never_panics_and_reads_back_what_it_accepted(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(acl) = Acl::from_xattr(&bytes) {
                prop_assert_eq!(Acl::from_xattr(&acl.to_xattr()).unwrap(), acl.canonical());
            }
        }

        #[test]
        fn never_panics_on_edited_attributes(at in 0_usize..44, value: u8, cut in 0_usize..=44) {
            let mut bytes = NAMED;
            bytes[at] = value;
            let _ = Acl::from_xattr(&bytes[..cut]);
        }
    }
}
