//! What cannot be meant: named, placed, and answered with 2.

use crate::play::{Play, same};

const WISH: &str = "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n";

#[test]
fn an_unknown_key_is_placed_and_the_nearest_one_suggested() {
    let play = Play::new(&format!("{WISH}reders = [\"user:www-data\"]\n"));
    same(
        &play.told(&["apply"]),
        "exit 2\n\
         -- stderr\n\
         error: plan: there is no key `reders` here (file `[DIR]/certwright.toml`, line `8`, column `1`, key `lineage.www.reders`)\n\
         hint: write `readers`, if that was meant\n",
    );
    assert!(!play.path("store").exists());
}

#[test]
fn all_faults_are_told_at_once() {
    let play = Play::new("[lineage.www]\nidentifers = [\"a\"]\n[lineage.mail]\nidentifiers = []\nissuer = \"lab\"\n");
    let told = play.told(&["plan"]);
    let lead =
        "exit 2\n-- stderr\nerror: plan: the configuration has 3 faults (file `[DIR]/certwright.toml`)\n  line 5, ";
    assert!(told.starts_with(lead), "{told}");
    for (fault, line) in ["lineage.www.identifers", "lineage.mail.identifiers"].iter().zip(["line 6", "line 7"]) {
        assert!(told.lines().any(|text| text.starts_with(&format!("  {line}, ")) && text.contains(fault)), "{told}");
    }
    // Each once, and not in the first line, too.
    assert!(!told.contains("fault `"), "{told}");
}

#[test]
fn a_configuration_that_is_not_there_says_how_to_begin() {
    let play = Play::empty();
    same(
        &play.told(&["plan"]),
        "exit 2\n\
         -- stderr\n\
         error: the configuration cannot be read (path `[DIR]/certwright.toml`)\n\
         caused by: No such file or directory (os error 2)\n\
         hint: write one with `certwright init`, or name another with `-c FILE`\n",
    );
    let ran = play.ends(2, &["plan", "-c", "other.toml"]);
    assert!(ran.stderr.contains("path `other.toml`"), "{}", ran.stderr);
}

#[test]
fn an_unknown_lineage_is_bad_usage_for_every_verb() {
    let play = Play::new(WISH);
    let expected = "exit 2\n\
         -- stderr\n\
         error: the configuration has no such lineage (lineage `wwww`)\n\
         hint: write `www`, if that was meant\n";
    for verb in ["plan", "apply", "verify", "status", "rollback"] {
        same(&play.told(&[verb, "wwww"]), expected);
    }
    // Before the key is looked at.
    same(&play.told(&["deploy", "--lineage", "wwww", "--key", "none", "--fullchain", "none"]), expected);
    assert!(!play.path("store").exists());
}

#[test]
fn a_file_that_is_not_there_is_bad_usage() {
    let play = Play::new(WISH);
    play.write("cert.pem", "");
    for words in [
        &["deploy", "--lineage", "www", "--key", "none.pem", "--fullchain", "cert.pem"][..],
        &["inspect", "none.pem"],
        &["inspect", "cert.pem", "--trust", "none.pem"],
        &["access", "none.pem"],
    ] {
        let ran = play.ends(2, words);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("none.pem"), "{}", ran.stderr);
    }
    let ran = play.ends(2, &["access", "/", "--user", "nobody-is-called-this"]);
    assert!(ran.stderr.contains("`nobody-is-called-this`"), "{}", ran.stderr);
}

#[test]
fn words_that_mean_nothing_are_bad_usage() {
    let play = Play::new(WISH);
    for words in [
        &[][..],
        &["aply"],
        &["apply", "--wait", "5"],
        &["apply", "../etc"],
        &["apply", "WWW"],
        &["deploy", "--lineage", "www"],
        &["rollback"],
        &["rollback", "www", "--to", "1", "--release"],
        &["verify", "--limit", "5s"],
        &["verify", "--ready", "--offline"],
        &["access"],
        &["access", "/", "--gid", "1"],
        &["access", "/", "--uid", "1", "--groups", "1"],
        &["apply", "--no-such-option"],
        &["apply", "--json=-"],
        &["access", "/", "--uid", "1", "--gid", "1", "--user", "root"],
        &["access", "-"],
        &["inspect"],
        &["inspect", "x", "--at", "yesterday"],
        &["completions", "cmd"],
        &["ca"],
    ] {
        let ran = play.ends(2, words);
        assert_eq!(ran.stdout, "", "{words:?}");
        assert!(!ran.stderr.is_empty(), "{words:?}");
    }
    let ran = play.ends(2, &["rollback", "www", "--to", "first"]);
    assert!(ran.stderr.contains("first"), "{}", ran.stderr);
}

#[test]
fn another_root_takes_the_place_of_the_files() {
    let play = Play::new(WISH);
    play.ends(0, &["apply", "--root", "elsewhere"]);
    assert!(play.path("elsewhere/www/current/key.pem").exists() && !play.path("store").exists());
    play.ends(0, &["verify", "--root", &format!("{}/elsewhere", play.directory())]);
    play.ends(3, &["verify"]);
}
