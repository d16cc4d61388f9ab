//! The command line of certwright: parse, call, render. No decision lives here.
//!
//! The binary is one call of [`run`], so that other programs can carry the command too.
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a failing test may panic"))]

mod args;
mod closed;
mod failure;
mod input;
mod load;
mod metrics;
mod notify;
mod progress;
mod render;
mod screen;
mod signals;
mod verb;
mod watchdog;

use std::ffi::OsString;

use clap::Parser;

use args::{Arguments, Verb};
use failure::Done;
use screen::Screen;

/// Run the command with these arguments, the program's name first, and answer its exit status.
///
/// # Effects
///
/// Those of the verb. The report goes to standard output, errors to standard error. While a verb runs that can take long,
/// SIGINT and SIGTERM ask it to stop.
///
/// # Examples
///
/// ```
/// let words = ["certwright", "init", "-"];
/// assert_eq!(certwright_cli::run(words.map(Into::into)), 0);
/// ```
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // Help and version are answers on standard output; everything else is bad usage.
        Err(error) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            return if error.print().is_ok() || status != 0 { status } else { 1 };
        }
    };
    let mut screen = Screen::new(arguments.verb.name(), &arguments.shared);
    let status = dispatch(&arguments, &mut screen).unwrap_or_else(|failure| screen.failure(&failure));
    screen.finish(status)
}

fn dispatch(arguments: &Arguments, screen: &mut Screen) -> Done {
    let shared = &arguments.shared;
    match &arguments.verb {
        Verb::Plan(these) => verb::plan::run(shared, these, screen),
        Verb::Apply(these) => verb::apply::run(shared, these, screen),
        Verb::Run(these) => verb::run::run(shared, these, screen),
        Verb::Deploy(these) => verb::deploy::run(shared, these, screen),
        Verb::Verify(these) => verb::verify::run(shared, these, screen),
        Verb::Rollback(these) => verb::rollback::run(shared, these, screen),
        Verb::Status(these) => verb::status::run(shared, these, screen),
        Verb::Access(these) => verb::access::run(these, screen),
        Verb::Inspect(these) => verb::inspect::run(these, screen),
        Verb::Ca(these) => verb::ca::run(shared, these, screen),
        Verb::Account(these) => verb::account::run(shared, these, screen),
        Verb::Issuer(these) => verb::issuer::run(shared, these, screen),
        Verb::Revoke(these) => verb::revoke::run(shared, these, screen),
        #[cfg(feature = "testbed")]
        Verb::Testbed(these) => verb::testbed::run(these, screen),
        Verb::Init(these) => verb::init::run(shared, these, screen),
        Verb::Schema => verb::manual::schema(screen),
        Verb::Completions(these) => verb::manual::completions(these, screen),
        Verb::Man(these) => verb::manual::man(these, screen),
    }
}
