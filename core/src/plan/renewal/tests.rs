//! Tables and properties of the renewal time.

use proptest::prelude::*;

use super::*;

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

fn renewal_time(validity: Window, seed: Seed) -> Timestamp {
    renewal(validity, None, &[], validity.start, seed).at
}

#[test]
fn a_third_is_left_or_half_of_a_short_life() {
    for (life, left) in [(days(90), days(30)), (days(10), days(10) / 3)] {
        let window = renewal_window(lives(life));
        assert_eq!(lives(life).end.since(window.end), Some(left), "{life:?}");
        assert_eq!(window.length(), life / 20);
    }
    // Just under ten days is half, and none is renewed before that.
    let short = days(10) - Duration::from_secs(2);
    for life in [short, days(6), Duration::from_secs(3_600)] {
        let window = renewal_window(lives(life));
        assert_eq!(lives(life).end.since(window.start), Some(life / 2), "{life:?}");
        assert_eq!(window.length().as_secs(), (life / 20).as_secs());
    }
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

/// A window of this many days after the start of a certificate that lives for ninety.
fn window(from: i64, to: i64) -> Window {
    let at = |day: i64| Timestamp::from_unix(START.unix() + day * 86_400);
    Window::new(at(from), at(to))
}

#[test]
fn a_suggestion_is_followed_when_it_can_be_meant() {
    use Absurd::{Reversed, TooEarly, TooLate};
    let validity = lives(days(90));
    for (suggested, basis) in [
        (window(58, 60), Basis::Suggested),
        (window(10, 12), Basis::Suggested),
        // In the past: at once.
        (window(-5, 1), Basis::Suggested),
        (window(-500, 500), Basis::Suggested),
        // Late, but it begins while the certificate is valid.
        (window(89, 95), Basis::Suggested),
        (window(60, 60), Basis::Ignored(Reversed)),
        (window(60, 58), Basis::Ignored(Reversed)),
        (window(90, 91), Basis::Ignored(TooLate)),
        (window(9_000, 9_001), Basis::Ignored(TooLate)),
        (window(-20, -10), Basis::Ignored(TooEarly)),
        (Window::new(Timestamp::MIN, Timestamp::MAX), Basis::Suggested),
        (Window::new(Timestamp::MAX, Timestamp::MIN), Basis::Ignored(Reversed)),
    ] {
        for machine in 0..50 {
            let renewal = renewal(validity, Some(suggested), &[], START, seed(machine));
            assert_eq!(renewal.basis, basis, "{suggested:?}");
            let last = validity.end.saturating_sub(validity.length() / SHARE);
            assert!(validity.start <= renewal.at && renewal.at <= last, "{suggested:?}: {}", renewal.at);
            match basis {
                Basis::Suggested => assert!(suggested.contains(renewal.at) || renewal.at == last, "{suggested:?}"),
                _ => assert_eq!(renewal.at, renewal_time(validity, seed(machine))),
            }
        }
    }
}

#[test]
fn the_moment_in_a_suggested_window_is_spread_and_stays() {
    let (validity, suggested) = (lives(days(90)), window(58, 60));
    let at = |machine| renewal(validity, Some(suggested), &[], START, seed(machine)).at;
    let times: Vec<Timestamp> = (0..400).map(at).collect();
    assert_eq!(times, (0..400).map(at).collect::<Vec<_>>());
    let half = suggested.start.saturating_add(DAY);
    let early = times.iter().filter(|time| **time < half).count();
    assert!((150..=250).contains(&early), "{early} of 400 in the first half");
    // Another window is another moment: not all who drew an early one draw it again.
    let later = renewal(validity, Some(window(59, 61)), &[], START, seed(1)).at;
    assert_ne!(later.since(at(1)), Some(DAY));
}

#[test]
fn an_issuer_that_wants_a_renewal_for_ever_gets_three_a_day() {
    let validity = lives(days(90));
    let hours = |count: u32| START.saturating_add(HOUR * count);
    let now = hours(30);
    let renew = |issued: &[Timestamp], suggested| renewal(validity, Some(suggested), issued, now, seed(1)).basis;
    assert_eq!(renew(&[hours(28), hours(29)], window(-1, 1)), Basis::Suggested);
    assert_eq!(renew(&[hours(27), hours(28), hours(29)], window(-1, 1)), Basis::Ignored(Absurd::TooOften));
    assert_eq!(renew(&[hours(1), hours(28), hours(29)], window(-1, 1)), Basis::Suggested, "the first was yesterday");
    // The usual time is nothing to be wary of.
    assert_eq!(renew(&[hours(27), hours(28), hours(29)], window(60, 62)), Basis::Suggested);
    // Times to come were written by a wrong clock.
    assert_eq!(renew(&[Timestamp::MAX; 5], window(-1, 1)), Basis::Suggested);
}

#[test]
fn the_issuer_is_asked_again_between_a_minute_and_a_day() {
    let (now, at) = (START, |seconds: i64| Timestamp::from_unix(START.unix() + seconds));
    for (told, again) in [
        (at(6 * 3_600), at(6 * 3_600)),
        (at(59), at(60)),
        (at(-10_000), at(60)),
        (at(86_401), at(86_400)),
        (Timestamp::MAX, at(86_400)),
        (Timestamp::MIN, at(60)),
    ] {
        assert_eq!(ask_again(now, told), again);
        assert_eq!(ask_again_after_failure(now, lives(days(90)), Some(told)), again);
    }
    assert_eq!(ask_again_after_failure(now, lives(days(90)), None), at(6 * 3_600));
    assert_eq!(ask_again_after_failure(now, lives(HOUR), None), at(180));
    let asked = |again| Asked { leaf: Fingerprint::from_bytes([1; 32]), window: None, again };
    assert!(!asked(at(1)).is_due(now) && asked(at(0)).is_due(now) && asked(at(-1)).is_due(now));
    assert!(!asked(at(86_400)).is_due(now) && asked(at(86_401)).is_due(now), "a wrong clock wrote that");
}

#[test]
fn the_authoritys_time_is_known_for_a_day_and_not_after_the_clock_was_set_back() {
    let at = |seconds: i64| Timestamp::from_unix(START.unix() + seconds);
    let check = ClockCheck { here: at(0), there: at(-7_200) };
    assert_eq!(check.there_now(at(0)), Some(at(-7_200)));
    assert_eq!(check.there_now(at(100)), Some(at(-7_100)));
    assert_eq!(check.there_now(at(86_400)), Some(at(79_200)));
    assert_eq!(check.there_now(at(86_401)), None);
    assert_eq!(check.there_now(at(-1)), None);
    let far = ClockCheck { here: Timestamp::MIN, there: Timestamp::MAX };
    assert_eq!(far.there_now(Timestamp::MIN), Some(Timestamp::MAX));
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (0_i64..253_402_300_799).prop_map(Timestamp::from_unix),
        1 => any::<i64>().prop_map(Timestamp::from_unix),
        1 => Just(Timestamp::MIN),
        1 => Just(Timestamp::MAX),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// From an hour to the end of time: never before half of the life, never in its last third or half, whatever the seed.
    #[test]
    fn by_lifetime_it_is_after_half_and_well_before_the_end(
        start in 0_i64..200_000_000_000, life in 3_600_u64..250_000_000_000, machine: u64,
    ) {
        let validity = Window::new(Timestamp::from_unix(start), Timestamp::from_unix(start).saturating_add(Duration::from_secs(life)));
        let life = validity.length();
        prop_assume!(life >= HOUR);
        let at = renewal_time(validity, seed(machine));
        let passed = at.since(validity.start).unwrap();
        let left = validity.end.since(at).unwrap();
        // A second is lost where a share is not whole.
        prop_assert!(passed + Duration::from_secs(2) >= life / 2, "{passed:?} of {life:?} have passed");
        prop_assert!(left + Duration::from_secs(1) >= life / 3, "{left:?} of {life:?} are left");
    }

    /// Whatever an issuer says: the moment is in the life of the certificate and leaves a twentieth of it.
    #[test]
    fn no_suggestion_moves_it_out_of_the_life(
        start in any_moment(), end in any_moment(), from in any_moment(), to in any_moment(), now in any_moment(),
        machine: u64, issued in prop::collection::vec(any_moment(), 0..6),
    ) {
        let validity = Window::new(start.min(end), start.max(end));
        let renewal = renewal(validity, Some(Window::new(from, to)), &issued, now, seed(machine));
        prop_assert!(validity.contains(renewal.at));
        let left = validity.end.since(renewal.at).unwrap();
        prop_assert!(left + Duration::from_secs(1) >= validity.length() / SHARE, "{left:?} left");
        if from >= to {
            prop_assert_eq!(renewal.basis, Basis::Ignored(Absurd::Reversed));
        }
    }

    /// The issuer can neither be asked without pause nor forgotten.
    #[test]
    fn the_next_question_is_in_bounds(now in any_moment(), told in any_moment()) {
        let again = ask_again(now, told);
        prop_assert!(again >= now.saturating_add(MINUTE) && again <= now.saturating_add(DAY));
    }
}
