//! `dns-persist-01` (draft-ietf-acme-dns-persist-01) by dynamic updates: a record that is put in place once, and stays.

use std::sync::Arc;
use std::time::Duration;

use super::dns::persistent_name;
use super::dns::update::Change;
use super::dns::watch::LOOKING_UP;
use super::expect_kind;
use super::updates::{UPDATING, Updates};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::time::{Clock, Timestamp};
use crate::issue::persistent::{Persistent, Worth};
use crate::issue::solver::{Challenge, Solver};
use crate::place::filesystem::Filesystem;
use crate::place::wire::deadline;
use crate::plan::spec::{ChallengeKind, DnsPersist};

/// How long a record that somebody else wrote has to be good for, not to be doubled by one of ours.
pub(super) const A_WHILE: Duration = Duration::from_secs(86_400);

/// Answers by a record that stays.
#[derive(Debug)]
pub(super) struct ByLastingUpdate {
    updates: Updates,
    lasts: Option<Duration>,
}

impl ByLastingUpdate {
    pub(super) fn new(wish: DnsPersist, fs: Arc<dyn Filesystem>, clock: Arc<dyn Clock>) -> Self {
        Self { updates: Updates::new(wish.updates, fs, clock), lasts: wish.lasts }
    }

    /// The moment at which a record has to be good still, to be left as it is.
    fn needed_until(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.lasts.map_or(A_WHILE, |lasts| lasts / 2))
    }
}

impl Solver for ByLastingUpdate {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        let present = || {
            cancel.check()?;
            let wanted = wanted(self.kinds(), challenge)?;
            let updates = &self.updates;
            let name = persistent_name(challenge.identifier())?;
            let spot = updates.spot(&name, deadline(LOOKING_UP), cancel)?;
            let now = updates.clock.now();
            let there = match updates.values(&spot, deadline(UPDATING), cancel) {
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                // One that takes updates and answers no questions: adding what is there already changes nothing.
                there => there.unwrap_or_default(),
            };
            if there.iter().any(|value| wanted.worth(value, self.needed_until(now)) == Worth::Good) {
                return Ok(());
            }
            let value = wanted.value(self.lasts.map(|lasts| now.saturating_add(lasts)));
            updates.change(&spot, value.as_bytes(), Change::Add, deadline(UPDATING), cancel)?;
            for spent in there.iter().filter(|value| wanted.worth(value, now) == Worth::Spent) {
                // It is good for nothing; the next time takes away what is left.
                let _ = updates.change(&spot, spent, Change::Remove, deadline(UPDATING), cancel);
            }
            Ok(())
        };
        present().map_err(|error| about(error, challenge))
    }

    /// What was put in place stays.
    fn clean_up(&self, _: &Challenge) -> Result<()> {
        Ok(())
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::DnsPersist01]
    }

    fn wait(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        let wait = || {
            let wanted = wanted(self.kinds(), challenge)?;
            let spot = self.updates.spot(&persistent_name(challenge.identifier())?, deadline(LOOKING_UP), cancel)?;
            let now = self.updates.clock.now();
            let fits = |value: &[u8]| wanted.worth(value, now) == Worth::Good;
            self.updates.watch.wait(&spot.name, Some(&spot.zone), &fits, cancel)
        };
        wait().map_err(|error| about(error, challenge))
    }
}

/// What the record has to say.
fn wanted<'c>(kinds: &[ChallengeKind], challenge: &'c Challenge) -> Result<&'c Persistent> {
    expect_kind(kinds, challenge)?;
    challenge.persistent().ok_or_else(|| Error::new(ErrorKind::Bug, "a lasting challenge says nothing of its record"))
}

fn about(error: Error, challenge: &Challenge) -> Error {
    error.context("identifier", challenge.identifier())
}
