//! `Proven ─activate─▶ Activated`: the one rename, the files outside, then the service is made to look.

use super::attempt::Attempt;
use super::check;
use super::probe::Observation;
use super::prove::Proven;
use super::reload::{ReloadContext, Reloaded};
use super::turn::Turn;
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::ground::id::GenerationId;
use crate::ground::secret::SecretBytes;
use crate::place::access::prove::AccessProof;
use crate::place::lineage::Current;
use crate::place::manifest::Manifest;
use crate::place::outputs;
use crate::place::txn::{Activation, Purpose, Step};
use crate::plan::spec::{Form, Spec};

/// A generation that is active and not yet settled: it is committed, or rolled back. Dropped unsettled it is rolled
/// back.
#[derive(Debug)]
pub(crate) struct Activated<'t, 'a> {
    pub(super) attempt: &'t mut Attempt<'a>,
    pub(super) to: Manifest,
    pub(super) from: Option<GenerationId>,
    pub(super) purpose: Purpose,
    pub(super) access: Vec<AccessProof>,
    pub(super) asked: Asked,
    /// What a person should know beside.
    pub(super) notes: Vec<String>,
    /// Private, so that nobody but [`activate`] makes one.
    settled: bool,
}

/// Whether the service was made to re-read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It still has what it had.
    No,
    /// It may have the new one.
    Maybe,
    /// It does not run.
    Nobody,
}

/// An active generation that was seen to be served, or whose spec names no endpoint to ask. Only probing makes one.
#[derive(Debug)]
pub(crate) struct Probed<'t, 'a> {
    activated: Activated<'t, 'a>,
    observations: Vec<Observation>,
}

impl<'t, 'a> Probed<'t, 'a> {
    /// What is committed. It cannot be put together again.
    pub(super) fn into_parts(self) -> (Activated<'t, 'a>, Vec<Observation>) {
        (self.activated, self.observations)
    }
}

/// A step that failed, with what has to be undone.
#[derive(Debug)]
pub(crate) struct Failed<'t, 'a> {
    pub(crate) activated: Activated<'t, 'a>,
    pub(crate) error: Error,
}

/// Make a proven generation the active one. From the first durable word in `txn` on, a crash is finished forward.
///
/// When the switch itself fails it is undone, and the error says what is true then.
pub(crate) fn activate<'t, 'a>(
    attempt: &'t mut Attempt<'a>,
    proven: Proven,
    purpose: Purpose,
    from: Option<GenerationId>,
) -> Result<Activated<'t, 'a>> {
    attempt.begin(Phase::Activate);
    let (to, outputs, access) = proven.into_parts();
    let id = to.generation;
    let crashes = attempt.txn.activation.take().map_or(0, |open| open.crashes);
    attempt.txn.sequence = attempt.txn.sequence.max(id.sequence());
    attempt.txn.activation = Some(Activation { purpose, from, to: id, step: Step::Prepared, outputs, crashes });
    let mut activated =
        Activated { attempt, to, from, purpose, access, asked: Asked::No, notes: Vec::new(), settled: false };
    match activated.switch() {
        Ok(()) => Ok(activated),
        Err(error) => Err(activated.roll_back(error.in_phase(Phase::Activate))),
    }
}

impl<'t, 'a> Activated<'t, 'a> {
    /// Undo the activation that an earlier run left open. Where it stands is not known, so the service may have been asked.
    /// There is no other way from there: what was proved then is not proved now.
    pub(super) fn take_back(attempt: &'t mut Attempt<'a>, to: Manifest, open: &Activation, error: Error) -> Error {
        let (from, purpose) = (open.from, open.purpose);
        let (access, notes) = (Vec::new(), Vec::new());
        Self { attempt, to, from, purpose, access, asked: Asked::Maybe, notes, settled: false }.roll_back(error)
    }

    /// It is final, or on its way back: dropping it undoes nothing any more.
    pub(super) fn settle(&mut self) {
        self.settled = true;
    }

    fn switch(&mut self) -> Result<()> {
        self.attempt.save()?;
        if self.attempt.directory.current()? != Current::Generation(self.to.generation) {
            self.attempt.directory.point_to(self.to.generation)?;
        }
        self.attempt.record("activate", Some(self.to.generation), None);
        self.put_outputs_in_place()
    }

    /// Each step is written down only when something follows that it announces.
    fn put_outputs_in_place(&mut self) -> Result<()> {
        let Some(open) = self.attempt.txn.activation.as_mut().filter(|open| !open.outputs.is_empty()) else {
            return Ok(());
        };
        open.step = Step::Activated;
        let waiting = open.outputs.clone();
        self.attempt.save()?;
        for output in &waiting {
            outputs::put_in_place(&*self.attempt.tools.fs, output)?;
        }
        if let Some(open) = self.attempt.txn.activation.as_mut() {
            open.step = Step::Placed;
        }
        self.attempt.save()
    }

    /// The service's own test, then its reload.
    pub(crate) fn pick_up(mut self) -> Result<Self, Box<Failed<'t, 'a>>> {
        let error = match self.test_and_reload() {
            Ok(()) => return Ok(self),
            Err(error) => error.in_phase(Phase::Activate),
        };
        Err(Box::new(Failed { activated: self, error }))
    }

    /// The same, with one check and one reload for all who wait for them.
    pub(crate) fn pick_up_together(mut self, turn: &Turn) -> Result<Self, Box<Failed<'t, 'a>>> {
        if self.attempt.service.reloader.is_some() {
            self.asked = Asked::Maybe;
        }
        match turn.join(|| self.test_and_reload()) {
            Ok(()) => Ok(self),
            Err(error) => Err(Box::new(Failed { activated: self, error: error.in_phase(Phase::Activate) })),
        }
    }

    fn test_and_reload(&mut self) -> Result<()> {
        let bundle = self.bundle(&self.to)?;
        let (service, cancel) = (self.attempt.service, &self.attempt.tools.cancel);
        let context = context(self.attempt.spec, &self.to, &bundle);
        if let Some(command) = &service.check {
            check::check(command, &context, cancel)?;
        }
        if let Some(reloader) = &service.reloader {
            self.asked = Asked::Maybe;
            match reloader.reload(&context, cancel) {
                Ok(Reloaded::Instead { why }) => {
                    self.attempt.record("reload_instead", Some(self.to.generation), Some(why.clone()));
                    self.notes.push(why);
                }
                Ok(_) => {}
                Err(error) => {
                    if error.kind() == ErrorKind::NotFound {
                        self.asked = Asked::Nobody;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// The bundle of a generation, for services that are handed it.
    pub(super) fn bundle(&self, manifest: &Manifest) -> Result<SecretBytes> {
        let directory = self.attempt.directory;
        let node = directory.generation(manifest.generation)?;
        let bytes = node.map(|node| directory.read(&node, Form::Bundle.file_name())).transpose()?.flatten();
        Ok(bytes.unwrap_or_default().into())
    }

    /// Ask every endpoint until each serves the new leaf or its time is over.
    pub(crate) fn probe(self) -> Result<Probed<'t, 'a>, Box<Failed<'t, 'a>>> {
        self.attempt.begin(Phase::Probe);
        match self.attempt.service.await_served(&self.to.leaf, &self.attempt.tools.cancel) {
            Ok(observations) => Ok(Probed { activated: self, observations }),
            Err(error) => Err(Box::new(Failed { activated: self, error: error.in_phase(Phase::Probe) })),
        }
    }
}

/// What a reloader may know about a generation.
pub(super) fn context<'c>(spec: &'c Spec, manifest: &Manifest, bundle: &'c SecretBytes) -> ReloadContext<'c> {
    ReloadContext::new(&spec.name, manifest.generation, manifest.leaf, bundle)
}

impl Drop for Activated<'_, '_> {
    fn drop(&mut self) {
        if !self.settled {
            self.undo_quietly();
        }
    }
}
