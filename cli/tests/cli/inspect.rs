//! `inspect`: certificates of our own CA, judged where OpenSSL would judge the same.

use std::fs;

use serde_json::Value;

use crate::play::{Play, finish};

const WISH: &str = "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n\
                    [lineage.mail]\nidentifiers = [\"mail.example.org\"]\nissuer = \"lab\"\n";

/// Two lineages issued, and the root in `root.pem`.
fn issued() -> Play {
    let play = Play::new(WISH);
    play.ends(0, &["apply"]);
    let root = play.ends(0, &["ca", "export"]).stdout;
    play.write("root.pem", &root);
    fs::copy(play.path("store/www/current/fullchain.pem"), play.path("full.pem")).unwrap();
    fs::copy(play.path("store/www/current/leaf.pem"), play.path("leaf.pem")).unwrap();
    fs::copy(play.path("store/www/current/chain.pem"), play.path("chain.pem")).unwrap();
    fs::copy(play.path("store/www/current/key.pem"), play.path("key.pem")).unwrap();
    fs::copy(play.path("store/mail/current/key.pem"), play.path("mail.pem")).unwrap();
    play
}

#[test]
fn what_openssl_accepts_is_accepted_and_what_it_refuses_is_refused() {
    let play = issued();
    let openssl = |name: &str, at: i64| {
        let at = at.to_string();
        let trust = ["verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "-purpose", "sslserver"];
        let asked = ["-attime", &at, "-verify_hostname", name, "leaf.pem"];
        let words = trust.iter().chain(&asked).map(AsRef::as_ref);
        finish(&mut play.program("openssl".as_ref(), words)).unwrap().code == 0
    };
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    for (name, at) in [
        ("www.example.org", now),
        ("mail.example.org", now),
        ("www.example.org", now + 400 * 86_400),
        ("www.example.org", now - 86_400),
    ] {
        let moment = moment(&play, at);
        let words = ["inspect", "full.pem", "--trust", "root.pem", "--name", name, "--at", &moment];
        let accepted = openssl(name, at);
        assert_eq!(accepted, (name, at) == ("www.example.org", now), "OpenSSL on {name} at {moment}");
        play.ends(if accepted { 0 } else { 3 }, &words);
    }
}

/// The moment in RFC 3339, as date(1) writes it.
fn moment(play: &Play, seconds: i64) -> String {
    let at = format!("@{seconds}");
    let words = ["-u", "-d", &at, "+%FT%TZ"].map(AsRef::as_ref);
    finish(&mut play.program("date".as_ref(), words)).unwrap().stdout.trim().to_owned()
}

#[test]
fn a_key_belongs_or_does_not() {
    let play = issued();
    play.ends(0, &["inspect", "full.pem", "--key", "key.pem"]);
    let ran = play.ends(3, &["inspect", "full.pem", "--key", "mail.pem"]);
    let finding = ran.stdout.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(
        finding.contains("leaf `www.example.org`") && finding.ends_with("[key-mismatch, RFC 8446 §4.4.3]"),
        "{finding}"
    );
    assert!(ran.stdout.ends_with("would not be accepted as a server's certificate\n"), "{}", ran.stdout);
    // A key alone is no certificate, and nothing of it but its public side is shown.
    let ran = play.ends(3, &["inspect", "key.pem"]);
    let pem = fs::read_to_string(play.path("key.pem")).unwrap();
    assert!(pem.lines().filter(|line| line.len() > 16).all(|line| !ran.stdout.contains(line)), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("key.pem: private key\n"), "{}", ran.stdout);
}

#[test]
fn a_program_gets_findings_with_severity_and_section() {
    let play = issued();
    let ran = play.ends(3, &["inspect", "--json", "leaf.pem", "--trust", "root.pem"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&report["version"], &report["verb"], &report["outcome"], &report["accepted"]),
        (&1.into(), &"inspect".into(), &"finding".into(), &false.into())
    );
    let facts: Vec<&String> = report["parts"][0]["facts"].as_object().unwrap().keys().collect();
    assert!(facts.iter().any(|name| *name == "valid until"), "{facts:?}");
    let error = report["findings"].as_array().unwrap().iter().find(|finding| finding["severity"] == "error").unwrap();
    assert!(error["reference"].as_str().is_some_and(|reference| reference.starts_with("RFC ")), "{error}");
}

#[test]
fn standard_input_is_a_file_too() {
    let play = issued();
    let ran = play.shell(&["inspect", "-"], "< full.pem");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("-: certificate\n"), "{}", ran.stdout);
    let ran = play.shell(&["inspect", "/dev/zero"], "");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("too large"), "{}", ran.stderr);
}
