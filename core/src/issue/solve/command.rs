//! Answers by a command that was written for another client, called as that client calls it.

mod convention;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::rr::Name;

use self::convention::{Act, Call};
use super::dns::watch::{LOOKING_UP, Watch};
use super::dns::{challenge_name, persistent_name};
use super::{dns_persist01, expect_kind, value};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::ground::time::Clock;
use crate::issue::persistent::Worth;
use crate::issue::solver::{Challenge, Solver};
use crate::place::command::{Outcome, Status, preflight, run, run_for_output};
use crate::place::filesystem::Filesystem;
use crate::place::wire::deadline;
use crate::plan::spec::{ChallengeKind, Command, CommandSolver, Convention};

/// How many of the last lines that a command printed go into an error.
const LINES: usize = 5;

/// How a call that presents ended, as far as cleaning up has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Presented {
    /// Well, with this on its standard output.
    Done(Vec<u8>),
    /// The command said that it does not answer such challenges.
    Declined,
    /// Badly, or it was cut.
    Failed,
}

/// Answers by a command.
pub(super) struct ByCommand {
    wish: CommandSolver,
    watch: Watch,
    clock: Arc<dyn Clock>,
    calls: Mutex<BTreeMap<String, Presented>>,
}

impl ByCommand {
    /// Nothing is run yet, but it is seen that the commands can be.
    pub(super) fn new(wish: CommandSolver, fs: Arc<dyn Filesystem>, clock: Arc<dyn Clock>) -> Result<Self> {
        preflight(&wish.command)?;
        wish.cleanup.as_ref().map_or(Ok(()), preflight)?;
        let watch = Watch::new(wish.propagation.clone(), fs);
        Ok(Self { wish, watch, clock, calls: Mutex::default() })
    }

    /// The record of a challenge that is answered in DNS, where the convention wants to be told where aliases lead.
    fn record(&self, challenge: &Challenge, cancel: &Cancel) -> Result<Option<Name>> {
        if self.wish.convention != Convention::Lego {
            return Ok(None);
        }
        let name = match challenge.kind() {
            ChallengeKind::Dns01 => challenge_name(challenge.identifier())?,
            ChallengeKind::DnsPersist01 => persistent_name(challenge.identifier())?,
            _ => return Ok(None),
        };
        self.watch.canonical(&name, deadline(LOOKING_UP), cancel).map(Some)
    }

    /// Whether a record that stays is there already, so that no script need be run for it.
    fn is_there(&self, challenge: &Challenge, cancel: &Cancel) -> Result<bool> {
        let Some(wanted) = challenge.persistent() else { return Ok(false) };
        let name = self.watch.canonical(&persistent_name(challenge.identifier())?, deadline(LOOKING_UP), cancel)?;
        let soon = self.clock.now().saturating_add(dns_persist01::A_WHILE);
        match self.watch.values(&name, cancel) {
            Ok(there) => Ok(there.iter().any(|value| wanted.worth(value, soon) == Worth::Good)),
            Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
            Err(_) => Ok(false),
        }
    }

    fn call(&self, challenge: &Challenge, act: &Act<'_>, cancel: &Cancel) -> Result<()> {
        let record = self.record(challenge, cancel)?;
        let program = match (act, &self.wish.cleanup) {
            (Act::Present, _) => &self.wish.command,
            (Act::CleanUp(_), Some(cleanup)) => cleanup,
            // A convention with a command of its own for it, and none is configured.
            (Act::CleanUp(_), None) if self.wish.convention == Convention::Certbot => return Ok(()),
            (Act::CleanUp(_), None) => &self.wish.command,
        };
        let Call { arguments, variables } = convention::call(self.wish.convention, challenge, record.as_ref(), act)?;
        let mut command = program.clone();
        command.argv.extend(arguments);
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let outcome = match act {
            Act::Present => {
                self.note(challenge, Presented::Failed);
                run_for_output(&command, &variables, cancel)?
            }
            Act::CleanUp(_) => run(&command, &variables, cancel)?,
        };
        if outcome.status == Status::Exited(0) {
            if *act == Act::Present {
                self.note(challenge, Presented::Done(outcome.printed.to_vec()));
            }
            return Ok(());
        }
        let declined = self.wish.convention == Convention::Uacme
            && *act == Act::Present
            && matches!(outcome.status, Status::Exited(_));
        if declined {
            self.note(challenge, Presented::Declined);
        }
        Err(failed(program, challenge, act, &outcome, declined))
    }

    fn note(&self, challenge: &Challenge, presented: Presented) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).insert(key(challenge), presented);
    }
}

/// The same token may be there for a kind that was declined and for the next.
fn key(challenge: &Challenge) -> String {
    format!("{} {} {}", challenge.kind(), challenge.identifier(), challenge.token())
}

impl Solver for ByCommand {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        expect_kind(self.kinds(), challenge)?;
        let present = || {
            if self.is_there(challenge, cancel)? { Ok(()) } else { self.call(challenge, &Act::Present, cancel) }
        };
        present().map_err(|error| about(error, challenge))
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        if challenge.persistent().is_some() {
            // What was put in place stays.
            return Ok(());
        }
        let noted = self.calls.lock().unwrap_or_else(PoisonError::into_inner).get(&key(challenge)).cloned();
        let cleaned = match noted {
            Some(Presented::Declined) => Ok(()),
            Some(Presented::Done(printed)) => self.call(challenge, &Act::CleanUp(Some(&printed)), &Cancel::new()),
            Some(Presented::Failed) | None => self.call(challenge, &Act::CleanUp(None), &Cancel::new()),
        };
        if cleaned.is_ok() {
            self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(challenge));
        }
        cleaned.map_err(|error| about(error, challenge))
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &self.wish.kinds
    }

    fn wait(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        let in_dns = matches!(challenge.kind(), ChallengeKind::Dns01 | ChallengeKind::DnsPersist01);
        if !in_dns || self.wish.propagation.limit.is_zero() {
            return cancel.check();
        }
        let wait = || {
            if let Some(wanted) = challenge.persistent() {
                let name = persistent_name(challenge.identifier())?;
                let name = self.watch.canonical(&name, deadline(LOOKING_UP), cancel)?;
                let now = self.clock.now();
                return self.watch.wait(&name, None, &|value| wanted.worth(value, now) == Worth::Good, cancel);
            }
            let name = challenge_name(challenge.identifier())?;
            let name = self.watch.canonical(&name, deadline(LOOKING_UP), cancel)?;
            let value = value::txt(challenge);
            self.watch.wait(&name, None, &|shown| shown == value.as_bytes(), cancel)
        };
        wait().map_err(|error| about(error, challenge))
    }
}

impl fmt::Debug for ByCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByCommand").field("wish", &self.wish).finish_non_exhaustive()
    }
}

fn about(error: Error, challenge: &Challenge) -> Error {
    match error.fact("identifier") {
        Some(_) => error,
        None => error.context("identifier", challenge.identifier()),
    }
}

/// What to say of a call that did not end well. The arguments are not shown, and the answer is taken out of what the
/// command printed: a script that traces itself prints them.
fn failed(program: &Command, challenge: &Challenge, act: &Act<'_>, outcome: &Outcome, declined: bool) -> Error {
    let what = match act {
        Act::Present => "the command that answers challenges",
        Act::CleanUp(_) => "the command that takes answers away again",
    };
    let error = match outcome.status {
        _ if declined => Error::new(ErrorKind::Unsupported, "the command declined to answer a challenge of this kind"),
        Status::Exited(code) => {
            Error::new(ErrorKind::ChallengeFailed, format!("{what} failed")).context("exit_status", code)
        }
        Status::Signalled(signal) => {
            Error::new(ErrorKind::ChallengeFailed, format!("{what} was ended by a signal")).context("signal", signal)
        }
        Status::TimedOut => {
            Error::new(ErrorKind::Timeout, format!("{what} did not end in time")).context("limit", program.limit)
        }
        Status::Cancelled => Error::new(ErrorKind::Cancelled, format!("{what} was stopped as asked")),
    };
    let name = program.argv.first().map_or("", String::as_str);
    let error = error.context("challenge", Public(challenge.kind().word())).context("command", Public(name));
    let printed = String::from_utf8_lossy(&outcome.printed);
    let said = without_answer(&outcome.output.last_lines(LINES), challenge);
    let said = if said.is_empty() { last_line(&without_answer(&printed, challenge)).to_owned() } else { said };
    let error = if said.is_empty() { error } else { error.context("output", Public(&said)) };
    error.retry(Retry::Never).hint(if declined {
        "let the script exit with 0 for `begin` and this kind, or leave the kind out of `kinds`"
    } else {
        "run the script by hand with the arguments that its client would give, and see why it fails"
    })
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).map_or("", str::trim)
}

/// Text without what must be in no log.
fn without_answer(text: &str, challenge: &Challenge) -> String {
    let whole = String::from_utf8_lossy(challenge.key_authorization().expose()).into_owned();
    let secrets = [whole, value::txt(challenge), value::hex(challenge), challenge.token().to_owned()];
    secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[answer left out]"))
}
