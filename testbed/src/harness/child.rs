//! A command with the streams and the signals of this process, until it ends.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use certwright::{Error, Result};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// How a command ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// With this status; 128 and the number of the signal that ended it.
    Status(u8),
    /// It could not be started: the status with which a shell says so (127 for a missing one, 126 otherwise), and why.
    NotStarted(u8, Error),
}

pub(super) fn run(
    program: &OsStr,
    arguments: &[OsString],
    variables: &[(&'static str, OsString)],
    unset: &[&str],
) -> Result<Ended> {
    // Before it starts, so that no signal is lost between.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]).map_err(unwatched)?;
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    for name in unset {
        command.env_remove(name);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(source) => {
            let status = if source.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
            let error =
                Error::io("the command does not start", source).context("command", std::path::Path::new(program));
            return Ok(Ended::NotStarted(status, error));
        }
    };
    // A handle, and not a number, which may be another's by the time of the signal.
    let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).map_err(|error| unwatched(error.into()))?;
    let ending = signals.handle();
    // What is typed at the terminal reaches every process of its group by itself.
    let typed = io::stdin().is_terminal();
    let forward = move || {
        for signal in signals.forever() {
            if !(typed && matches!(signal, SIGINT | SIGQUIT)) {
                send(&handle, signal);
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(forward).map_err(unwatched)?;
    let status = child.wait().map_err(|source| Error::io("the command cannot be waited for", source));
    ending.close();
    let _ = thread.join();
    Ok(Ended::Status(told(status?)))
}

pub(super) fn until_signal() -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(unwatched)?;
    signals.forever().next();
    Ok(())
}

fn send(handle: &OwnedFd, signal: i32) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        // It may have ended meanwhile.
        let _ = pidfd_send_signal(handle, signal);
    }
}

/// As a shell tells it.
fn told(status: ExitStatus) -> u8 {
    let number = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255);
    u8::try_from(number).unwrap_or(255)
}

fn unwatched(source: io::Error) -> Error {
    Error::io("signals cannot be watched", source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(words: &[&str]) -> Ended {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        run(&words[0], &words[1..], &[("MARK", "here".into())], &[]).unwrap()
    }

    #[test]
    fn the_status_is_that_of_the_command() {
        assert!(matches!(ended(&["sh", "-c", "test \"$MARK\" = here || exit 1; exit 7"]), Ended::Status(7)));
        assert!(matches!(ended(&["sh", "-c", "kill -KILL $$"]), Ended::Status(137)));
        let Ended::NotStarted(127, error) = ended(&["no-such-program"]) else { panic!("it started") };
        assert!(error.to_string().contains("no-such-program"), "{error}");
        assert!(matches!(ended(&["/etc/passwd"]), Ended::NotStarted(126, _)));
    }
}
