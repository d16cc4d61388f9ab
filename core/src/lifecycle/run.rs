//! `run`: applies each lineage when its time has come, for as long as it is let.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use super::report::{LineageReport, Outcome};
use super::{Lifecycle, Options, batch};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::LineageName;
use crate::ground::time::Timestamp;
use crate::place::access::acl::Acl;
use crate::place::access::inode::Access;
use crate::place::access::trust::trusted;
use crate::place::lock::Lock;
use crate::place::state::StateDirectory;
use crate::place::store::Store;
use crate::place::wake::Wake;
use crate::plan::agenda::{Agenda, Look};

/// Where the lock of a `run` is, below the root. No lineage begins with a dot.
const CLAIM: &str = ".run";
/// A wait is never longer, so that a clock that was set is noticed.
const BEAT: Duration = Duration::from_secs(30);
/// How many lineages are looked at before it is asked whether to go on.
const SIDE_BY_SIDE: usize = 64;

/// How `run` goes about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RunOptions {
    /// As for `apply`.
    pub apply: Options,
    /// How often each lineage is looked at although nothing is due: for access that drifts, and for what endpoints serve.
    pub every: Duration,
}

impl RunOptions {
    /// The same, with lineages looked at this often; at least every minute, at most once a day.
    #[must_use]
    pub fn with_every(mut self, every: Duration) -> Self {
        self.every = every.clamp(Duration::from_secs(60), Duration::from_secs(86_400));
        self
    }

    /// The same, with these options of `apply`.
    #[must_use]
    pub const fn with_apply(mut self, apply: Options) -> Self {
        self.apply = apply;
        self
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { apply: Options::default(), every: Duration::from_secs(3_600) }
    }
}

/// What `run` tells as it goes. It is told at least every half minute, unless a piece of work takes longer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RunEvent {
    /// A lineage was looked at; most often nothing was done.
    Looked(Box<LineageReport>),
    /// Nothing is due; the next look is then.
    Waiting {
        /// `None` without lineages.
        until: Option<Timestamp>,
    },
}

/// While it lives, no other process runs this root. Single verbs still may: they take turns by lineage.
#[derive(Debug)]
pub struct Claim {
    root: PathBuf,
    _lock: Lock,
}

impl Claim {
    /// Whether it is for the root of this life cycle.
    pub fn covers(&self, lifecycle: &Lifecycle) -> bool {
        self.root == lifecycle.config.root
    }
}

impl Lifecycle {
    /// Be the only one that runs this root.
    ///
    /// # Errors
    ///
    /// `Conflict` naming the process that is already; otherwise as for a first `apply`.
    ///
    /// # Effects
    ///
    /// Disk: makes the root, when it is not there yet.
    pub fn claim(&self) -> Result<Claim> {
        let (fs, root) = (&self.tools.fs, &self.config.root);
        let me = fs.identity();
        Store::make(fs, root, &Access::new(me.uid, me.gid, Acl::from_mode(0o711)))?;
        trusted(&**fs, root, me.uid)?;
        let state = StateDirectory::open(fs.clone(), &root.join(CLAIM))?;
        let lock = state.lock(Duration::ZERO, &self.tools.cancel)?;
        Ok(Claim { root: root.clone(), _lock: lock })
    }

    /// Apply every lineage when its time has come: at renewals, at the next try of what failed, at questions to the issuer, and
    /// every so often. Returns when `each` breaks or the life cycle is cancelled, at a safe point; the next one goes on where
    /// it was.
    ///
    /// What it waits for is computed from the clock, in waits of at most half a minute, which `wake` ends early.
    ///
    /// # Errors
    ///
    /// `Conflict` when `claim` is for another root. What goes wrong with a lineage is in its report.
    ///
    /// # Effects
    ///
    /// Disk, the issuers, the services.
    pub fn run(
        &self,
        claim: &Claim,
        options: &RunOptions,
        wake: &Wake,
        each: &mut dyn FnMut(RunEvent) -> ControlFlow<()>,
    ) -> Result<()> {
        if !claim.covers(self) {
            return Err(Error::new(ErrorKind::Conflict, "the claim is for another root")
                .context("root", self.config.root.as_path())
                .context("claimed", claim.root.as_path()));
        }
        let names: BTreeMap<&str, &LineageName> =
            self.config.lineages.keys().map(|name| (name.as_str(), name)).collect();
        let mut agenda = Agenda::new(self.config.lineages.keys().cloned(), options.every, self.tools.machine);
        while !self.tools.cancel.is_cancelled() {
            let now = self.tools.clock.now();
            let due = agenda.due(now, SIDE_BY_SIDE);
            let mut flow = ControlFlow::Continue(());
            if due.is_empty() {
                let until = agenda.next();
                flow = each(RunEvent::Waiting { until });
                if flow.is_continue() {
                    wake.wait(until.and_then(|until| until.since(now)).unwrap_or(BEAT).min(BEAT));
                }
            } else {
                let due: Vec<&LineageName> = due.iter().collect();
                batch::apply(self, &due, &options.apply, &mut |report| {
                    if let Some(name) = names.get(report.lineage.as_str()) {
                        agenda.took(name, look(&report), self.tools.clock.now());
                    }
                    if flow.is_continue() {
                        flow = each(RunEvent::Looked(Box::new(report)));
                    }
                });
            }
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn look(report: &LineageReport) -> Look {
    let next = report.next.as_ref().and_then(|next| next.parse().ok());
    if report.error.is_some() || matches!(report.outcome, Outcome::Stuck | Outcome::Invalid | Outcome::Busy) {
        Look::Failed(next)
    } else if report.changed {
        Look::Changed
    } else {
        Look::Calm(next)
    }
}
