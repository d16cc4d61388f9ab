//! The way to an inode.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use certwright::{AclKind, NodeKind, Open};
use rustix::io::Errno;

use super::{Bench, Outcome, errno};

const EXISTING: [Open; 4] = [Open::Read, Open::Append, Open::Directory, Open::Search];

pub(super) fn links_beneath_are_refused(b: &Bench) -> Outcome {
    b.directory("d", 0o700)?;
    b.file("d/f", b"inside")?;
    b.link("file", "d/f")?;
    b.link("directory", "d")?;
    b.link("absolute", b.path("d/f"))?;
    b.link("up", "../out")?;
    b.link("d/link", "f")?;
    for how in EXISTING {
        for link in ["file", "directory", "absolute", "up", "directory/f", "d/link", "up/x", "directory/link"] {
            assert_eq!(errno(b.open(link, how)), Some(Errno::LOOP), "{link} {how:?}");
        }
    }
    assert_eq!(errno(b.open("directory/new", Open::Create)), Some(Errno::LOOP));
    assert_eq!(errno(b.open("directory/f", Open::Facts)), Some(Errno::LOOP));
    assert_eq!(b.content("d/f")?, b"inside");
    Ok(())
}

pub(super) fn nothing_leads_out_from_beneath(b: &Bench) -> Outcome {
    b.file("secret", b"outside")?;
    b.directory("in", 0o700)?;
    let at = b.directory("in/deep", 0o700)?;
    let absolute = b.path("secret");
    for how in EXISTING.into_iter().chain([Open::Create, Open::Facts]) {
        for path in [Path::new("../secret"), Path::new(".."), Path::new("../../secret"), absolute.as_path()] {
            assert_eq!(errno(b.fs.open(Some(&at), path, how)), Some(Errno::XDEV), "{} {how:?}", path.display());
        }
    }
    assert!(b.fs.open(Some(&at), Path::new("."), Open::Directory).is_ok());
    assert_eq!(b.content("./secret")?, b"outside");
    Ok(())
}

pub(super) fn absolute_paths_follow_links(b: &Bench) -> Outcome {
    b.directory("d", 0o700)?;
    b.file("d/f", b"there")?;
    b.link("relative", "d")?;
    b.link("absolute", b.path("relative"))?;
    b.link("up", "d/../absolute/f")?;
    b.link("dangling", "nowhere")?;
    for path in ["d/f", "relative/f", "absolute/f", "up", "d/../d/f", "absolute/../d/f"] {
        let file = b.fs.open(None, &b.path(path), Open::Read)?;
        assert_eq!(b.fs.read(&file, 10)?, b"there", "{path}");
    }
    assert!(b.fs.open(None, &b.path("absolute"), Open::Directory).is_ok());
    b.fs.write(&b.fs.open(None, &b.path("up"), Open::Append)?, b"!")?;
    assert_eq!(b.content("d/f")?, b"there!");
    b.fs.open(None, &b.path("relative/new"), Open::Create)?;
    assert_eq!(b.fs.list(&b.open("d", Open::Directory)?)?, ["f", "new"]);
    assert_eq!(errno(b.fs.open(None, &b.path("dangling"), Open::Read)), Some(Errno::NOENT));
    assert_eq!(errno(b.fs.open(None, &b.path("dangling"), Open::Create)), Some(Errno::EXIST));
    assert_eq!(errno(b.fs.open(None, &b.path("dangling"), Open::Append)), Some(Errno::NOENT));
    Ok(())
}

pub(super) fn a_loop_of_links_ends(b: &Bench) -> Outcome {
    b.link("a", "b")?;
    b.link("b", "a")?;
    assert_eq!(errno(b.fs.open(None, &b.path("a"), Open::Read)), Some(Errno::LOOP));
    assert_eq!(errno(b.fs.open(None, &b.path("a/x"), Open::Directory)), Some(Errno::LOOP));
    Ok(())
}

pub(super) fn a_fifo_does_not_hang(b: &Bench) -> Outcome {
    b.make_fifo("fifo")?;
    let kind = |how| b.open("fifo", how).map_err(|error| error.kind()).err();
    assert_eq!(kind(Open::Read), Some(ErrorKind::InvalidInput));
    assert_eq!(kind(Open::Append), Some(ErrorKind::InvalidInput));
    assert_eq!(errno(b.open("fifo", Open::Create)), Some(Errno::EXIST));
    assert_eq!(errno(b.open("fifo", Open::Directory)), Some(Errno::NOTDIR));
    assert_eq!(b.fs.stat(&b.open("fifo", Open::Facts)?)?.kind, NodeKind::Other);
    let asked = b.can_open(1234, 1234, &[], "fifo");
    assert_eq!(asked.map_err(|error| error.kind()).err(), Some(ErrorKind::InvalidInput));
    Ok(())
}

pub(super) fn facts_look_at_the_link_itself(b: &Bench) -> Outcome {
    b.directory("d", 0o711)?;
    b.link("link", "nowhere")?;
    let link = b.open("link", Open::Facts)?;
    let stat = b.fs.stat(&link)?;
    assert_eq!((stat.kind, stat.size), (NodeKind::Link, 7));
    assert_eq!(stat, b.fs.stat_at(&b.root()?, OsStr::new("link"))?);
    assert_eq!(errno(b.fs.acl(&link, AclKind::Access)), Some(Errno::OPNOTSUPP));
    let directory = b.open("d", Open::Facts)?;
    assert_eq!((b.mode(&directory)?, b.fs.acl(&directory, AclKind::Access)?), (0o711, None));
    Ok(())
}

pub(super) fn facts_are_good_for_nothing_else(b: &Bench) -> Outcome {
    b.file("f", b"content")?;
    let facts = b.open("f", Open::Facts)?;
    let refused = [
        errno(b.fs.read(&facts, 10)),
        errno(b.fs.write(&facts, b"x")),
        errno(b.fs.set_owner(&facts, 1, 1)),
        errno(b.fs.set_mode(&facts, 0o644)),
        errno(b.fs.set_acl(&facts, AclKind::Access, Some(b""))),
        errno(b.fs.sync(&facts)),
        errno(b.fs.try_lock(&facts)),
    ];
    assert_eq!(refused, [Some(Errno::BADF); 7]);
    Ok(())
}

pub(super) fn a_directory_that_is_searched_is_good_for_names_beneath(b: &Bench) -> Outcome {
    b.directory("d", 0o711)?;
    b.file("d/f", b"content")?;
    b.link("d/link", "f")?;
    b.link("way", "d")?;
    let outside = b.fs.open(None, &b.path("way"), Open::Search)?;
    for searched in [outside, b.open("d", Open::Search)?] {
        let file = b.fs.open(Some(&searched), Path::new("f"), Open::Read)?;
        assert_eq!(b.fs.read(&file, 10)?, b"content");
        assert_eq!(b.fs.read_link(&searched, OsStr::new("link"))?, Path::new("f"));
        assert_eq!(b.fs.stat(&searched)?.mode, 0o711);
        assert_eq!(b.fs.acl(&searched, AclKind::Access)?, None);
        let refused = [
            errno(b.fs.list(&searched)),
            errno(b.fs.sync(&searched)),
            errno(b.fs.set_mode(&searched, 0o700)),
            errno(b.fs.try_lock(&searched)),
        ];
        assert_eq!(refused, [Some(Errno::BADF); 4]);
    }
    assert_eq!(errno(b.open("d/f", Open::Search)), Some(Errno::NOTDIR));
    Ok(())
}
