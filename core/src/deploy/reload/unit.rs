//! A reload by the service manager (systemctl(1)).

use std::path::PathBuf;
use std::time::Duration;

use super::{ReloadContext, Reloaded, Reloader};
use crate::deploy::command::succeed;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::place::command::run;
use crate::plan::spec::Command;

/// A unit's own limit for a reload is 90 s unless it says otherwise (`TimeoutStartSec=`, systemd.service(5)).
const RELOAD_LIMIT: Duration = Duration::from_secs(100);

/// How long the manager may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Asks systemd to reload a unit.
///
/// It is `reload`, never `reload-or-restart`: a restart would cut the connections of a service that merely renews, and
/// start one that was stopped on purpose. A unit that cannot reload is told by a command of the operator's choice.
#[derive(Debug)]
pub(super) struct UnitReload(Unit);

impl UnitReload {
    pub(super) fn new(name: &str) -> Result<Self> {
        Unit::named(name).map(Self)
    }
}

impl Reloader for UnitReload {
    fn reload(&self, _context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        self.preflight(cancel)?;
        let hint = "see `journalctl -u` with the unit, and run the service's own check";
        let reloaded = succeed(&self.0.command("reload", &[], RELOAD_LIMIT), &[], "the reload", hint, cancel);
        // systemctl says no more than that it failed; why is in the status.
        reloaded.map(|_| Reloaded::Asked).map_err(|error| self.0.with_status(error, cancel))
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        match self.0.state(cancel)? {
            State { activity: Activity::Running, reloads: true } => Ok(()),
            State { activity: Activity::Running, reloads: false } => {
                Err(Error::new(ErrorKind::Unsupported, "the unit cannot be reloaded")
                    .context("unit", Public(&self.0.name))
                    .hint("give it an `ExecReload=`, or write the command that makes it re-read as `reload`"))
            }
            State { activity: Activity::Stopped(state), .. } => {
                Err(Error::new(ErrorKind::NotFound, "the unit is not running")
                    .context("unit", Public(&self.0.name))
                    .context("state", Public(&state))
                    .hint("start the unit, and see in its log why it stopped"))
            }
        }
    }

    fn describe(&self) -> String {
        format!("reload of unit `{}`", self.0.name)
    }
}

/// A unit of the system's manager.
#[derive(Debug)]
pub(crate) struct Unit {
    name: String,
    systemctl: PathBuf,
}

/// What the manager says about a unit.
#[derive(Debug)]
pub(crate) struct State {
    /// Whether it runs.
    pub(crate) activity: Activity,
    /// Whether it has a way to reload.
    reloads: bool,
}

/// Whether a unit runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It runs; it may be reloading at the moment.
    Running,
    /// It is in this other state: `inactive`, `failed`, `activating`, `not-found` …
    Stopped(String),
}

impl Unit {
    /// The unit of this name.
    ///
    /// # Errors
    ///
    /// `InvalidSpec` when no unit can have this name (systemd.unit(5)).
    pub(crate) fn named(name: &str) -> Result<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b);
        if name.is_empty() || name.len() > 255 || name.starts_with('-') || !name.bytes().all(allowed) {
            return Err(Error::new(ErrorKind::InvalidSpec, "no unit can have this name")
                .context("unit", Public(name))
                .hint("write the name as `systemctl list-units` shows it, such as `nginx.service`"));
        }
        Ok(Self { name: name.to_owned(), systemctl: "systemctl".into() })
    }

    /// What the manager says about it.
    ///
    /// # Errors
    ///
    /// `NotFound` or `Unsupported` when there is no systemd; `ReloadFailed` or `Timeout` when it does not answer.
    pub(crate) fn state(&self, cancel: &Cancel) -> Result<State> {
        let question = self.command("show", &["--property=LoadState,ActiveState,CanReload"], ANSWER_LIMIT);
        let hint = "see with `systemctl status` whether systemd runs on this machine";
        let answer = succeed(&question, &[], "the question to systemd", hint, cancel)?;
        let property = |name: &str| {
            answer.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::trim)
        };
        let (Some(load), Some(active)) = (property("LoadState"), property("ActiveState")) else {
            return Err(Error::new(ErrorKind::Unsupported, "the answer of systemd cannot be read")
                .context("unit", Public(&self.name))
                .context("answer", Public(&answer.last_lines(5)))
                .hint(hint));
        };
        let activity = match (load, active) {
            (_, "active" | "reloading" | "refreshing") => Activity::Running,
            ("loaded", other) => Activity::Stopped(other.to_owned()),
            (other, _) => Activity::Stopped(other.to_owned()),
        };
        Ok(State { activity, reloads: property("CanReload") == Some("yes") })
    }

    fn command(&self, verb: &str, options: &[&str], limit: Duration) -> Command {
        let mut argv = vec![self.systemctl.to_string_lossy().into_owned(), verb.to_owned()];
        argv.extend(options.iter().map(|option| (*option).to_owned()));
        argv.extend(["--".to_owned(), self.name.clone()]);
        let mut command = Command::new(argv);
        command.limit = limit;
        command
    }

    fn with_status(&self, error: Error, cancel: &Cancel) -> Error {
        let error = error.context("unit", Public(&self.name));
        let question = self.command("status", &["--no-pager", "--full", "--lines=10"], ANSWER_LIMIT);
        match run(&question, &[], cancel) {
            // Its exit status tells the unit's state (systemctl(1)), not whether it answered.
            Ok(outcome) => error.context("status", Public(&outcome.output.last_lines(10))),
            Err(_) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::reload::tests::with_context;
    use crate::place::scratch::Scratch;

    /// A systemctl that notes how it was called, answers `show` and `status` from files, and fails `reload` on demand.
    struct Systemctl(Scratch);

    impl Systemctl {
        fn new(load: &str, active: &str, reloads: &str) -> Self {
            let scratch = Scratch::new();
            let script = "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$*\" >> calls\ncat \"$1\" 2>/dev/null\n\
                          test ! -e \"fail-$1\"\n";
            scratch.file("systemctl", script, 0o755);
            let show = format!("LoadState={load}\nActiveState={active}\nCanReload={reloads}\n");
            scratch.file("show", show, 0o644);
            Self(scratch)
        }

        fn unit(&self, name: &str) -> UnitReload {
            UnitReload(Unit { name: name.to_owned(), systemctl: self.0.path().join("systemctl") })
        }

        fn calls(&self) -> String {
            std::fs::read_to_string(self.0.path().join("calls")).unwrap()
        }
    }

    const SHOW: &str = "show --property=LoadState,ActiveState,CanReload -- www.service\n";

    #[test]
    fn asks_for_a_reload_and_nothing_else() {
        let manager = Systemctl::new("loaded", "active", "yes");
        let unit = manager.unit("www.service");
        let reloaded = with_context(b"", |context| unit.reload(context, &Cancel::new())).unwrap();
        assert_eq!(reloaded, Reloaded::Asked);
        assert_eq!(manager.calls(), format!("{SHOW}reload -- www.service\n"));
        assert_eq!(unit.describe(), "reload of unit `www.service`");
    }

    #[test]
    fn a_failed_reload_comes_with_the_status() {
        let manager = Systemctl::new("loaded", "active", "yes");
        manager.0.file("fail-reload", "", 0o644);
        manager.0.file("fail-status", "", 0o644);
        manager.0.file("reload", "Job for www.service failed.\n", 0o644);
        manager.0.file("status", "www.service - web\n   Active: active (running)\n\nnginx: [emerg] no key\n", 0o644);
        let unit = manager.unit("www.service");
        let error = with_context(b"", |context| unit.reload(context, &Cancel::new())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReloadFailed);
        assert_eq!(error.fact("output"), Some("Job for www.service failed."));
        assert_eq!(error.fact("status"), Some("www.service - web | Active: active (running) | nginx: [emerg] no key"));
    }

    #[test]
    fn a_unit_that_does_not_run_is_left_alone() {
        for (load, active, state) in
            [("loaded", "inactive", "inactive"), ("loaded", "failed", "failed"), ("not-found", "inactive", "not-found")]
        {
            let manager = Systemctl::new(load, active, "yes");
            let unit = manager.unit("www.service");
            let error = with_context(b"", |context| unit.reload(context, &Cancel::new())).unwrap_err();
            assert_eq!((error.kind(), error.fact("state")), (ErrorKind::NotFound, Some(state)));
            assert_eq!(manager.calls(), SHOW, "nothing but the question");
        }
    }

    #[test]
    fn a_unit_without_a_way_to_reload_is_told_apart() {
        let manager = Systemctl::new("loaded", "active", "no");
        let error = manager.unit("www.service").preflight(&Cancel::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_manager_that_does_not_answer_is_an_error() {
        let manager = Systemctl::new("loaded", "active", "yes");
        manager.0.file("fail-show", "", 0o644);
        manager.0.file("show", "System has not been booted with systemd as init system (PID 1).\n", 0o644);
        assert_eq!(manager.unit("www.service").0.state(&Cancel::new()).unwrap_err().kind(), ErrorKind::ReloadFailed);
        std::fs::remove_file(manager.0.path().join("fail-show")).unwrap();
        assert_eq!(manager.unit("www.service").0.state(&Cancel::new()).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn names_that_are_options_or_paths_are_refused() {
        for name in ["", "-H", "--force", "a b", "a/b", "a\n", "ä", "*", "[a]", &"x".repeat(256)] {
            assert_eq!(Unit::named(name).unwrap_err().kind(), ErrorKind::InvalidSpec, "{name:?}");
        }
        for name in ["nginx", "nginx.service", "postgresql@15-main.service", "systemd-fsck@dev-disk\\x2d1"] {
            assert!(Unit::named(name).is_ok(), "{name}");
        }
    }
}
