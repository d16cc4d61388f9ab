//! Names: made, moved, taken away.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use certwright::{NodeKind, Open, Rename};
use rustix::io::Errno;

use super::{Bench, Outcome, errno};

pub(super) fn create_is_exclusive(b: &Bench) -> Outcome {
    b.file("f", b"first")?;
    b.link("dangling", "nowhere")?;
    b.directory("d", 0o700)?;
    for name in ["f", "dangling", "d"] {
        assert_eq!(errno(b.open(name, Open::Create)), Some(Errno::EXIST), "{name}");
    }
    assert_eq!(errno(b.fs.make_directory(&b.root()?, OsStr::new("f"), 0o700)), Some(Errno::EXIST));
    assert_eq!(errno(b.link("d", "x")), Some(Errno::EXIST));
    assert_eq!(b.content("f")?, b"first");
    assert_eq!(b.fs.list(&b.root()?)?, ["d", "dangling", "f"]);
    Ok(())
}

pub(super) fn a_new_file_is_private(b: &Bench) -> Outcome {
    for how in [Open::Create, Open::Append] {
        let name = format!("{how:?}");
        let stat = b.fs.stat(&b.open(&name, how)?)?;
        assert_eq!((stat.kind, stat.mode, stat.size, stat.links), (NodeKind::File, 0o600, 0, 1));
        assert_eq!((stat.uid, stat.gid), (0, 0));
    }
    Ok(())
}

pub(super) fn an_absent_name_is_not_found(b: &Bench) -> Outcome {
    let (root, name) = (b.root()?, OsStr::new("absent"));
    let missing = Some(Errno::NOENT);
    for how in [Open::Read, Open::Directory, Open::Facts] {
        assert_eq!(errno(b.open("absent", how)), missing, "{how:?}");
        assert_eq!(errno(b.open("absent/f", how)), missing, "{how:?}");
    }
    assert_eq!(errno(b.open("absent/f", Open::Create)), missing);
    assert_eq!(errno(b.open("absent/f", Open::Append)), missing);
    assert_eq!(errno(b.open("", Open::Read)), missing);
    assert_eq!(errno(b.fs.stat_at(&root, name)), missing);
    assert_eq!(errno(b.fs.read_link(&root, name)), missing);
    assert_eq!(errno(b.fs.remove_file(&root, name)), missing);
    assert_eq!(errno(b.fs.remove_directory(&root, name)), missing);
    assert_eq!(errno(b.fs.rename(&root, name, &root, OsStr::new("new"), Rename::Replace)), missing);
    assert_eq!(errno(b.link("empty", "")), missing);
    Ok(())
}

pub(super) fn the_kind_must_fit(b: &Bench) -> Outcome {
    b.file("f", b"")?;
    b.directory("d", 0o700)?;
    assert_eq!(errno(b.open("f", Open::Directory)), Some(Errno::NOTDIR));
    assert_eq!(errno(b.open("f/x", Open::Read)), Some(Errno::NOTDIR));
    assert_eq!(errno(b.open("f/x", Open::Create)), Some(Errno::NOTDIR));
    assert_eq!(errno(b.open("d", Open::Read)), Some(Errno::ISDIR));
    assert_eq!(errno(b.open("d", Open::Append)), Some(Errno::ISDIR));
    let file = b.open("f", Open::Read)?;
    assert_eq!(errno(b.fs.open(Some(&file), Path::new("x"), Open::Read)), Some(Errno::NOTDIR));
    assert_eq!(errno(b.fs.make_directory(&file, OsStr::new("x"), 0o700)), Some(Errno::NOTDIR));
    assert_eq!(errno(b.fs.list(&file)), Some(Errno::NOTDIR));
    assert_eq!(errno(b.fs.read_link(&b.root()?, OsStr::new("f"))), Some(Errno::INVAL));
    assert_eq!(b.fs.stat_at(&b.root()?, OsStr::new("d"))?.kind, NodeKind::Directory);
    Ok(())
}

pub(super) fn a_name_is_one_component(b: &Bench) -> Outcome {
    b.directory("d", 0o700)?;
    b.file("f", b"")?;
    let (root, good) = (b.root()?, OsStr::new("f"));
    for name in ["", ".", "..", "d/x", "/", "d/"] {
        let bad = OsStr::new(name);
        let refused = [
            errno(b.fs.make_directory(&root, bad, 0o700)),
            errno(b.fs.stat_at(&root, bad)),
            errno(b.fs.rename(&root, bad, &root, good, Rename::Replace)),
            errno(b.fs.rename(&root, good, &root, bad, Rename::Replace)),
            errno(b.fs.make_link(&root, bad, Path::new("x"))),
            errno(b.fs.read_link(&root, bad)),
            errno(b.fs.remove_file(&root, bad)),
            errno(b.fs.remove_directory(&root, bad)),
        ];
        assert_eq!(refused, [Some(Errno::INVAL); 8], "{name:?}");
    }
    let long = "n".repeat(256);
    assert_eq!(errno(b.fs.make_directory(&root, OsStr::new(&long), 0o700)), Some(Errno::NAMETOOLONG));
    assert_eq!(errno(b.open(&long, Open::Create)), Some(Errno::NAMETOOLONG));
    assert_eq!(errno(b.fs.open(None, Path::new("relative"), Open::Read)), Some(Errno::INVAL));
    Ok(())
}

pub(super) fn rename_replaces(b: &Bench) -> Outcome {
    let root = b.root()?;
    let new = b.fs.stat(&b.file("new", b"new")?)?;
    b.file("old", b"old")?;
    b.fs.rename(&root, OsStr::new("new"), &root, OsStr::new("old"), Rename::Replace)?;
    assert_eq!(b.content("old")?, b"new");
    assert_eq!(b.fs.stat_at(&root, OsStr::new("old"))?.identity, new.identity);
    assert_eq!(b.fs.list(&root)?, ["old"]);
    b.link("link", "elsewhere")?;
    b.fs.rename(&root, OsStr::new("link"), &root, OsStr::new("old"), Rename::Replace)?;
    assert_eq!(b.fs.read_link(&root, OsStr::new("old"))?, Path::new("elsewhere"));
    Ok(())
}

pub(super) fn rename_keeps_what_it_must_not_replace(b: &Bench) -> Outcome {
    let root = b.root()?;
    b.file("new", b"new")?;
    b.file("old", b"old")?;
    b.directory("d", 0o700)?;
    b.link("dangling", "nowhere")?;
    for there in ["old", "d", "dangling", "new"] {
        let refused = b.fs.rename(&root, OsStr::new("new"), &root, OsStr::new(there), Rename::NoReplace);
        assert_eq!(errno(refused), Some(Errno::EXIST), "{there}");
    }
    assert_eq!(b.content("old")?, b"old");
    b.fs.rename(&root, OsStr::new("new"), &root, OsStr::new("free"), Rename::NoReplace)?;
    assert_eq!(b.fs.list(&root)?, ["d", "dangling", "free", "old"]);
    Ok(())
}

pub(super) fn rename_moves_between_directories(b: &Bench) -> Outcome {
    let (from, to) = (b.directory("from", 0o700)?, b.directory("to", 0o700)?);
    let file = b.fs.open(Some(&from), Path::new("f"), Open::Create)?;
    b.fs.write(&file, b"moved")?;
    b.fs.make_directory(&from, OsStr::new("d"), 0o700)?;
    for name in ["f", "d"] {
        b.fs.rename(&from, OsStr::new(name), &to, OsStr::new(name), Rename::NoReplace)?;
    }
    assert!(b.fs.list(&from)?.is_empty());
    assert_eq!(b.fs.list(&to)?, ["d", "f"]);
    assert_eq!((b.fs.stat(&from)?.links, b.fs.stat(&to)?.links), (2, 3));
    Ok(())
}

pub(super) fn rename_of_directories(b: &Bench) -> Outcome {
    let root = b.root()?;
    let full = b.directory("full", 0o700)?;
    b.fs.make_directory(&full, OsStr::new("inner"), 0o700)?;
    let inner = b.fs.open(Some(&full), Path::new("inner"), Open::Directory)?;
    b.directory("empty", 0o700)?;
    b.directory("other", 0o700)?;
    b.file("f", b"")?;
    let rename = |old: &str, new: &str| b.fs.rename(&root, OsStr::new(old), &root, OsStr::new(new), Rename::Replace);
    assert_eq!(errno(rename("empty", "full")), Some(Errno::NOTEMPTY));
    assert_eq!(errno(rename("empty", "f")), Some(Errno::NOTDIR));
    assert_eq!(errno(rename("f", "empty")), Some(Errno::ISDIR));
    let into_itself = b.fs.rename(&root, OsStr::new("full"), &inner, OsStr::new("x"), Rename::Replace);
    assert_eq!(errno(into_itself), Some(Errno::INVAL));
    let onto_above = b.fs.rename(&full, OsStr::new("inner"), &root, OsStr::new("full"), Rename::Replace);
    assert_eq!(errno(onto_above), Some(Errno::NOTEMPTY));
    rename("full", "empty")?;
    assert_eq!(b.fs.list(&root)?, ["empty", "f", "other"]);
    assert_eq!(b.fs.list(&b.open("empty", Open::Directory)?)?, ["inner"]);
    Ok(())
}

pub(super) fn rename_of_one_inode_onto_itself_does_nothing(b: &Bench) -> Outcome {
    let root = b.root()?;
    b.file("a", b"")?;
    b.make_hard_link("a", "b")?;
    b.fs.rename(&root, OsStr::new("a"), &root, OsStr::new("b"), Rename::Replace)?;
    b.fs.rename(&root, OsStr::new("a"), &root, OsStr::new("a"), Rename::Replace)?;
    assert_eq!(b.fs.list(&root)?, ["a", "b"]);
    Ok(())
}

pub(super) fn links_are_made_read_and_replaced(b: &Bench) -> Outcome {
    let root = b.root()?;
    for target in ["gen/1", "../out", "/absolute", "."] {
        b.link("new", target)?;
        assert_eq!(b.fs.read_link(&root, OsStr::new("new"))?, Path::new(target));
        assert_eq!(b.fs.stat_at(&root, OsStr::new("new"))?.kind, NodeKind::Link);
        b.fs.rename(&root, OsStr::new("new"), &root, OsStr::new("current"), Rename::Replace)?;
        assert_eq!(b.fs.read_link(&root, OsStr::new("current"))?, Path::new(target));
    }
    b.fs.remove_file(&root, OsStr::new("current"))?;
    assert!(b.fs.list(&root)?.is_empty());
    Ok(())
}

pub(super) fn a_listing_is_sorted(b: &Bench) -> Outcome {
    for name in ["b", "a", "\u{e9}", "B", ".hidden"] {
        b.file(name, b"")?;
    }
    let root = b.root()?;
    assert_eq!(b.fs.list(&root)?, [".hidden", "B", "a", "b", "\u{e9}"]);
    assert_eq!(b.fs.list(&root)?.len(), 5, "a second listing starts anew");
    Ok(())
}

pub(super) fn removal_needs_the_right_kind(b: &Bench) -> Outcome {
    let root = b.root()?;
    let full = b.directory("full", 0o700)?;
    b.fs.open(Some(&full), Path::new("f"), Open::Create)?;
    b.file("f", b"")?;
    assert_eq!(errno(b.fs.remove_file(&root, OsStr::new("full"))), Some(Errno::ISDIR));
    assert_eq!(errno(b.fs.remove_directory(&root, OsStr::new("f"))), Some(Errno::NOTDIR));
    assert_eq!(errno(b.fs.remove_directory(&root, OsStr::new("full"))), Some(Errno::NOTEMPTY));
    b.fs.remove_file(&full, OsStr::new("f"))?;
    b.fs.remove_directory(&root, OsStr::new("full"))?;
    b.fs.remove_file(&root, OsStr::new("f"))?;
    assert!(b.fs.list(&root)?.is_empty());
    Ok(())
}

pub(super) fn a_removed_directory_takes_no_names(b: &Bench) -> Outcome {
    let root = b.root()?;
    let gone = b.directory("gone", 0o700)?;
    b.file("f", b"")?;
    b.fs.remove_directory(&root, OsStr::new("gone"))?;
    let missing = Some(Errno::NOENT);
    assert_eq!(errno(b.fs.open(Some(&gone), Path::new("x"), Open::Create)), missing);
    assert_eq!(errno(b.fs.make_directory(&gone, OsStr::new("x"), 0o700)), missing);
    assert_eq!(errno(b.fs.make_link(&gone, OsStr::new("x"), Path::new("y"))), missing);
    assert_eq!(errno(b.fs.rename(&root, OsStr::new("f"), &gone, OsStr::new("x"), Rename::Replace)), missing);
    assert_eq!(b.fs.stat(&gone)?.links, 0);
    assert!(b.fs.list(&gone)?.is_empty());
    Ok(())
}

pub(super) fn hard_links_are_counted(b: &Bench) -> Outcome {
    let root = b.root()?;
    let file = b.file("a", b"shared")?;
    b.make_hard_link("a", "b")?;
    assert_eq!(b.fs.stat(&file)?.links, 2);
    assert_eq!(b.fs.stat_at(&root, OsStr::new("b"))?.identity, b.fs.stat(&file)?.identity);
    b.fs.remove_file(&root, OsStr::new("a"))?;
    assert_eq!(b.fs.stat(&file)?.links, 1);
    assert_eq!(b.content("b")?, b"shared");
    Ok(())
}

pub(super) fn identity_tells_inodes_apart(b: &Bench) -> Outcome {
    let (a, c) = (b.file("a", b"")?, b.file("c", b"")?);
    assert_ne!(b.fs.stat(&a)?.identity, b.fs.stat(&c)?.identity);
    assert_eq!(b.fs.stat(&a)?, b.fs.stat(&b.open("a", Open::Read)?)?);
    assert_eq!(b.open("a", Open::Create).map_err(|error| error.kind()).err(), Some(ErrorKind::AlreadyExists));
    Ok(())
}
