//! When to renew, how long to wait after a failure, what may be thrown away. Arithmetic alone; every date is survived.

use std::time::Duration;

use super::spec::Retain;
use crate::ground::id::{GenerationId, LineageName};
use crate::ground::time::{Timestamp, Window};

const DAY: Duration = Duration::from_secs(86_400);

/// A certificate that lives shorter than this is renewed with half of its life left, a longer one with a third: a short
/// life leaves little time to notice that renewals fail.
const SHORT_LIFE: Duration = Duration::from_secs(10 * 86_400);

/// Renewals are spread over this share of the life, so that what was issued together is not renewed together.
const SPREAD: u32 = 20;

/// The longest time between two tries of the same thing that this policy ever asks for.
pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(6 * 3_600);

/// No generation younger than this goes, however many there are: a slow reader may still be in it.
const GRACE: Duration = DAY;

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
    fn below(self, sides: u64, salt: i64) -> u64 {
        let mut mixed = self.0 ^ salt.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(sides).unwrap_or(0)
    }
}

/// When a certificate with this validity is to be renewed: up to the moment when a third of its life is left (half, when
/// it lives shorter than ten days), from a twentieth of its life before that.
pub(crate) fn renewal_window(validity: Window) -> Window {
    let life = validity.length();
    let left = life / if life < SHORT_LIFE { 2 } else { 3 };
    let latest = validity.end.saturating_sub(left).max(validity.start);
    Window::new(latest.saturating_sub(life / SPREAD).max(validity.start), latest)
}

/// The moment chosen in the renewal window.
pub(crate) fn renewal_time(validity: Window, seed: Seed) -> Timestamp {
    let window = renewal_window(validity);
    let steps = window.length().as_secs().saturating_add(1);
    window.start.saturating_add(Duration::from_secs(seed.below(steps, validity.start.unix())))
}

/// How long to wait after this many failures in a row, when `remaining` of the active certificate's life is left (`None`
/// when nothing is active).
///
/// It doubles from a minute, and is never more than a twentieth of what is left, so that some twenty tries are always
/// made before the end; at most six hours, at least ten seconds. When nothing is active it grows to an hour, and when the
/// active certificate has expired to five minutes: nothing is left to be saved by haste then, and issuers count tries.
pub(crate) fn backoff(failures: u32, remaining: Option<Duration>) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let cap = match remaining {
        None => Duration::from_secs(3_600),
        Some(Duration::ZERO) => Duration::from_secs(300),
        Some(left) => (left / 20).clamp(Duration::from_secs(10), LONGEST_BACKOFF),
    };
    let grown = 60_u64.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
    Duration::from_secs(grown).min(cap)
}

/// Which generations may go: those beyond the newest `retain.count`, older than `retain.age` and than a day, and not
/// `kept` (the active, previous, held, deferred and candidate ones).
///
/// `generations` are all of the lineage, each with the time when it was made. Newer is what has the higher number, never
/// what has the later time: clocks go back. One that seems to come from the future stays.
pub(crate) fn expendable(
    generations: &[(GenerationId, Timestamp)],
    kept: &[GenerationId],
    retain: Retain,
    now: Timestamp,
) -> Vec<GenerationId> {
    let spared = usize::try_from(retain.count).unwrap_or(usize::MAX);
    let mut newest_first: Vec<&(GenerationId, Timestamp)> = generations.iter().collect();
    newest_first.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
    let age = retain.age.max(GRACE);
    newest_first
        .into_iter()
        .skip(spared)
        .filter(|(id, made)| !kept.contains(id) && now.since(*made).is_some_and(|since| since > age))
        .map(|(id, _)| *id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::id::Fingerprint;

    fn seed(machine: u64) -> Seed {
        Seed::new(machine, &"www".parse().unwrap())
    }

    fn days(count: u64) -> Duration {
        DAY * u32::try_from(count).unwrap()
    }

    const START: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn lives(life: Duration) -> Window {
        Window::new(START, START.saturating_add(life))
    }

    #[test]
    fn a_third_is_left_or_half_of_a_short_life() {
        for (life, left) in [
            (days(90), days(30)),
            (days(10), days(10) / 3),
            (days(6), days(3)),
            (Duration::from_secs(3_600), Duration::from_secs(1_800)),
        ] {
            let window = renewal_window(lives(life));
            assert_eq!(lives(life).end.since(window.end), Some(left), "{life:?}");
            assert_eq!(window.length(), life / 20);
        }
        // Just under ten days is half.
        let short = days(10) - Duration::from_secs(2);
        assert_eq!(lives(short).end.since(renewal_window(lives(short)).end), Some(short / 2));
    }

    #[test]
    fn the_moment_differs_between_machines_and_lineages_and_not_between_runs() {
        let validity = lives(days(90));
        let times: Vec<Timestamp> = (0..200).map(|machine| renewal_time(validity, seed(machine))).collect();
        assert_eq!(times, (0..200).map(|machine| renewal_time(validity, seed(machine))).collect::<Vec<_>>());
        let window = renewal_window(validity);
        assert!(times.iter().all(|time| window.contains(*time)));
        // 200 moments in 4.5 days: each fifth of the window gets its share.
        for fifth in 0..5_u64 {
            let bounds = |part: u64| window.start.saturating_add(window.length() * u32::try_from(part).unwrap() / 5);
            let hits = times.iter().filter(|time| (bounds(fifth)..bounds(fifth + 1)).contains(*time)).count();
            assert!((20..=60).contains(&hits), "{hits} of 200 in part {fifth}");
        }
        let other = Seed::new(7, &"mail".parse().unwrap());
        assert_ne!(renewal_time(validity, seed(7)), renewal_time(validity, other));
    }

    /// Every date that a certificate can have, and many that none should.
    #[test]
    fn survives_every_date() {
        let moments = [
            i64::MIN,
            Timestamp::MIN.unix(),
            -1,
            0,
            1,
            START.unix(),
            Timestamp::MAX.unix() - 1,
            Timestamp::MAX.unix(),
            i64::MAX,
        ];
        for start in moments.map(Timestamp::from_unix) {
            for end in moments.map(Timestamp::from_unix) {
                for machine in [0, 1, u64::MAX] {
                    let validity = Window::new(start, end);
                    let time = renewal_time(validity, seed(machine));
                    let window = renewal_window(validity);
                    assert!(window.start <= time && time <= window.end, "{validity:?}");
                    if start <= end {
                        assert!(validity.contains(time), "{validity:?}: {time}");
                    }
                    if validity.length() >= Duration::from_secs(4) {
                        assert!(start < time && time < end, "{validity:?} would be renewed at once or never");
                    }
                }
            }
        }
    }

    #[test]
    fn waiting_grows_and_stays_a_small_share_of_what_is_left() {
        let minutes = |failures, left| backoff(failures, left).as_secs() / 60;
        let month = Some(days(30));
        let grown: Vec<u64> = (0..12).map(|failures| minutes(failures, month)).collect();
        assert_eq!(grown, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
        assert_eq!(minutes(50, None), 60);
        assert_eq!(minutes(50, Some(Duration::ZERO)), 5);
        for left in [1, 59, 60, 3_600, 86_400, 86_400 * 365, u64::MAX].map(Duration::from_secs) {
            let mut last = Duration::ZERO;
            for failures in [0, 1, 2, 3, 10, 63, 64, 65, 66, 1_000, u32::MAX] {
                let wait = backoff(failures, Some(left));
                assert!(wait >= last, "{left:?}: {failures} failures wait shorter than fewer");
                assert!(wait <= (left / 20).max(Duration::from_secs(10)), "{left:?} {failures}: {wait:?}");
                assert!(failures == 0 || wait >= Duration::from_secs(10));
                last = wait;
            }
        }
    }

    fn generation(sequence: u64) -> GenerationId {
        GenerationId::new(sequence, &Fingerprint::from_bytes([u8::try_from(sequence).unwrap(); 32]))
    }

    #[test]
    fn what_goes_is_beyond_the_count_and_old_and_not_kept() {
        let now = START.saturating_add(days(100) + DAY / 2);
        let made = |sequence: u64| START.saturating_add(days(sequence * 10));
        let all: Vec<_> = (1..=10).map(|sequence| (generation(sequence), made(sequence))).collect();
        let going = |kept: &[u64], count, age| {
            let kept: Vec<_> = kept.iter().map(|sequence| generation(*sequence)).collect();
            let mut gone: Vec<u64> =
                expendable(&all, &kept, Retain::new(count, age), now).iter().map(GenerationId::sequence).collect();
            gone.sort_unstable();
            gone
        };
        // Ages are 90½, 80½, … ½ days.
        assert_eq!(going(&[], 5, days(30)), [1, 2, 3, 4, 5]);
        assert_eq!(going(&[], 2, days(31)), [1, 2, 3, 4, 5, 6], "younger than the age stays whatever the count");
        assert_eq!(going(&[], 8, Duration::ZERO), [1, 2], "within the count stays whatever the age");
        assert_eq!(going(&[3, 10], 5, days(30)), [1, 2, 4, 5]);
        assert_eq!(going(&[], 0, Duration::ZERO), [1, 2, 3, 4, 5, 6, 7, 8, 9], "younger than a day stays");
        assert_eq!(going(&[], u32::MAX, Duration::ZERO), [0; 0]);
        assert_eq!(going(&[], 0, Duration::MAX), [0; 0]);
    }

    #[test]
    fn a_clock_that_went_back_throws_nothing_away() {
        let all = [(generation(1), Timestamp::MAX), (generation(2), START), (generation(3), Timestamp::MIN)];
        for now in [Timestamp::MIN, Timestamp::from_unix(0), START.saturating_sub(days(1))] {
            let gone = expendable(&all, &[], Retain::new(0, Duration::ZERO), now);
            assert!(!gone.contains(&generation(1)) && !gone.contains(&generation(2)), "{now}: {gone:?}");
        }
        assert_eq!(expendable(&all, &[], Retain::new(1, Duration::ZERO), Timestamp::MAX), [generation(2)]);
    }
}
