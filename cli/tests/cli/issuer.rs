//! `issuer test`: a line for each thing that was looked at.

use serde_json::Value;

use crate::play::Play;

#[test]
fn a_good_issuer_is_good_in_every_line_and_nothing_is_left() {
    let play = Play::new("");
    let ran = play.ends(0, &["issuer", "test", "lab"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let [authority, certificate] = lines.as_slice() else { panic!("{}", ran.stdout) };
    assert_eq!(*authority, "authority: it is made when it is first used");
    assert!(certificate.starts_with("certificate: for `certwright-test.invalid`, valid from "), "{certificate}");
    assert!(!play.path("store/certwright-test").exists());
    let named = play.ends(0, &["issuer", "test", "lab", "--name", "a.example"]).stdout;
    assert!(named.contains("for `a.example`") && named.contains("its root is good until"), "{named}");
    let report: Value =
        serde_json::from_str(&play.ends(0, &["issuer", "test", "lab", "--no-certificate", "--json"]).stdout).unwrap();
    assert_eq!((&report["outcome"], report["findings"].as_array().unwrap().len()), (&"well".into(), 1));
}

#[test]
fn a_ca_that_cannot_be_reached_says_so_with_the_next_step() {
    let away = "[issuer.away]\ntype = \"step-ca\"\nurl = \"https://127.0.0.1:9\"\nlimit = \"1s\"\n";
    let play = Play::new(&format!("{away}fingerprint = \"{}\"\n", "07".repeat(32)));
    let ran = play.ends(3, &["issuer", "test", "away"]);
    assert!(ran.stdout.starts_with("trust: wrong: the authority cannot be reached"), "{}", ran.stdout);
    assert!(ran.stdout.contains("firewall"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
}
