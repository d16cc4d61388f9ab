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
mod calls;
mod durable;
mod handle;
mod inode;
mod names;
mod resolve;
mod settings;
mod setup;
mod step;
#[cfg(test)]
mod tests;
mod view;
mod volume;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use durable::Unit;
use inode::Ino;
pub use settings::{Acls, Identities, Settings};
use step::Progress;
pub use step::{Call, Counted, Dead, Fault, Lasting, Op};
pub use view::View;
use volume::Volume;

use crate::prng::Prng;

/// A process on a file system in memory. Clones are the same process.
#[derive(Clone)]
pub struct ModelFs {
    machine: Arc<Machine>,
}

/// What a crash takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// A killed process: the system lives on, nothing written is lost, and what was not synced is still not durable.
    Nothing,
    /// A power cut after which nothing is there that was not synced.
    Unsynced,
    /// A power cut after which all names and attributes are there and no content that was not synced: the worst that an
    /// ordering journal without data may do.
    Content,
    /// A power cut after which some of the unsynced changes are there, by lot.
    Some {
        /// The lot.
        seed: u64,
    },
}

/// A moment between two mutating steps of a recorded process.
#[derive(Clone, Debug)]
pub struct Moment {
    op: Option<Op>,
    volume: Volume,
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
        let now = Moment { op: None, volume: state.volume.clone() };
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
            moments.push(Moment { op: Some(op.clone()), volume: self.volume.clone() });
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

impl Moment {
    /// The step that it comes after; `None` for the one before all.
    pub const fn op(&self) -> Option<&Op> {
        self.op.as_ref()
    }

    /// What is there.
    pub const fn view(&self) -> View<'_> {
        View::new(&self.volume)
    }

    /// A new process, when the recorded one ended at this moment with this loss.
    pub fn restart(&self, loss: Loss) -> ModelFs {
        ModelFs::on(self.volume.after(loss))
    }

    /// What power cuts at this moment may leave, each once: all of it when there are at most `most` ways to choose, else
    /// the two extremes, names without content, and `most` by lot.
    pub fn survivors(&self, most: u64) -> Vec<ModelFs> {
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        let mut keep = |volume: Volume| {
            if seen.insert(volume.print()) {
                kept.push(volume);
            }
        };
        if !self.every_choice(most.max(1), &mut keep) {
            keep(self.volume.after(Loss::Unsynced));
            keep(self.volume.after(Loss::Content));
            keep(self.volume.survivor(|_| 1));
            for seed in 0..most {
                keep(self.volume.after(Loss::Some { seed }));
            }
        }
        kept.into_iter().map(ModelFs::on).collect()
    }

    /// Goes through the choices like an odometer; false when there are more than `most`.
    fn every_choice(&self, most: u64, keep: &mut impl FnMut(Volume)) -> bool {
        let mut found = Vec::new();
        let mut digits: Vec<(usize, usize)> = Vec::new();
        for _ in 0..most {
            let mut at = 0;
            found.push(self.volume.survivor(|unit| {
                if at == digits.len() {
                    digits.push((0, unit.fates()));
                }
                at += 1;
                digits.get(at - 1).map_or(0, |(digit, _)| *digit)
            }));
            while digits.last().is_some_and(|(digit, fates)| digit + 1 == *fates) {
                digits.pop();
            }
            match digits.last_mut() {
                Some((digit, _)) => *digit += 1,
                None => {
                    found.into_iter().for_each(keep);
                    return true;
                }
            }
        }
        false
    }
}

impl Volume {
    fn after(&self, loss: Loss) -> Self {
        match loss {
            Loss::Nothing => {
                let mut alive = self.clone();
                alive.forget_unused(|_| false);
                alive
            }
            Loss::Unsynced => self.survivor(|_| 0),
            Loss::Content => self.survivor(|unit| usize::from(unit != Unit::Content)),
            Loss::Some { seed } => {
                let mut lot = Prng::new(seed);
                self.survivor(|unit| lot.below(unit.fates()))
            }
        }
    }

    /// Equal when everything is equal, for volumes of one origin.
    fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (ino, inode) in &self.cache {
            (ino, &inode.attributes, &inode.body).hash(&mut hasher);
        }
        hasher.finish()
    }
}
