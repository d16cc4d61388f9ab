//! Certificates from step-ca, by its own interface over HTTPS.
//!
//! ```text
//!  first of all            GET /root/{fingerprint}     whoever answers: the answer is known by its digest, nothing else is used
//!  each call               GET /health                 what time is it there
//!                          GET /roots                  the roots of today, kept for the next call
//!
//!  replaces nothing ─────▶ GET /provisioners … the key, opened with the password ▶ a token ▶ POST /sign
//!
//!  replaces a certificate of the same names whose key is here
//!       valid ───────────▶ POST /rekey for a fresh key, POST /renew for the same one; the certificate is shown in TLS
//!       has ended ───────▶ POST /renew with a token that its key signs; the certificate is not shown. Then /rekey
//!       refused ─────────▶ POST /sign, when there is something to be convinced with
//! ```
//!
//! Tokens carry the time of the CA's clock: it counts, and it lets one be late by a minute at most. Every call is one thread,
//! one connection (another one where a certificate is shown) and one deadline.

mod answer;
mod client;
mod credential;
mod examine;
mod issuing;
mod problem;
mod provisioner;
mod renew;
mod revoke;
mod session;
mod sign;
mod token;
mod trust;

pub use client::{Password, StepCaClient};

/// The parsers of what a CA sends, for the fuzzer and the replay of its corpus.
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    use super::{answer, problem, provisioner, token};

    /// A body as each of the documents that are read here.
    pub fn answer(body: &[u8]) {
        let _ = answer::root(body);
        let _ = answer::roots(body);
        let _ = answer::chain(body);
        let _ = answer::is_well(body);
        let _ = answer::encrypted_key(body);
        let _ = provisioner::page(body);
        let _ = problem::said(body);
        if let Ok(text) = std::str::from_utf8(body) {
            let _ = token::read(text);
        }
    }

    /// An encrypted key; what is inside, when this password opens it.
    pub fn jwe(text: &str, password: &[u8]) -> Option<usize> {
        crate::pki::jwe::open(text, password).ok().map(|opened| opened.expose().len())
    }
}
