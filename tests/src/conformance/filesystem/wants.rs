//! Where something is wanting: room, the right to write, ACLs. Each needs a file system of its own.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use certwright::{AclKind, NodeKind, Open, Rename};
use rustix::io::Errno;

use super::acls::{Entry, value};
use super::{Bench, Outcome, errno};

/// On a file system of 64 KiB.
///
/// # Errors
///
/// What kept it from being tried; what was found wrong is a panic.
pub fn full(b: &Bench) -> Outcome {
    let root = b.root()?;
    let space = b.fs.space(&root)?;
    assert!(space.bytes <= 65_536 && !space.read_only, "{space:?}");
    let file = b.file("small", b"fits")?;
    let chunk = [b'x'; 4096];
    let refused = (0..32).find_map(|_| errno(b.fs.write(&file, &chunk)));
    assert_eq!(refused, Some(Errno::NOSPC));
    assert_eq!(b.fs.space(&root)?.bytes, 0);
    let content = b.content("small")?;
    assert!(content.starts_with(b"fitsxxx"), "what was written stays");
    // Names and inodes still fit where they need no block; renames and removals always do.
    b.fs.rename(&root, OsStr::new("small"), &root, OsStr::new("big"), Rename::NoReplace)?;
    b.fs.remove_file(&root, OsStr::new("big"))?;
    assert_eq!(b.fs.space(&root)?.bytes, 0, "an open file keeps its room");
    drop(file);
    assert_eq!(b.fs.space(&root)?.bytes, space.bytes);
    b.file("again", &chunk)?;
    Ok(())
}

/// On a read-only file system that holds a file `f` with the content `f`, a link `l` and an empty directory `d`.
///
/// # Errors
///
/// What kept it from being tried; what was found wrong is a panic.
pub fn read_only(b: &Bench) -> Outcome {
    let root = b.root()?;
    assert!(b.fs.space(&root)?.read_only);
    let (file, name, new) = (b.open("f", Open::Read)?, OsStr::new("f"), OsStr::new("new"));
    let refused = [
        errno(b.open("new", Open::Create)),
        errno(b.open("new", Open::Append)),
        errno(b.open("f", Open::Append)),
        errno(b.fs.make_directory(&root, new, 0o700)),
        errno(b.fs.make_link(&root, new, Path::new("x"))),
        errno(b.fs.rename(&root, name, &root, new, Rename::Replace)),
        errno(b.fs.remove_file(&root, name)),
        errno(b.fs.remove_directory(&root, OsStr::new("d"))),
        errno(b.fs.set_owner(&file, 1, 1)),
        errno(b.fs.set_mode(&file, 0o644)),
        errno(b.fs.set_acl(&file, AclKind::Access, None)),
    ];
    assert_eq!(refused, [Some(Errno::ROFS); 11]);
    assert_eq!(errno(b.open("f", Open::Create)), Some(Errno::EXIST));
    assert_eq!(errno(b.fs.make_directory(&root, name, 0o700)), Some(Errno::EXIST));
    assert_eq!(b.content("f")?, b"f");
    assert_eq!(b.fs.stat_at(&root, OsStr::new("l"))?.kind, NodeKind::Link);
    assert!(b.fs.try_lock(&file)?);
    b.fs.sync(&file)?;
    b.fs.sync(&root)?;
    Ok(())
}

/// On a file system without POSIX ACLs.
///
/// # Errors
///
/// What kept it from being tried; what was found wrong is a panic.
pub fn without_acls(b: &Bench) -> Outcome {
    let file = b.file("f", b"")?;
    let wanted =
        value(&[Entry::Owner(6), Entry::User(1234, 4), Entry::OwningGroup(0), Entry::Mask(4), Entry::Other(0)]);
    for kind in [AclKind::Access, AclKind::Default] {
        for refused in
            [b.fs.acl(&file, kind).map(drop), b.fs.set_acl(&file, kind, Some(&wanted)), b.fs.set_acl(&file, kind, None)]
        {
            assert_eq!(refused.as_ref().map_err(|error| error.kind()).err(), Some(ErrorKind::Unsupported), "{kind:?}");
            assert_eq!(errno(refused), Some(Errno::OPNOTSUPP));
        }
    }
    b.fs.set_mode(&file, 0o640)?;
    assert_eq!(b.mode(&file)?, 0o640);
    Ok(())
}
