//! ACLs: the stored form, the mask, inheritance.

use std::ffi::OsStr;
use std::path::Path;

use certwright::{AclKind, Open, Rename};
use rustix::io::Errno;

use super::{Bench, Outcome, errno};

/// One entry, with its permission bits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Owner(u16),
    User(u32, u16),
    OwningGroup(u16),
    Group(u32, u16),
    Mask(u16),
    Other(u16),
}

const UNUSED: u32 = u32::MAX;

/// The stored form: `struct posix_acl_xattr_header` and `_entry` in linux/posix_acl_xattr.h, tags as in acl(5)'s library.
pub(super) fn value(entries: &[Entry]) -> Vec<u8> {
    raw(2, &entries.iter().copied().map(fields).collect::<Vec<_>>())
}

const fn fields(entry: Entry) -> (u16, u16, u32) {
    match entry {
        Entry::Owner(perm) => (0x01, perm, UNUSED),
        Entry::User(uid, perm) => (0x02, perm, uid),
        Entry::OwningGroup(perm) => (0x04, perm, UNUSED),
        Entry::Group(gid, perm) => (0x08, perm, gid),
        Entry::Mask(perm) => (0x10, perm, UNUSED),
        Entry::Other(perm) => (0x20, perm, UNUSED),
    }
}

fn raw(version: u32, entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut value = version.to_le_bytes().to_vec();
    for (tag, perm, id) in entries {
        value.extend(tag.to_le_bytes());
        value.extend(perm.to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    value
}

/// `u::rw-,u:1234:perm,g::r--,m::mask,o::---`.
fn named(perm: u16, mask: u16) -> Vec<u8> {
    value(&[Entry::Owner(6), Entry::User(1234, perm), Entry::OwningGroup(4), Entry::Mask(mask), Entry::Other(0)])
}

const MINIMAL: [Entry; 3] = [Entry::Owner(6), Entry::OwningGroup(4), Entry::Other(0)];

pub(super) fn an_acl_is_kept_as_written(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, None);
    let full = value(&[
        Entry::Owner(6),
        Entry::User(0, 4),
        Entry::User(1234, 5),
        Entry::OwningGroup(0),
        Entry::Group(0, 2),
        Entry::Group(4321, 7),
        Entry::Mask(5),
        Entry::Other(1),
    ]);
    b.fs.set_acl(&file, AclKind::Access, Some(&full))?;
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, Some(full));
    Ok(())
}

pub(super) fn unsorted_and_doubled_entries_are_kept(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let odd = value(&[
        Entry::Owner(6),
        Entry::User(1234, 0),
        Entry::User(1233, 4),
        Entry::User(1234, 4),
        Entry::OwningGroup(0),
        Entry::Mask(4),
        Entry::Other(0),
    ]);
    b.fs.set_acl(&file, AclKind::Access, Some(&odd))?;
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, Some(odd));
    assert!(!b.can_open(1234, 1, &[], "f")?, "the first entry of a user decides");
    Ok(())
}

pub(super) fn unused_ids_are_normalised(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let junk = raw(2, &[(1, 6, 7), (2, 4, 1234), (4, 0, 8), (16, 4, 9), (32, 0, 10)]);
    b.fs.set_acl(&file, AclKind::Access, Some(&junk))?;
    let clean = raw(2, &[(1, 6, UNUSED), (2, 4, 1234), (4, 0, UNUSED), (16, 4, UNUSED), (32, 0, UNUSED)]);
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, Some(clean));
    Ok(())
}

pub(super) fn an_empty_value_removes(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let header = raw(2, &[]);
    for empty in [None, Some(&[][..]), Some(header.as_slice())] {
        b.fs.set_acl(&file, AclKind::Access, Some(&named(4, 4)))?;
        b.fs.set_acl(&file, AclKind::Access, empty)?;
        assert_eq!(b.fs.acl(&file, AclKind::Access)?, None, "{empty:?}");
        b.fs.set_acl(&file, AclKind::Access, empty)?;
    }
    let directory = b.directory("d", 0o755)?;
    b.fs.set_acl(&directory, AclKind::Default, Some(&named(4, 4)))?;
    b.fs.set_acl(&directory, AclKind::Default, None)?;
    b.fs.set_acl(&directory, AclKind::Default, None)?;
    assert_eq!(b.fs.acl(&directory, AclKind::Default)?, None);
    Ok(())
}

pub(super) fn an_acl_that_is_a_mode_becomes_one(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    b.fs.set_acl(&file, AclKind::Access, Some(&value(&MINIMAL)))?;
    assert_eq!((b.fs.acl(&file, AclKind::Access)?, b.mode(&file)?), (None, 0o640));
    let masked = value(&[Entry::Owner(6), Entry::OwningGroup(4), Entry::Mask(0), Entry::Other(0)]);
    b.fs.set_acl(&file, AclKind::Access, Some(&masked))?;
    assert_eq!((b.fs.acl(&file, AclKind::Access)?, b.mode(&file)?), (Some(masked), 0o600));
    let directory = b.directory("d", 0o755)?;
    b.fs.set_acl(&directory, AclKind::Default, Some(&value(&MINIMAL)))?;
    assert_eq!(b.fs.acl(&directory, AclKind::Default)?, Some(value(&MINIMAL)), "a default has no mode to become");
    Ok(())
}

pub(super) fn malformed_values_are_refused(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let (owner, user, group) = ((1, 6, UNUSED), (2, 4, 1234), (4, 0, UNUSED));
    let (named_group, mask, other) = ((8, 4, 1234), (16, 4, UNUSED), (32, 0, UNUSED));
    let bad: [&[(u16, u16, u32)]; 15] = [
        &[owner, user, group, other],
        &[owner, group, named_group, other],
        &[owner, user, group, mask],
        &[owner, user, mask, other],
        &[user, group, mask, other],
        &[user, owner, group, mask, other],
        &[owner, group, user, mask, other],
        &[owner, group, mask, named_group, other],
        &[owner, group, other, mask],
        &[owner, owner, group, other],
        &[owner, group, other, other],
        &[owner, (2, 4, UNUSED), group, mask, other],
        &[owner, group, (8, 4, UNUSED), mask, other],
        &[owner, (2, 8, 1234), group, mask, other],
        &[owner, (64, 4, UNUSED), group, other],
    ];
    for entries in bad {
        let refused = b.fs.set_acl(&file, AclKind::Access, Some(&raw(2, entries)));
        assert_eq!(errno(refused), Some(Errno::INVAL), "{entries:?}");
    }
    for cut in [1, 3, 5, 11, 13] {
        let refused = b.fs.set_acl(&file, AclKind::Access, named(4, 4).get(..cut));
        assert_eq!(errno(refused), Some(Errno::INVAL), "{cut} bytes");
    }
    assert_eq!((b.fs.acl(&file, AclKind::Access)?, b.mode(&file)?), (None, 0o600));
    Ok(())
}

pub(super) fn another_version_is_unsupported(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    for version in [0, 1, 3] {
        let entries: Vec<_> = MINIMAL.into_iter().map(fields).collect();
        let refused = b.fs.set_acl(&file, AclKind::Access, Some(&raw(version, &entries)));
        assert_eq!(errno(refused), Some(Errno::OPNOTSUPP), "version {version}");
    }
    Ok(())
}

pub(super) fn writing_an_acl_sets_the_mode(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    b.fs.set_mode(&file, 0o4777)?;
    b.fs.set_acl(&file, AclKind::Access, Some(&named(4, 5)))?;
    assert_eq!(b.mode(&file)?, 0o4650, "the mask stands in the group bits");
    b.fs.set_owner(&file, 1234, 4321)?;
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, Some(named(4, 5)), "a new owner changes no entry");
    Ok(())
}

pub(super) fn chmod_moves_the_mask(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    b.fs.set_acl(&file, AclKind::Access, Some(&named(4, 4)))?;
    assert!(b.can_open(1234, 1, &[], "f")?);
    b.fs.set_mode(&file, 0o600)?;
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, Some(named(4, 0)), "there and dead");
    assert!(!b.can_open(1234, 1, &[], "f")?);
    b.fs.set_mode(&file, 0o640)?;
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, Some(named(4, 4)), "and awake again");
    assert!(b.can_open(1234, 1, &[], "f")?);
    b.fs.set_mode(&file, 0o575)?;
    let moved = [Entry::Owner(5), Entry::User(1234, 4), Entry::OwningGroup(4), Entry::Mask(7), Entry::Other(5)];
    assert_eq!(b.fs.acl(&file, AclKind::Access)?, Some(value(&moved)));
    Ok(())
}

pub(super) fn removal_leaves_the_mask_in_the_mode(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    b.fs.set_acl(&file, AclKind::Access, Some(&named(4, 6)))?;
    b.fs.set_acl(&file, AclKind::Access, None)?;
    assert_eq!(b.mode(&file)?, 0o660, "what was the mask is the group's now");
    assert!(!b.can_open(1234, 1, &[], "f")?);
    Ok(())
}

/// `u::rwx,u:1234:r-x,g::r-x,m::r-x,o::r-x`: what a shared directory has.
fn shared() -> Vec<u8> {
    value(&[Entry::Owner(7), Entry::User(1234, 5), Entry::OwningGroup(5), Entry::Mask(5), Entry::Other(5)])
}

pub(super) fn a_default_acl_is_inherited_shut(b: &Bench) -> Outcome {
    let directory = b.directory("d", 0o755)?;
    b.fs.set_acl(&directory, AclKind::Default, Some(&shared()))?;
    let shut = value(&[Entry::Owner(6), Entry::User(1234, 5), Entry::OwningGroup(5), Entry::Mask(0), Entry::Other(0)]);
    for how in [Open::Create, Open::Append] {
        let file = b.fs.open(Some(&directory), Path::new(&format!("{how:?}")), how)?;
        assert_eq!((b.mode(&file)?, b.fs.acl(&file, AclKind::Access)?), (0o600, Some(shut.clone())));
        assert!(!b.can_open(1234, 1, &[], &format!("d/{how:?}"))?);
    }
    b.link("d/l", "x")?;
    assert_eq!(b.fs.stat_at(&directory, OsStr::new("l"))?.mode, 0o777);
    // Owner bits that the default does not grant are given back.
    let stingy = value(&[Entry::Owner(4), Entry::OwningGroup(0), Entry::Mask(0), Entry::Other(0)]);
    b.fs.set_acl(&directory, AclKind::Default, Some(&stingy))?;
    assert_eq!(b.mode(&b.fs.open(Some(&directory), Path::new("s"), Open::Create)?)?, 0o600);
    Ok(())
}

pub(super) fn a_default_acl_goes_down_with_directories(b: &Bench) -> Outcome {
    let directory = b.directory("d", 0o755)?;
    b.fs.set_acl(&directory, AclKind::Default, Some(&shared()))?;
    for (mode, mask, other) in [(0o700, 0, 0), (0o711, 1, 1), (0o777, 7, 7)] {
        let inner = b.directory(&format!("d/{mode:o}"), mode)?;
        let access = value(&[
            Entry::Owner(7),
            Entry::User(1234, 5),
            Entry::OwningGroup(5),
            Entry::Mask(mask),
            Entry::Other(other),
        ]);
        assert_eq!(b.mode(&inner)?, mode);
        assert_eq!(b.fs.acl(&inner, AclKind::Access)?, Some(access), "{mode:o}");
        assert_eq!(b.fs.acl(&inner, AclKind::Default)?, Some(shared()), "{mode:o}");
    }
    Ok(())
}

pub(super) fn a_default_acl_that_is_a_mode_gives_no_acl(b: &Bench) -> Outcome {
    let directory = b.directory("d", 0o755)?;
    b.fs.set_acl(&directory, AclKind::Default, Some(&value(&MINIMAL)))?;
    let file = b.fs.open(Some(&directory), Path::new("f"), Open::Create)?;
    assert_eq!((b.mode(&file)?, b.fs.acl(&file, AclKind::Access)?), (0o600, None));
    let inner = b.directory("d/d", 0o755)?;
    assert_eq!((b.mode(&inner)?, b.fs.acl(&inner, AclKind::Access)?), (0o755, None));
    assert_eq!(b.fs.acl(&inner, AclKind::Default)?, Some(value(&MINIMAL)));
    Ok(())
}

pub(super) fn a_rename_inherits_nothing(b: &Bench) -> Outcome {
    let directory = b.directory("d", 0o755)?;
    b.fs.set_acl(&directory, AclKind::Default, Some(&shared()))?;
    let file = b.file("f", b"")?;
    b.fs.set_acl(&file, AclKind::Access, Some(&named(4, 4)))?;
    b.fs.open(Some(&directory), Path::new("old"), Open::Create)?;
    b.fs.rename(&b.root()?, OsStr::new("f"), &directory, OsStr::new("old"), Rename::Replace)?;
    let moved = b.fs.open(Some(&directory), Path::new("old"), Open::Read)?;
    assert_eq!(b.fs.acl(&moved, AclKind::Access)?, Some(named(4, 4)));
    Ok(())
}

pub(super) fn a_file_has_no_default_acl(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    assert_eq!(errno(b.fs.set_acl(&file, AclKind::Default, Some(&shared()))), Some(Errno::ACCESS));
    b.fs.set_acl(&file, AclKind::Default, None)?;
    assert_eq!(b.fs.acl(&file, AclKind::Default)?, None);
    Ok(())
}
