//! One call of the hook, bounded in time.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use certwright::{Error, Result};
use nix::unistd::User;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::hook::act::{Event, Form};
use crate::hook::tools::Tools;
use crate::hook::{no_such, unmade};

/// How much of what it says is kept.
const LONGEST: usize = 4_096;

/// What the functions of a sourced hook are used to finding; they say and keep nothing.
const LIBRARY: &str = "_info() { :; }; _debug() { :; }; _debug2() { :; }; _debug3() { :; }; _secure_debug() { :; }
_secure_debug2() { :; }; _err() { printf '%s\\n' \"$*\" >&2; }; _savedeployconf() { :; }; _getdeployconf() { :; }
_cleardeployconf() { :; }; _migratedeployconf() { :; }; _exists() { command -v \"$1\" >/dev/null 2>&1; }
_mktemp() { mktemp; }; _head_n() { head -n \"$1\"; }; _tail_n() { tail -n \"$1\"; }
";

#[derive(Debug)]
pub(super) struct Caller {
    pub(super) script: PathBuf,
    pub(super) root: PathBuf,
    /// Where what it says is kept: files, so that nobody who is left running holds up the reader.
    pub(super) io: PathBuf,
    pub(super) limit: Duration,
    pub(super) user: Option<(u32, u32)>,
    /// What every call finds in its environment.
    pub(super) variables: Vec<(&'static str, String)>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The exit status; 128 and the number of a signal; `None` when it was ended at its limit.
    pub(super) status: Option<i32>,
    pub(super) took: Duration,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Call {
    pub(super) fn well(&self) -> bool {
        self.status == Some(0)
    }
}

impl Caller {
    pub(super) fn call(&self, event: &Event, tools: &Tools) -> Result<Call> {
        let mut command = self.command(event);
        let [out, err] = ["out", "err"].map(|name| self.io.join(name));
        command
            .env("PATH", tools.path())
            .env("HOME", self.root.join("home"))
            .env("TMPDIR", self.root.join("tmp"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .envs(event.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(File::create(&out).map_err(unmade)?)
            .stderr(File::create(&err).map_err(unmade)?)
            .process_group(0);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        tools.forget()?;
        let begun = Instant::now();
        let mut child = command.spawn().map_err(|source| {
            Error::io("the hook cannot be started", source)
                .context("path", self.script.as_path())
                .hint("make it executable, with `#!` and its interpreter in the first line")
        })?;
        let pid = Pid::from_child(&child);
        let in_time = ends_within(pid, self.limit).map_err(unmade)?;
        let took = begun.elapsed();
        // What it left running, and itself when it is over its time.
        let _ = kill_process_group(pid, Signal::KILL);
        let status = child.wait().map_err(unmade)?;
        let status = in_time.then(|| status.code().or_else(|| status.signal().map(|signal| 128 + signal))).flatten();
        Ok(Call { status, took, stdout: said(&out), stderr: said(&err) })
    }

    fn command(&self, event: &Event) -> Command {
        let mut command = match event.form {
            Form::Program => Command::new(&self.script),
            Form::Shell => {
                let mut command = Command::new("/bin/sh");
                command.arg("-c").arg(quoted(&self.script));
                command
            }
            Form::Function => {
                let function =
                    self.script.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                let script = format!("{LIBRARY}\n. \"$0\"\n{function}_deploy \"$@\"");
                let mut command = Command::new("/bin/sh");
                command.arg("-c").arg(script).arg(&self.script);
                command
            }
        };
        command.args(&event.arguments);
        command
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> OsString {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''")).into()
}

fn said(path: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    text.chars().take(LONGEST).collect()
}

/// Whether a process ends in time; it is not waited for yet, so that its number cannot mean something else.
fn ends_within(pid: Pid, limit: Duration) -> io::Result<bool> {
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout)) {
            Err(Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

/// The numbers of a user and of its group.
pub(super) fn identity(name: &str) -> Result<(u32, u32)> {
    let found = User::from_name(name).map_err(|error| unmade(error.into()))?;
    let user = found.ok_or_else(|| no_such("there is no such user", Path::new(name)))?;
    Ok((user.uid.as_raw(), user.gid.as_raw()))
}
