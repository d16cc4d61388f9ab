//! A real HAProxy, which runs as a user of its own: the tests need root.

#[path = "haproxy/as_root.rs"]
mod as_root;
