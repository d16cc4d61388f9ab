//! How long to wait after a failure, and what may be thrown away. Arithmetic alone; every date is survived.

use std::time::Duration;

use super::renewal::Seed;
use super::spec::Retain;
use crate::ground::id::GenerationId;
use crate::ground::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// The longest time between two tries of the same thing that this policy ever asks for.
pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(6 * 3_600);

/// The longest time that an issuer may say to wait for. The limits of authorities are counted in days and weeks.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(31 * 86_400);

/// No generation younger than this goes, however many there are: a slow reader may still be in it.
const GRACE: Duration = DAY;

/// How long to wait after this many failures in a row, when `remaining` of the active certificate's life is left (`None`
/// when nothing is active).
///
/// It doubles from a minute, and is never more than a twentieth of what is left, so that some twenty tries are always
/// made before the end; at most six hours, at least a second. When nothing is active it grows to an hour, and when the
/// active certificate has expired to five minutes: nothing is left to be saved by haste then, and issuers count tries.
pub(crate) fn backoff(failures: u32, remaining: Option<Duration>) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let cap = match remaining {
        None => Duration::from_secs(3_600),
        Some(Duration::ZERO) => Duration::from_secs(300),
        Some(left) => (left / 20).clamp(Duration::from_secs(1), LONGEST_BACKOFF),
    };
    let grown = 60_u64.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
    Duration::from_secs(grown).min(cap)
}

/// How long to wait after certificates were issued that cannot be used, so many times in a row. Each try costs one, and
/// authorities let few through: it doubles from an hour to a day, and is never more than a fifth of what is left.
pub(crate) fn costly_backoff(failures: u32, remaining: Option<Duration>) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let grown = 3_600_u64.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
    let cap = match remaining {
        None | Some(Duration::ZERO) => DAY,
        Some(left) => (left / 5).clamp(Duration::from_secs(600), DAY),
    };
    Duration::from_secs(grown).min(cap)
}

/// The wait of one lineage on one machine: up to a quarter shorter, so that what failed together is not tried again together.
pub(crate) fn scattered(wait: Duration, seed: Seed, failures: u32) -> Duration {
    let spread = wait.as_secs() / 4;
    wait.saturating_sub(Duration::from_secs(seed.below(spread.saturating_add(1), i64::from(failures))))
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

    fn days(count: u64) -> Duration {
        DAY * u32::try_from(count).unwrap()
    }

    const START: Timestamp = Timestamp::from_unix(1_800_000_000);

    #[test]
    fn what_failed_together_is_not_tried_again_together() {
        let wait = Duration::from_secs(3_600);
        let waits: Vec<u64> =
            (0..500).map(|machine| scattered(wait, Seed::new(machine, &"www".parse().unwrap()), 7).as_secs()).collect();
        assert!(waits.iter().all(|wait| (2_700..=3_600).contains(wait)));
        for part in 0..3 {
            let hits = waits.iter().filter(|wait| (2_700 + part * 300..3_000 + part * 300).contains(*wait)).count();
            assert!((100..=240).contains(&hits), "{hits} of 500 in part {part}");
        }
        assert_eq!(scattered(Duration::ZERO, Seed::new(1, &"www".parse().unwrap()), 1), Duration::ZERO);
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
                assert!(wait <= (left / 20).max(Duration::from_secs(1)), "{left:?} {failures}: {wait:?}");
                assert!(failures == 0 || wait >= Duration::from_secs(1));
                last = wait;
            }
        }
    }

    #[test]
    fn what_costs_a_certificate_is_tried_seldom() {
        let hours = |failures, left| costly_backoff(failures, left).as_secs() / 3_600;
        let grown = |left| (0..8).map(|failures| hours(failures, left)).collect::<Vec<_>>();
        for left in [None, Some(Duration::ZERO), Some(days(30))] {
            assert_eq!(grown(left), [0, 1, 2, 4, 8, 16, 24, 24]);
        }
        assert_eq!(grown(Some(days(1))), [0, 1, 2, 4, 4, 4, 4, 4]);
        assert_eq!(costly_backoff(u32::MAX, Some(Duration::from_secs(60))), Duration::from_secs(600));
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
