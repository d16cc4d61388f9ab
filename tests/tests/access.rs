//! Access: the model against the kernel, the text against `getfacl` and `setfacl`, names against `id`, and the proof on
//! real files.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing test may panic; seeds are printed"
)]

/// Everything here changes owners or takes on other identities.
#[path = "access"]
mod as_root {
    mod kernel;
    mod lying;
    mod names;
    mod proof;
    mod race;
    mod text;
}
