use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::place::os::OsFilesystem;
use crate::place::scratch::Scratch;

const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";

fn webroot(scratch: &Scratch) -> Webroot {
    Webroot::new(Arc::new(OsFilesystem::new()), scratch.path().to_owned())
}

fn answer(scratch: &Scratch) -> PathBuf {
    scratch.at(".well-known/acme-challenge").join(TOKEN)
}

#[test]
fn everyone_may_read_an_answer_and_nothing_is_left_of_it() {
    let scratch = Scratch::new();
    let webroot = webroot(&scratch);
    for content in [&b"first"[..], b"second, longer"] {
        webroot.put(TOKEN, content).unwrap();
        assert_eq!(std::fs::read(answer(&scratch)).unwrap(), content);
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&answer(&scratch)), 0o644);
    assert_eq!(mode(answer(&scratch).parent().unwrap()), 0o755);
    assert_eq!(std::fs::read_dir(answer(&scratch).parent().unwrap()).unwrap().count(), 1);
    for _ in 0..2 {
        webroot.remove(TOKEN).unwrap();
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}

#[test]
fn directories_of_others_stay_and_so_do_other_answers() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.at(".well-known")).unwrap();
    let webroot = webroot(&scratch);
    webroot.put(TOKEN, b"mine").unwrap();
    let other = answer(&scratch).with_file_name("other");
    std::fs::write(&other, b"theirs").unwrap();
    webroot.remove(TOKEN).unwrap();
    assert!(other.exists() && !answer(&scratch).exists());
    // Ours all the same: it goes with the last answer.
    std::fs::remove_file(&other).unwrap();
    webroot.put(TOKEN, b"again").unwrap();
    webroot.remove(TOKEN).unwrap();
    assert!(scratch.at(".well-known").exists() && !scratch.at(".well-known/acme-challenge").exists());
}

#[test]
fn no_link_leads_outside() {
    let scratch = Scratch::new();
    let outside = Scratch::new();
    let victim = outside.file("victim", b"precious", 0o600);
    // Under the name of the answer: replaced, not followed.
    std::fs::create_dir_all(answer(&scratch).parent().unwrap()).unwrap();
    for name in [answer(&scratch), answer(&scratch).with_file_name(format!(".tmp-{TOKEN}"))] {
        symlink(&victim, &name).unwrap();
        webroot(&scratch).put(TOKEN, b"answer").unwrap();
        assert!(std::fs::symlink_metadata(answer(&scratch)).unwrap().is_file());
        webroot(&scratch).remove(TOKEN).unwrap();
    }
    assert_eq!(
        (std::fs::read(&victim).unwrap().as_slice(), victim.metadata().unwrap().mode() & 0o777),
        (&b"precious"[..], 0o600)
    );

    // On the way: refused, and named.
    for link in [".well-known", ".well-known/acme-challenge"] {
        let scratch = Scratch::new();
        if let Some(above) = Path::new(link).parent().filter(|above| !above.as_os_str().is_empty()) {
            std::fs::create_dir(scratch.path().join(above)).unwrap();
        }
        symlink(outside.path(), scratch.at(link)).unwrap();
        let error = webroot(&scratch).put(TOKEN, b"answer").unwrap_err();
        assert_eq!((error.kind(), error.fact("path")), (ErrorKind::Permission, scratch.at(link).to_str()));
        assert!(webroot(&scratch).remove(TOKEN).is_err());
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn an_error_names_the_place_and_not_the_token() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(answer(&scratch)).unwrap();
    let error = webroot(&scratch).put(TOKEN, b"answer").unwrap_err();
    assert!(!format!("{error:#} {error:?}").contains(TOKEN), "{error:?}");
    assert_eq!(error.fact("path"), answer(&scratch).parent().unwrap().to_str());

    let missing = Webroot::new(Arc::new(OsFilesystem::new()), scratch.at("nowhere"));
    let error = missing.put(TOKEN, b"answer").unwrap_err();
    assert_eq!((error.kind(), error.fact("path")), (ErrorKind::NotFound, scratch.at("nowhere").to_str()));
    missing.remove(TOKEN).unwrap();
}

#[test]
fn many_at_once_in_one_directory() {
    let scratch = Scratch::new();
    let webroots = [webroot(&scratch), webroot(&scratch)];
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (webroot, path) = (&webroots[number % 2], answer(&scratch));
            scope.spawn(move || {
                let token = format!("{TOKEN}{number}");
                for _ in 0..200 {
                    webroot.put(&token, token.as_bytes()).unwrap();
                    assert_eq!(std::fs::read(path.with_file_name(&token)).unwrap(), token.as_bytes());
                    webroot.remove(&token).unwrap();
                }
            });
        }
    });
    let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
    assert!(left.len() <= 1, "{left:?}");
}

#[test]
fn a_default_acl_does_not_hide_an_answer() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(answer(&scratch).parent().unwrap()).unwrap();
    let parent = answer(&scratch).parent().unwrap().to_owned();
    let fs = OsFilesystem::new();
    let node = fs.open(None, &parent, Open::Directory).unwrap();
    // Version 2; owner rwx, group r-x, mask r-x, user 65533 ---, others --- (linux/posix_acl_xattr.h).
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in
        [(1_u16, 7_u16, u32::MAX), (2, 0, 65_533), (4, 5, u32::MAX), (16, 5, u32::MAX), (32, 0, u32::MAX)]
    {
        acl.extend([tag.to_le_bytes(), permissions.to_le_bytes()].concat());
        acl.extend(id.to_le_bytes());
    }
    fs.set_acl(&node, AclKind::Default, Some(&acl)).unwrap();
    webroot(&scratch).put(TOKEN, b"answer").unwrap();
    let file = fs.open(None, &answer(&scratch), Open::Read).unwrap();
    assert_eq!(fs.acl(&file, AclKind::Access).unwrap(), None);
    assert_eq!(answer(&scratch).metadata().unwrap().permissions().mode() & 0o777, 0o644);
}
