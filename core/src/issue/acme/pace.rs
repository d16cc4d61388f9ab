//! How long to wait between two looks at the same thing.

use std::time::Duration;

/// Waits that begin with milliseconds, for authorities that are quick, and grow to seconds, for those that are not. Where the
/// authority says how long, its word counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace(Duration);

impl Pace {
    const FIRST: Duration = Duration::from_millis(3);
    const LONGEST: Duration = Duration::from_secs(5);

    pub(super) const fn new() -> Self {
        Self(Self::FIRST)
    }

    /// How long to wait now; `told` is what the last answer's `Retry-After` said.
    pub(super) fn next(&mut self, told: Option<Duration>) -> Duration {
        let own = self.0;
        self.0 = (own * 3 / 2).min(Self::LONGEST);
        told.map_or(own, |told| told.max(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_with_milliseconds_and_ends_with_seconds() {
        let mut pace = Pace::new();
        let waits: Vec<Duration> = (0..40).map(|_| pace.next(None)).collect();
        assert!(waits.is_sorted() && waits[0] < Duration::from_millis(5) && waits[39] == Pace::LONGEST);
        // What a quick authority needs is not wasted: five looks within the first fiftieth of a second.
        assert!(waits[..4].iter().sum::<Duration>() < Duration::from_millis(30));
        // And a slow one is not asked more than some thirty times in the first minute.
        let within = waits.iter().scan(Duration::ZERO, |sum, wait| {
            Some({
                *sum += *wait;
                *sum
            })
        });
        assert!(within.filter(|at| *at < Duration::from_secs(60)).count() < 32);
    }

    #[test]
    fn no_look_comes_before_the_authority_says() {
        let mut pace = Pace::new();
        for _ in 0..40 {
            assert!(pace.next(Some(Duration::from_secs(3))) >= Duration::from_secs(3));
        }
        assert!(Pace::new().next(Some(Duration::ZERO)) >= Pace::FIRST);
    }
}
