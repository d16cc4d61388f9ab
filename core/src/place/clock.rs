//! The one place that asks the machine what time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::ground::time::{Clock, Timestamp};

/// The machine's clock, in UTC, cut to the second.
///
/// # Examples
///
/// ```
/// use certwright::{Clock, SystemClock, Timestamp};
///
/// assert!(SystemClock.now() > Timestamp::from_unix(1_700_000_000));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the replacement that the ban names")]
    fn now(&self) -> Timestamp {
        at(SystemTime::now())
    }
}

/// A clock that was never set can stand before 1970; the second it stands in began earlier still.
fn at(time: SystemTime) -> Timestamp {
    let start = Timestamp::from_unix(0);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => start.saturating_add(since),
        Err(before) => {
            let before = before.duration();
            let begun = Duration::from_secs(u64::from(before.subsec_nanos() != 0));
            start.saturating_sub(before.saturating_add(begun))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_cut_towards_the_past_on_both_sides_of_1970() {
        let (whole, part) = (Duration::from_secs(5), Duration::from_millis(5_250));
        assert_eq!(at(UNIX_EPOCH + part), Timestamp::from_unix(5));
        assert_eq!(at(UNIX_EPOCH - whole), Timestamp::from_unix(-5));
        assert_eq!(at(UNIX_EPOCH - part), Timestamp::from_unix(-6));
    }
}
