//! The clients that people have, and the commands of the README, against the test bed. `cargo xtask interop` runs them all;
//! here are those that take a second.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

#[path = "interop/as_root.rs"]
mod as_root;
