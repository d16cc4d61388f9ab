//! `cargo xtask header`: the header of the C interface, made anew from the sources.

use crate::Outcome;
use crate::run::{cargo, run};

/// The verb.
///
/// # Errors
///
/// When the sources cannot be read.
pub fn verb(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("takes no arguments".to_owned());
    }
    // The test that compares the two can write it as well.
    let mut command = cargo(["test", "--quiet", "--package", "certwright-ffi", "--test", "header"]);
    command.env("CERTWRIGHT_WRITE_HEADER", "1");
    run(command)
}
