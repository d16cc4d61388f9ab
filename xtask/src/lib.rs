//! The habits of the project, as a library so that the tests can use the same tables.

#![expect(clippy::print_stdout, reason = "a command line talks to its terminal")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic"))]

pub mod bench;
pub mod campaign;
pub mod demo;
pub mod fuzz;
pub mod header;
pub mod install;
pub mod interop;
pub mod python;
mod quiet;
mod run;
pub mod services;
pub mod step_ca;
pub mod test;
pub mod tidy;

use std::path::{Path, PathBuf};

/// Nothing, or one sentence for the person at the terminal.
pub type Outcome = Result<(), String>;

/// The top of the source tree.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
