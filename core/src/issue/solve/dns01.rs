//! `dns-01` (RFC 8555 §8.4) by dynamic updates, where an alias leads as well: `_acme-challenge.www.example.org` may be a
//! CNAME into a zone that is made for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::dns::challenge_name;
use super::dns::update::{Change, Spot};
use super::dns::watch::LOOKING_UP;
use super::updates::{UPDATING, Updates};
use super::{expect_kind, value};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, Result};
use crate::ground::time::Clock;
use crate::issue::solver::{Challenge, Solver};
use crate::place::filesystem::Filesystem;
use crate::place::wire::deadline;
use crate::plan::spec::{ChallengeKind, Rfc2136};

/// How long cleaning up may take in all.
const CLEANING: Duration = Duration::from_secs(15);

/// Answers by dynamic updates of a zone.
pub(super) struct ByUpdate {
    updates: Updates,
    /// Where answers were put, so that they are taken away there, whatever aliases say by then; `None` for one that was
    /// not sent.
    spots: Mutex<BTreeMap<String, Option<Spot>>>,
}

impl ByUpdate {
    pub(super) fn new(wish: Rfc2136, fs: Arc<dyn Filesystem>, clock: Arc<dyn Clock>) -> Self {
        Self { updates: Updates::new(wish, fs, clock), spots: Mutex::default() }
    }

    /// Where the answer belongs.
    fn spot(&self, challenge: &Challenge, end: Instant, cancel: &Cancel) -> Result<Spot> {
        self.updates.spot(&challenge_name(challenge.identifier())?, end, cancel)
    }

    fn change(&self, spot: &Spot, challenge: &Challenge, change: Change, end: Instant, cancel: &Cancel) -> Result<()> {
        self.updates.change(spot, value::txt(challenge).as_bytes(), change, end, cancel)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Option<Spot>>> {
        self.spots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Solver for ByUpdate {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        let present = || {
            cancel.check()?;
            expect_kind(self.kinds(), challenge)?;
            self.known().entry(challenge.token().to_owned()).or_default();
            let spot = self.spot(challenge, deadline(LOOKING_UP), cancel)?;
            self.known().insert(challenge.token().to_owned(), Some(spot.clone()));
            self.change(&spot, challenge, Change::Add, deadline(UPDATING), cancel)
        };
        present().map_err(|error| about(error, challenge))
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        let (end, cancel) = (deadline(CLEANING), Cancel::new());
        let known = self.known().get(challenge.token()).cloned();
        let removed = match known {
            Some(None) => Ok(()),
            Some(Some(spot)) => self.change(&spot, challenge, Change::Remove, end, &cancel),
            // An earlier run was cut.
            None => self
                .spot(challenge, end, &cancel)
                .and_then(|spot| self.change(&spot, challenge, Change::Remove, end, &cancel)),
        };
        if removed.is_ok() {
            self.known().remove(challenge.token());
        }
        removed.map_err(|error| about(error, challenge))
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Dns01]
    }

    fn wait(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        let wait = || {
            let known = self.known().get(challenge.token()).cloned().flatten();
            let spot = known.map_or_else(|| self.spot(challenge, deadline(LOOKING_UP), cancel), Ok)?;
            let value = value::txt(challenge);
            self.updates.watch.wait(&spot.name, Some(&spot.zone), &|shown| shown == value.as_bytes(), cancel)
        };
        wait().map_err(|error| about(error, challenge))
    }
}

fn about(error: Error, challenge: &Challenge) -> Error {
    error.context("identifier", challenge.identifier())
}

impl fmt::Debug for ByUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByUpdate").field("updates", &self.updates).finish_non_exhaustive()
    }
}
