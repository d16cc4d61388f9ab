//! What the handshakes, the thread that follows and the lifecycle have in common.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::answers::Answers;
use super::names::Names;
use super::slot::{Serving, Slot};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::time::Clock;
use crate::place::clock::SystemClock;
use crate::place::filesystem::Filesystem;
use crate::place::os::OsFilesystem;
use crate::place::reader::{Active, active};
use crate::plan::spec::Config;

/// The lineages, what is served for each, and the answers to challenges.
pub(super) struct Shared {
    pub(super) fs: Arc<dyn Filesystem>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) root: PathBuf,
    pub(super) slots: Vec<Slot>,
    pub(super) names: Names,
    pub(super) answers: Answers,
    tell: Box<dyn Fn(&Serving) + Send + Sync>,
}

impl Shared {
    pub(super) fn new(config: &Config, tell: impl Fn(&Serving) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            fs: Arc::new(OsFilesystem::new()),
            clock: Arc::new(SystemClock),
            root: config.root.clone(),
            slots: config.lineages.keys().cloned().map(Slot::new).collect(),
            names: Names::of(config.lineages.values()),
            answers: Answers::default(),
            tell: Box::new(tell),
        })
    }

    /// Serve what is active, when it is something else than before.
    pub(super) fn take_up(&self, slot: &Slot) {
        self.change(slot, || {
            let known = slot.loaded().map(|loaded| loaded.generation);
            match active(&self.fs, &self.root, &slot.lineage, known)? {
                Active::Other(generation, material) => slot.serve(generation, &material),
                Active::Absent if known.is_some() => {
                    Err(Error::new(ErrorKind::NotFound, "nothing is active in the lineage any more")
                        .context("lineage", &slot.lineage)
                        .context("path", self.root.join(slot.lineage.as_str()).as_path())
                        .hint("put back what was there, or run `certwright apply`"))
                }
                Active::Absent | Active::Known => Ok(()),
            }
        });
    }

    /// Do what may change what is served, and tell when something is new. What `act` returned is the lineage's fault now.
    pub(super) fn change(&self, slot: &Slot, act: impl FnOnce() -> Result<()>) -> Option<Arc<Error>> {
        let mut taking = slot.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = || slot.loaded().map(|loaded| loaded.generation);
        let (before, said) = (generation(), taking.as_ref().map(|fault| format!("{fault:#}")));
        *taking = act().err().map(Arc::new);
        let is_news = before != generation() || said != taking.as_ref().map(|fault| format!("{fault:#}"));
        let fault = taking.clone();
        // Whoever is told may ask what is served.
        drop(taking);
        if is_news {
            (self.tell)(&slot.standing());
        }
        fault
    }
}
