//! The documentation of the command says what the command does.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::manual::VERBS;
use crate::play::{Play, finish};

const DOCUMENT: &str = include_str!("../../../docs/cli.md");

#[test]
fn every_verb_and_every_option_is_documented() {
    let play = Play::empty();
    let mut missing = BTreeSet::new();
    for verb in VERBS.iter().map(|verb| vec![*verb]).chain([vec!["ca", "export"], vec![]]) {
        let help = play.ends(0, &[verb.clone(), vec!["--help"]].concat()).stdout;
        let options = help.split_whitespace().map(|word| word.trim_matches(|letter: char| "`[],.:".contains(letter)));
        let options = options.filter(|word| word.starts_with("--") && !["--help", "--version"].contains(word));
        for word in verb.iter().copied().chain(options) {
            if !DOCUMENT.contains(word) {
                missing.insert(word.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "docs/cli.md does not have {missing:?}");
}

/// Every field that is documented is printed by a run of that verb, in the place where it is documented.
#[test]
fn documented_fields_are_printed() {
    let lineage = |name: &str, rest: &str| format!("[lineage.{name}]\nidentifiers = [\"www.example.org\"]\n{rest}");
    let issued = "issuer = \"lab\"\n";
    let play = Play::new(&[lineage("www", issued), lineage("next", issued), lineage("mail", "")].concat());
    let mut printed = Vec::new();
    let mut run = |code, words: &[&str]| {
        let ran = play.ends(code, &[words, &["--json"]].concat());
        printed.push(serde_json::from_str::<Value>(&ran.stdout).unwrap());
    };
    run(3, &["plan"]);
    run(0, &["apply", "www", "next"]);
    for name in ["www", "next"] {
        let [key, chain] = ["key", "fullchain"].map(|form| format!("store/{name}/current/{form}.pem"));
        run(0, &["deploy", "--lineage", "mail", "--key", &key, "--fullchain", &chain]);
    }
    run(0, &["rollback", "mail"]);
    run(0, &["status", "www"]);
    run(2, &["status", "ww"]);
    run(0, &["access", "store/www/current/leaf.pem"]);
    run(0, &["access", "store/www/current/leaf.pem", "--uid", "7", "--gid", "7"]);
    run(0, &["inspect", "store/www/current/fullchain.pem"]);
    fs::set_permissions(play.path("store/www/current/key.pem"), Permissions::from_mode(0o604)).unwrap();
    run(3, &["verify", "www"]);

    let mut documented = 0;
    for block in DOCUMENT.split("```json\n").skip(1) {
        let example: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
        let same = |other: &&Value| {
            other["verb"] == example["verb"] && other.get("error").is_some() == example.get("error").is_some()
        };
        let known: BTreeSet<String> = printed.iter().filter(same).flat_map(|real| fields(real, "")).collect();
        let wrong: Vec<String> = fields(&example, "").into_iter().filter(|field| !known.contains(field)).collect();
        assert!(wrong.is_empty(), "{} does not print {wrong:?}", example["verb"]);
        assert_eq!(example["version"], 1);
        documented += 1;
    }
    assert_eq!(documented, 10, "examples in docs/cli.md");
}

/// The paths of all fields, entries of a list under one name.
fn fields(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(fields_of) => fields_of
            .iter()
            .flat_map(|(name, value)| {
                let path = format!("{path}.{name}");
                let below = fields(value, &path);
                [path].into_iter().chain(below)
            })
            .collect(),
        Value::Array(entries) => entries.iter().flat_map(|entry| fields(entry, &format!("{path}[]"))).collect(),
        _ => Vec::new(),
    }
}

/// What systemd says of the units, with a program in the place of the command that is there.
#[test]
fn the_units_are_ones_that_systemd_takes() {
    let play = Play::empty();
    let units = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/systemd")).unwrap();
    let mut names = Vec::new();
    for unit in units.map(Result::unwrap) {
        let text = fs::read_to_string(unit.path()).unwrap().replace("/usr/bin/certwright", "/bin/true");
        let name = unit.file_name().into_string().unwrap();
        play.write(&name, &text);
        names.push(name);
    }
    assert_eq!(names.len(), 3);
    let words = ["verify", "--man=no"].into_iter().chain(names.iter().map(String::as_str));
    let ran = finish(&mut play.program("systemd-analyze".as_ref(), words.map(AsRef::as_ref))).unwrap();
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
}
