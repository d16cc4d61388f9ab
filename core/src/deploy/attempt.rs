//! One run of the pipeline for one lineage: what it works on and what it works with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::probe::{self, Observation, Probe};
use super::reload::{self, Reloader};
use super::turn::Turn;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Aftermath, ErrorKind, Phase, Result};
use crate::ground::id::{Fingerprint, GenerationId, LineageName};
use crate::ground::time::{Clock, Timestamp};
use crate::pki::trust::Roots;
use crate::place::access::names::Names;
use crate::place::command;
use crate::place::filesystem::Filesystem;
use crate::place::journal::Event;
use crate::place::lineage::{CURRENT, LineageDirectory};
use crate::place::manifest::Manifest;
use crate::place::outputs;
use crate::place::txn::Txn;
use crate::place::wanted::Wanted;
use crate::plan::spec::{Command, Endpoint, Spec};

/// What an attempt is doing right now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Which lineage.
    pub lineage: LineageName,
    /// Which arrow begins.
    pub phase: Phase,
}

/// Told about each arrow as it begins; for `apply`, [`Phase::Record`] is the last of each lineage, however it ended. Must not
/// block.
pub type Watch = Arc<dyn Fn(&Progress) + Send + Sync>;

/// What every attempt works with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) fs: Arc<dyn Filesystem>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) names: Names,
    pub(crate) cancel: Cancel,
    /// A number of this machine.
    pub(crate) machine: u64,
    pub(crate) watch: Option<Watch>,
}

impl Tools {
    /// Tell who watches that an arrow begins for a lineage.
    pub(crate) fn tell(&self, lineage: &LineageName, phase: Phase) {
        if let Some(watch) = &self.watch {
            watch(&Progress { lineage: lineage.clone(), phase });
        }
    }
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tools").field("fs", &self.fs).field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// How the service of a lineage is asked: its own test, its reload, what it serves.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) check: Option<Command>,
    pub(crate) reloader: Option<Arc<dyn Reloader>>,
    pub(crate) probes: Vec<Arc<dyn Probe>>,
    /// How long after a reload the service may go on serving the old one.
    pub(crate) patience: Duration,
    /// Where lineages of one run meet that use the same service.
    pub(crate) turn: Option<Arc<Turn>>,
}

impl Service {
    /// The service that a spec describes.
    pub(crate) fn of(spec: &Spec, fs: &Arc<dyn Filesystem>) -> Result<Self> {
        let reloader = spec.reload.as_ref().map(|wish| reload::reloader(wish, fs)).transpose()?;
        let probes = spec.probes.iter().map(|wish| probe::probe(wish, spec.key, fs)).collect::<Result<_>>()?;
        let patience = spec.probes.iter().map(|probe| probe.limit).max().unwrap_or(Endpoint::DEFAULT_LIMIT);
        Ok(Self { check: spec.check.clone(), reloader, probes, patience, turn: None })
    }

    /// Wait until every endpoint serves this leaf. Nothing is observed when the spec names no endpoint.
    pub(crate) fn await_served(&self, leaf: &Fingerprint, cancel: &Cancel) -> Result<Vec<Observation>> {
        if self.probes.is_empty() {
            return Ok(Vec::new());
        }
        probe::await_served(&self.probes, leaf, self.patience, cancel)
    }
}

/// One run for one lineage, under its lock.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) spec: &'a Spec,
    pub(crate) service: &'a Service,
    pub(crate) directory: &'a LineageDirectory,
    pub(crate) wanted: Wanted,
    pub(crate) roots: Option<Roots>,
    /// What is under way, as it stands on disk.
    pub(crate) txn: Txn,
    /// The generation that is active when the attempt begins.
    pub(crate) active: Option<Manifest>,
    /// What the endpoints were seen to serve before anything was done.
    pub(crate) served_before: ServedBefore,
}

/// What the endpoints served before an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServedBefore {
    /// The active generation.
    AsActive,
    /// Nobody looked.
    Unknown,
    /// Something else, or nothing at all: whatever is served after a rollback is not worse.
    Otherwise,
}

impl Attempt<'_> {
    /// Tell who watches that an arrow begins.
    pub(crate) fn begin(&self, phase: Phase) {
        self.tools.tell(&self.spec.name, phase);
    }

    /// Whether the active generation was seen to be served before anything was done.
    pub(crate) fn is_served(&self) -> bool {
        self.served_before == ServedBefore::AsActive
    }

    /// What would have to be undone is not begun: a program that cannot be run and a service that cannot be made to re-read
    /// are named before anything is ordered or written. Not at the first deployment, which a service may need before it
    /// can start at all; and a service that does not run at all is no obstacle, for what is active may be what keeps it from
    /// starting. One that was seen to serve does run, whatever its pid file says.
    pub(crate) fn preflight(&self) -> Result<()> {
        self.places()?;
        if self.active.is_none() {
            return Ok(());
        }
        let check = self.service.check.as_ref().map_or(Ok(()), command::preflight);
        let reload = || match &self.service.reloader {
            Some(reloader) => match reloader.preflight(&self.tools.cancel) {
                Err(error) if error.kind() == ErrorKind::NotFound && !self.is_served() => Ok(()),
                looked => looked,
            },
            None => Ok(()),
        };
        check.and_then(|()| reload()).map_err(|error| {
            error.in_phase(Phase::Activate).context("lineage", &self.spec.name).left(Aftermath::Untouched)
        })
    }

    /// That every file outside goes where nobody else can put something in its place: whoever can rename a name in that
    /// directory, or on the way to it, decides what the service reads.
    pub(crate) fn places(&self) -> Result<()> {
        let safe = |path| outputs::safe_place(&*self.tools.fs, path);
        let judged = self.spec.outputs.iter().try_for_each(|output| safe(&output.path));
        judged.map_err(|error| error.in_phase(Phase::Prove).context("lineage", &self.spec.name))
    }

    /// Write down what is under way.
    pub(crate) fn save(&self) -> Result<()> {
        self.directory.write_txn(&self.txn)
    }

    /// Write a line of history.
    pub(crate) fn record(&self, event: &str, generation: Option<GenerationId>, detail: Option<String>) {
        let mut line = Event::new(self.now(), event);
        line.generation = generation.map(|id| id.to_string());
        line.detail = detail;
        self.directory.record(&line);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.tools.clock.now()
    }

    /// The path of `current`, which a link outside leads through.
    pub(crate) fn current_path(&self) -> PathBuf {
        self.directory.path().join(CURRENT)
    }
}
