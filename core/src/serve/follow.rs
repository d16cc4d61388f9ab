//! The thread that notices switches.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::ground::cancel::Cancel;
use crate::place::pause::pause;
use crate::place::watcher::{Watched, Watcher, Woken};

/// How often everything is looked at when the kernel tells of every switch.
const RARELY: Duration = Duration::from_secs(60);

/// How often everything is looked at when it does not.
const OFTEN: Duration = Duration::from_secs(1);

/// A look at one link takes some microseconds: beyond a hundred lineages it becomes rarer instead of dearer.
const FOR_EACH: Duration = Duration::from_millis(10);

/// Follow until nobody serves any more, or somebody knocks.
///
/// # Errors
///
/// When the process may have no more threads.
pub(super) fn start(shared: &Arc<Shared>, watcher: Arc<Watcher>) -> io::Result<()> {
    let shared = Arc::downgrade(shared);
    std::thread::Builder::new()
        .name("certwright-follow".to_owned())
        .spawn(move || Follower { shared, watcher, places: BTreeMap::new() }.run())
        .map(drop)
}

struct Follower {
    shared: Weak<Shared>,
    watcher: Arc<Watcher>,
    /// Whose directory it is that the kernel tells of.
    places: BTreeMap<Watched, usize>,
}

/// Whether the kernel tells of every switch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Always,
    NotAlways,
}

impl Follower {
    fn run(mut self) {
        while let Some(next) = self.look_at_all() {
            loop {
                match self.watcher.wait(next.saturating_duration_since(Instant::now())) {
                    Ok(Woken::ByTime) => break,
                    Ok(Woken::ByKnock) => return,
                    Ok(Woken::By(directories)) => {
                        let places: Vec<usize> =
                            directories.iter().filter_map(|directory| self.places.get(directory)).copied().collect();
                        if self.look_at(places) == Some(Told::NotAlways) {
                            break;
                        }
                    }
                    // Nobody cancels this pause: it is one second.
                    Err(_) => {
                        let _ = pause(OFTEN, &Cancel::new());
                        break;
                    }
                }
            }
        }
    }

    /// Look at every lineage, and say when to do so again; `None` when nobody serves any more.
    fn look_at_all(&mut self) -> Option<Instant> {
        let lineages = self.shared.upgrade()?.slots.len();
        let span = match self.look_at(0..lineages)? {
            Told::Always => RARELY,
            Told::NotAlways => OFTEN.max(FOR_EACH * u32::try_from(lineages).unwrap_or(u32::MAX)),
        };
        Some(Instant::now() + span)
    }

    /// Watch first and look then: what is switched in between is told.
    fn look_at(&mut self, places: impl IntoIterator<Item = usize>) -> Option<Told> {
        let shared = self.shared.upgrade()?;
        let mut told = Told::Always;
        for (place, slot) in places.into_iter().filter_map(|place| Some((place, shared.slots.get(place)?))) {
            match self.watcher.watch(&shared.root.join(slot.lineage.as_str())) {
                Ok(directory) => drop(self.places.insert(directory, place)),
                Err(_) => told = Told::NotAlways,
            }
            shared.take_up(slot);
        }
        Some(told)
    }
}
