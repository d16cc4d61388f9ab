//! The moments at which a process can end, and what each end leaves.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::durable::Unit;
use super::volume::Volume;
use super::{ModelFs, Op, View};
use crate::prng::Prng;

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
    ByLot {
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

impl Moment {
    pub(super) fn new(op: Option<Op>, volume: &Volume) -> Self {
        Self { op, volume: volume.clone() }
    }

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
        let mut seen = BTreeSet::new();
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
                keep(self.volume.after(Loss::ByLot { seed }));
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
    /// What is left when the process ends with this loss.
    pub(super) fn after(&self, loss: Loss) -> Self {
        match loss {
            Loss::Nothing => {
                let mut alive = self.clone();
                alive.forget_unused(|_| false);
                alive
            }
            Loss::Unsynced => self.survivor(|_| 0),
            Loss::Content => self.survivor(|unit| usize::from(unit != Unit::Content)),
            Loss::ByLot { seed } => {
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
