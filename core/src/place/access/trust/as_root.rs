//! Directories of other owners: the tests that give files away.

use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

use super::*;
use crate::place::access::inode::Access;
use crate::place::filesystem::Open;
use crate::place::os::OsFilesystem;
use crate::place::scratch::Scratch;

const OWNER: u32 = 60_001;

fn tree() -> Scratch {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.at("a/b")).unwrap();
    for name in ["", "a", "a/b"] {
        mode(&scratch.at(name), 0o755);
    }
    scratch
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn refused(scratch: &Scratch, name: &str) -> (String, String) {
    let error = trusted(&OsFilesystem::new(), &scratch.at(name), OWNER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessMismatch);
    let reason = error.fact("entry").or(error.fact("uid")).unwrap_or_default();
    (error.fact("path").unwrap_or_default().to_owned(), reason.to_owned())
}

fn place(scratch: &Scratch, name: &str) -> String {
    scratch.at(name).to_str().unwrap().to_owned()
}

fn is_trusted(scratch: &Scratch, name: &str) -> bool {
    trusted(&OsFilesystem::new(), &scratch.at(name), OWNER).is_ok()
}

#[test]
fn every_mode_that_lets_others_write_is_refused_unless_sticky_above() {
    for bits in 0..0o1000 {
        let scratch = tree();
        let others_write = bits & 0o022 != 0;
        mode(&scratch.at("a"), bits);
        assert_eq!(is_trusted(&scratch, "a/b"), !others_write, "ancestor {bits:o}");
        mode(&scratch.at("a"), bits | 0o1000);
        assert!(is_trusted(&scratch, "a/b"), "sticky ancestor {bits:o}");
        mode(&scratch.at("a"), 0o755);
        for sticky in [0, 0o1000] {
            mode(&scratch.at("a/b"), bits | sticky);
            assert_eq!(is_trusted(&scratch, "a/b"), !others_write, "the directory itself {bits:o} {sticky:o}");
            let place = trusted_place(&OsFilesystem::new(), &scratch.at("a/b"), OWNER);
            assert_eq!(place.is_ok(), !others_write || sticky != 0, "a place in it {bits:o} {sticky:o}");
        }
    }
}

#[test]
fn the_component_and_the_reason_are_named() {
    let scratch = tree();
    mode(&scratch.at("a"), 0o775);
    assert_eq!(refused(&scratch, "a/b"), (place(&scratch, "a"), "group::rwx".to_owned()));
    mode(&scratch.at("a"), 0o757);
    assert_eq!(refused(&scratch, "a/b"), (place(&scratch, "a"), "other::rwx".to_owned()));
    mode(&scratch.at("a"), 0o755);
    chown(scratch.at("a/b"), Some(OWNER + 1), None).unwrap();
    assert_eq!(refused(&scratch, "a/b"), (place(&scratch, "a/b"), (OWNER + 1).to_string()));
    chown(scratch.at("a/b"), Some(OWNER), None).unwrap();
    assert!(is_trusted(&scratch, "a/b"));
}

#[test]
fn a_named_entry_that_writes_is_seen_through_the_mask() {
    let scratch = tree();
    let fs = OsFilesystem::new();
    let give = |acl: &str| {
        let node = fs.open(None, &scratch.at("a"), Open::Directory).unwrap();
        Access::new(0, 0, acl.parse().unwrap()).apply(&fs, &node).unwrap();
    };
    give("u::rwx,u:7:rwx,g::r-x,m::rwx,o::r-x");
    assert_eq!(refused(&scratch, "a/b"), (place(&scratch, "a"), "user:7:rwx".to_owned()));
    give("u::rwx,u:7:rwx,g::rwx,m::r-x,o::r-x");
    assert!(is_trusted(&scratch, "a/b"), "the mask takes writing away");
    give("u::rwx,u:60001:rwx,u:0:rwx,g::r-x,m::rwx,o::r-x");
    assert!(is_trusted(&scratch, "a/b"), "the owner and root may write");
    give("u::rwx,g::r-x,g:8:-wx,m::rwx,o::r-x");
    assert_eq!(refused(&scratch, "a/b"), (place(&scratch, "a"), "group:8:-wx".to_owned()));
}

#[test]
fn a_link_that_belongs_to_somebody_else_is_refused() {
    let scratch = tree();
    symlink("a", scratch.at("link")).unwrap();
    assert!(is_trusted(&scratch, "link/b"));
    lchown(scratch.at("link"), Some(OWNER + 1), None).unwrap();
    assert_eq!(refused(&scratch, "link/b"), (place(&scratch, "link"), (OWNER + 1).to_string()));
    std::fs::write(scratch.at("file"), "").unwrap();
    let error = trusted(&OsFilesystem::new(), &scratch.at("file"), OWNER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
}
