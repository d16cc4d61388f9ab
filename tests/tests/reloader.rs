//! The conformance suite of `Reloader` over a command, a signal, a unit, HAProxy and a callback, and over reloaders that
//! break one promise each.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

#[path = "reloader/callback.rs"]
mod callback;
#[path = "reloader/haproxy.rs"]
mod haproxy;
#[path = "reloader/lying.rs"]
mod lying;
#[path = "reloader/process.rs"]
mod process;
#[path = "reloader/script.rs"]
mod script;

use std::sync::Arc;

use certwright::{Filesystem, OsFilesystem, Reload, Reloader};

/// The reloader for a wish, on the real file system.
fn made(wish: &Reload) -> Arc<dyn Reloader> {
    let fs: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
    certwright::reloader(wish, &fs).unwrap()
}
