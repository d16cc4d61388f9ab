//! What every [`Clock`] does. What time it really is tells somebody else: the bench.

use std::io;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use certwright::{Clock, Timestamp};

use super::{Outcome, must, suite};

/// Looks at another clock.
pub type Look = Box<dyn Fn() -> io::Result<Timestamp>>;

/// Sets the clock under test to another time.
pub type Set = Box<dyn Fn(Timestamp)>;

/// A clock, and another one that goes with it.
pub struct Bench {
    /// The clock under test.
    pub clock: Arc<dyn Clock>,
    /// What it should say.
    pub truth: Look,
    /// How it is set, when it can be.
    pub set: Option<Set>,
}

suite! {
    clock_suite of clock {
        it_says_what_time_it_is_in_utc,
        it_says_the_same_to_every_thread,
        it_goes_backwards_when_it_is_set_back,
        it_says_more_than_that_it_is_a_clock,
    }
}

/// It says a time between two looks at the other clock.
pub fn it_says_what_time_it_is_in_utc(b: &Bench) -> Outcome {
    for _ in 0..3 {
        let before = (b.truth)()?;
        let now = b.clock.now();
        let after = (b.truth)()?;
        must!(before <= now && now <= after, "it says {now} between {before} and {after}");
    }
    Ok(())
}

/// Several threads ask at once, and none is told another time.
pub fn it_says_the_same_to_every_thread(b: &Bench) -> Outcome {
    let start = Arc::new(Barrier::new(8));
    let before = (b.truth)()?;
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (clock, start) = (b.clock.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                clock.now()
            })
        })
        .collect();
    let told = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked"));
    let told = told.collect::<Result<Vec<_>, _>>()?;
    let after = (b.truth)()?;
    let wrong = told.iter().find(|now| **now < before || **now > after);
    must!(wrong.is_none(), "a thread is told {wrong:?} between {before} and {after}");
    Ok(())
}

/// Nothing is held back when the machine's time is corrected.
pub fn it_goes_backwards_when_it_is_set_back(b: &Bench) -> Outcome {
    let Some(set) = &b.set else { return Ok(()) };
    let now = b.clock.now();
    let day = Duration::from_secs(86_400);
    for moment in [now.saturating_add(day), now.saturating_sub(day), Timestamp::MIN, Timestamp::MAX, now] {
        set(moment);
        must!(b.clock.now() == moment, "set to {moment} it says {}", b.clock.now());
        it_says_what_time_it_is_in_utc(b)?;
    }
    Ok(())
}

/// A clock in an error or a log can be told from another one.
pub fn it_says_more_than_that_it_is_a_clock(b: &Bench) -> Outcome {
    let shown = format!("{:?}", b.clock);
    must!(shown.len() > "Clock".len(), "its Debug is `{shown}`");
    Ok(())
}
