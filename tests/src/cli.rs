//! The command line, as people and timers run it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::run;

/// For one run; a hanging reload has its own, shorter limit.
const LIMIT: Duration = Duration::from_secs(60);

/// The binary of this workspace, built beside the tests that run.
///
/// # Panics
///
/// When it was not built, or is older than what it is made of: a test of an old binary says nothing.
#[expect(clippy::panic, reason = "the test that asked cannot go on")]
pub fn certwright_bin() -> PathBuf {
    let found = std::env::current_exe().and_then(|test| {
        let profile = test.ancestors().nth(2).unwrap_or(&test).to_owned();
        fresh(&profile.join("certwright"))
    });
    found.unwrap_or_else(|error| panic!("{error}; run `cargo build -p certwright-cli` first"))
}

/// This binary, when none of the files that its dependency file names is newer.
fn fresh(binary: &Path) -> io::Result<PathBuf> {
    let told = |path: &Path, error: &io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let modified = |path: &Path| path.metadata().and_then(|facts| facts.modified()).map_err(|error| told(path, &error));
    let built = modified(binary)?;
    let made_of = binary.with_extension("d");
    let list = fs::read_to_string(&made_of).map_err(|error| told(&made_of, &error))?;
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources);
    for source in sources.replace("\\ ", "\0").split_whitespace() {
        let source = PathBuf::from(source.replace('\0', " "));
        if modified(&source)? > built {
            return Err(io::Error::other(format!("{} is older than {}", binary.display(), source.display())));
        }
    }
    Ok(binary.to_owned())
}

/// What one run came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The exit status.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The report that it printed.
    ///
    /// # Errors
    ///
    /// When it printed something else.
    pub fn report(&self) -> io::Result<Value> {
        serde_json::from_str(&self.stdout).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{error} in {}{}", self.stdout, self.stderr))
        })
    }

    /// Both streams.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// A command of the binary, not started yet. The environment is empty but for a search path.
pub fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(certwright_bin());
    command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// Runs it to its end.
///
/// # Errors
///
/// When it did not end by itself in time, or was killed.
pub fn certwright<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> io::Result<Ran> {
    let output = run(&mut command(arguments), LIMIT)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    match output.status.code() {
        Some(code) => Ok(Ran { code, stdout, stderr }),
        None => Err(io::Error::other(format!("certwright ended with {}: {stdout}{stderr}", output.status))),
    }
}
