//! A file system in memory that can be stopped after every step, lose what was not synced, and fail on demand.
//!
//! It behaves as Linux does for a process that is root; the conformance suite and the comparison with the kernel
//! (`conformance`, `differ`) keep it so. What it adds:
//!
//! - *Durability*: [`ModelFs::restart`] gives what a kill or a power cut leaves, by the rules in `durable`.
//! - *Steps*: every mutating call has a number; [`Fault`]s strike by number, [`ModelFs::log`] tells what was done, and
//!   `crash` stops a scenario after each of them.
//! - *Watchers*: [`ModelFs::on_step`] checks an invariant at every instant.
//!
//! Deliberately absent: permission checks for the process itself (it is root), times, quotas by user, NFS.

mod access;
mod acl;
mod attributes;
mod calls;
mod durable;
mod handle;
mod inode;
mod moment;
mod names;
mod resolve;
mod settings;
mod setup;
mod step;
#[cfg(test)]
mod tests;
mod view;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use inode::Ino;
pub use moment::{Loss, Moment};
pub use settings::{Acls, Identities, Settings};
use step::Progress;
pub use step::{Call, Counted, Dead, Fault, Lasting, Op};
pub use view::View;
use volume::Volume;

/// A process on a file system in memory. Clones are the same process.
#[derive(Clone)]
pub struct ModelFs {
    machine: Arc<Machine>,
}

type Watcher = Arc<dyn Fn(&View<'_>, &Op) -> Result<(), String> + Send + Sync>;

struct Machine {
    state: Mutex<State>,
}

struct State {
    volume: Volume,
    progress: Progress,
    /// Open handles and what they are open on.
    open: BTreeMap<u64, Ino>,
    next_handle: u64,
    /// Who holds the `flock` of an inode.
    locks: BTreeMap<Ino, u64>,
    watchers: Vec<Watcher>,
    violations: Vec<String>,
    moments: Option<Vec<Moment>>,
}

impl Default for ModelFs {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl ModelFs {
    /// An empty file system: the directory `/`, 0755 and root's.
    pub fn new(settings: Settings) -> Self {
        Self::on(Volume::new(settings))
    }

    fn on(volume: Volume) -> Self {
        let state = State {
            volume,
            progress: Progress::default(),
            open: BTreeMap::new(),
            next_handle: 1,
            locks: BTreeMap::new(),
            watchers: Vec::new(),
            violations: Vec::new(),
            moments: None,
        };
        Self { machine: Arc::new(Machine { state: Mutex::new(state) }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.machine.lock()
    }

    /// A process of its own on a copy of everything, durable or not, without faults, watchers, locks or open handles.
    pub fn fork(&self) -> Self {
        Self::on(self.lock().volume.clone())
    }

    /// Ends the process with this loss; every later call of it fails with [`Dead`], and its locks are gone. Gives a new
    /// process on what is left.
    pub fn restart(&self, loss: Loss) -> Self {
        let mut state = self.lock();
        state.progress.dead = true;
        Self::on(state.volume.after(loss))
    }

    /// Changes what kind of file system it is.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.lock().volume.settings);
    }

    /// Lets something go wrong. Several faults may wait at once.
    pub fn inject(&self, fault: Fault) {
        self.lock().progress.faults.push(fault);
    }

    /// Lets nothing go wrong any more.
    pub fn clear_faults(&self) {
        self.lock().progress.faults.clear();
    }

    /// The mutating steps so far, failed ones included.
    pub fn log(&self) -> Vec<Op> {
        self.lock().progress.log.clone()
    }

    /// How many calls there were, by what is counted.
    pub fn count(&self, counted: Counted) -> u64 {
        let progress = &self.lock().progress;
        match counted {
            Counted::Mutating => progress.steps,
            Counted::Every => progress.calls,
        }
    }

    /// Has an invariant checked after every mutating step that succeeded; [`ModelFs::violations`] tells what was found.
    /// The check must not call this process: it would wait for itself.
    pub fn on_step(&self, check: impl Fn(&View<'_>, &Op) -> Result<(), String> + Send + Sync + 'static) {
        self.lock().watchers.push(Arc::new(check));
    }

    /// What the watchers objected to, with the step in front.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// Looks at everything as it is now, without being counted.
    pub fn look<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        look(&View::new(&self.lock().volume))
    }

    /// Keeps the present moment, and from now on the one after every mutating step.
    pub(crate) fn record(&self) {
        let mut state = self.lock();
        let now = Moment::new(None, &state.volume);
        state.moments = Some(vec![now]);
    }

    /// The moments kept.
    pub(crate) fn recorded(&self) -> Vec<Moment> {
        self.lock().moments.take().unwrap_or_default()
    }
}

impl fmt::Debug for ModelFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelFs after {} steps", self.count(Counted::Mutating))
    }
}

impl Machine {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A mutating step succeeded.
    fn stepped(&mut self, op: &Op) {
        if let Some(moments) = &mut self.moments {
            moments.push(Moment::new(Some(op.clone()), &self.volume));
        }
        for watcher in &self.watchers {
            if let Err(violation) = watcher(&View::new(&self.volume), op) {
                self.violations.push(format!("after {op}: {violation}"));
            }
        }
    }

    fn forget_unused(&mut self) {
        let open: BTreeSet<Ino> = self.open.values().copied().collect();
        self.volume.forget_unused(|ino| open.contains(&ino));
    }
}
