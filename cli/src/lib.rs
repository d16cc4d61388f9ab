//! The command line of certwright: parse, call, render. No decision lives here.
//!
//! The binary is one call of [`run`], so that other programs can carry the command too.

mod args;
mod load;
mod progress;
mod screen;
mod verb;

use std::ffi::OsString;

use clap::Parser;

use args::{Arguments, Verb};
use screen::Screen;

/// Run the command with these arguments, the program's name first, and answer its exit status.
///
/// # Effects
///
/// Those of the verb; the report goes to standard output, errors to standard error.
///
/// # Examples
///
/// ```
/// assert_eq!(certwright_cli::run(["certwright".into(), "schema".into()]), 0);
/// ```
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // Help and version are answers on standard output; everything else is bad usage.
        Err(error) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            return if error.print().is_ok() { status } else { 1 };
        }
    };
    let mut screen = Screen::new(&arguments.shared);
    let done = dispatch(&arguments, &mut screen);
    let status = done.unwrap_or_else(|error| screen.error(&error));
    screen.finish(status)
}

fn dispatch(arguments: &Arguments, screen: &mut Screen) -> certwright::Result<u8> {
    let shared = &arguments.shared;
    match &arguments.verb {
        Verb::Plan(these) => verb::plan::run(shared, these, screen),
        Verb::Apply(these) => verb::apply::run(shared, these, screen),
        Verb::Deploy(these) => verb::deploy::run(shared, these, screen),
        Verb::Verify(these) => verb::verify::run(shared, these, screen),
        Verb::Rollback(these) => verb::rollback::run(shared, these, screen),
        Verb::Status(these) => verb::status::run(shared, these, screen),
        Verb::Access(these) => verb::access::run(shared, these, screen),
        Verb::Inspect(these) => verb::inspect::run(shared, these, screen),
        Verb::Ca(these) => verb::ca::run(shared, these, screen),
        Verb::Init(these) => verb::init::run(these, screen),
        Verb::Schema => Ok(screen.text(&certwright::schema())),
        Verb::Completions(these) => verb::manual::completions(these, screen),
        Verb::Man => verb::manual::page(screen),
    }
}
