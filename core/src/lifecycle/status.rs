//! `status`: what is active, until when, what is next, what is unfinished. Reads disk alone, and no more than it shows.

use super::report::{GenerationReport, LineageStatus, Outcome, StatusReport};
use super::{Lifecycle, Selection};
use crate::ground::error::Result;
use crate::ground::id::GenerationId;
use crate::ground::name::Identifier;
use crate::ground::time::Timestamp;
use crate::place::lineage::{Current, LineageDirectory, TxnFile};
use crate::place::manifest::Manifest;
use crate::place::schedule::Schedule;
use crate::place::store::Store;
use crate::place::txn::Txn;
use crate::plan::reason::Reason;
use crate::plan::renewal::{Seed, renewal};
use crate::plan::spec::Spec;

/// How many events of the history are shown.
const EVENTS: usize = 10;

impl Lifecycle {
    pub(super) fn status_selected(&self, selection: &Selection) -> Result<StatusReport> {
        let store = Store::open(&self.tools.fs, &self.config.root)?;
        let mut lineages = Vec::new();
        for name in self.select(selection)? {
            let spec = self.config.lineage(name)?;
            let mut status = LineageStatus::new(name);
            let directory = store.as_ref().map(|store| store.lineage(name)).transpose().map(Option::flatten);
            let teller = Teller { spec, machine: self.tools.machine, now: self.tools.clock.now() };
            match directory.and_then(|directory| teller.tell(directory.as_ref(), &mut status)) {
                Ok(()) => {}
                Err(error) => status.fail(&error),
            }
            lineages.push(status);
        }
        Ok(StatusReport::new(lineages))
    }
}

/// What is said of one lineage depends on these.
struct Teller<'a> {
    spec: &'a Spec,
    machine: u64,
    now: Timestamp,
}

impl Teller<'_> {
    fn tell(&self, directory: Option<&LineageDirectory>, status: &mut LineageStatus) -> Result<()> {
        let Some(directory) = directory else {
            status.unsettle("nothing was deployed yet".to_owned(), Outcome::Finding);
            return Ok(());
        };
        let txn = match directory.txn()? {
            TxnFile::Read(txn) => txn,
            TxnFile::Unreadable(why) => {
                status.unsettle(format!("`txn` cannot be used: {why}"), Outcome::Failed);
                Txn::default()
            }
        };
        tell_unsettled(&txn, status);
        let schedule = directory.schedule()?;
        self.tell_issuing(&schedule, status);
        for left in &schedule.answers {
            status.unsettle(left.to_string(), Outcome::Failed);
        }
        let active = match directory.current()? {
            Current::Generation(id) => Some(id),
            Current::Absent => {
                status.unsettle("no generation is active".to_owned(), Outcome::Finding);
                None
            }
            Current::Foreign(what) => {
                status.unsettle(format!("`current` leads to {what}"), Outcome::Failed);
                None
            }
        };
        let ids = directory.ids()?;
        let previous = txn.previous.filter(|id| active != Some(*id) && ids.contains(id));
        status.previous = previous.map(|id| id.to_string());
        let newest = active.map(|id| read_manifest(directory, id)).transpose()?.flatten();
        for id in ids.into_iter().rev() {
            let manifest = read_manifest(directory, id)?;
            if active == Some(id) {
                match &manifest {
                    Some(manifest) => self.tell_active(&schedule, manifest, status),
                    None => status.unsettle(format!("{id} is active and has no usable manifest"), Outcome::Failed),
                }
            }
            status.generations.push(GenerationReport {
                generation: id.to_string(),
                role: role(id, active, newest.as_ref(), &txn),
                created: manifest.as_ref().map(|manifest| manifest.created.to_string()),
                repairs: manifest.as_ref().and_then(|manifest| manifest.repairs).map(|id| id.to_string()),
                not_after: manifest.as_ref().map(|manifest| manifest.window.end.to_string()),
            });
        }
        if let Some(active) = active.filter(|_| status.generation.is_none()) {
            status.unsettle(format!("{active} is active and is not there"), Outcome::Failed);
        }
        let mut history = directory.history()?;
        history.reverse();
        history.truncate(EVENTS);
        status.history = history;
        Ok(())
    }

    fn tell_issuing(&self, schedule: &Schedule, status: &mut LineageStatus) {
        let Some(until) = schedule.not_before.filter(|until| *until > self.now && !self.spec.issuers.is_empty()) else {
            return;
        };
        let reason = Reason::BackOff { until, failures: schedule.failures, why: schedule.why.clone() };
        status.unsettle(reason.to_string(), Outcome::Failed);
    }

    fn tell_active(&self, schedule: &Schedule, manifest: &Manifest, status: &mut LineageStatus) {
        status.generation = Some(manifest.generation.to_string());
        status.identifiers = manifest.identifiers.iter().map(Identifier::to_string).collect();
        status.issuer = manifest.issuer.as_ref().map(ToString::to_string);
        status.fingerprint = Some(manifest.leaf.to_string());
        status.not_before = Some(manifest.window.start.to_string());
        status.not_after = Some(manifest.window.end.to_string());
        if !self.spec.issuers.is_empty() {
            let seed = Seed::new(self.machine, &self.spec.name);
            let suggested = schedule.asked.filter(|asked| asked.leaf == manifest.leaf).and_then(|asked| asked.window);
            let renewal = renewal(manifest.window, suggested, &schedule.issued, self.now, seed);
            status.renewal = Some(renewal.at.to_string());
            status.renewal_basis = Some(renewal.basis.to_string());
        }
    }
}

fn tell_unsettled(txn: &Txn, status: &mut LineageStatus) {
    if let Some(open) = &txn.activation {
        status.unsettle(format!("a run ended while {} was being activated", open.to), Outcome::Failed);
    }
    if let Some(deferred) = &txn.deferred {
        let (id, when) = (deferred.generation, deferred.not_before);
        let text = format!("{id} waits until {when} after {} failures: {}", deferred.failures, deferred.reason);
        status.unsettle(text, Outcome::Failed);
    }
    if let Some(held) = txn.held {
        status.unsettle(format!("{held} is held by a rollback"), Outcome::Well);
    }
}

/// What came after the active material and is not the same again is a candidate, whatever number its repair has.
fn role(id: GenerationId, active: Option<GenerationId>, newest: Option<&Manifest>, txn: &Txn) -> &'static str {
    let newer = match newest {
        Some(newest) => id > newest.origin() && !id.matches(&newest.leaf),
        None => active.is_none_or(|active| id > active),
    };
    if txn.unfit.contains(&id) {
        "unfit"
    } else if active == Some(id) {
        if txn.held == Some(id) { "held" } else { "active" }
    } else if txn.deferred.as_ref().is_some_and(|deferred| deferred.generation == id) {
        "deferred"
    } else if txn.previous == Some(id) {
        "previous"
    } else if newer {
        "candidate"
    } else {
        "retired"
    }
}

fn read_manifest(directory: &LineageDirectory, id: GenerationId) -> Result<Option<Manifest>> {
    let Some(node) = directory.generation(id)? else { return Ok(None) };
    Ok(directory.manifest(&node, id)?.ok())
}
