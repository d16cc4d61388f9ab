//! The `certwright` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(certwright_cli::run(std::env::args_os()))
}
