//! The conformance suite of `Probe` over TLS, each dialect before it, a file and a callback, and over probes that break one
//! promise each.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

#[path = "probe/callback.rs"]
mod callback;
#[path = "probe/file.rs"]
mod file;
#[path = "probe/lying.rs"]
mod lying;
#[path = "probe/server.rs"]
mod server;
#[path = "probe/tls.rs"]
mod tls;

use std::sync::Arc;

use certwright::{Endpoint, Filesystem, KeyAlgorithm, OsFilesystem, Probe};

/// The probe for a wish, on the real file system.
fn made(wish: &Endpoint) -> Arc<dyn Probe> {
    let fs: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
    certwright::probe(wish, KeyAlgorithm::EcdsaP256, &fs).unwrap()
}
