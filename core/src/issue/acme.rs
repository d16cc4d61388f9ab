//! Certificates from an ACME server (RFC 8555), over instant-acme.
//!
//! An order, with the requests that it takes when the account is there and the directory is known:
//!
//! ```text
//!             POST new-order                                 (again without `replaces`, when that is refused)
//!                   │                                         URL and key are kept from here on
//!   ┌───────────────▼───────────────┐
//!   │ pending                       │  POST-as-GET each authorization; those that are valid are done
//!   │   solver: present … wait      │  the answers, in place and to be seen, before the authority is told
//!   │                               │  POST each challenge
//!   │   poll                        │  POST-as-GET order: from milliseconds, growing; never before `Retry-After`
//!   └───┬───────────────────────┬───┘
//!       │ ready                 │ invalid ──▶ POST-as-GET authorizations: which identifier, where did they look
//!   solver: clean up            solver: clean up (also when presenting failed, and when asked to stop)
//!       │
//!   POST finalize  ◀── our own request: the key never passes through a client library
//!       │
//!   processing ── poll ──▶ valid
//!                            │
//!                      POST-as-GET certificate, and alternates when another chain is preferred
//! ```
//!
//! A run that was cut off anywhere in it goes on where the order stands. Every request goes to the host of the directory. A
//! refused nonce is replaced for as long as there is time.

mod account;
mod account_file;
mod answers;
mod by_hand;
mod chain;
mod client;
mod desk;
mod directory;
mod enrol;
mod examine;
#[cfg(feature = "fuzzing")]
pub(crate) mod exposed;
mod issuing;
mod lasting;
mod memory;
mod order;
mod pace;
mod problem;
mod renewal;
mod revoke;
mod rollover;
mod session;
mod why;

pub use by_hand::AcmeAccount;
pub use client::AcmeClient;

/// The parsers of what an authority sends, for the fuzzer and the replay of its corpus.
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    use super::{directory, problem, renewal};
    use crate::ground::time::Timestamp;
    use crate::issue::header;

    /// A body as each of the documents that are read here.
    pub fn answer(body: &[u8]) {
        let _ = directory::Directory::read(body, "https://ca.example/directory");
        let _ = renewal::window(body);
        if let Some(problem) = serde_json::from_slice(body).ok().as_ref().and_then(problem::Problem::read) {
            let error = problem.error(problem::Stage::Validation, None, Timestamp::from_unix(0));
            let _ = format!("{error:#}");
        }
    }

    /// A header as each of those that are read here: the wait, the moment and the links that it is.
    pub fn headers(value: &str) -> (Option<std::time::Duration>, Option<Timestamp>, Vec<String>) {
        let links = header::alternates(value).map(str::to_owned).collect();
        (header::retry_after(value, Timestamp::from_unix(1_795_507_200)), header::http_date(value), links)
    }
}
