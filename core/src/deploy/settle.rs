//! `Probed ─commit─▶ Committed` and the way back: an active generation is made final, or the one before is active again.

use super::activate::{Activated, Asked, Failed, Probed, context};
use super::attempt::ServedBefore;
use super::prepare::prepare;
use super::probe::Observation;
use super::retire::retire;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Aftermath, Error, ErrorKind, Phase, Public, Result, Retry};
use crate::ground::id::GenerationId;
use crate::ground::time::Timestamp;
use crate::place::access::prove::AccessProof;
use crate::place::lineage::Current;
use crate::place::manifest::Manifest;
use crate::place::outputs;
use crate::place::txn::{Deferred, Purpose, Step};
use crate::plan::policy;

/// A generation that is final.
#[derive(Debug)]
pub(crate) struct Committed {
    manifest: Manifest,
    observations: Vec<Observation>,
    access: Vec<AccessProof>,
    retired: Vec<GenerationId>,
    notes: Vec<String>,
}

impl Committed {
    /// What is active.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What the endpoints were seen to serve.
    pub(crate) fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// How the access to each file was proved.
    pub(crate) fn access(&self) -> &[AccessProof] {
        &self.access
    }

    /// Old generations that were removed.
    pub(crate) fn retired(&self) -> &[GenerationId] {
        &self.retired
    }

    /// What a person should know beside.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// What became of a generation that left the others after a try together.
#[derive(Debug)]
pub(super) enum Stepped<'t, 'a> {
    /// This generation is a candidate, and the one before is active.
    Back(GenerationId),
    /// There is nothing to go back to.
    Stays(Box<Activated<'t, 'a>>),
}

impl Probed<'_, '_> {
    /// Make it final. Only now may the generation before go.
    pub(crate) fn commit(self) -> Result<Committed> {
        let (mut activated, observations) = self.into_parts();
        activated.settle();
        let attempt = &mut *activated.attempt;
        attempt.begin(Phase::Commit);
        let id = activated.to.generation;
        if activated.purpose != Purpose::Repair && activated.from != Some(id) {
            attempt.txn.previous = activated.from.or(attempt.txn.previous);
        }
        attempt.txn.held = match activated.purpose {
            // The held one itself may be activated again, when it was not served.
            Purpose::Deploy => attempt.txn.held.filter(|held| *held == id),
            Purpose::Rollback => Some(id),
            Purpose::Repair => attempt.txn.held.map(|_| id),
        };
        attempt.txn.activation = None;
        // Older material gives way to newer. The same again, repaired or gone back to, takes nobody's place but its own.
        let (leaf, origin) = (activated.to.leaf, activated.to.origin());
        let newer = activated.purpose == Purpose::Deploy;
        attempt.txn.deferred.take_if(|deferred| {
            let waiting = deferred.generation;
            waiting.matches(&leaf) || (newer && waiting <= origin)
        });
        attempt.save().map_err(|error| error.in_phase(Phase::Commit).left(Aftermath::Kept(id)))?;
        attempt.record("commit", Some(id), None);
        // Old generations that cannot be removed now are removed next time.
        let retired = retire(attempt, id).unwrap_or_default();
        let manifest = activated.to.clone();
        let (access, notes) = (std::mem::take(&mut activated.access), std::mem::take(&mut activated.notes));
        Ok(Committed { manifest, observations, access, retired, notes })
    }
}

impl<'t, 'a> Failed<'t, 'a> {
    /// Undo the activation.
    pub(crate) fn roll_back(self) -> Error {
        self.activated.roll_back(self.error)
    }

    /// Leave the others after a try together: the files of the generation before are active again, and this one is a
    /// candidate. The service is left as it is, because it is asked again right after.
    ///
    /// # Errors
    ///
    /// When the files cannot be put back, after everything that a failed activation does was tried.
    pub(super) fn step_back(self) -> Result<Stepped<'t, 'a>> {
        let mut activated = self.activated;
        let Some(from) = activated.way_back() else { return Ok(Stepped::Stays(Box::new(activated))) };
        match activated.files_back(&from) {
            Ok(()) => {
                activated.settle();
                activated.attempt.record("step_back", Some(from.generation), Some(self.error.to_string()));
                Ok(Stepped::Back(activated.to.generation))
            }
            Err(error) => Err(activated.roll_back(error)),
        }
    }
}

impl Activated<'_, '_> {
    /// Go back to the generation before, see it served, and keep this one for a later try. The error is given back with
    /// what is true then.
    pub(crate) fn roll_back(mut self, error: Error) -> Error {
        self.settle();
        self.attempt.begin(Phase::Rollback);
        match self.way_back() {
            Some(from) => self.return_to(from, error),
            None => self.keep(error),
        }
    }

    /// An attempt that nobody settled, because the caller gave up on it.
    pub(super) fn undo_quietly(&mut self) {
        self.settle();
        let reason = Error::new(ErrorKind::Cancelled, "the attempt was given up");
        if let Some(from) = self.way_back() {
            let _ = self.go_back(&from, &reason);
        }
    }

    /// The generation to go back to: whole, another than this one, not expired. A repair has the same certificate in
    /// better order than before, so there is nothing to go back for; nor is there when the service did not run, for the
    /// generation before may be what keeps it from starting.
    fn way_back(&self) -> Option<Manifest> {
        if self.asked == Asked::Nobody && !self.attempt.is_served() {
            return None;
        }
        let from = self.from.filter(|from| *from != self.to.generation && self.purpose != Purpose::Repair)?;
        let manifest = self.attempt.directory.complete(from).ok()?.ok()?;
        (self.attempt.now() <= manifest.window.end).then_some(manifest)
    }

    fn return_to(mut self, from: Manifest, error: Error) -> Error {
        let id = from.generation;
        match self.go_back(&from, &error) {
            Ok(until) => {
                self.attempt.record("roll_back", Some(id), Some(error.to_string()));
                error.left(Aftermath::RolledBack(id)).retry(Retry::After(until))
            }
            Err(undo) => {
                let commands = self.by_hand(&from);
                self.attempt.record("stuck", Some(id), Some(format!("{undo:#}")));
                Error::new(error.kind(), format!("{}, and going back failed", error.message()))
                    .in_phase(Phase::Rollback)
                    .context("lineage", &self.attempt.spec.name)
                    .context("generation", id)
                    .hint("do by hand what is said, then run `certwright verify`")
                    .left(Aftermath::Stuck { commands })
                    .source(undo.source(error))
            }
        }
    }

    /// The files alone. What is written down ends as if the switch had never been.
    fn files_back(&mut self, from: &Manifest) -> Result<()> {
        self.mark_rolling_back();
        if self.attempt.directory.current()? != Current::Generation(from.generation) {
            self.attempt.directory.point_to(from.generation)?;
        }
        self.outputs_back(from)?;
        let open = self.attempt.txn.activation.take();
        self.attempt.save().inspect_err(|_| self.attempt.txn.activation = open)
    }

    /// The files, then the service, then what it serves.
    fn go_back(&mut self, from: &Manifest, error: &Error) -> Result<Timestamp> {
        let id = from.generation;
        self.mark_rolling_back();
        if self.attempt.directory.current()? != Current::Generation(id) {
            self.attempt.directory.point_to(id)?;
        }
        self.outputs_back(from)?;
        let served = self.service_back(from);
        let until = self.defer(error);
        self.attempt.txn.activation = None;
        self.attempt.save()?;
        served.map(|()| until)
    }

    /// Written down so that a crash from here on ends where this run wants to end. A disk that cannot take the word must
    /// not keep the files from going back.
    fn mark_rolling_back(&mut self) {
        if let Some(open) = self.attempt.txn.activation.as_mut() {
            open.step = Step::RollingBack;
            let _ = self.attempt.save();
        }
    }

    /// Files outside that the new generation may have changed, from the old one's content.
    fn outputs_back(&self, from: &Manifest) -> Result<()> {
        if self.attempt.spec.outputs.is_empty() {
            return Ok(());
        }
        let Some(node) = self.attempt.directory.generation(from.generation)? else { return Ok(()) };
        let waiting = prepare(self.attempt, &node, from)?;
        waiting.iter().try_for_each(|output| outputs::put_in_place(&*self.attempt.tools.fs, output))
    }

    /// Make the service take the old one again, and see that it does. What was not served before need not be served now.
    fn service_back(&self, from: &Manifest) -> Result<()> {
        let service = self.attempt.service;
        // A service that is asked to re-read its old files must not be stopped half-way by the wish to stop.
        let patient = Cancel::new();
        let reloaded = match &service.reloader {
            Some(reloader) if self.asked == Asked::Maybe => self
                .bundle(from)
                .and_then(|bundle| reloader.reload(&context(self.attempt.spec, from, &bundle), &patient))
                .map(drop),
            _ => Ok(()),
        };
        if service.probes.is_empty() || self.attempt.served_before == ServedBefore::Otherwise {
            return Ok(());
        }
        let served = service.await_served(&from.leaf, &patient);
        served.map(drop).map_err(|unseen| match reloaded {
            Ok(()) => unseen,
            Err(reload) => unseen.source(reload),
        })
    }

    /// Good material waits and is tried again, later each time; a failed return to an older one is not.
    fn defer(&mut self, error: &Error) -> Timestamp {
        let now = self.attempt.now();
        if self.purpose == Purpose::Rollback {
            return now;
        }
        let id = self.to.generation;
        let before = self.attempt.txn.deferred.take().filter(|deferred| deferred.generation == id);
        let failures = before.map_or(0, |deferred| deferred.failures).saturating_add(1);
        let not_before = now.saturating_add(policy::backoff(failures, self.to.window.end.since(now)));
        let reason = error.to_string();
        self.attempt.txn.deferred = Some(Deferred { generation: id, failures, not_before, reason });
        not_before
    }

    /// There is nothing good to go back to: the new one stays, and its pick-up is tried again.
    fn keep(mut self, error: Error) -> Error {
        let id = self.to.generation;
        let switched = self.attempt.directory.current().is_ok_and(|at| at == Current::Generation(id));
        let until = self.defer(&error);
        self.attempt.txn.activation = None;
        if self.purpose == Purpose::Rollback && switched {
            self.attempt.txn.held = Some(id);
        }
        let saved = self.attempt.save();
        self.attempt.record("keep", Some(id), Some(error.to_string()));
        let aftermath = if switched && self.from != Some(id) { Aftermath::Kept(id) } else { Aftermath::Untouched };
        let error = error.left(aftermath).retry(Retry::After(until));
        match saved {
            Ok(()) => error,
            // The open activation on disk makes the next run finish it.
            Err(unsaved) => error.context("also", Public(&unsaved.to_string())),
        }
    }

    /// What an operator types when going back failed.
    fn by_hand(&self, from: &Manifest) -> Vec<String> {
        let path = self.attempt.directory.path().display().to_string();
        let mut commands = vec![format!("ln -sfnT generations/{} {path}/current", from.generation)];
        for output in &from.outputs {
            let target = output.path.display();
            commands.push(format!("cp --preserve=all {path}/current/{} {target}", output.source));
        }
        commands.extend(self.attempt.service.reloader.as_ref().map(|reloader| reloader.describe()));
        commands
    }
}
