//! A real nginx, which runs as a user of its own: the tests need root.

#[path = "nginx/as_root.rs"]
mod as_root;
