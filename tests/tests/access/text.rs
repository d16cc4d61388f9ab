//! The stored form and the text against `getfacl` and `setfacl`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use certwright::access::{Access, Acl, Named, Permissions};
use certwright::{AclKind, ErrorKind, Filesystem, Open, OsFilesystem};
use certwright_tests::namespace::in_mount;
use certwright_tests::prng::Prng;
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(30);
const FILES: usize = 300;

/// Every shape of ACL; what owner, group and other get on top of it.
fn any_acl(prng: &mut Prng) -> Acl {
    let mut bits = || u32::try_from(prng.below(8)).unwrap();
    let (mode, mask) = (bits() << 6 | bits() << 3 | bits(), bits());
    if prng.chance(5) {
        return Acl::from_mode(mode);
    }
    let users = any_named(prng);
    let groups = any_named(prng);
    Acl::extended(mode, users, groups, Permissions::from_bits(mask))
}

/// Up to six entries. No id twice: `setfacl` would merge them.
fn any_named(prng: &mut Prng) -> Vec<Named> {
    let mut named = Vec::new();
    for at in 0..prng.below(7) {
        let id = if at == 5 { u32::MAX - 1 } else { u32::try_from(at * 12_000 + prng.below(12_000)).unwrap() };
        named.push(Named::new(id, Permissions::from_bits(u32::try_from(prng.below(8)).unwrap())));
    }
    named
}

/// Files with these ACLs, given by the library.
fn planted(scratch: &Scratch, acls: &[Acl]) -> Vec<PathBuf> {
    let fs = OsFilesystem::new();
    let plant = |(at, acl): (usize, &Acl)| {
        let path = scratch.join(format!("f{at:04}"));
        let node = fs.open(None, &path, Open::Create).unwrap();
        Access::new(0, 0, acl.clone()).apply(&fs, &node).unwrap();
        path
    };
    acls.iter().enumerate().map(plant).collect()
}

fn attribute(path: &Path) -> Option<Vec<u8>> {
    let fs = OsFilesystem::new();
    fs.acl(&fs.open(None, path, Open::Read).unwrap(), AclKind::Access).unwrap()
}

#[test]
fn getfacl_shows_what_was_given_in_the_same_words() {
    let scratch = Scratch::on_disk().unwrap();
    let mut prng = Prng::new(0x09e7_fac1);
    let acls: Vec<Acl> = (0..FILES).map(|_| any_acl(&mut prng)).collect();
    let files = planted(&scratch, &acls);
    let mut getfacl = Command::new(program("getfacl"));
    getfacl.args(["--numeric", "--omit-header", "--no-effective", "--absolute-names", "--"]).args(&files);
    let output = run(&mut getfacl, LIMIT).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let shown: Vec<&str> = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).collect();
    assert_eq!(shown.len(), FILES);
    for (shown, acl) in shown.into_iter().zip(&acls) {
        assert_eq!(shown.replace('\n', ","), acl.to_string());
        assert_eq!(shown.parse::<Acl>().unwrap(), *acl);
    }
}

#[test]
fn setfacl_stores_the_same_bytes() {
    let scratch = Scratch::on_disk().unwrap();
    let mut prng = Prng::new(0x05e7_fac1);
    let acls: Vec<Acl> = (0..FILES).map(|_| any_acl(&mut prng)).collect();
    let ours = planted(&scratch, &acls);
    // In the form that `setfacl --restore` takes.
    let mut list = String::new();
    let mut theirs = Vec::new();
    for (at, acl) in acls.iter().enumerate() {
        let path = scratch.join(format!("s{at:04}"));
        std::fs::write(&path, "").unwrap();
        list.push_str(&format!("# file: {}\n{}\n\n", path.display(), acl.to_string().replace(',', "\n")));
        theirs.push(path);
    }
    std::fs::write(scratch.join("list"), list).unwrap();
    let mut setfacl = Command::new(program("setfacl"));
    setfacl.arg("--restore").arg(scratch.join("list")).current_dir("/");
    let output = run(&mut setfacl, LIMIT).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for ((ours, theirs), acl) in ours.iter().zip(&theirs).zip(&acls) {
        assert_eq!(attribute(ours), attribute(theirs), "{acl}");
        let stored = (!acl.is_minimal()).then(|| acl.to_xattr());
        assert_eq!(attribute(theirs), stored, "{acl}");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(theirs).unwrap());
        assert_eq!(mode & 0o777, acl.mode(), "{acl}");
    }
}

/// What `setfacl` and `chmod` make of an ACL, in the order in which people run them (acl(5), chmod(2)).
#[test]
fn a_stray_chmod_moves_the_mask_and_is_told_so() {
    let scratch = Scratch::on_disk().unwrap();
    let acl: Acl = "u::rw-,u:62001:r--,g::---,m::r--,o::---".parse().unwrap();
    let wanted = Access::new(0, 0, acl);
    let path = planted(&scratch, std::slice::from_ref(&wanted.acl)).remove(0);
    let fs = OsFilesystem::new();
    let node = fs.open(None, &path, Open::Read).unwrap();
    let drift = || certwright::access::compare(&wanted, &Access::read(&fs, &node).unwrap());
    assert_eq!(drift(), None);
    let mut chmod = Command::new("chmod");
    assert!(run(chmod.arg("600").arg(&path), LIMIT).unwrap().status.success());
    let told = drift().unwrap().to_string();
    assert_eq!(told, "mask::r-- became mask::---, so named entries no longer count");
    let mut setfacl = Command::new(program("setfacl"));
    assert!(run(setfacl.args(["-m", "u:62002:rw"]).arg(&path), LIMIT).unwrap().status.success());
    let told = drift().unwrap().to_string();
    assert_eq!(
        told,
        "user:62002:rw- was added; mask::r-- became mask::rw-, which gives named entries and the group more"
    );
}

#[test]
fn a_file_system_without_acls_does_for_mode_bits_and_is_named_otherwise() {
    let test = "as_root::text::a_file_system_without_acls_does_for_mode_bits_and_is_named_otherwise";
    let Some(root) = in_mount(test, r#"mount -t ramfs ramfs "$0""#).unwrap() else { return };
    let fs = OsFilesystem::new();
    let node = fs.open(None, &root.join("f"), Open::Create).unwrap();
    let plain = Access::new(62_001, 63_001, Acl::from_mode(0o640));
    plain.apply(&fs, &node).unwrap();
    assert_eq!(Access::read(&fs, &node).unwrap(), plain);
    let named = Access::new(0, 0, "u::rw-,u:33:r--,g::---,m::r--,o::---".parse().unwrap());
    let error = named.apply(&fs, &node).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!((error.fact("mount"), error.fact("type")), (root.to_str(), Some("ramfs")), "{error}");
    assert!(error.hint_text().is_some());
}

#[test]
fn too_many_entries_are_not_a_full_disk_and_a_full_disk_is() {
    let test = "as_root::text::too_many_entries_are_not_a_full_disk_and_a_full_disk_is";
    // Blocks of 1 KiB hold a little over a hundred entries; small inodes leave no room for one beside them.
    let mount = r#"truncate -s 4M "$0.img"; mke2fs -q -t ext4 -b 1024 -I 128 -O ^has_journal "$0.img"
        mount -o loop "$0.img" "$0"; rm "$0.img""#;
    program("mke2fs");
    let Some(root) = in_mount(test, mount).unwrap() else { return };
    let fs = OsFilesystem::new();
    let node = fs.open(None, &root.join("f"), Open::Create).unwrap();
    let with = |count: u32| {
        let users = (0..count).map(|at| Named::new(62_000 + at, Permissions::READ));
        Access::new(0, 0, Acl::extended(0o600, users, [], Permissions::READ))
    };
    with(100).apply(&fs, &node).unwrap();
    let error = with(500).apply(&fs, &node).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.fact("entries"), Some("504"), "{error}");

    let fresh = fs.open(None, &root.join("g"), Open::Create).unwrap();
    let filler = fs.open(None, &root.join("filler"), Open::Create).unwrap();
    while fs.write(&filler, &[0; 512]).is_ok() {}
    let error = with(50).apply(&fs, &fresh).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(error.message(), "the disk is full", "{error}");
}

#[test]
fn an_immutable_file_is_refused_and_the_flag_is_mentioned() {
    let scratch = Scratch::on_disk().unwrap();
    let path = planted(&scratch, &[Acl::from_mode(0o600)]).remove(0);
    let fs = OsFilesystem::new();
    let node = fs.open(None, &path, Open::Read).unwrap();
    let flag = |flag: &str| {
        let mut chattr = Command::new(program("chattr"));
        assert!(run(chattr.arg(flag).arg(&path), LIMIT).unwrap().status.success());
    };
    flag("+i");
    let refused = [
        Access::new(0, 0, Acl::from_mode(0o640)).apply(&fs, &node),
        Access::new(0, 0, "u::rw-,u:33:r--,g::---,m::r--,o::---".parse().unwrap()).apply(&fs, &node),
        Access::new(62_001, 0, Acl::from_mode(0o600)).apply(&fs, &node),
    ];
    flag("-i");
    for refused in refused {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert!(error.hint_text().is_some_and(|hint| hint.contains("lsattr")), "{error}");
    }
}
