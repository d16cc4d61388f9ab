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
    use crate::ground::error::{Error, Result};
    use crate::pki::leaf::Certificate;

    /// A body as each of the documents that are read here: what is wrong with it as one that it is not, and the roots that it
    /// is believed to list.
    pub fn answer(body: &[u8]) -> (Vec<Error>, Vec<Certificate>) {
        let roots = answer::roots(body);
        let listed = roots.as_ref().map(Clone::clone).unwrap_or_default();
        let _ = (answer::is_well(body), answer::version(body), problem::said(body));
        let _ = std::str::from_utf8(body).map(token::read);
        let faults = [
            answer::root(body).err(),
            roots.err(),
            answer::chain(body).err(),
            answer::encrypted_key(body).err(),
            provisioner::page(body).err(),
        ];
        (faults.into_iter().flatten().collect(), listed)
    }

    /// An encrypted key: how much is inside, when this password opens it in a short time.
    pub fn jwe(text: &str, password: &[u8]) -> Result<usize> {
        const QUICK: u64 = 2_000;
        crate::pki::jwe::open_within(text, password, QUICK).map(|opened| opened.expose().len())
    }
}
