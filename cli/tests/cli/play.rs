//! A store with a configuration, and the command run upon it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use certwright_tests::process::run;
use certwright_tests::scratch::Scratch;

use crate::filter::filtered;

/// For one run.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The command as it was built for this test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_certwright");

/// A directory with a configuration and a store.
#[derive(Debug)]
pub(crate) struct Play {
    scratch: Scratch,
}

/// One run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Play {
    /// With an embedded CA called `lab` and these lines below it; `[DIR]` in them is the directory.
    pub(crate) fn new(lines: &str) -> Self {
        let play = Self::empty();
        play.wish(lines);
        play
    }

    /// Without a configuration.
    pub(crate) fn empty() -> Self {
        Self { scratch: Scratch::on_disk().unwrap() }
    }

    /// Another wish for the same store.
    pub(crate) fn wish(&self, lines: &str) {
        let text = format!("version = 1\nroot = \"[DIR]/store\"\n[issuer.lab]\ntype = \"local\"\n{lines}\n");
        self.write("certwright.toml", &text.replace("[DIR]", &self.directory()));
    }

    pub(crate) fn directory(&self) -> String {
        self.scratch.path().display().to_string()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The name of the active generation of a lineage.
    pub(crate) fn active(&self, lineage: &str) -> String {
        let link = fs::read_link(self.path("store").join(lineage).join("current")).unwrap();
        link.file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// The command with these words, not started yet. It knows nothing of the environment of the tests.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.program(BINARY.as_ref(), words.iter().map(AsRef::as_ref))
    }

    /// The same for a conversation: it ends by itself when nobody answers any more.
    pub(crate) fn bounded(&self, words: &[&str]) -> Command {
        let limit = LIMIT.as_secs().to_string();
        let words = [&[limit.as_str(), BINARY], words].concat();
        self.program("timeout".as_ref(), words.into_iter().map(AsRef::as_ref))
    }

    /// Another program in the same place.
    pub(crate) fn program<'a>(&self, program: &Path, words: impl IntoIterator<Item = &'a OsStr>) -> Command {
        let mut command = Command::new(program);
        command.args(words).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(self.scratch.path());
        command.env("CERTWRIGHT_CONFIG", self.path("certwright.toml"));
        command
    }

    /// Runs it.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        finish(&mut self.command(words)).unwrap()
    }

    /// Runs it, and expects this exit status.
    pub(crate) fn ends(&self, code: i32, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.code, code, "certwright {}\n{}{}", words.join(" "), ran.stdout, ran.stderr);
        ran
    }

    /// Runs it with the streams as a shell makes them, such as `> /dev/full`.
    pub(crate) fn shell(&self, words: &[&str], streams: &str) -> Ran {
        let script = format!("exec \"$0\" \"$@\" {streams}");
        let words = ["-c", &script, BINARY].into_iter().chain(words.iter().copied());
        finish(&mut self.program("/bin/sh".as_ref(), words.map(AsRef::as_ref))).unwrap()
    }

    /// Runs it: exit status and streams, with everything blanked out that differs from run to run.
    pub(crate) fn told(&self, words: &[&str]) -> String {
        self.blank(&self.run(words))
    }

    /// A run in the same words as [`told`](Self::told).
    pub(crate) fn blank(&self, ran: &Ran) -> String {
        let Ran { code, stdout, stderr } = ran;
        let lead = if stderr.is_empty() { "" } else { "-- stderr\n" };
        filtered(&format!("exit {code}\n{stdout}{lead}{stderr}"), &self.directory())
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> io::Result<Ran> {
    let output = run(command, LIMIT)?;
    Ran::of(&output)
}

impl Ran {
    fn of(output: &Output) -> io::Result<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        match output.status.code() {
            Some(code) => Ok(Self { code, stdout, stderr }),
            None => Err(io::Error::other(format!("ended with {}: {stdout}{stderr}", output.status))),
        }
    }
}

/// Compares what was told with what should be, line by line.
#[track_caller]
pub(crate) fn same(told: &str, expected: &str) {
    assert!(told.trim_end() == expected.trim_end(), "told:\n{told}\nexpected:\n{expected}");
}
