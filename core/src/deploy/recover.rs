//! After a run that died: half-made files go, what `txn` announces is finished forward, and a damaged active generation is
//! replaced by the newest whole one. Safe to repeat, and safe to be killed itself.

use super::activate::Activated;
use super::attempt::Attempt;
use super::carry_through;
use super::prove::{Gate, prove_generation};
use super::settle::Committed;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::GenerationId;
use crate::ground::time::Timestamp;
use crate::place::lineage::{Current, TxnFile};
use crate::place::manifest::Manifest;
use crate::place::outputs;
use crate::place::txn::{Activation, Purpose, Step, Txn};

/// A switch that killed this many runs is not tried again by itself.
const CRASHES: u32 = 3;

/// What recovery did.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// What a person should know, each one sentence.
    pub(crate) notes: Vec<String>,
    /// How an activation that was open came out.
    pub(crate) finished: Option<Result<Committed>>,
}

impl Recovered {
    fn note(&mut self, attempt: &Attempt<'_>, text: String) {
        attempt.record("recover", None, Some(text.clone()));
        self.notes.push(text);
    }
}

/// Bring a lineage to a settled state. Fills in what the attempt knows of the disk. Under the lock, before anything else.
pub(crate) fn recover(attempt: &mut Attempt<'_>) -> Result<Recovered> {
    let mut recovered = Recovered::default();
    attempt.directory.sweep()?;
    attempt.txn = match attempt.directory.txn()? {
        TxnFile::Read(txn) => txn,
        TxnFile::Unreadable(why) => {
            attempt.directory.set_txn_aside()?;
            recovered.note(attempt, format!("`txn` could not be used and was put aside as `txn.unreadable`: {why}"));
            Txn::default()
        }
    };
    attempt.active = heal(attempt, &mut recovered)?;
    discard_left_overs(attempt)?;
    if let Some(open) = attempt.txn.activation.clone() {
        recovered.note(attempt, format!("a run ended while {} was being activated", open.to));
        recovered.finished = finish(attempt, &open)?;
        attempt.active = heal(attempt, &mut recovered)?;
    }
    Ok(recovered)
}

/// The active generation, whole; when it is damaged the newest whole one becomes active.
fn heal(attempt: &Attempt<'_>, recovered: &mut Recovered) -> Result<Option<Manifest>> {
    let damage = match attempt.directory.current()? {
        Current::Absent => match attempt.directory.ids()?.is_empty() || attempt.txn.previous.is_none() {
            true => return Ok(None),
            false => "`current` is gone".to_owned(),
        },
        Current::Foreign(what) => format!("`current` leads to {what}"),
        Current::Generation(id) => match attempt.directory.complete(id)? {
            Ok(manifest) => return Ok(Some(manifest)),
            Err(why) => format!("{id} is damaged: {why}"),
        },
    };
    for id in attempt.directory.ids()?.into_iter().rev() {
        if attempt.txn.unfit.contains(&id) {
            continue;
        }
        if let Ok(manifest) = attempt.directory.complete(id)? {
            attempt.directory.point_to(id)?;
            recovered.note(attempt, format!("{damage}; {id} was made active"));
            return Ok(Some(manifest));
        }
    }
    recovered.note(attempt, format!("{damage}; there is no whole generation left"));
    Ok(None)
}

/// Prepared files outside that no open activation waits for.
fn discard_left_overs(attempt: &Attempt<'_>) -> Result<()> {
    let waiting = attempt.txn.activation.as_ref().map(|open| open.outputs.as_slice()).unwrap_or_default();
    let wished = attempt.spec.outputs.iter().map(|output| &output.path);
    let placed = attempt.active.iter().flat_map(|manifest| manifest.outputs.iter().map(|output| &output.path));
    for path in wished.chain(placed) {
        if !waiting.iter().any(|output| output.path == *path) {
            outputs::discard(&*attempt.tools.fs, path)?;
        }
    }
    Ok(())
}

fn finish(attempt: &mut Attempt<'_>, open: &Activation) -> Result<Option<Result<Committed>>> {
    let to = match attempt.directory.complete(open.to)? {
        Ok(manifest) => manifest,
        // Its name became durable and its content did not: nothing refers to it but this word.
        Err(_) => return abandon(attempt, open.to).map(|()| None),
    };
    let crashes = open.crashes + 1;
    if let Some(open) = attempt.txn.activation.as_mut() {
        open.crashes = crashes;
    }
    attempt.save()?;
    let error = |message: &'static str| Error::new(ErrorKind::Cancelled, message).context("generation", open.to);
    if open.step == Step::RollingBack {
        let error = error("a run ended while it was rolling back");
        return Ok(Some(Err(Activated::take_back(attempt, to, open, error))));
    }
    if crashes > CRASHES {
        let error = Activated::take_back(attempt, to, open, error("every run that activated it ended early"));
        if let Some(deferred) = attempt.txn.deferred.as_mut() {
            deferred.not_before = Timestamp::MAX;
            attempt.save()?;
        }
        let hint = format!("find out what ends these runs, then `certwright rollback {} --release`", attempt.spec.name);
        return Ok(Some(Err(error.hint(hint))));
    }
    let gate = if open.purpose == Purpose::Deploy { Gate::Forward } else { Gate::Return };
    match prove_generation(attempt, open.to, gate) {
        Ok(proven) => Ok(Some(carry_through(attempt, proven, open.purpose, open.from))),
        Err(error) => Ok(Some(Err(Activated::take_back(attempt, to, open, error)))),
    }
}

fn abandon(attempt: &mut Attempt<'_>, id: GenerationId) -> Result<()> {
    attempt.txn.activation = None;
    attempt.save()?;
    attempt
        .directory
        .remove(id)
        .or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    for output in &attempt.spec.outputs {
        outputs::discard(&*attempt.tools.fs, &output.path)?;
    }
    Ok(())
}
