//! When to renew: by the issuer's renewal information (RFC 9773) where that can be meant, else by the share of the life that
//! is left. Arithmetic alone; every date is survived.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use crate::ground::id::{Fingerprint, LineageName};
use crate::ground::time::{Timestamp, Window};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A certificate that lives shorter than this is renewed with half of its life left, a longer one with a third: a short
/// life leaves little time to notice that renewals fail.
const SHORT_LIFE: Duration = Duration::from_secs(10 * 86_400);

/// Renewals are spread over this share of the life, so that what was issued together is not renewed together. The last such
/// share is left alone: no suggestion makes a renewal wait until there is no time for a second try.
const SHARE: u32 = 20;

/// So many certificates within a day, and a suggestion to renew before the usual time is not followed any more.
const MANY_A_DAY: usize = 3;

/// How long after a failure the issuer is asked again for its suggestion (RFC 9773 §4.3.3).
const AFTER_FAILURE: Duration = Duration::from_secs(6 * 3_600);

/// A number that differs from one machine and lineage to the next, and is the same in every run: it chooses the renewal
/// time within the renewal window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u64);

impl Seed {
    /// For this lineage on the machine with this number.
    pub(crate) fn new(machine: u64, lineage: &LineageName) -> Self {
        // FNV-1a, then the finalizer of SplitMix64: fixed for ever, unlike the hash of the standard library.
        let start = 0xcbf2_9ce4_8422_2325 ^ machine;
        let hash =
            lineage.as_str().bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        Self(hash)
    }

    /// A number below `sides` for this seed and `salt`.
    pub(crate) fn below(self, sides: u64, salt: i64) -> u64 {
        let mut mixed = self.0 ^ salt.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(sides).unwrap_or(0)
    }

    /// The moment in a window for this seed.
    fn moment(self, window: Window, salt: i64) -> Timestamp {
        let steps = window.length().as_secs().saturating_add(1);
        window.start.saturating_add(Duration::from_secs(self.below(steps, salt)))
    }
}

/// When a certificate is to be renewed, and on whose word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renewal {
    /// The moment.
    pub at: Timestamp,
    /// Where it comes from.
    pub basis: Basis,
}

/// Where a renewal time comes from. `Display` completes "it is renewed then …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Basis {
    /// The share of the life that is left.
    Lifetime,
    /// The issuer's renewal information (RFC 9773).
    Suggested,
    /// The share of the life that is left, because what the issuer suggests cannot be meant.
    Ignored(Absurd),
}

/// Why a suggestion of the issuer is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absurd {
    /// The window ends before it begins, or has no length.
    Reversed,
    /// The window begins when the certificate has ended.
    TooLate,
    /// The window ends before the certificate begins.
    TooEarly,
    /// It would be the fourth certificate within a day.
    TooOften,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lifetime => "by its lifetime",
            Self::Suggested => "as the issuer suggests",
            Self::Ignored(Absurd::Reversed) => {
                "by its lifetime: the window that the issuer suggests ends before it begins"
            }
            Self::Ignored(Absurd::TooLate) => {
                "by its lifetime: the window that the issuer suggests begins when the certificate has ended"
            }
            Self::Ignored(Absurd::TooEarly) => {
                "by its lifetime: the window that the issuer suggests ends before the certificate begins"
            }
            Self::Ignored(Absurd::TooOften) => {
                "by its lifetime: the issuer suggests an early renewal once more, and three were made within a day"
            }
        })
    }
}

/// What the issuer was asked about a leaf, and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// About which leaf.
    pub(crate) leaf: Fingerprint,
    /// The window that it suggests; `None` when it gave none, or could not be asked.
    pub(crate) window: Option<Window>,
    /// When it may be asked again.
    pub(crate) again: Timestamp,
}

impl Asked {
    /// Whether it is time to ask again. A time that no issuer can set was written by a clock that was wrong.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.again || self.again.since(now).is_some_and(|wait| wait > DAY)
    }
}

/// When an issuer that answered at `now` is asked again: when it says, but not sooner than a minute and not later than a day
/// from now (RFC 9773 §4.3.2).
pub(crate) fn ask_again(now: Timestamp, told: Timestamp) -> Timestamp {
    told.clamp(now.saturating_add(MINUTE), now.saturating_add(DAY))
}

/// When an issuer that could not be asked at `now` is asked again: when it says, else in six hours, or sooner for a short
/// life.
pub(crate) fn ask_again_after_failure(now: Timestamp, validity: Window, told: Option<Timestamp>) -> Timestamp {
    let own = now.saturating_add(AFTER_FAILURE.min(validity.length() / SHARE));
    ask_again(now, told.unwrap_or(own))
}

/// When a certificate with this validity is to be renewed by its lifetime.
///
/// One that lives for ten days or more: up to the moment when a third of its life is left, from a twentieth of its life before
/// that; a third is the least that is left. A shorter one: from the moment when half of its life is left, for a twentieth of
/// its life; half is the most that is left. An early renewal costs a long life nothing that counts, but each percent off half
/// of a short one is a percent more orders for ever, against limits that count by the week.
pub(crate) fn renewal_window(validity: Window) -> Window {
    let life = validity.length();
    let spread = life / SHARE;
    if life < SHORT_LIFE {
        let half = validity.end.saturating_sub(life / 2).max(validity.start);
        return Window::new(half, half.saturating_add(spread).min(validity.end).max(half));
    }
    let latest = validity.end.saturating_sub(life / 3).max(validity.start);
    Window::new(latest.saturating_sub(spread).max(validity.start), latest)
}

/// When a certificate is to be renewed.
///
/// `suggested` is the window of the issuer's renewal information; a moment in it is chosen by `seed`, the same in every run
/// as long as the window is the same. It is followed also when it lies in the past (renew at once), but never into the last
/// twentieth of the life. `issued` are the times of the last issuances: a suggestion to renew earlier than usual is not
/// followed for the fourth time within a day.
pub(crate) fn renewal(
    validity: Window,
    suggested: Option<Window>,
    issued: &[Timestamp],
    now: Timestamp,
    seed: Seed,
) -> Renewal {
    let usual = renewal_window(validity);
    let by_lifetime = seed.moment(usual, validity.start.unix());
    let Some(window) = suggested else { return Renewal { at: by_lifetime, basis: Basis::Lifetime } };
    let last = validity.end.saturating_sub(validity.length() / SHARE).max(validity.start);
    let inside = Window::new(window.start.clamp(validity.start, last), window.end.clamp(validity.start, last));
    let at = seed.moment(inside, window.start.unix() ^ window.end.unix().rotate_left(32));
    let lately = issued.iter().filter(|time| now.since(**time).is_some_and(|since| since < DAY)).count();
    let absurd = if window.end <= window.start {
        Some(Absurd::Reversed)
    } else if window.start >= validity.end {
        Some(Absurd::TooLate)
    } else if window.end < validity.start {
        Some(Absurd::TooEarly)
    } else if at < usual.start && lately >= MANY_A_DAY {
        Some(Absurd::TooOften)
    } else {
        None
    };
    match absurd {
        None => Renewal { at, basis: Basis::Suggested },
        Some(why) => Renewal { at: by_lifetime, basis: Basis::Ignored(why) },
    }
}

/// The shortest time between two issuances of a lineage whose wish has not changed, whatever the clock and the issuer say.
pub(crate) fn breather(validity: Window) -> Duration {
    let life = validity.length();
    // A life that is counted in minutes has no minute to lose.
    (life / SHARE).clamp(MINUTE.min(life / 5), HOUR)
}

/// How far this machine's clock was from an authority's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockCheck {
    /// What this machine's clock said.
    pub(crate) here: Timestamp,
    /// What the authority's clock said at that moment.
    pub(crate) there: Timestamp,
}

impl ClockCheck {
    /// What the authority's clock would say now. `None` when the comparison is older than a day, or this machine's clock was
    /// set back since: it says nothing then.
    pub(crate) fn there_now(&self, now: Timestamp) -> Option<Timestamp> {
        let since = now.since(self.here).filter(|since| *since <= DAY)?;
        Some(self.there.saturating_add(since))
    }
}
