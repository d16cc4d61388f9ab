//! The time of this world: it goes on as the machine's does, and jumps when it is told to.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use certwright::{Clock, SystemClock, Timestamp};

/// A clock that starts at the machine's time and can be moved.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use certwright::Clock;
/// use certwright_testbed::VirtualClock;
///
/// let clock = VirtualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(365 * 86_400));
/// assert!(clock.now().since(before) >= Some(Duration::from_secs(365 * 86_400)));
/// ```
#[derive(Debug)]
pub struct VirtualClock {
    start: Timestamp,
    began: Instant,
    moved: Mutex<Moved>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    forward: Duration,
    back: Duration,
}

impl VirtualClock {
    /// One that shows the machine's time.
    pub fn new() -> Self {
        Self { start: SystemClock.now(), began: Instant::now(), moved: Mutex::default() }
    }

    /// Jumps into the future.
    pub fn advance(&self, span: Duration) {
        self.change(|moved| moved.forward = moved.forward.saturating_add(span));
    }

    /// Jumps into the past. What was issued before is then from the future.
    pub fn set_back(&self, span: Duration) {
        self.change(|moved| moved.back = moved.back.saturating_add(span));
    }

    /// What has passed since the start, jumps into the future included. It never goes back.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed().saturating_add(self.moved().forward)
    }

    /// How far it was moved into the future and into the past.
    pub(crate) fn moves(&self) -> (Duration, Duration) {
        let Moved { forward, back } = self.moved();
        (forward, back)
    }

    fn moved(&self) -> Moved {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, act: impl FnOnce(&mut Moved)) {
        act(&mut self.moved.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.start.saturating_add(self.elapsed()).saturating_sub(self.moved().back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_both_ways_and_goes_on() {
        let (clock, hour) = (VirtualClock::new(), Duration::from_secs(3_600));
        let start = clock.now();
        clock.advance(2 * hour);
        assert!(clock.now() >= start.saturating_add(2 * hour) && clock.elapsed() >= 2 * hour);
        clock.set_back(3 * hour);
        assert!(clock.now() < start && clock.elapsed() >= 2 * hour);
    }
}
