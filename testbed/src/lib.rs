//! The other side of ACME (RFC 8555), in the process of a test: a server with a real authority behind it, that misbehaves on
//! demand and remembers what it was asked.
//!
//! [`Testbed::start`] takes milliseconds; the port is the system's choice; what is dropped is gone. Requests are checked as
//! an authority on the internet checks them: signatures (ES256, ES384, RS256, EdDSA), nonces, URLs, who owns what. The
//! answers to http-01, dns-01 and tls-alpn-01 are looked for, on ports and with a name server of the test's choice, or
//! believed. Certificates come with alternate chains, renewal information (RFC 9773), profiles and revocation.
//!
//! [`Faults`] is the script of what goes wrong, [`VirtualClock`] the time of this world, and [`Testbed::log`] what was asked
//! and when. Chance follows from a seed, so that a run repeats.
//!
//! Two settings make two worlds:
//!
//! ```
//! use certwright_testbed::{Real, Reuse, Settings, Testbed, Validation};
//!
//! let trusting = Testbed::with(Settings { validation: Validation::Believed, ..Settings::default() })?;
//! let looking = Validation::Real(Real { http_port: 8080, ..Real::default() });
//! let strict = Testbed::with(Settings { validation: looking, reuse: Reuse::Always, ..Settings::default() })?;
//! assert_ne!(trusting.directory(), strict.directory());
//! # Ok::<(), certwright::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test may panic"))]

mod acme;
mod ca;
mod clock;
mod dice;
mod dns;
mod faults;
mod harness;
mod hook;
mod log;
mod management;
mod settings;
mod state;
mod step_ca;
mod testbed;
mod wire;

pub use acme::problem::{Problem, ProblemKind};
pub use acme::route::Endpoint;
pub use clock::VirtualClock;
pub use dns::faults::{NameFault, NameFaults, Operation, Questions};
pub use dns::kind::RecordKind;
pub use dns::log::NameEntry;
pub use dns::records::{NameRecord, Records};
pub use dns::server::NameServer;
pub use dns::settings::{NameSettings, UnsignedUpdates};
pub use dns::wire::Transport;
pub use faults::{Fault, Faults, Occurrence, Substitute, Verdict};
pub use harness::story::{
    AccountTold, CertificateTold, ChallengeTold, OrderTold, ProblemTold, QueryTold, Story, Wasted,
};
pub use harness::{Ended, Harness, Isolation, Wish};
pub use hook::{Change, Contract, EventReport, HookFinding, HookReport, HookWish, try_hook};
pub use log::Entry;
pub use settings::{
    ExternalAccount, Limit, Limits, Names, Profile, Real, RenewalInformation, Reuse, Settings, Validation,
};
pub use step_ca::{StepCa, StepSettings};
pub use testbed::Testbed;
pub use wire::distort::strings_of;

/// The parsers of what a client sends. Not a part of the interface.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    /// What the front door sees in the body of a request, or the problem document that it answers with.
    ///
    /// # Errors
    ///
    /// The problem document.
    pub fn front_door(body: &[u8]) -> Result<serde_json::Value, serde_json::Value> {
        crate::acme::front::seen(body)
    }

    /// What a name server that takes unsigned updates answers to two datagrams of the same bytes.
    pub fn name_messages(bytes: &[u8]) -> [Option<Vec<u8>>; 2] {
        crate::dns::react::seen(bytes)
    }

    /// What a call to the management is answered: the status, and the body.
    pub fn management(method: &str, path: &str, query: &str, body: &[u8]) -> (u16, Vec<u8>) {
        crate::management::ask::seen(method, path, query, body)
    }

    /// What somebody with an account is answered who signs this payload for a place, chosen by a number: status, media type
    /// and body. No signature is made or checked.
    ///
    /// # Errors
    ///
    /// When there is no world to ask.
    pub fn payload(place: u8, payload: &[u8]) -> certwright::Result<(u16, String, Vec<u8>)> {
        crate::acme::fuzzed::answer(place, payload)
    }
}
