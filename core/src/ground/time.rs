//! Moments and spans in UTC, and the only way to learn what time it is.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// Civil time rather than [`jiff::Timestamp`], whose last moment is 26 hours short of the end of the year 9999.
pub(super) const EPOCH: jiff::civil::DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// A moment in UTC, to the second, between the years 0 and 9999 (the range of RFC 5280 §4.1.2.5).
///
/// Arithmetic saturates at the ends of that range, so that a certificate of the year 9999 cannot overflow anything.
///
/// # Examples
///
/// ```
/// use certwright::Timestamp;
/// use std::time::Duration;
///
/// let start: Timestamp = "2026-11-24T08:00:00Z".parse()?;
/// let later = start.saturating_add(Duration::from_secs(90));
/// assert_eq!(later.to_string(), "2026-11-24T08:01:30Z");
/// assert_eq!(later.since(start), Some(Duration::from_secs(90)));
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0000-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_167_219_200);
    /// 9999-12-31T23:59:59Z, which RFC 5280 uses for "no well-defined expiration date".
    pub const MAX: Self = Self(253_402_300_799);

    /// From seconds since 1970-01-01T00:00:00Z, clamped into the range.
    pub const fn from_unix(seconds: i64) -> Self {
        if seconds < Self::MIN.0 {
            Self::MIN
        } else if seconds > Self::MAX.0 {
            Self::MAX
        } else {
            Self(seconds)
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This much later, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        Self::from_unix(self.0.saturating_add(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)))
    }

    /// This much earlier, at least [`Timestamp::MIN`].
    #[must_use]
    pub fn saturating_sub(self, span: Duration) -> Self {
        Self::from_unix(self.0.saturating_sub(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The time since an earlier moment; `None` when that moment is later than this one.
    pub fn since(self, earlier: Self) -> Option<Duration> {
        u64::try_from(self.0 - earlier.0).ok().map(Duration::from_secs)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(jiff::SignedDuration::from_secs(self.0)) {
            Ok(civil) => write!(f, "{civil}Z"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// A span of time with both ends included, as in the validity of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Window {
    /// First moment inside.
    pub start: Timestamp,
    /// Last moment inside.
    pub end: Timestamp,
}

impl Window {
    /// The span from `start` to `end`. An end before the start makes a window that contains nothing.
    pub const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whether the moment is inside.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.start <= moment && moment <= self.end
    }

    /// How long it is; zero when it contains nothing.
    pub fn length(&self) -> Duration {
        self.end.since(self.start).unwrap_or_default()
    }
}

/// Where the time of day comes from. Everything that compares with a certificate's validity asks here.
///
/// Implementers must answer in UTC, must not block, and may go backwards (machines do); callers order events by
/// sequence number and never by time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is moved.
///
/// # Examples
///
/// ```
/// use certwright::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::at(Timestamp::from_unix(1_000));
/// clock.advance(std::time::Duration::from_secs(5));
/// assert_eq!(clock.now(), Timestamp::from_unix(1_005));
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that says `now` until it is moved.
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Move it forward.
    pub fn advance(&self, span: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.saturating_add(span);
    }

    /// Move it anywhere, backwards too.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_are_the_ends_of_rfc_5280() {
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00Z");
        for end in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(end.to_string().parse::<Timestamp>().ok(), Some(end));
        }
        assert_eq!("2026-11-24T09:00:00+01:00".parse::<Timestamp>().ok(), Some(Timestamp::from_unix(1_795_507_200)));
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
    }

    #[test]
    fn a_reversed_window_contains_nothing() {
        let window = Window::new(Timestamp::from_unix(10), Timestamp::from_unix(5));
        assert!(!window.contains(Timestamp::from_unix(7)));
        assert_eq!(window.length(), Duration::ZERO);
    }
}
