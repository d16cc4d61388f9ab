//! Every preset with its real program, which runs as a user of its own: the tests need root.

#[path = "presets/as_root.rs"]
mod as_root;
