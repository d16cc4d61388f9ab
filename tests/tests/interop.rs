//! The clients that people have, and the commands of the README, against the test bed. `cargo xtask interop` runs them all;
//! here are those that take a second.

#[path = "interop/as_root.rs"]
mod as_root;
