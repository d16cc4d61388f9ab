//! The interface for C, from C: built with nothing but what `pkg-config` says, run against a real nginx.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

#[path = "c_interface/abi.rs"]
mod abi;
#[path = "c_interface/compiled.rs"]
mod compiled;
#[path = "c_interface/deploy_as_root.rs"]
mod deploy_as_root;
#[path = "c_interface/examples.rs"]
mod examples;
#[path = "c_interface/header.rs"]
mod header;
#[path = "c_interface/manual.rs"]
mod manual;
#[path = "c_interface/parity.rs"]
mod parity;
#[path = "c_interface/programs.rs"]
mod programs;
#[path = "c_interface/wrong_calls.rs"]
mod wrong_calls;
