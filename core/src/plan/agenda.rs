//! When each lineage is looked at: what `run` has in its head. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::policy::{backoff, scattered};
use super::renewal::Seed;
use crate::ground::id::LineageName;
use crate::ground::time::Timestamp;

/// What a look at a lineage came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing was done. When something is to be done next, as far as that is known.
    Calm(Option<Timestamp>),
    /// A generation became active.
    Changed,
    /// It failed. When it may be tried again, as far as that is known.
    Failed(Option<Timestamp>),
}

/// The lineages, each with the time of its next look.
#[derive(Clone, Debug)]
pub(crate) struct Agenda {
    entries: BTreeMap<LineageName, Entry>,
    every: Duration,
    machine: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    next: Timestamp,
    /// Looks in a row that were not calm.
    restless: u32,
}

impl Agenda {
    /// Each is looked at once at first, and then every so often at the latest.
    pub(crate) fn new(lineages: impl IntoIterator<Item = LineageName>, every: Duration, machine: u64) -> Self {
        let entry = Entry { next: Timestamp::MIN, restless: 0 };
        Self { entries: lineages.into_iter().map(|name| (name, entry)).collect(), every, machine }
    }

    /// Up to `most` that are to be looked at now, the longest overdue first.
    pub(crate) fn due(&self, now: Timestamp, most: usize) -> Vec<LineageName> {
        let time_of = |entry: &Entry| match entry.next.since(now) {
            // No look is ever put off so long: the clock was set back since.
            Some(wait) if wait > self.every => Timestamp::MIN,
            _ => entry.next,
        };
        let mut due: Vec<_> = self.entries.iter().filter(|(_, entry)| time_of(entry) <= now).collect();
        due.sort_by_key(|(_, entry)| time_of(entry));
        due.into_iter().take(most).map(|(name, _)| name.clone()).collect()
    }

    /// When the next look is; `None` without lineages.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.entries.values().map(|entry| entry.next).min()
    }

    /// Note what a look came to.
    ///
    /// A lineage that changed is looked at again at once, and one that failed after a minute; one that goes on changing or
    /// failing after longer and longer, up to an hour.
    pub(crate) fn took(&mut self, lineage: &LineageName, look: Look, now: Timestamp) {
        let (every, seed) = (self.every, Seed::new(self.machine, lineage));
        let Some(entry) = self.entries.get_mut(lineage) else { return };
        let later = |wait: Duration| now.saturating_add(wait);
        let own = scattered(every, seed, u32::try_from(now.unix().rem_euclid(86_400)).unwrap_or(0));
        entry.restless = match look {
            Look::Calm(_) => 0,
            _ => entry.restless.saturating_add(1),
        };
        entry.next = match look {
            Look::Calm(told) => told.map_or(later(own), |told| told.max(later(SECOND)).min(later(own))),
            Look::Changed => later(backoff(entry.restless - 1, None).min(every)),
            Look::Failed(told) => {
                let own = later(scattered(backoff(entry.restless, None).min(every), seed, entry.restless));
                // What lives for minutes is tried again sooner than its turn comes.
                told.map_or(own, |told| told.max(later(SECOND)).min(own))
            }
        };
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    fn name(text: &str) -> LineageName {
        text.parse().unwrap()
    }

    #[test]
    fn all_are_looked_at_first_and_then_in_their_time() {
        let mut agenda = Agenda::new(["a", "b", "c"].map(name), HOUR, 7);
        assert_eq!(agenda.due(at(0), 2), [name("a"), name("b")]);
        agenda.took(&name("a"), Look::Calm(None), at(0));
        agenda.took(&name("b"), Look::Calm(Some(at(90))), at(0));
        agenda.took(&name("c"), Look::Calm(Some(at(400 * 86_400))), at(0));
        assert_eq!((agenda.due(at(89), 9), agenda.next()), (vec![], Some(at(90))));
        assert_eq!(agenda.due(at(90), 9), [name("b")]);
        // Within the hour each was looked at, and not at the same moment.
        assert_eq!(agenda.due(at(2_699), 9), [name("b")]);
        assert_eq!(agenda.due(at(3_600), 9).len(), 3);
        let own = |agenda: &Agenda, one: &str| agenda.entries[&name(one)].next;
        assert_ne!(own(&agenda, "a"), own(&agenda, "c"));
        // A time that has passed is no reason to spin.
        agenda.took(&name("b"), Look::Calm(Some(at(-5))), at(100));
        assert_eq!(own(&agenda, "b"), at(101));
    }

    #[test]
    fn what_does_not_come_to_rest_is_looked_at_less_and_less() {
        let mut agenda = Agenda::new([name("a")], HOUR, 7);
        let mut waits = |look: Look| {
            let mut now = at(0);
            (0..9)
                .map(|_| {
                    agenda.took(&name("a"), look, now);
                    let wait = agenda.next().unwrap().since(now).unwrap();
                    now = now.saturating_add(wait);
                    wait.as_secs()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(Look::Changed), [0, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        let mut agenda = Agenda::new([name("a")], HOUR, 7);
        for (failures, most) in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600].into_iter().enumerate() {
            agenda.took(&name("a"), Look::Failed(None), at(0));
            let wait = agenda.next().unwrap().since(at(0)).unwrap().as_secs();
            assert!(wait >= most * 3 / 4 && wait <= most, "{wait} after {failures}");
        }
        // A try that may come sooner does, and one that may come later does not put the look off.
        for (told, next) in [(at(7), at(7)), (at(-7), at(1)), (at(86_400), at(3_600))] {
            agenda.took(&name("a"), Look::Failed(Some(told)), at(0));
            assert!(agenda.next().unwrap() <= next && agenda.next().unwrap() >= at(1), "{told}");
        }
        agenda.took(&name("a"), Look::Calm(None), at(0));
        agenda.took(&name("a"), Look::Changed, at(0));
        assert_eq!(agenda.next(), Some(at(0)), "a calm look begins anew");
    }

    #[test]
    fn a_clock_that_was_set_back_puts_nothing_off() {
        let mut agenda = Agenda::new([name("a")], HOUR, 7);
        agenda.took(&name("a"), Look::Calm(None), at(10 * 365 * 86_400));
        assert_eq!(agenda.due(at(0), 9), [name("a")]);
        agenda.took(&name("a"), Look::Calm(None), Timestamp::MAX);
        assert_eq!(agenda.due(at(0), 9), [name("a")]);
    }
}
