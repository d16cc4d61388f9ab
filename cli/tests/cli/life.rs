//! One lineage from its first day on: issued, kept, drifted, repaired, rolled back, held, released.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::play::{Play, finish, same};

const WISH: &str = "[lineage.www]\nidentifiers = [\"www.example.org\", \"example.org\"]\nissuer = \"lab\"\n";

#[test]
fn from_the_first_day_to_a_release() {
    let play = Play::new(WISH);
    same(&play.told(&["plan"]), "exit 3\nwww: issue\n  nothing is active\n");
    same(&play.told(&["status"]), "exit 3\nwww: nothing is active; nothing was deployed yet\n");
    same(
        &play.told(&["apply"]),
        "exit 0\n\
         www: changed; 0001-[LEAF] is active, valid until [TIME]\n\
         \x20 issue: nothing is active\n\
         \x20 read by nobody else, others shut out: [DIR]/store/www/generations/0001-[LEAF]/key.pem (by [EVIDENCE])\n\
         \x20 read by nobody else, others shut out: [DIR]/store/www/generations/0001-[LEAF]/bundle.pem (by [EVIDENCE])\n\
         \x20 served: not observed\n",
    );
    let first = play.active("www");
    same(&play.told(&["apply"]), "exit 0\nwww: unchanged; 0001-[LEAF] is active, valid until [TIME]\n");
    same(&play.told(&["plan"]), "exit 0\nwww: keep\n");
    same(&play.told(&["verify"]), "exit 0\nwww: well; 0001-[LEAF] is active\n");
    same(&play.told(&["status"]), "exit 0\nwww: 0001-[LEAF] is active; valid until [TIME]; renewal [TIME]\n");
    same(
        &play.told(&["status", "www"]),
        "exit 0\n\
         www: 0001-[LEAF] is active\n\
         \x20 identifiers  www.example.org, example.org\n\
         \x20 issuer       lab\n\
         \x20 fingerprint  [FINGERPRINT]\n\
         \x20 valid from   [TIME]\n\
         \x20 valid until  [TIME], in [N] days\n\
         \x20 renewal      [TIME], in [N] days, by its lifetime\n\
         \x20 0001-[LEAF]  active     valid until [TIME]\n\
         \x20 [TIME]  commit 0001-[LEAF]\n\
         \x20 [TIME]  activate 0001-[LEAF]\n\
         \x20 [TIME]  stage 0001-[LEAF]\n",
    );

    // Somebody helps a program to read the key.
    let key = play.path("store/www/current/key.pem");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let told = play.told(&["verify"]);
    let drift = "exit 3\n\
         www: finding; 0001-[LEAF] is active\n\
         \x20 access_drift: `[DIR]/store/www/generations/0001-[LEAF]/key.pem`: group::--- became group::r--; other::--- became other::r--\n\
         \x20 hint: run `certwright apply www`\n";
    assert!(told.starts_with(drift), "{told}");
    let told = play.told(&["apply"]);
    assert!(told.starts_with("exit 0\nwww: changed; 0002-[LEAF] is active"), "{told}");
    assert!(told.contains("  repair: "), "{told}");
    // The same certificate, in better order.
    assert_eq!(first.split_once('-').unwrap().1, play.active("www").split_once('-').unwrap().1);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    play.ends(0, &["verify"]);
}

/// Two certificates for the same names, the second of which lasts longer, and a lineage that takes either.
fn brought() -> Play {
    let lineage = |name: &str, rest: &str| format!("[lineage.{name}]\nidentifiers = [\"www.example.org\"]\n{rest}\n");
    let (one, two) = (lineage("one", "issuer = \"lab\""), lineage("two", "issuer = \"long\""));
    let long = "[issuer.long]\ntype = \"local\"\nlifetime = \"40d\"\n";
    let play = Play::new(&[long, &one, &two, &lineage("www", "")].concat());
    play.ends(0, &["apply", "one", "two"]);
    play
}

/// The words that deploy the certificate of another lineage.
fn deploy<'a>(key: &'a str, chain: &'a str) -> [&'a str; 7] {
    ["deploy", "--lineage", "www", "--key", key, "--fullchain", chain]
}

const ONE: [&str; 2] = ["store/one/current/key.pem", "store/one/current/fullchain.pem"];
const TWO: [&str; 2] = ["store/two/current/key.pem", "store/two/current/fullchain.pem"];

#[test]
fn a_hook_deploys_what_another_client_obtained() {
    let play = brought();
    let told = play.told(&deploy(ONE[0], ONE[1]));
    assert!(told.starts_with("exit 0\nwww: changed; 0001-[LEAF] is active, valid until [TIME]\n"), "{told}");
    let first = play.active("www");
    same(
        &play.told(&deploy(ONE[0], ONE[1])),
        "exit 0\n\
         www: unchanged; 0001-[LEAF] is active, valid until [TIME]\n\
         \x20 note: this certificate is active already\n",
    );
    // DER is a key too.
    let words = ["pkey", "-in", TWO[0], "-outform", "DER", "-out", "key.der"].map(AsRef::as_ref);
    assert_eq!(finish(&mut play.program("openssl".as_ref(), words)).unwrap().code, 0);
    // The key of another certificate.
    same(&play.told(&deploy("key.der", ONE[1])).lines().take(2).collect::<Vec<_>>().join("\n"), "exit 1\n-- stderr");
    assert_eq!(play.active("www"), first);
    let told = play.told(&deploy("key.der", TWO[1]));
    assert!(told.starts_with("exit 0\nwww: changed; 0002-[LEAF] is active"), "{told}");
    // An issuer is not asked for what a hook brings.
    same(&play.told(&["apply", "www"]), "exit 0\nwww: unchanged; 0002-[LEAF] is active, valid until [TIME]\n");
}

#[test]
fn back_held_and_released() {
    let play = brought();
    play.ends(0, &deploy(ONE[0], ONE[1]));
    let first = play.active("www");
    same(
        &play.told(&["rollback", "www"]),
        "exit 1\n\
         www: failed; 0001-[LEAF] is active, valid until [TIME]\n\
         -- stderr\n\
         error: www: there is no generation before the active one (lineage `www`)\n\
         now: nothing was changed\n\
         hint: see which there are with `certwright status www`, and name one with `--to`\n",
    );
    play.ends(0, &deploy(TWO[0], TWO[1]));
    let second = play.active("www");
    let told = play.told(&["rollback", "www"]);
    assert!(told.starts_with("exit 0\nwww: changed; 0001-[LEAF] is active, valid until [TIME]\n"), "{told}");
    let note = "  note: held until a newer issuance or `certwright rollback www --release`\n";
    assert!(told.contains(note), "{told}");
    let told = play.told(&["status", "www"]);
    assert!(told.contains("  unsettled    0001-[LEAF] is held by a rollback\n"), "{told}");
    assert!(told.contains("  0001-[LEAF]  held       valid until [TIME]\n"), "{told}");
    for _ in 0..2 {
        play.ends(0, &["apply", "www"]);
        assert_eq!(play.active("www"), first);
    }
    same(
        &play.told(&["rollback", "www", "--release"]),
        "exit 0\n\
         www: unchanged; 0001-[LEAF] is active, valid until [TIME]\n\
         \x20 note: 0001-[LEAF] is no longer held\n",
    );

    // By number, by name.
    play.ends(0, &["rollback", "www", "--to", "2"]);
    assert_eq!(play.active("www"), second);
    play.ends(0, &["rollback", "www", "--to", &first]);
    assert_eq!(play.active("www"), first);
    same(
        &play.told(&["rollback", "www", "--to", "7"]),
        "exit 1\n\
         -- stderr\n\
         error: there is no generation with this number (lineage `www`, number `7`)\n\
         hint: see which there are with `certwright status www`\n",
    );
    assert_eq!(play.active("www"), first);
}

#[test]
fn many_lineages_are_counted_and_not_listed() {
    let lineage =
        |number| format!("[lineage.l{number:02}]\nidentifiers = [\"l{number}.example.org\"]\nissuer = \"lab\"\n");
    let all: String = (0..22).map(lineage).collect();
    let play = Play::new(&all);
    let ran = play.ends(0, &["apply"]);
    assert_eq!(ran.stdout.lines().filter(|line| line.contains(": changed; ")).count(), 22);
    same(&play.told(&["apply"]), "exit 0\n22 lineages unchanged\n");
    same(&play.told(&["plan"]), "exit 0\n22 lineages need nothing\n");
    same(&play.told(&["verify"]), "exit 0\n22 lineages are as wished\n");
    play.wish(&all.replace("\"l7.example.org\"", "\"seven.example.org\""));
    let told = play.told(&["plan"]);
    assert!(told.starts_with("exit 3\nl07: issue\n  ") && told.ends_with("\n21 lineages need nothing\n"), "{told}");
    let told = play.told(&["apply"]);
    assert!(told.starts_with("exit 0\nl07: changed; 0002-") && told.ends_with("\n21 lineages unchanged\n"), "{told}");
    same(&play.told(&["apply", "--quiet"]), "exit 0\n");
}

mod as_root {
    use super::*;

    #[test]
    fn readers_are_told_and_a_moved_mask_is_named() {
        let play = Play::new(&format!("{WISH}readers = [\"user:65533\"]\n"));
        let told = play.told(&["apply"]);
        let proved =
            "  read by user:65533, others shut out: [DIR]/store/www/generations/0001-[LEAF]/key.pem (by [EVIDENCE])\n";
        assert!(told.contains(proved), "{told}");
        // The mode bits of a group are the mask of an ACL: this shuts the reader out.
        fs::set_permissions(play.path("store/www/current/key.pem"), Permissions::from_mode(0o600)).unwrap();
        let told = play.told(&["verify"]);
        assert!(told.starts_with("exit 3\nwww: finding; "), "{told}");
        assert!(told.contains("mask::r-- became mask::---"), "{told}");
        let told = play.told(&["access", "store/www/current/key.pem", "--user", "65533"]);
        assert!(told.starts_with("exit 3\nuid 65533 gid ") && told.contains(" cannot read "), "{told}");
        play.ends(0, &["apply"]);
        play.ends(0, &["verify"]);
        play.ends(0, &["access", "store/www/current/key.pem", "--user", "65533"]);
    }
}
