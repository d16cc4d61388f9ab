//! Owners, modes, and who can read.

use std::ffi::OsStr;
use std::io::ErrorKind;

use certwright::{AclKind, Open};
use rustix::io::Errno;

use super::acls::{Entry, value};
use super::{Bench, Outcome, errno};

pub(super) fn modes_are_as_asked(b: &Bench) -> Outcome {
    for mode in [0o000, 0o700, 0o711, 0o755, 0o777, 0o1777, 0o2750] {
        let directory = b.directory(&format!("{mode:o}"), mode)?;
        assert_eq!(b.mode(&directory)?, mode, "{mode:o}");
    }
    let file = b.file("f", b"")?;
    for mode in [0o640, 0o000, 0o4755, 0o600] {
        b.fs.set_mode(&file, mode)?;
        assert_eq!(b.mode(&file)?, mode, "{mode:o}");
    }
    Ok(())
}

pub(super) fn owner_and_group_change(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    for (uid, gid) in [(1234, 0), (1234, 4321), (0, 0), (0, 0)] {
        b.fs.set_owner(&file, uid, gid)?;
        let stat = b.fs.stat(&file)?;
        assert_eq!((stat.uid, stat.gid), (uid, gid));
    }
    assert_eq!(errno(b.fs.set_owner(&file, u32::MAX, 0)), Some(Errno::INVAL));
    assert_eq!(errno(b.fs.set_owner(&file, 0, u32::MAX)), Some(Errno::INVAL));
    Ok(())
}

pub(super) fn a_new_owner_drops_set_id(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    for (before, after) in [(0o6755, 0o755), (0o2745, 0o2745), (0o4700, 0o700)] {
        b.fs.set_owner(&file, 0, 0)?;
        b.fs.set_mode(&file, before)?;
        b.fs.set_owner(&file, 0, 0)?;
        assert_eq!(b.mode(&file)?, before, "nothing happens when it has that owner already");
        b.fs.set_owner(&file, 1234, 0)?;
        assert_eq!(b.mode(&file)?, after, "{before:o}");
    }
    let directory = b.directory("d", 0o2755)?;
    b.fs.set_owner(&directory, 1234, 4321)?;
    assert_eq!(b.mode(&directory)?, 0o2755);
    Ok(())
}

pub(super) fn a_set_group_id_directory_hands_down_its_group(b: &Bench) -> Outcome {
    let directory = b.directory("d", 0o2755)?;
    b.fs.set_owner(&directory, 0, 4321)?;
    b.file("d/f", b"")?;
    b.directory("d/d", 0o711)?;
    b.link("d/l", "f")?;
    for (name, mode) in [("f", 0o600), ("d", 0o711), ("l", 0o777)] {
        let stat = b.fs.stat_at(&directory, OsStr::new(name))?;
        assert_eq!((stat.gid, stat.mode), (4321, mode), "{name}");
    }
    Ok(())
}

pub(super) fn readers_by_owner_group_and_other(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    b.fs.set_owner(&file, 1234, 4321)?;
    for (mode, owner, group, other) in
        [(0o400, true, false, false), (0o640, true, true, false), (0o604, true, false, true)]
    {
        b.fs.set_mode(&file, mode)?;
        assert_eq!(b.can_open(1234, 1, &[], "f")?, owner, "{mode:o}");
        assert_eq!(b.can_open(5, 4321, &[], "f")?, group, "{mode:o}");
        assert_eq!(b.can_open(5, 1, &[7, 4321], "f")?, group, "{mode:o}");
        assert_eq!(b.can_open(5, 1, &[7], "f")?, other, "{mode:o}");
        assert_eq!(b.can_open(0, 0, &[], "f")?, other, "root without capabilities is an ordinary user");
    }
    Ok(())
}

pub(super) fn the_owner_bits_are_final(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    b.fs.set_owner(&file, 1234, 4321)?;
    b.fs.set_mode(&file, 0o044)?;
    assert!(!b.can_open(1234, 4321, &[], "f")?);
    b.fs.set_mode(&file, 0o404)?;
    assert!(!b.can_open(5, 4321, &[], "f")?);
    Ok(())
}

pub(super) fn readers_by_named_entries(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let entries = [
        Entry::Owner(6),
        Entry::User(1001, 4),
        Entry::User(1002, 0),
        Entry::OwningGroup(0),
        Entry::Group(2001, 4),
        Entry::Mask(4),
        Entry::Other(0),
    ];
    b.fs.set_acl(&file, AclKind::Access, Some(&value(&entries)))?;
    assert!(b.can_open(1001, 1, &[], "f")?);
    assert!(b.can_open(5, 2001, &[], "f")?);
    assert!(b.can_open(5, 1, &[2001], "f")?);
    assert!(!b.can_open(1002, 2001, &[], "f")?, "a named user is final, whatever its groups");
    assert!(!b.can_open(5, 1, &[2002], "f")?);
    Ok(())
}

pub(super) fn bits_of_two_groups_are_not_added_up(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let entries = |second| {
        value(&[
            Entry::Owner(6),
            Entry::OwningGroup(0),
            Entry::Group(2001, 2),
            Entry::Group(2002, second),
            Entry::Mask(7),
            Entry::Other(4),
        ])
    };
    b.fs.set_acl(&file, AclKind::Access, Some(&entries(1)))?;
    assert!(!b.can_open(5, 2001, &[2002], "f")?, "one group matched, so other is out of reach");
    b.fs.set_acl(&file, AclKind::Access, Some(&entries(4)))?;
    assert!(b.can_open(5, 2001, &[2002], "f")?, "a later group may grant");
    Ok(())
}

pub(super) fn an_empty_mask_sends_everyone_to_other(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let entries = |other| {
        value(&[Entry::Owner(6), Entry::User(1001, 4), Entry::OwningGroup(4), Entry::Mask(0), Entry::Other(other)])
    };
    b.fs.set_acl(&file, AclKind::Access, Some(&entries(0)))?;
    assert!(!b.can_open(1001, 1, &[], "f")?);
    // The textbook denies the named user; Linux does not look at the ACL.
    b.fs.set_acl(&file, AclKind::Access, Some(&entries(4)))?;
    assert!(b.can_open(1001, 1, &[], "f")?);
    assert!(!b.can_open(5, 0, &[], "f")?, "the owning group has the group bits, which are empty");
    Ok(())
}

pub(super) fn every_directory_on_the_way_counts(b: &Bench) -> Outcome {
    let (outer, inner) = (b.directory("outer", 0o711)?, b.directory("outer/inner", 0o711)?);
    let file = b.file("outer/inner/f", b"")?;
    b.fs.set_mode(&file, 0o644)?;
    let can = || b.can_open(1234, 1234, &[], "outer/inner/f");
    assert!(can()?);
    for directory in [&outer, &inner] {
        b.fs.set_mode(directory, 0o744)?;
        assert!(!can()?, "reading a directory is not searching it");
        let named =
            value(&[Entry::Owner(7), Entry::User(1234, 1), Entry::OwningGroup(0), Entry::Mask(1), Entry::Other(0)]);
        b.fs.set_acl(directory, AclKind::Access, Some(&named))?;
        assert!(can()?);
        assert!(!b.can_open(1235, 1234, &[], "outer/inner/f")?);
    }
    Ok(())
}

pub(super) fn links_are_followed_for_readers(b: &Bench) -> Outcome {
    b.directory("gen", 0o711)?;
    b.directory("gen/1", 0o700)?;
    let file = b.file("gen/1/f", b"")?;
    b.fs.set_mode(&file, 0o644)?;
    b.link("current", "gen/1")?;
    assert!(!b.can_open(1234, 1234, &[], "current/f")?, "the way behind the link counts");
    b.fs.set_mode(&b.open("gen/1", Open::Directory)?, 0o711)?;
    assert!(b.can_open(1234, 1234, &[], "current/f")?);
    Ok(())
}

pub(super) fn asking_about_nothing_is_an_error(b: &Bench) -> Outcome {
    assert_eq!(errno(b.can_open(1234, 1234, &[], "absent")), Some(Errno::NOENT));
    let shut = b.directory("shut", 0o700)?;
    assert!(!b.can_open(1234, 1234, &[], "shut/absent")?, "behind a closed door nothing is known");
    assert!(!b.can_open(1234, 1234, &[], "shut")?);
    b.fs.set_mode(&shut, 0o755)?;
    assert!(b.can_open(1234, 1234, &[], "shut")?, "a directory can be opened for reading, too");
    let nobody = b.can_open(u32::MAX, 0, &[], "shut").map_err(|error| error.kind());
    assert_eq!(nobody.err(), Some(ErrorKind::InvalidInput));
    Ok(())
}
