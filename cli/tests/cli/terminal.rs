//! What people see: tables, colour, and a line that says what is waited for and goes away again.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use certwright_tests::process::Running;

use crate::play::{BINARY, LIMIT, Play, finish};

const WISH: &str = "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n";
const LINE_AWAY: &str = "\r\u{1b}[K";

/// The command at the end of a terminal, by `script` of util-linux.
fn at_a_terminal(play: &Play, words: &[&str], variables: &[(&str, &str)]) -> std::process::Command {
    let words = format!("exec timeout --foreground {} {BINARY} {}", LIMIT.as_secs(), words.join(" "));
    let mut command = play.program("script".as_ref(), ["-qefc", &words, "/dev/null"].map(AsRef::as_ref));
    command.env("TERM", "xterm").envs(variables.iter().copied());
    command
}

fn seen(play: &Play, words: &[&str], variables: &[(&str, &str)]) -> String {
    finish(&mut at_a_terminal(play, words, variables)).unwrap().stdout.replace("\r\n", "\n")
}

#[test]
fn people_get_tables_and_colour() {
    let play = Play::new(WISH);
    let text = seen(&play, &["plan"], &[]);
    assert_eq!(
        text,
        "\u{1b}[1mlineage\u{1b}[0m  \u{1b}[1mplan\u{1b}[0m      \u{1b}[1mwhy\u{1b}[0m\n\
         www      \u{1b}[33missue\u{1b}[0m     nothing is active\n"
    );
    let plain = seen(&play, &["plan"], &[("NO_COLOR", "1")]);
    assert_eq!(plain, "lineage  plan      why\nwww      issue     nothing is active\n");
    let text = seen(&play, &["apply"], &[("NO_COLOR", "1")]).replace(LINE_AWAY, "");
    assert!(text.contains("lineage  result     active         valid until           why\n"), "{text}");
    let status = seen(&play, &["status"], &[("NO_COLOR", "1")]);
    assert!(
        status.starts_with(
            "lineage  active         valid until           renewal               unsettled\nwww      0001-"
        ),
        "{status}"
    );
    let verify = seen(&play, &["verify"], &[("NO_COLOR", "1")]).replace(LINE_AWAY, "");
    assert!(verify.starts_with("lineage  result   active         served until\nwww      well     0001-"), "{verify}");
    assert!(verify.trim_end().ends_with("not observed"), "{verify}");
}

#[test]
fn a_long_wait_names_the_arrow_and_the_line_goes_away() {
    let play = Play::empty();
    let go = play.path("go");
    let script = format!("until test -e {}; do sleep 0.01; done", go.display());
    play.wish(&format!("{WISH}check = [\"/bin/sh\", \"-c\", \"{script}\"]\n"));
    let mut command = at_a_terminal(&play, &["apply"], &[("NO_COLOR", "1")]);
    let (mut screen, terminal) = std::io::pipe().unwrap();
    command.stdin(Stdio::null()).stdout(terminal).stderr(Stdio::null());
    let mut running = Running::start(&mut command).unwrap();
    drop(command);
    let mut text = String::new();
    let mut bytes = [0; 256];
    while !text.contains("www: activate … 1 s") {
        let count = screen.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended without: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    // Nothing else was written while it waited.
    assert!(!text.contains("lineage"), "{text}");
    fs::write(&go, "").unwrap();
    screen.read_to_string(&mut text).unwrap();
    assert!(running.wait(LIMIT).unwrap().success(), "{text}");
    let (waited, report) = text.split_once("lineage  result").unwrap();
    assert!(waited.ends_with(LINE_AWAY), "{waited:?}");
    assert!(!report.contains('\u{1b}'), "{report:?}");
}

#[test]
fn nobody_who_asked_for_silence_is_told_to_wait() {
    let play = Play::new(WISH);
    assert_eq!(seen(&play, &["apply", "--quiet"], &[]), "");
    // A report for a program has no line in it, even at a terminal.
    let json = seen(&play, &["apply", "--json"], &[]).replace(LINE_AWAY, "");
    assert!(json.starts_with("{\"version\":1,\"verb\":\"apply\",") && json.ends_with("}\n"), "{json}");
}
