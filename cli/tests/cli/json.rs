//! Every verb speaks JSON: one document a run, with its version, its verb and its outcome.

use serde_json::Value;

use crate::play::Play;

const WISH: &str = "[lineage.mail]\nidentifiers = [\"mail.example.org\"]\nissuer = \"lab\"\n\
                    [lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n";

/// One document on one line, led by what it is.
fn document(play: &Play, code: i32, words: &[&str]) -> Value {
    let ran = play.ends(code, words);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let verb = words.iter().find(|word| !word.starts_with('-')).unwrap();
    let lead = format!("{{\"version\":1,\"verb\":\"{verb}\",");
    assert!(ran.stdout.starts_with(&lead), "{}", ran.stdout);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(document["outcome"].is_string(), "{document}");
    document
}

#[test]
fn every_verb_has_a_version_a_verb_and_an_outcome() {
    let play = Play::new(WISH);
    assert_eq!(document(&play, 3, &["plan", "--json"])["outcome"], "finding");
    let applied = document(&play, 0, &["--json", "apply"]);
    let names: Vec<_> = applied["lineages"].as_array().unwrap().iter().map(|one| one["lineage"].clone()).collect();
    assert_eq!((names, &applied["outcome"]), (vec!["mail".into(), "www".into()], &"well".into()));
    for words in [
        &["apply", "--json", "www"][..],
        &["plan", "--json", "www"],
        &["verify", "--json"],
        &["verify", "--json", "--ready"],
        &["status", "--json", "www"],
        &["access", "--json", "store/www/current/leaf.pem"],
        &["access", "--json", "store/www/current/leaf.pem", "--uid", "7", "--gid", "7"],
        &["inspect", "--json", "store/www/current/fullchain.pem"],
    ] {
        assert_eq!(document(&play, 0, words)["outcome"], "well", "{words:?}");
    }
    assert_eq!(document(&play, 1, &["rollback", "--json", "www"])["lineages"][0]["error"]["kind"], "not_found");
    let deploy = ["deploy", "--json", "--lineage", "mail", "--key", "store/www/current/key.pem", "--fullchain"];
    let refused = document(&play, 1, &[&deploy[..], &["store/www/current/fullchain.pem"]].concat());
    assert_eq!(refused["lineages"][0]["error"]["aftermath"], "untouched");
}

#[test]
fn what_ends_a_verb_early_is_a_document_too() {
    let play = Play::new(WISH);
    for words in
        [&["apply", "--json", "wwww"][..], &["status", "--json", "-c", "none.toml"], &["inspect", "--json", "none"]]
    {
        let document = document(&play, 2, words);
        assert_eq!(document["outcome"], "invalid", "{document}");
        let error = &document["error"];
        assert!(error["message"].is_string() && error["kind"].is_string() && error["retry"] == "never", "{document}");
    }
}

#[test]
fn a_run_over_many_lineages_is_one_document() {
    let lineage =
        |number| format!("[lineage.l{number}]\nidentifiers = [\"l{number}.example.org\"]\nissuer = \"lab\"\n");
    let play = Play::new(&(0..30).map(lineage).collect::<String>());
    for changed in [true, false] {
        let document = document(&play, 0, &["apply", "--json"]);
        let lineages = document["lineages"].as_array().unwrap();
        assert_eq!(lineages.len(), 30);
        assert!(lineages.iter().all(|one| one["changed"] == changed && one["generation"].is_string()));
    }
}
