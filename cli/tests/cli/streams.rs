//! Streams that are closed, full or redirected: no panic, the work goes on, the exit status says so.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use certwright_tests::process::Running;

use crate::play::{LIMIT, Play, Ran};

const WISH: &str = "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n";

#[test]
fn a_reader_that_went_away_is_no_reason_to_panic() {
    let play = Play::new(WISH);
    for words in
        [&["apply"][..], &["status"], &["plan", "--json"], &["schema"], &["man"], &["completions", "bash"], &["--help"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        let error = fs::File::create(play.path("stderr")).unwrap();
        drop(reader);
        let mut command = play.command(words);
        command.stdin(Stdio::null()).stdout(writer).stderr(error);
        let status = Running::start(&mut command).unwrap().wait(LIMIT).unwrap();
        let error = fs::read_to_string(play.path("stderr")).unwrap();
        assert_eq!((status.code(), error.as_str()), (Some(1), ""), "{words:?}");
    }
    // What was to be done was done.
    play.ends(0, &["plan"]);
}

#[test]
fn a_full_disk_below_the_report_is_told() {
    let play = Play::new(WISH);
    for words in [&["apply"][..], &["apply", "--json"], &["status"], &["ca", "export"], &["init", "-"]] {
        let Ran { code, stderr, .. } = play.shell(words, "> /dev/full");
        assert_eq!(code, 1, "{words:?}: {stderr}");
        assert!(stderr.starts_with("error: the report could not be written\ncaused by: "), "{words:?}: {stderr}");
    }
    play.ends(0, &["plan"]);
    // Neither stream takes anything.
    assert_eq!(play.shell(&["plan", "wwww"], "> /dev/full 2>&1").code, 2);
}

#[test]
fn closed_streams_are_survived() {
    let play = Play::new(WISH);
    for streams in [">&-", "2>&-", ">&- 2>&- <&-"] {
        assert_eq!(play.shell(&["apply"], streams).code, 0, "{streams}");
        assert_eq!(play.shell(&["apply", "wwww"], streams).code, 2, "{streams}");
    }
}

#[test]
fn a_document_that_was_asked_for_and_has_no_place_to_go_is_a_failure() {
    let play = Play::new(WISH);
    let closed = "error: the report could not be written: standard output is closed\n";
    for words in [&["apply", "--json"][..], &["status", "--json"], &["schema"], &["ca", "export"], &["init", "-"]] {
        let ran = play.shell(words, ">&-");
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(closed), "{words:?}: {}", ran.stderr);
        // Nobody needs it, and that is said.
        assert_eq!(play.shell(words, "> /dev/null").code, 0, "{words:?}");
    }
    // A worse outcome stays what it is, and what was done stays done.
    assert_eq!(play.shell(&["plan", "wwww", "--json"], ">&-").code, 2);
    play.ends(0, &["plan"]);
}

#[test]
fn a_pipe_gets_no_colour_unless_it_is_forced() {
    let play = Play::new(WISH);
    let colour = |variables: &[(&str, &str)]| {
        let mut command = play.command(&["plan"]);
        command.envs(variables.iter().copied());
        let ran = crate::play::finish(&mut command).unwrap();
        ran.stdout.contains('\x1b')
    };
    assert!(!colour(&[]));
    assert!(colour(&[("CLICOLOR_FORCE", "1")]));
    assert!(!colour(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn what_is_done_is_seen_before_the_run_is_over() {
    let play = Play::new(WISH);
    let mut command = play.bounded(&["access", "--json", "-"]);
    let ((questions, mut ask), (mut hear, answers)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    command.stdin(questions).stdout(answers).stderr(Stdio::null());
    let mut running = Running::start(&mut command).unwrap();
    drop(command);
    // A whole question, and the beginning of another one.
    ask.write_all(b"{\"path\":\"/\",\"uid\":1,\"gid\":1}\n{\"path\":\"/\",\"uid\":1,").unwrap();
    let mut first = [0; 1];
    hear.read_exact(&mut first).unwrap();
    assert_eq!(first, *b"{");
    ask.write_all(b"\"gid\":1}\n").unwrap();
    drop(ask);
    let mut rest = String::new();
    hear.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count(), 2, "{rest}");
    assert!(running.wait(LIMIT).unwrap().success());
}
