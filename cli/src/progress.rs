//! One line that says which arrow is under way, for people who wait at a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use certwright::Watch;

/// Told about each arrow; nothing when nobody looks.
pub(crate) fn watch() -> Option<Watch> {
    io::stderr().is_terminal().then(|| {
        Arc::new(|progress: &certwright::Progress| {
            let line = format!("\r\x1b[K{}: {} …", progress.lineage, progress.phase);
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }) as Watch
    })
}

/// Take the line away again.
pub(crate) fn erase() {
    if io::stderr().is_terminal() {
        let _ = io::stderr().lock().write_all(b"\r\x1b[K");
    }
}
