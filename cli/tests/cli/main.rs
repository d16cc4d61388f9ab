//! The real command against stores of its own: exit status and both streams of each run, word for word where they are
//! for people, by their structure where they are for programs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]
#![expect(clippy::disallowed_methods, reason = "tests prepare the disk on which the command works")]

mod access;
mod documents;
mod failing;
mod faults;
mod filter;
mod hook;
mod inspect;
mod issuer;
mod json;
mod life;
mod manual;
mod play;
mod ready;
mod run;
mod streams;
mod terminal;
mod testbed;
mod turns;
