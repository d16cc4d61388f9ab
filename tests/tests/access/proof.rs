//! The proof on real files: who is let in, what the errors say, and that the commands they name help.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use certwright::access::{
    Access, Acl, Evidence, Grantee, Names, PathFacts, Reader, Secrecy, directory, prove, secret_file, who_can_read,
};
use certwright::{
    AccessWish, Error, ErrorKind, Filesystem, Identity, KeyRule, Open, OsFilesystem, Phase, Principal, Privacy,
};
use certwright_tests::model_fs::{Acls, Identities, ModelFs};
use certwright_tests::process::run;
use certwright_tests::scratch::Scratch;
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::lying::Lying;

static FS: OsFilesystem = OsFilesystem::new();

fn names() -> Names {
    Names::fixed(
        &[("root", 0, 0), ("web", 62_001, 63_001), ("mail", 62_002, 63_002), ("both", 62_003, 63_009)],
        &[
            ("root", 0, &[]),
            ("web", 63_001, &["mail"]),
            ("mail", 63_002, &[]),
            ("certs", 63_003, &["mail", "both"]),
            ("ops", 63_004, &["both"]),
        ],
    )
}

fn principal(text: &str) -> Principal {
    match text.split_once(':').unwrap() {
        ("user", name) => Principal::User(name.to_owned()),
        (_, name) => Principal::Group(name.to_owned()),
    }
}

fn readers(readers: &[&str]) -> Vec<Reader> {
    readers.iter().map(|text| names().reader(&principal(text)).unwrap()).collect()
}

fn give(path: &Path, uid: u32, gid: u32, acl: &str) {
    let how = if path.is_dir() { Open::Directory } else { Open::Read };
    let node = FS.open(None, path, how).unwrap();
    Access::new(uid, gid, acl.parse().unwrap()).apply(&FS, &node).unwrap();
}

/// `<scratch>/srv/tls/key`; the directories are open, the key is root's alone.
fn tree() -> (Scratch, PathBuf) {
    let scratch = Scratch::on_disk().unwrap();
    std::fs::create_dir_all(scratch.join("srv/tls")).unwrap();
    let key = scratch.join("srv/tls/key");
    std::fs::write(&key, "k").unwrap();
    for (path, mode) in [(scratch.join("srv"), 0o755), (scratch.join("srv/tls"), 0o755), (key.clone(), 0o600)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    (scratch, key)
}

fn refused(key: &Path, who: &[&str]) -> Error {
    let error = prove(&FS, key, &readers(who), Secrecy::Secret, &names()).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::AccessMismatch, Some(Phase::Prove)), "{error:#}");
    error
}

#[test]
fn what_is_derived_from_a_wish_is_proved_by_model_and_kernel() {
    let root = Identity::new(0, 0, vec![]);
    for who in [
        &["user:web"][..],
        &["user:mail"],
        &["group:certs"],
        &["user:web", "group:certs", "group:ops", "user:62077"],
        &["user:root"],
        &[],
    ] {
        for privacy in [Privacy::Open, Privacy::Private] {
            let (scratch, key) = tree();
            let mut wish = AccessWish::default();
            wish.readers = who.iter().map(|text| principal(text)).collect();
            let node = FS.open(None, &key, Open::Read).unwrap();
            secret_file(&wish, KeyRule::None, &names(), &root).unwrap().apply(&FS, &node).unwrap();
            let node = FS.open(None, &scratch.join("srv/tls"), Open::Directory).unwrap();
            directory(&wish, privacy, &names(), &root).unwrap().apply(&FS, &node).unwrap();
            let proof = prove(&FS, &key, &readers(who), Secrecy::Secret, &names()).unwrap();
            assert_eq!(proof.evidence(), Evidence::ModelAndKernel);
            assert_eq!(proof.readers(), wish.readers);
            let ino = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&key).unwrap());
            assert_eq!(proof.inode().1, ino);
        }
    }
}

/// Run the command between backticks, as a person would.
fn follow_hint(error: &Error) {
    let hint = error.hint_text().unwrap();
    let command = hint.split('`').nth(1).unwrap();
    let output = run(Command::new("sh").args(["-c", command]), Duration::from_secs(10)).unwrap();
    assert!(output.status.success(), "`{command}`: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_component_that_denies_is_named_with_a_command_that_helps() {
    let cases = [
        ("user:web", "srv", 0, "u::rwx,g::---,o::---", "other::---"),
        ("user:web", "srv/tls", 0, "u::rwx,u:62002:rwx,g::---,m::r--,o::---", "other::---"),
        ("user:web", "srv/tls", 0, "u::rwx,u:62001:rwx,g::---,m::r--,o::---", "mask::r-- limits user:62001:rwx"),
        ("user:web", "srv", 0, "u::rwx,u:62001:---,g::---,m::r--,o::--x", "user:62001:---"),
        ("user:web", "srv", 62_001, "u::rw-,g::rwx,o::rwx", "user::rw-"),
        ("group:certs", "srv/tls", 0, "u::rwx,g::rwx,o::---", "other::---"),
        ("group:certs", "srv/tls", 0, "u::rwx,g::---,g:63003:r--,m::r--,o::--x", "group:63003:r--"),
        (
            "user:web",
            "srv/tls/key",
            0,
            "u::rw-,u:62001:r--,g::---,m::---,o::---",
            "other::---, because mask::--- makes user:62001:r-- void",
        ),
        ("group:certs", "srv/tls/key", 0, "u::rw-,g::---,o::---", "other::---"),
    ];
    for (reader, at, uid, acl, entry) in cases {
        let (scratch, key) = tree();
        give(&key, 0, 0, "u::rw-,u:62001:r--,g::---,g:63003:r--,m::r--,o::---");
        give(&scratch.join(at), uid, 63_009, acl);
        let error = refused(&key, &[reader]);
        assert_eq!(error.fact("reader"), Some(reader));
        assert_eq!(error.fact("component"), scratch.join(at).to_str(), "{acl}");
        assert_eq!(error.fact("entry"), Some(entry), "{acl}");
        assert!(error.to_string().starts_with("prove: a reader cannot read the file (path `"), "{error}");
        follow_hint(&error);
        if let Err(error) = prove(&FS, &key, &readers(&[reader]), Secrecy::Secret, &names()) {
            panic!("the command did not help: {error:#}");
        }
    }
}

#[test]
fn a_reader_without_search_on_a_foreign_ancestor_is_given_the_plainest_command() {
    let (scratch, key) = tree();
    give(&key, 0, 0, "u::rw-,u:62001:r--,g::---,m::r--,o::---");
    give(&scratch.join("srv"), 0, 0, "u::rwx,g::---,o::---");
    let hint = refused(&key, &["user:web"]).hint_text().unwrap().to_owned();
    let expected = format!("let it pass with `setfacl -m user:62001:--x {}`", scratch.join("srv").display());
    assert_eq!(hint, expected);
}

#[test]
fn an_outsider_is_proved_shut_out() {
    let (scratch, key) = tree();
    give(&key, 0, 0, "u::rw-,g::r--,o::r--");
    let error = refused(&key, &[]);
    assert_eq!(error.message(), "everybody can read a private key");
    assert_eq!(error.fact("entry"), Some("other::r--"));
    // What is public may be read.
    assert!(prove(&FS, &key, &readers(&["user:web"]), Secrecy::Public, &names()).is_ok());
    give(&scratch.join("srv/tls"), 0, 0, "u::rwx,g::---,o::---");
    assert_eq!(refused(&key, &[]).message(), "a private key is kept from everybody by its directories alone");
    follow_hint(&refused(&key, &[]));
    assert!(prove(&FS, &key, &[], Secrecy::Secret, &names()).is_ok());
}

#[test]
fn without_the_capability_the_model_alone_proves_and_the_proof_says_so() {
    let (_scratch, key) = tree();
    give(&key, 0, 0, "u::rw-,u:62001:r--,g::---,m::r--,o::---");
    let path = key.clone();
    let alone = std::thread::spawn(move || {
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        rustix::thread::set_capabilities(None, sets).unwrap();
        prove(&FS, &path, &readers(&["user:web"]), Secrecy::Secret, &names()).unwrap()
    });
    assert_eq!(alone.join().unwrap().evidence(), Evidence::ModelAlone);
    give(&key, 0, 0, "u::rw-,g::---,o::---");
    let alone = std::thread::spawn(move || {
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        rustix::thread::set_capabilities(None, sets).unwrap();
        prove(&FS, &key, &readers(&["user:web"]), Secrecy::Secret, &names()).unwrap_err()
    });
    assert_eq!(alone.join().unwrap().kind(), ErrorKind::AccessMismatch);
}

#[test]
fn a_kernel_that_disagrees_with_the_model_is_never_believed_silently() {
    let (_scratch, key) = tree();
    give(&key, 0, 0, "u::rw-,u:62001:r--,g::---,m::r--,o::---");
    let lying = Lying(OsFilesystem::new());
    for (who, kernel) in [(&["user:web"][..], "refused to open it"), (&[], "opened it")] {
        let error = prove(&lying, &key, &readers(who), Secrecy::Secret, &names()).unwrap_err();
        assert_eq!(error.message(), "the model and the kernel disagree about who can read the file");
        assert_eq!(error.kind(), ErrorKind::AccessMismatch);
        assert_eq!(error.fact("kernel"), Some(kernel));
    }
}

#[test]
fn a_file_system_that_lies_about_acls_is_caught_by_reading_back() {
    let fs = ModelFs::default();
    fs.change(|settings| settings.acls = Acls::Dropped);
    let node = fs.open(None, Path::new("/key"), Open::Create).unwrap();
    let access = Access::new(0, 0, "u::rw-,u:33:r--,g::---,m::r--,o::---".parse().unwrap());
    let error = access.apply(&fs, &node).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.message(), "the file system did not keep the access it was given");
    assert_eq!(error.fact("wanted"), Some(access.to_string().as_str()));
    // Mode bits it keeps.
    Access::new(0, 0, Acl::from_mode(0o600)).apply(&fs, &node).unwrap();
}

#[test]
fn the_model_file_system_proves_like_the_real_one() {
    let fs = ModelFs::default();
    let node = fs.open(None, Path::new("/key"), Open::Create).unwrap();
    Access::new(0, 0, "u::rw-,u:62001:r--,g::---,m::r--,o::---".parse().unwrap()).apply(&fs, &node).unwrap();
    let attempt = |who: &[&str]| prove(&fs, Path::new("/key"), &readers(who), Secrecy::Secret, &names());
    assert_eq!(attempt(&["user:web"]).unwrap().evidence(), Evidence::ModelAndKernel);
    assert_eq!(attempt(&["user:mail"]).unwrap_err().kind(), ErrorKind::AccessMismatch);
    fs.change(|settings| settings.identities = Identities::OwnOnly);
    assert_eq!(attempt(&["user:web"]).unwrap().evidence(), Evidence::ModelAlone);
}

#[test]
fn a_path_tells_who_can_read_it() {
    let who = |key: &Path| -> Vec<String> {
        let facts = PathFacts::read(&FS, key).unwrap();
        let grants = who_can_read(&facts, &names()).unwrap();
        let line = |grant: &certwright::access::Grant| format!("{}: {}", grant.who, grant.verdict.verdict);
        grants.iter().map(line).collect()
    };
    let (scratch, key) = tree();
    let capable = "processes with CAP_DAC_READ_SEARCH: CAP_DAC_READ_SEARCH";
    assert_eq!(who(&key), ["user root: user::rw-", capable]);

    // `mail` is in `web` and `certs`, and shut out by name; `both` is in `certs`.
    give(&key, 0, 63_001, "u::rw-,u:62001:r--,u:62002:---,g::---,g:63003:r--,m::r--,o::---");
    assert_eq!(
        who(&key),
        ["user root: user::rw-", "user web: user:62001:r--", "group certs (both): group:63003:r--", capable]
    );
    // Everybody else is listed once.
    give(&key, 0, 0, "u::rw-,u:62002:---,g::r--,m::r--,o::r--");
    assert_eq!(who(&key), ["user root: user::rw-", "group root (root): group::r--", "everybody: other::r--"]);

    // Only who is in both groups gets there, so neither group does by itself.
    give(&key, 0, 63_004, "u::rw-,g::r--,o::---");
    give(&scratch.join("srv/tls"), 0, 63_003, "u::rwx,g::--x,o::---");
    assert_eq!(who(&key), ["user root: user::rw-", "user both: group::r--", capable]);

    // Every grant is the kernel's opinion too.
    for grant in who_can_read(&PathFacts::read(&FS, &key).unwrap(), &names()).unwrap() {
        if let Grantee::User { uid, .. } = grant.who {
            let who = names().user(&uid.to_string()).unwrap();
            assert!(FS.can_open_as(&who, &key).unwrap(), "{who}");
        }
    }
}
