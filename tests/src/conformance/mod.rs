//! One suite per seam, run over every implementation of it.
//!
//! A suite is a list of cases over a bench: the implementation, and the other side of it, which is told what to do and asked
//! what it saw. `issuer_suite!(|| bench())` in a module of a test makes each case a test of its own; [`finding`] is what
//! one of them has to say of an implementation that lies: that is how a suite is seen to notice.

pub mod clock;
pub mod filesystem;
pub mod issuer;
pub mod probe;
pub mod reloader;
mod secrets;
pub mod solver;

use std::error::Error;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use certwright::ErrorKind;

/// How a case ends.
pub type Outcome = Result<(), Box<dyn Error>>;

/// A case of a suite over benches of this type.
pub type Case<B> = (&'static str, fn(&B) -> Outcome);

/// For what has to come and comes in milliseconds. A liar that is known never to answer is waited for less.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the case of this name finds wrong. `None` when it finds nothing, or when there is no such case.
pub fn finding<B>(cases: &[Case<B>], name: &str, bench: &B) -> Option<String> {
    let (_, case) = cases.iter().find(|(known, _)| *known == name)?;
    case(bench).err().map(|found| found.to_string())
}

/// Ends a case with what was found wrong, unless this holds.
macro_rules! must {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+).into());
        }
    };
}
use must;

/// The list of the cases of a suite, and a macro that makes a test of each.
macro_rules! suite {
    ($suite:ident of $module:ident { $($case:ident),* $(,)? }) => {
        /// Every case by its name.
        pub const CASES: &[super::Case<Bench>] = &[$((stringify!($case), $case)),*];

        /// Makes a test of each case; `$bench` is called for each and gives a bench.
        #[macro_export]
        macro_rules! $suite {
            ($bench:expr) => {
                $(
                    #[test]
                    fn $case() -> $crate::conformance::Outcome {
                        $crate::conformance::$module::$case(&$bench()?)
                    }
                )*
            };
        }
    };
}
use suite;

/// What a call on a thread of its own answers; `None` when it does not in this time. It is left to itself then.
fn within<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, answer) = channel();
    thread::spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = tell.send(call());
    });
    answer.recv_timeout(limit).ok()
}

/// The error that had to come.
fn refused<T>(what: &str, result: certwright::Result<T>) -> Result<certwright::Error, String> {
    match result {
        Ok(_) => Err(format!("{what}: it was said to be done")),
        Err(error) if error.kind() == ErrorKind::Bug => Err(format!("{what}: {error:#}")),
        Err(error) => Ok(error),
    }
}

/// An error that somebody can act upon: it names the thing, and says what to do.
fn tells(what: &str, error: &certwright::Error, thing: &str) -> Outcome {
    must!(format!("{error:#}").contains(thing), "{what}: the error does not name `{thing}`: {error:#}");
    must!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "{what}: the error says nothing to do: {error:#}");
    Ok(())
}

/// A wish to stop that was expressed before the call.
fn stopped() -> certwright::Cancel {
    let cancel = certwright::Cancel::new();
    cancel.cancel();
    cancel
}
