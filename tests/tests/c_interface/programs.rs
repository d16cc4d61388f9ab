//! The programs in `ffi/tests` that look at the interface from C, each built in every way and run in a directory of its own.

use std::fs;

use certwright_tests::scratch::Scratch;

use crate::compiled::{Build, source};

/// Each compiler, and each way in which a stray access or a leak ends the program.
const WAYS: [(&str, Build); 4] =
    [("gcc", Build::Plain), ("clang", Build::Plain), ("gcc", Build::Sanitized), ("gcc", Build::Valgrind)];

fn holds(name: &str) {
    let scratch = Scratch::on_disk().unwrap();
    for (compiler, build) in WAYS {
        let folder = scratch.join(format!("{compiler}-{build:?}"));
        fs::create_dir(&folder).unwrap();
        let program = build.executable(compiler, &source(&format!("tests/{name}.c")), folder.join("program"));
        let output = build.command(&program).arg(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        // What valgrind has to say about itself, such as a system call that is newer, begins with two dashes.
        let silent = said.lines().all(|line| line.starts_with("--"));
        assert!(output.status.success() && silent, "{name}, {compiler}, {build:?}: {said}");
    }
}

#[test]
fn callbacks_are_called_believed_and_ended_once() {
    holds("callbacks");
}

#[test]
fn every_verb_does_its_work_and_reports() {
    holds("verbs");
}

#[test]
fn threads_share_a_lifecycle_and_one_stops_another() {
    holds("threads");
}
