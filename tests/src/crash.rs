//! Trying every crash and every error of a scenario on a model file system.
//!
//! A crash enumeration is three lines: record the scenario once, and for every moment and every loss recover and check.
//!
//! ```
//! use certwright::{Filesystem, Open};
//! use certwright_tests::crash::{Crash, Points, for_each_crash};
//! use certwright_tests::model_fs::ModelFs;
//! use std::path::Path;
//!
//! let (points, made) = Points::of(&ModelFs::default(), |fs| {
//!     let root = fs.open(None, Path::new("/"), Open::Directory)?;
//!     let file = fs.open(Some(&root), Path::new("f"), Open::Create)?;
//!     fs.write(&file, b"whole")?;
//!     fs.sync(&file)?;
//!     fs.sync(&root)
//! });
//! made?;
//! let tally = for_each_crash(&points, &[Crash::Kill, Crash::PowerCut { most: 100 }], |crashed| {
//!     let last = crashed.number + 1 == points.len();
//!     match crashed.fs.look(|view| view.read("/f")) {
//!         Ok(bytes) if last && bytes != b"whole" => Err("it was said to be durable".to_owned()),
//!         Err(error) if last => Err(error.to_string()),
//!         _ => Ok(()),
//!     }
//! });
//! println!("{tally}");
//! tally.verdict()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Crashes within a recovery are the same again: `Points::of(&crashed.fs, recover)` inside the check.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::io::Errno;

use crate::model_fs::{Counted, Fault, Lasting, Loss, ModelFs, Moment, Op};

/// The moments of a scenario at which it can be stopped: before it, and after each mutating step.
#[derive(Clone, Debug)]
pub struct Points {
    moments: Vec<Moment>,
}

impl Points {
    /// Runs the scenario once, in a process of its own on a copy of `start`. It may use clones of the process in threads,
    /// as long as they end before it does.
    pub fn of<R>(start: &ModelFs, scenario: impl FnOnce(&ModelFs) -> R) -> (Self, R) {
        let fs = start.fork();
        fs.record();
        let result = scenario(&fs);
        (Self { moments: fs.recorded() }, result)
    }

    /// How many there are: the mutating steps and one.
    pub const fn len(&self) -> usize {
        self.moments.len()
    }

    /// Never: there is always the moment before.
    pub const fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// The moments in order, for invariants that hold at every instant.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }
}

/// How a scenario ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Crash {
    /// The process is killed; the system lives on.
    Kill,
    /// The power goes. Tries all that may be left, or this many by lot if there is more.
    PowerCut {
        /// States for each moment, at most (and a few extremes).
        most: u64,
    },
}

/// What is left after one crash.
#[derive(Debug)]
#[non_exhaustive]
pub struct Crashed<'a> {
    /// A new process on what is left.
    pub fs: ModelFs,
    /// How.
    pub crash: Crash,
    /// The number of the moment, from 0.
    pub number: usize,
    /// The step after which it happened; `None` before the first one.
    pub after: Option<&'a Op>,
}

/// Tries every crash at every moment. `check` recovers and says what is wrong; a panic in it counts as a violation.
pub fn for_each_crash(
    points: &Points,
    crashes: &[Crash],
    mut check: impl FnMut(Crashed<'_>) -> Result<(), String>,
) -> Tally {
    let mut tally = Tally { points: points.len(), ..Tally::default() };
    for (number, moment) in points.moments.iter().enumerate() {
        for crash in crashes.iter().copied() {
            let left = match crash {
                Crash::Kill => vec![moment.restart(Loss::Nothing)],
                Crash::PowerCut { most } => moment.survivors(most),
            };
            for fs in left {
                let before = fs.fork();
                let place = || match moment.op() {
                    Some(op) => format!("{crash:?} after {op}"),
                    None => format!("{crash:?} before the first step"),
                };
                let crashed = Crashed { fs, crash, number, after: moment.op() };
                tally.note(
                    || check(crashed),
                    || format!("{}, which left\n{}", place(), before.look(|view| view.tree())),
                );
            }
        }
    }
    tally
}

/// What became of a scenario with one fault in it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failed<R> {
    /// The process, or for a stopped one the next process. Nothing goes wrong in it any more.
    pub fs: ModelFs,
    /// What the scenario returned.
    pub result: R,
    /// What went wrong.
    pub fault: Fault,
}

/// Runs the scenario again and again, each time with another call failing, with each of these errors, once and for ever.
/// `check` sees the same process, healthy again.
pub fn for_each_errno<R>(
    start: &ModelFs,
    counted: Counted,
    errnos: &[Errno],
    scenario: impl Fn(&ModelFs) -> R,
    mut check: impl FnMut(Failed<R>) -> Result<(), String>,
) -> Tally {
    let calls = count(start, counted, &scenario);
    let mut tally = Tally { points: usize::try_from(calls).unwrap_or(usize::MAX), ..Tally::default() };
    for at in 1..=calls {
        for errno in errnos.iter().copied() {
            for lasting in [Lasting::Once, Lasting::Forever] {
                let fault = Fault::Errno { at, errno, counted, lasting };
                let act = || {
                    let fs = start.fork();
                    fs.inject(fault.clone());
                    let result = scenario(&fs);
                    fs.clear_faults();
                    check(Failed { fs, result, fault: fault.clone() })
                };
                tally.note(act, || format!("{fault:?}"));
            }
        }
    }
    tally
}

/// Runs the scenario again and again, each time with the process dead after one more mutating step; for scenarios that
/// touch more than the file system, whose world [`Points`] cannot copy. `check` sees the next process; nothing that was
/// written is lost.
pub fn for_each_stop<R>(
    start: &ModelFs,
    scenario: impl Fn(&ModelFs) -> R,
    mut check: impl FnMut(Failed<R>) -> Result<(), String>,
) -> Tally {
    let steps = count(start, Counted::Mutating, &scenario);
    let mut tally =
        Tally { points: usize::try_from(steps).unwrap_or(usize::MAX).saturating_add(1), ..Tally::default() };
    for after in 0..=steps {
        let fault = Fault::StopAfter(after);
        let act = || {
            let fs = start.fork();
            fs.inject(fault.clone());
            let result = scenario(&fs);
            check(Failed { fs: fs.restart(Loss::Nothing), result, fault: fault.clone() })
        };
        tally.note(act, || format!("{fault:?}"));
    }
    tally
}

fn count<R>(start: &ModelFs, counted: Counted, scenario: impl Fn(&ModelFs) -> R) -> u64 {
    let fs = start.fork();
    scenario(&fs);
    fs.count(counted)
}

/// The sum of an enumeration. Sums can be added.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Places at which the scenario was stopped or failed.
    pub points: usize,
    /// States that were checked: each place in each of its ways.
    pub states: usize,
    /// What was wrong, with the place.
    pub violations: Vec<String>,
}

impl Tally {
    /// Nothing if there were states and all were right, else the tally.
    ///
    /// # Errors
    ///
    /// The tally itself, which prints the first violations.
    pub fn verdict(self) -> Result<(), Violated> {
        if self.states > 0 && self.violations.is_empty() { Ok(()) } else { Err(Violated(self)) }
    }

    fn note(&mut self, check: impl FnOnce() -> Result<(), String>, place: impl Fn() -> String) {
        self.states += 1;
        let wrong = catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|panic| Err(message(panic.as_ref())));
        if let Err(wrong) = wrong {
            self.violations.push(format!("{wrong}: {}", place()));
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panic: {}", text.unwrap_or("without a message"))
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.points += other.points;
        self.states += other.states;
        self.violations.extend(other.violations);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} points, {} states, {} violations", self.points, self.states, self.violations.len())
    }
}

/// An enumeration that found something, or nothing to try.
#[derive(Clone)]
pub struct Violated(Tally);

/// How many violations are printed.
const PRINTED: usize = 5;

impl fmt::Display for Violated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0.violations.iter().take(PRINTED).try_for_each(|violation| write!(f, "\n- {violation}"))
    }
}

impl fmt::Debug for Violated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Violated {}
