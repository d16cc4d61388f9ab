//! The conformance suite of `Clock` over the machine's clock and the one that is moved by hand, and over clocks that are wrong.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use certwright::{Clock, ManualClock, SystemClock, Timestamp};
use certwright_tests::conformance::clock::{Bench, CASES, Set};
use certwright_tests::conformance::{PATIENCE, finding};
use certwright_tests::process::run;

/// What date(1) says.
fn date() -> io::Result<Timestamp> {
    let output = run(Command::new("date").args(["-u", "+%FT%TZ"]), PATIENCE)?;
    String::from_utf8_lossy(&output.stdout).trim().parse().map_err(io::Error::other)
}

fn system(clock: Arc<dyn Clock>) -> io::Result<Bench> {
    Ok(Bench { clock, truth: Box::new(date), set: None })
}

mod machine {
    use super::*;

    certwright_tests::clock_suite!(|| system(Arc::new(SystemClock)));

    /// The zone of the machine is none of our business.
    #[test]
    fn elsewhere() {
        for zone in ["Asia/Tokyo", "UTC+11", "America/New_York"] {
            let mut again = Command::new(std::env::current_exe().unwrap());
            again.args(["--exact", "machine::it_says_what_time_it_is_in_utc"]).env("TZ", zone);
            let output = run(&mut again, PATIENCE).unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{zone}: {said}");
        }
    }
}

/// 2026-11-24T08:00:00Z.
const NOW: i64 = 1_795_507_200;

/// By hand: the hand moves a number beside the clock, too.
fn by_hand(make: impl FnOnce() -> (Arc<dyn Clock>, Set)) -> io::Result<Bench> {
    let (clock, set) = make();
    let truth = Arc::new(AtomicI64::new(NOW));
    let theirs = truth.clone();
    Ok(Bench {
        clock,
        truth: Box::new(move || Ok(Timestamp::from_unix(theirs.load(Ordering::Relaxed)))),
        set: Some(Box::new(move |moment| {
            truth.store(moment.unix(), Ordering::Relaxed);
            set(moment);
        })),
    })
}

fn manual() -> (Arc<dyn Clock>, Set) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix(NOW)));
    (clock.clone(), Box::new(move |moment| clock.set(moment)))
}

mod manual {
    use super::*;

    certwright_tests::clock_suite!(|| by_hand(manual));

    #[test]
    fn it_stands_still_and_moves_as_far_as_it_is_told() {
        let clock = ManualClock::at(Timestamp::from_unix(NOW));
        assert_eq!([clock.now(), clock.now()], [Timestamp::from_unix(NOW); 2]);
        clock.advance(Duration::from_secs(61));
        assert_eq!(clock.now(), Timestamp::from_unix(NOW + 61));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}

/// A clock that changes what another one says.
struct Wrong<F>(Arc<dyn Clock>, F, &'static str);

impl<F> std::fmt::Debug for Wrong<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.2)
    }
}

impl<F: Fn(Timestamp) -> Timestamp + Send + Sync> Clock for Wrong<F> {
    fn now(&self) -> Timestamp {
        (self.1)(self.0.now())
    }
}

#[test]
fn whoever_is_wrong_is_caught() {
    let hours = Duration::from_secs(9 * 3600);
    let zone = system(Arc::new(Wrong(Arc::new(SystemClock), move |now: Timestamp| now.saturating_add(hours), "zone")));
    let ahead = finding(CASES, "it_says_what_time_it_is_in_utc", &zone.unwrap()).unwrap();
    assert!(ahead.contains(" between "), "{ahead}");

    // In every thread but the one that looks first.
    let first = std::thread::current().id();
    let elsewhere = move |now: Timestamp| if std::thread::current().id() == first { now } else { Timestamp::MIN };
    let torn = system(Arc::new(Wrong(Arc::new(SystemClock), elsewhere, "torn clock")));
    let torn = finding(CASES, "it_says_the_same_to_every_thread", &torn.unwrap()).unwrap();
    assert!(torn.contains("a thread is told"), "{torn}");

    let latest = AtomicI64::new(i64::MIN);
    let only_forward = move |now: Timestamp| {
        let before = latest.fetch_max(now.unix(), Ordering::Relaxed);
        Timestamp::from_unix(before.max(now.unix()))
    };
    let stubborn = by_hand(|| {
        let (clock, set) = manual();
        (Arc::new(Wrong(clock, only_forward, "stubborn")), set)
    });
    let stubborn = finding(CASES, "it_goes_backwards_when_it_is_set_back", &stubborn.unwrap()).unwrap();
    assert!(stubborn.starts_with("set to "), "{stubborn}");

    let mute = system(Arc::new(Wrong(Arc::new(SystemClock), |now| now, "")));
    assert!(finding(CASES, "it_says_more_than_that_it_is_a_clock", &mute.unwrap()).is_some());
    for (name, _) in CASES {
        assert_eq!(finding(CASES, name, &by_hand(manual).unwrap()), None, "{name}, and nothing is wrong");
    }
}
