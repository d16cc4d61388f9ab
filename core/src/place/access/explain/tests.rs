use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::ground::error::ErrorKind;
use crate::place::access::inode::Access;
use crate::place::filesystem::{NodeKind, Open};
use crate::place::os::OsFilesystem;
use crate::place::scratch::Scratch;

const R: Permissions = Permissions::READ;

fn stranger() -> Identity {
    Identity::new(60_001, 60_002, vec![])
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn give(path: &Path, acl: &str) {
    let fs = OsFilesystem::new();
    let how = if path.is_dir() { Open::Directory } else { Open::Read };
    let node = fs.open(None, path, how).unwrap();
    Access::new(0, 0, acl.parse().unwrap()).apply(&fs, &node).unwrap();
}

/// `/…/a/b/key`, open to everybody.
fn tree() -> Scratch {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.at("a/b")).unwrap();
    std::fs::write(scratch.at("a/b/key"), "k").unwrap();
    for (name, bits) in [("", 0o755), ("a", 0o755), ("a/b", 0o755), ("a/b/key", 0o644)] {
        mode(&scratch.at(name), bits);
    }
    scratch
}

fn ask(path: &Path) -> PathVerdict {
    explain(&OsFilesystem::new(), path, &stranger(), R).unwrap()
}

#[test]
fn links_are_followed_and_their_ancestors_count() {
    let scratch = tree();
    std::fs::create_dir(scratch.at("closed")).unwrap();
    symlink("../a/./b/../b", scratch.at("closed/relative")).unwrap();
    symlink(scratch.at("closed/relative/key"), scratch.at("absolute")).unwrap();
    let facts = PathFacts::read(&OsFilesystem::new(), &scratch.at("absolute")).unwrap();
    assert_eq!(facts.resolved(), scratch.at("a/b/key"));
    assert_eq!(facts.kind(), Some(NodeKind::File));
    assert!(ask(&scratch.at("absolute")).is_allow());
    mode(&scratch.at("closed"), 0o700);
    assert_eq!(ask(&scratch.at("absolute")).component, scratch.at("closed"));
    // The directory that `..` leaves has to be searched too.
    mode(&scratch.at("closed"), 0o755);
    std::fs::create_dir(scratch.at("a/b/deep")).unwrap();
    mode(&scratch.at("a/b/deep"), 0o700);
    assert_eq!(ask(&scratch.at("a/b/deep/../key")).component, scratch.at("a/b/deep"));
}

#[test]
fn a_directory_itself_is_asked_for_what_is_wanted() {
    let scratch = tree();
    mode(&scratch.at("a/b"), 0o711);
    let fs = OsFilesystem::new();
    let facts = PathFacts::read(&fs, &scratch.at("a/b")).unwrap();
    assert!(facts.explain(&stranger(), Capabilities::NONE, Permissions::EXECUTE).is_allow());
    assert!(!facts.explain(&stranger(), Capabilities::NONE, R).is_allow());
    assert!(facts.explain(&stranger(), Capabilities::DAC_READ_SEARCH, R).is_allow());
    assert!(explain(&fs, Path::new("/"), &stranger(), R).unwrap().is_allow());
}

#[test]
fn a_loop_ends_and_what_is_missing_is_named() {
    let scratch = tree();
    symlink("loop", scratch.at("loop")).unwrap();
    let fs = OsFilesystem::new();
    let error = |name: &str| PathFacts::read(&fs, &scratch.at(name)).unwrap_err();
    assert_eq!(error("loop").kind(), ErrorKind::Io);
    let missing = error("a/none/key");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.fact("path"), scratch.at("a/none").to_str());
    assert_eq!(error("a/b/key/more").kind(), ErrorKind::InvalidSpec);
    assert_eq!(PathFacts::read(&fs, Path::new("key")).unwrap_err().kind(), ErrorKind::InvalidSpec);
    // As many links as the kernel follows, and one more.
    for at in 0..41 {
        let target = if at == 0 { "a/b/key".to_owned() } else { format!("link{}", at - 1) };
        symlink(target, scratch.at(&format!("link{at}"))).unwrap();
    }
    for (name, follows) in [("link39", true), ("link40", false)] {
        assert_eq!(std::fs::metadata(scratch.at(name)).is_ok(), follows, "the kernel at {name}");
        assert_eq!(PathFacts::read(&fs, &scratch.at(name)).is_ok(), follows, "{name}");
    }
}

#[test]
fn asking_never_opens_a_device_or_waits_for_a_fifo() {
    let scratch = tree();
    let fifo = scratch.at("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(ask(&fifo).verdict.is_deny());
    assert!(ask(Path::new("/dev/null")).is_allow());
}

/// These take on other identities, or give files to others.
mod as_root {
    use super::*;

    #[test]
    fn names_the_first_component_that_denies_and_looks_at_the_file_by_itself() {
        let scratch = tree();
        let key = scratch.at("a/b/key");
        assert_eq!(ask(&key).to_string(), format!("allow at {}: other::r-- (needed r--)", key.display()));
        give(&scratch.at("a/b"), "u::rwx,u:60001:---,g::---,m::r--,o::rwx");
        let denied = ask(&key);
        assert_eq!(denied.to_string(), format!("deny at {}: user:60001:--- (needed --x)", scratch.at("a/b").display()));
        assert!(denied.alone.unwrap().is_allow(), "the file itself is open: only its directory protects it");
        mode(&scratch.at("a"), 0o700);
        assert_eq!(ask(&key).component, scratch.at("a"));
        mode(&key, 0o600);
        assert!(ask(&key).alone.unwrap().is_deny());
    }

    #[test]
    fn a_foreign_link_in_a_sticky_directory_is_not_followed_where_the_kernel_protects() {
        let protects = std::fs::read_to_string("/proc/sys/fs/protected_symlinks").unwrap().trim() == "1";
        let scratch = tree();
        std::fs::create_dir(scratch.at("tmp")).unwrap();
        mode(&scratch.at("tmp"), 0o1777);
        let link = scratch.at("tmp/link");
        symlink("../a/b/key", &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(60_009), Some(60_009)).unwrap();
        let fs = OsFilesystem::new();
        for who in [stranger(), Identity::new(60_009, 60_009, vec![])] {
            let expected = fs.can_open_as(&who, &link).unwrap();
            assert_eq!(explain(&fs, &link, &who, R).unwrap().is_allow(), expected, "{who}");
            assert_eq!(expected, !protects || who.uid == 60_009);
        }
    }

    #[test]
    fn what_this_process_may_not_look_at_is_a_doubt() {
        let scratch = tree();
        mode(&scratch.at("a/b"), 0o700);
        let key = scratch.at("a/b/key");
        let listless = scratch.at("a");
        mode(&listless, 0o711);
        let ordinary = std::thread::spawn(move || {
            let user = rustix::process::Uid::from_raw(60_001);
            rustix::thread::set_thread_res_uid(None, Some(user), None).unwrap();
            ask(&key)
        });
        let answer = ordinary.join().unwrap();
        // The directory that cannot be entered is seen, so the answer is still certain.
        assert_eq!(answer.component, scratch.at("a/b"));
        assert!(answer.verdict.is_deny());
        assert_eq!(answer.alone, None);
        let (key, other) = (scratch.at("a/b/key"), Identity::new(0, 0, vec![]));
        let ordinary = std::thread::spawn(move || {
            let user = rustix::process::Uid::from_raw(60_001);
            rustix::thread::set_thread_res_uid(None, Some(user), None).unwrap();
            explain(&OsFilesystem::new(), &key, &other, R).unwrap()
        });
        assert_eq!(ordinary.join().unwrap().verdict, Verdict::Unknown(Doubt::OutOfSight));
    }
}
