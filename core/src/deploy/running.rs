//! Whether a service runs, for `verify --ready`.

use std::fmt;

use super::reload::unit::{Activity, Unit};
use crate::ground::cancel::Cancel;
use crate::ground::error::{ErrorKind, Result};
use crate::place::filesystem::Filesystem;
use crate::place::process::Process;
use crate::plan::spec::Running;

/// Whether a service runs, with the reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It runs; what was seen.
    Runs(String),
    /// It does not; why that is thought.
    Stopped(String),
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs(seen) => write!(f, "runs: {seen}"),
            Self::Stopped(why) => write!(f, "does not run: {why}"),
        }
    }
}

/// Look whether the service runs. A pid file without a living process, or no pid file at all, means that it does not.
///
/// # Errors
///
/// When it cannot be told: `Permission` or `InvalidSpec` for a pid file that cannot be believed, `Unsupported`,
/// `ReloadFailed` or `Timeout` when systemd does not answer.
///
/// # Effects
///
/// Disk: reads the pid file and procfs, or runs `systemctl show`.
pub(crate) fn presence(wish: &Running, fs: &dyn Filesystem, cancel: &Cancel) -> Result<Presence> {
    cancel.check()?;
    match wish {
        Running::PidFile(path) => match Process::from_pid_file(fs, path) {
            Ok(process) => Ok(Presence::Runs(process.to_string())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Presence::Stopped(error.to_string())),
            Err(error) => Err(error),
        },
        Running::Unit(name) => Ok(match Unit::named(name)?.state(cancel)?.activity {
            Activity::Running => Presence::Runs(format!("unit `{name}` is active")),
            Activity::Stopped(state) => Presence::Stopped(format!("unit `{name}` is {state}")),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::os::OsFilesystem;
    use crate::place::scratch::Scratch;

    #[test]
    fn a_living_process_runs_and_a_dead_or_unnamed_one_does_not() {
        let scratch = Scratch::new();
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let path = scratch.file("pid", child.id().to_string(), 0o644);
        let look =
            |path: &std::path::Path| presence(&Running::PidFile(path.to_owned()), &OsFilesystem::new(), &Cancel::new());
        let seen = look(&path).unwrap();
        assert!(matches!(&seen, Presence::Runs(what) if what.contains("sleep")), "{seen}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(look(&path).unwrap(), Presence::Stopped(_)));
        assert!(matches!(look(&scratch.path().join("none")).unwrap(), Presence::Stopped(_)));
        assert!(matches!(look(&scratch.file("pid", "\n", 0o644)).unwrap(), Presence::Stopped(_)));
        // Nothing can be told from a file that holds something else.
        assert_eq!(look(&scratch.file("pid", "soon", 0o644)).unwrap_err().kind(), ErrorKind::InvalidSpec);
    }
}
