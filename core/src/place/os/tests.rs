use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::place::scratch::Scratch;

fn both() -> [OsFilesystem; 2] {
    [OsFilesystem::new(), OsFilesystem::stepwise()]
}

fn raw(result: io::Result<impl Sized>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

const LOOP: i32 = Errno::LOOP.raw_os_error();
const XDEV: i32 = Errno::XDEV.raw_os_error();

#[test]
fn nothing_below_a_handle_leads_out_of_it() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.at("in/deep")).unwrap();
    std::fs::write(scratch.at("in/deep/file"), "inside").unwrap();
    std::fs::write(scratch.at("secret"), "outside").unwrap();
    symlink("../secret", scratch.at("in/up")).unwrap();
    symlink(scratch.at("secret"), scratch.at("in/absolute")).unwrap();
    symlink("deep", scratch.at("in/link")).unwrap();
    for fs in both() {
        let at = fs.open(None, &scratch.at("in"), Open::Directory).unwrap();
        let open = |path: &str, how| fs.open(Some(&at), Path::new(path), how);
        assert_eq!(fs.read(&open("deep/file", Open::Read).unwrap(), 100).unwrap(), b"inside");
        assert_eq!(fs.read(&open("./deep/./file", Open::Read).unwrap(), 100).unwrap(), b"inside");
        assert!(open(".", Open::Directory).is_ok());
        for link in ["up", "absolute", "link/file"] {
            assert_eq!(raw(open(link, Open::Read)), Some(LOOP), "{link} {fs:?}");
            assert_eq!(raw(open(link, Open::Append)), Some(LOOP), "{link} {fs:?}");
        }
        assert_eq!(raw(open("link", Open::Directory)), Some(LOOP), "{fs:?}");
        assert_eq!(raw(open("../secret", Open::Read)), Some(XDEV), "{fs:?}");
        assert_eq!(raw(open("/etc/passwd", Open::Read)), Some(XDEV), "{fs:?}");
        assert_eq!(raw(open("up", Open::Create)), Some(Errno::EXIST.raw_os_error()), "{fs:?}");
        assert_eq!(raw(open("deep/file/x", Open::Read)), Some(Errno::NOTDIR.raw_os_error()), "{fs:?}");
        assert_eq!(raw(open("", Open::Read)), Some(Errno::NOENT.raw_os_error()), "{fs:?}");
        let link = open("link", Open::Facts).unwrap();
        assert_eq!(fs.stat(&link).unwrap().kind, NodeKind::Link);
    }
    assert_eq!(std::fs::read(scratch.at("secret")).unwrap(), b"outside");
}

#[test]
fn a_name_is_one_component() {
    let scratch = Scratch::new();
    let fs = OsFilesystem::new();
    let at = fs.open(None, scratch.path(), Open::Directory).unwrap();
    for name in ["", ".", "..", "a/b", "/a", "a/"] {
        let name = OsStr::new(name);
        let bad = Some(Errno::INVAL.raw_os_error());
        assert_eq!(raw(fs.make_directory(&at, name, 0o700)), bad);
        assert_eq!(raw(fs.stat_at(&at, name)), bad);
        assert_eq!(raw(fs.rename(&at, name, &at, OsStr::new("x"), Rename::Replace)), bad);
        assert_eq!(raw(fs.rename(&at, OsStr::new("x"), &at, name, Rename::Replace)), bad);
        assert_eq!(raw(fs.make_link(&at, name, Path::new("x"))), bad);
        assert_eq!(raw(fs.read_link(&at, name)), bad);
        assert_eq!(raw(fs.remove_file(&at, name)), bad);
        assert_eq!(raw(fs.remove_directory(&at, name)), bad);
    }
    assert_eq!(raw(fs.open(None, Path::new("relative"), Open::Read)), Some(Errno::INVAL.raw_os_error()));
}

/// The umask belongs to the process, but a thread can have one of its own.
fn with_umask<T: Send>(umask: u32, act: impl FnOnce() -> T + Send) -> T {
    let own = || {
        #[expect(deprecated, reason = "no handle is shared, so the safe form is safe here")]
        rustix::thread::unshare(rustix::thread::UnshareFlags::FS).unwrap();
        rustix::process::umask(Mode::from_raw_mode(umask));
        act()
    };
    std::thread::scope(|scope| scope.spawn(own).join().unwrap())
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in [0o000, 0o022, 0o077, 0o277, 0o777] {
        let scratch = Scratch::new();
        with_umask(umask, || {
            let fs = OsFilesystem::new();
            let at = fs.open(None, scratch.path(), Open::Directory).unwrap();
            fs.make_directory(&at, OsStr::new("d"), 0o711).unwrap();
            fs.open(Some(&at), Path::new("c"), Open::Create).unwrap();
            fs.open(Some(&at), Path::new("a"), Open::Append).unwrap();
        });
        for (name, mode) in [("d", 0o711), ("c", 0o600), ("a", 0o600)] {
            let found = std::fs::metadata(scratch.at(name)).unwrap().permissions().mode() & 0o7777;
            assert_eq!(format!("{found:o}"), format!("{mode:o}"), "{name} under umask {umask:o}");
        }
    }
}

#[test]
fn a_set_group_id_parent_does_not_leak_into_the_mode() {
    let scratch = Scratch::new();
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o2755)).unwrap();
    let fs = OsFilesystem::new();
    let at = fs.open(None, scratch.path(), Open::Directory).unwrap();
    fs.make_directory(&at, OsStr::new("d"), 0o711).unwrap();
    assert_eq!(fs.stat_at(&at, OsStr::new("d")).unwrap().mode, 0o711);
}

#[test]
fn never_waits_for_a_fifo_and_reads_regular_files_alone() {
    let scratch = Scratch::new();
    let fifo = scratch.at("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
    for fs in both() {
        let at = fs.open(None, scratch.path(), Open::Directory).unwrap();
        let error = fs.open(Some(&at), Path::new("fifo"), Open::Read).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        // Nobody reads from it, so that even the open for writing must not wait.
        assert!(fs.open(Some(&at), Path::new("fifo"), Open::Append).is_err());
        let error = fs.open(None, scratch.path(), Open::Read).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        let facts = fs.open(Some(&at), Path::new("fifo"), Open::Facts).unwrap();
        assert_eq!(fs.stat(&facts).unwrap().kind, NodeKind::Other);
        assert_eq!(fs.acl(&facts, AclKind::Access).unwrap(), None);
    }
}

#[test]
fn reads_up_to_the_limit_and_appends() {
    let scratch = Scratch::new();
    let fs = OsFilesystem::new();
    let at = fs.open(None, scratch.path(), Open::Directory).unwrap();
    let file = fs.open(Some(&at), Path::new("f"), Open::Create).unwrap();
    fs.write(&file, b"0123456789").unwrap();
    let again = fs.open(Some(&at), Path::new("f"), Open::Append).unwrap();
    fs.write(&again, b"ab").unwrap();
    assert_eq!(fs.read(&again, 12).unwrap(), b"0123456789ab");
    assert_eq!(fs.read(&file, 11).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    // Files of procfs have no size.
    let status = fs.open(None, Path::new("/proc/self/mountinfo"), Open::Read).unwrap();
    assert_eq!(fs.read(&status, 1 << 20).unwrap(), std::fs::read("/proc/self/mountinfo").unwrap());
    assert_eq!(fs.read(&status, 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn names_are_listed_sorted_and_renamed_without_replacing() {
    let scratch = Scratch::new();
    let fs = OsFilesystem::new();
    let at = fs.open(None, scratch.path(), Open::Directory).unwrap();
    for name in ["b", "a", "\u{e9}", "B"] {
        fs.open(Some(&at), Path::new(name), Open::Create).unwrap();
    }
    assert_eq!(fs.list(&at).unwrap(), ["B", "a", "b", "\u{e9}"]);
    assert_eq!(fs.list(&at).unwrap().len(), 4, "a second listing starts anew");
    let rename = |how| fs.rename(&at, OsStr::new("a"), &at, OsStr::new("b"), how);
    assert_eq!(rename(Rename::NoReplace).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    rename(Rename::Replace).unwrap();
    assert_eq!(fs.list(&at).unwrap(), ["B", "b", "\u{e9}"]);
    fs.make_link(&at, OsStr::new("l"), Path::new("../x")).unwrap();
    assert_eq!(fs.read_link(&at, OsStr::new("l")).unwrap(), Path::new("../x"));
    assert_eq!(raw(fs.read_link(&at, OsStr::new("b"))), Some(Errno::INVAL.raw_os_error()));
}

#[test]
fn the_lock_belongs_to_the_open_file() {
    let scratch = Scratch::new();
    let fs = OsFilesystem::new();
    let path = scratch.at(".lock");
    let first = fs.open(None, &path, Open::Append).unwrap();
    assert!(fs.try_lock(&first).unwrap());
    let second = fs.open(None, &path, Open::Append).unwrap();
    assert!(!fs.try_lock(&second).unwrap());
    // A record lock would be lost when any handle on the file is closed (fcntl_locking(2)).
    drop(second);
    let third = fs.open(None, &path, Open::Append).unwrap();
    assert!(!fs.try_lock(&third).unwrap());
    drop(first);
    assert!(fs.try_lock(&third).unwrap());
}

/// `u::rw-,u:1234:r--,g::---,m::r--,o::---` in the stored form of acl(5) and `linux/posix_acl_xattr.h`.
const NAMED: [u8; 44] = [
    2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 210, 4, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255, 16, 0, 4, 0,
    255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
];

#[test]
fn without_the_capability_to_change_identity_the_question_is_unsupported() {
    let answer = std::thread::spawn(|| {
        let mut sets = rustix::thread::capabilities(None).unwrap();
        sets.effective = rustix::thread::CapabilitySet::empty();
        sets.permitted = rustix::thread::CapabilitySet::empty();
        rustix::thread::set_capabilities(None, sets).unwrap();
        OsFilesystem::new().can_open_as(&Identity::new(5, 5, vec![]), Path::new("/etc/passwd"))
    });
    assert_eq!(answer.join().unwrap().unwrap_err().kind(), io::ErrorKind::Unsupported);
}

#[test]
fn room_is_what_statvfs_says() {
    let fs = OsFilesystem::new();
    let root = fs.open(None, Path::new("/proc"), Open::Directory).unwrap();
    let space = fs.space(&root).unwrap();
    assert_eq!((space.bytes, space.inodes, space.read_only), (0, None, false));
}

/// These take on other identities, or give files to others.
mod as_root {
    use super::*;

    #[test]
    fn a_file_system_without_acls_is_unsupported() {
        let fs = OsFilesystem::new();
        let file = fs.open(None, Path::new("/proc/self/mountinfo"), Open::Read).unwrap();
        let error = fs.set_acl(&file, AclKind::Access, Some(&NAMED)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
        assert_eq!(error.raw_os_error(), Some(Errno::OPNOTSUPP.raw_os_error()));
    }

    #[test]
    fn acls_are_written_read_and_removed_on_handles() {
        let scratch = Scratch::new();
        let fs = OsFilesystem::new();
        let file = fs.open(None, &scratch.at("f"), Open::Create).unwrap();
        assert_eq!(fs.acl(&file, AclKind::Access).unwrap(), None);
        fs.set_acl(&file, AclKind::Access, Some(&NAMED)).unwrap();
        assert_eq!(fs.acl(&file, AclKind::Access).unwrap().as_deref(), Some(&NAMED[..]));
        assert_eq!(std::fs::metadata(scratch.at("f")).unwrap().mode() & 0o777, 0o640, "the mask shows as group bits");
        let facts = fs.open(None, &scratch.at("f"), Open::Facts).unwrap();
        assert_eq!(fs.acl(&facts, AclKind::Access).unwrap().as_deref(), Some(&NAMED[..]));
        fs.set_acl(&file, AclKind::Access, None).unwrap();
        fs.set_acl(&file, AclKind::Access, None).unwrap();
        assert_eq!(fs.acl(&file, AclKind::Access).unwrap(), None);
        // More entries than fit into the usual buffer.
        let mut many = NAMED[..12].to_vec();
        for uid in 2_000_u32..2_100 {
            many.extend_from_slice(&[2, 0, 4, 0]);
            many.extend_from_slice(&uid.to_le_bytes());
        }
        many.extend_from_slice(&NAMED[20..]);
        fs.set_acl(&file, AclKind::Access, Some(&many)).unwrap();
        assert_eq!(fs.acl(&file, AclKind::Access).unwrap(), Some(many));
    }

    #[test]
    fn an_owner_of_minus_one_is_nobody() {
        let scratch = Scratch::new();
        let fs = OsFilesystem::new();
        let file = fs.open(None, &scratch.at("f"), Open::Create).unwrap();
        assert!(fs.set_owner(&file, u32::MAX, 0).is_err());
        assert!(fs.set_owner(&file, 0, u32::MAX).is_err());
        fs.set_owner(&file, 1234, 4321).unwrap();
        let found = fs.stat(&file).unwrap();
        assert_eq!((found.uid, found.gid, found.links), (1234, 4321, 1));
    }

    #[test]
    fn the_kernel_answers_for_somebody_else_and_we_stay_who_we_are() {
        let scratch = Scratch::new();
        let fs = OsFilesystem::new();
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let path = scratch.at("f");
        let file = fs.open(None, &path, Open::Create).unwrap();
        fs.set_owner(&file, 1234, 4321).unwrap();
        fs.set_mode(&file, 0o640).unwrap();
        let can = |uid, gid, groups: &[u32]| fs.can_open_as(&Identity::new(uid, gid, groups.to_vec()), &path).unwrap();
        assert!(can(1234, 1, &[]));
        assert!(can(5, 4321, &[]));
        assert!(can(5, 1, &[7, 4321]));
        assert!(!can(5, 1, &[7]));
        assert!(!can(0, 0, &[]), "root without capabilities is an ordinary user");
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!can(1234, 1, &[]));
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let (missing, open) = (scratch.at("missing"), scratch.at("open"));
        std::fs::write(&open, "").unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
        let several = [path.as_path(), &missing, Path::new("relative"), &open];
        let answers = fs.can_open_each_as(&Identity::new(5, 1, vec![]), &several);
        let kinds: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|error| error.kind())).collect();
        let expected = [Ok(false), Err(io::ErrorKind::NotFound), Err(io::ErrorKind::InvalidInput), Ok(true)];
        assert_eq!(kinds, expected, "each path has its own answer");
        let nobody = fs.can_open_each_as(&Identity::new(u32::MAX, 1, vec![]), &several);
        assert!(nobody.len() == 4 && nobody.iter().all(Result::is_err), "{nobody:?}");
        let missing = fs.can_open_as(&Identity::new(0, 0, vec![]), &scratch.at("missing"));
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(rustix::process::geteuid().as_raw(), 0);
        assert!(rustix::thread::capabilities(None).unwrap().effective.contains(rustix::thread::CapabilitySet::SETUID));
        assert!(std::fs::read(&path).is_ok());
    }
}
