//! `cargo xtask bench`: what the library costs, beside a peer or a limit.

use crate::Outcome;
use crate::run::{cargo, command, run};
use crate::services::{Purpose, is_root, missing};

/// The verb: build as released, then measure. Figures are printed and never asserted.
///
/// # Errors
///
/// When it does not build, or something that is measured does not work.
pub fn verb(arguments: &[String]) -> Outcome {
    if !is_root() {
        return Err("readers are other users: run it as root, in a container for instance".to_owned());
    }
    for program in missing(Purpose::Bench) {
        println!("not installed: {}; `cargo xtask services bench` brings it", program.name);
    }
    run(cargo(["build", "--release", "--package", "certwright-cli", "--package", "certwright-bench"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), Into::into);
    let program = target.join("release/certwright-bench");
    run(command(&program.to_string_lossy(), arguments))
}
