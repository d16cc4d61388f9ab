//! `access`: expected answers are the kernel's own rules for mode bits (path_resolution(7)), and what the kernel says.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::play::Play;

/// `open/closed/key`: the key is for everybody, the directory above it for nobody but its owner.
fn tree() -> Play {
    let play = Play::empty();
    fs::create_dir_all(play.path("open/closed")).unwrap();
    play.write("open/closed/key", "k");
    play.write("open/note", "n");
    for (name, mode) in [("open", 0o755), ("open/closed", 0o700), ("open/closed/key", 0o644), ("open/note", 0o640)] {
        fs::set_permissions(play.path(name), Permissions::from_mode(mode)).unwrap();
    }
    play
}

fn lines(play: &Play, questions: &[u8]) -> Vec<Value> {
    fs::write(play.path("questions"), questions).unwrap();
    let ran = play.shell(&["access", "--json", "-"], "< questions");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_component_that_denies_is_named_and_the_others_are_shown() {
    let play = tree();
    let told = play.told(&["access", "open/closed/key", "--uid", "60001", "--gid", "60002"]);
    let mut told_lines = told.lines();
    assert_eq!(told_lines.next(), Some("exit 3"));
    assert_eq!(
        told_lines.next(),
        Some("uid 60001 gid 60002 cannot read open/closed/key: deny at [DIR]/open/closed: other::--- (needed --x)")
    );
    let ours: Vec<&str> = told_lines.filter(|line| line.contains("[DIR]/open") || line.contains("owner")).collect();
    let [open, closed, entries, key] = ours.as_slice() else { panic!("{told}") };
    assert_eq!(*open, "  allow   --x [DIR]/open: other::r-x");
    assert_eq!(*closed, "  deny    --x [DIR]/open/closed: other::---");
    assert!(entries.starts_with("    owner ") && entries.ends_with("user::rwx,group::---,other::---"), "{entries}");
    assert_eq!(*key, "  allow   r-- [DIR]/open/closed/key: other::r--");
    play.ends(0, &["access", "open", "--uid", "60001", "--gid", "60002"]);
    // A number alone has its groups looked up: nobody knows this one, so it has none that counts.
    let ran = play.ends(3, &["access", "open/note", "--uid", "60001"]);
    assert!(ran.stdout.starts_with("uid 60001 gid "), "{}", ran.stdout);
}

#[test]
fn who_can_read_is_listed_with_every_entry_on_the_way() {
    let play = tree();
    let told = play.told(&["access", "open/note"]);
    assert!(told.starts_with("exit 0\nopen/note\n  user "), "{told}");
    assert!(!told.contains("everybody"), "{told}");
    assert!(told.contains("\n  [DIR]/open/note\n    owner "), "{told}");
    assert!(told.trim_end().ends_with("user::rw-,group::r--,other::---"), "{told}");
    fs::set_permissions(play.path("open/note"), Permissions::from_mode(0o644)).unwrap();
    let told = play.told(&["access", "open/note"]);
    assert!(told.contains("\n  everybody: allow at [DIR]/open/note: other::r--"), "{told}");
}

#[test]
fn a_program_gets_the_whole_way() {
    let play = tree();
    let ran = play.ends(3, &["access", "--json", "open/closed/key", "open/note", "--uid", "60001", "--gid", "60002"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&report["version"], &report["verb"], &report["outcome"]),
        (&1.into(), &"access".into(), &"finding".into())
    );
    let answer = &report["answers"][0];
    assert_eq!((&answer["r"], &answer["uid"], &answer["groups"]), (&false.into(), &60001.into(), &json!([])));
    let way = answer["way"].as_array().unwrap();
    assert_eq!(way.first().unwrap()["path"], "/");
    let closed = &way[way.len() - 2];
    assert_eq!(closed["answer"], "deny");
    assert_eq!((&closed["needed"], &closed["acl"]), (&"--x".into(), &"user::rwx,group::---,other::---".into()));
    let ran = play.ends(0, &["access", "--json", "open/note"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let kinds: Vec<_> =
        report["answers"][0]["readers"].as_array().unwrap().iter().map(|reader| &reader["kind"]).collect();
    assert_eq!(kinds[0], "user");
    assert!(!kinds.contains(&&Value::from("everybody")), "{report}");
}

#[test]
fn every_line_has_its_answer_good_or_bad() {
    let play = tree();
    let path = |name: &str| play.path(name).display().to_string();
    let question = |name: &str| json!({ "path": path(name), "uid": 60001, "gid": 60002, "note": [1, {}] }).to_string();
    let member =
        json!({ "path": path("open/note"), "uid": 60001, "gid": 60002, "groups": [fs_gid(&play)] }).to_string();
    let questions = [
        question("open").as_bytes(),
        question("open/note").as_bytes(),
        member.as_bytes(),
        question("open/closed/key").as_bytes(),
        b"",
        b"{\"path\":",
        b"\xff\xfe",
        b"{\"path\":\"/\",\"uid\":-1,\"gid\":0}",
        b"{\"path\":\"relative\",\"uid\":1,\"gid\":1}",
        question("open/none").as_bytes(),
        b"{\"path\":\"/\",\"uid\":1,\"gid\":1}",
    ]
    .join(&b'\n');
    let answers = lines(&play, &questions);
    assert_eq!(answers.len(), 11, "{answers:?}");
    let rwx = |answer: &Value| ["r", "w", "x"].map(|key| answer[key].clone());
    // A directory: listed and searched. A file: read by its group, executed by nobody. Closed above: nothing.
    assert_eq!(rwx(&answers[0]), [true, false, true].map(Value::from));
    assert_eq!(rwx(&answers[1]), [false, false, false].map(Value::from));
    assert_eq!(rwx(&answers[2]), [true, false, false].map(Value::from));
    assert_eq!(rwx(&answers[3]), [false, false, false].map(Value::from));
    assert!(answers[3]["why"].as_str().unwrap().contains("open/closed: other::--- (needed --x)"), "{}", answers[3]);
    for bad in &answers[4..10] {
        assert!(bad["error"].as_str().is_some_and(|error| !error.is_empty()), "{bad}");
        assert!(bad.get("r").is_none(), "{bad}");
    }
    assert!(answers[9]["error"].as_str().unwrap().contains("open/none"), "{}", answers[9]);
    assert_eq!(answers[10]["r"], true);
}

fn fs_gid(play: &Play) -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(play.path("open/note")).unwrap().gid()
}

#[test]
fn an_answer_comes_before_the_next_question() {
    let play = tree();
    let mut command = play.bounded(&["access", "--json", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut ask, hear) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut hear = BufReader::new(hear);
    for (uid, readable) in [(0, true), (60001, false)] {
        let question = json!({ "path": play.path("open/note"), "uid": uid, "gid": 60002 });
        // Root has no capabilities here: what it may is what its entry gives.
        let owner = if uid == 0 { fs_uid(&play) } else { uid };
        let question = question.to_string().replace(&format!("\"uid\":{uid}"), &format!("\"uid\":{owner}"));
        ask.write_all(format!("{question}\n").as_bytes()).unwrap();
        let mut line = String::new();
        hear.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["r"], readable, "{answer}");
    }
    drop(ask);
    assert!(child.wait().unwrap().success());
}

fn fs_uid(play: &Play) -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(play.path("open/note")).unwrap().uid()
}

mod as_root {
    use super::*;

    /// The kernel's own answer: another identity tries.
    fn kernel(play: &Play, name: &str, test: &str) -> bool {
        let path = play.path(name).display().to_string();
        let words = ["--reuid=60001", "--regid=60002", "--groups=60003", "test", test, &path];
        let program = "/usr/bin/setpriv".as_ref();
        let mut command = play.program(program, words.iter().map(AsRef::as_ref));
        crate::play::finish(&mut command).unwrap().code == 0
    }

    #[test]
    fn the_kernel_agrees() {
        let play = tree();
        let modes = [0o000, 0o004, 0o040, 0o070, 0o007, 0o123, 0o644, 0o710, 0o755];
        let mut questions = Vec::new();
        let mut expected = Vec::new();
        for owner in [(0, 0), (60001, 0), (0, 60003)] {
            for mode in modes {
                let name = format!("open/f-{}-{}-{mode:o}", owner.0, owner.1);
                play.write(&name, "f");
                std::os::unix::fs::chown(play.path(&name), Some(owner.0), Some(owner.1)).unwrap();
                fs::set_permissions(play.path(&name), Permissions::from_mode(mode)).unwrap();
                let question = json!({ "path": play.path(&name), "uid": 60001, "gid": 60002, "groups": [60003] });
                questions.push(question.to_string());
                expected.push(["-r", "-w", "-x"].map(|test| kernel(&play, &name, test)));
            }
        }
        assert!(expected.iter().any(|answers| answers[0]) && expected.iter().any(|answers| !answers[0]));
        let answers = lines(&play, questions.join("\n").as_bytes());
        for ((answer, expected), question) in answers.iter().zip(&expected).zip(&questions) {
            assert_eq!(["r", "w", "x"].map(|key| answer[key].as_bool().unwrap()), *expected, "{question}: {answer}");
        }
    }
}
