//! Certificates over their whole life: issued, placed on disk for the right readers, switched atomically, seen to be served,
//! and undone when any step fails.
//!
//! ```text
//!  Spec ─plan─▶ Plan ─issue─▶ Issued ─stage─▶ Staged ─prove──▶ Proven
//!  wish         decision      key+chain       on disk,         proof
//!                                ▲            unreachable        │
//!           material made by ────┘                               │ activate: one rename, then check + reload
//!           another client (deploy)                              ▼
//!  Report ◀─record─ Committed  ◀─commit─ Probed ◀─────probe───── Activated
//!  Report ◀─record─ RolledBack ◀────────────────rollback──────────┘
//! ```
//!
//! Each arrow is one function in one file, each box one type that only its arrow can make: nothing unproven is activated and
//! nothing unprobed is committed. The generation before stays complete and one rename away until the new one is seen to be
//! served.
//!
//! # Getting started
//!
//! 1. Read a configuration: [`Config::parse`]; [`starter_file`] is a commented one.
//! 2. Open it: [`Lifecycle::open`], or [`Builder`] to bring a clock, an issuer, a reloader or a probe of your own.
//! 3. Call a verb: [`Lifecycle::apply`] from a timer, [`Lifecycle::deploy`] from another client's hook,
//!    [`Lifecycle::verify`] from monitoring.
//!
//! A rustls server in the same process follows what is active with `ActiveCertificates` (feature `rustls`), and any web server
//! answers challenges with [`HttpAnswers`].
//!
//! Everything blocks; call it from a blocking thread in an asynchronous program. Errors carry six facts, see [`Error`].
//! Who can read which path, and why, is answered by [`access`] alone, for any path.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::disallowed_methods,
        reason = "a failing test may panic, and prepares the disk it tests on"
    )
)]

mod deploy;
mod ground;
mod issue;
mod lifecycle;
mod pki;
mod place;
mod plan;
mod serve;

pub use deploy::attempt::{Progress, Watch};
pub use deploy::probe::{Observation, Place, Probe, ProbeCallback, Seen, probe};
pub use deploy::reload::{ReloadCallback, ReloadContext, Reloaded, Reloader, reloader};
pub use ground::cancel::Cancel;
pub use ground::duration::parse as parse_duration;
pub use ground::error::{Aftermath, ContextValue, Error, ErrorKind, Phase, Public, Result, Retry};
pub use ground::id::{Fingerprint, GenerationId, IssuerName, LineageName};
pub use ground::identity::Identity;
pub use ground::name::{DnsName, Identifier, Sans};
pub use ground::secret::SecretBytes;
pub use ground::time::{Clock, ManualClock, Timestamp, Window};
#[cfg(feature = "acme")]
pub use issue::acme::{AcmeAccount, AcmeClient};
pub use issue::issuer::{Examined, Held, Issued, Issuer, RenewalInfo, Request, RevocationReason};
pub use issue::local::LocalCa;
pub use issue::persistent::{Persistent, Reach};
pub use issue::solve::solver;
pub use issue::solver::{Afterlife, Challenge, Solver};
#[cfg(feature = "step-ca")]
pub use issue::step_ca::{Password, StepCaClient};
pub use lifecycle::{
    Background, Builder, Claim, DEFAULT_WAIT, Depth, Endpoints, Lifecycle, Metrics, Options, Return, RunEvent,
    RunOptions, Selection, Trial,
};
pub use pki::authority::Authority;
pub use pki::chain::Chain;
pub use pki::csr::Csr;
pub use pki::finding::{Finding, Severity};
pub use pki::inspect::{Input, Inspection, Part, Question, inspect};
pub use pki::key::{KeyAlgorithm, PrivateKey};
pub use pki::leaf::Certificate;
pub use pki::material::Material;
pub use pki::trust::Roots;
pub use place::clock::SystemClock;
pub use place::filesystem::{AclKind, Filesystem, Node, NodeKind, Open, Rename, Space, Stat};
pub use place::os::OsFilesystem;
pub use place::wake::Wake;
pub use plan::decide::{Decision, Plan, Standing};
pub use plan::file::{schema, starter_file};
pub use plan::preset::{Preset, Service};
pub use plan::reason::Reason;
pub use plan::renewal::{Absurd, Basis, Renewal};
pub use plan::spec::{
    AccessWish, AclWish, AcmeIssuer, Address, ChallengeKind, Command, CommandScope, CommandSolver, Config, Convention,
    DnsPersist, Encoding, Endpoint, ExternalAccount, Failover, Form, IssuerSpec, KeyChange, KeyRule, LimitTable,
    Limits, LocalIssuer, Output, Principal, Privacy, Propagation, Rate, Reload, Retain, Rfc2136, Running, SecretSource,
    SolverSpec, Spec, StartTls, StepCaIssuer, StepCredential, StepJwk, StepX5c, Strategy, TsigAlgorithm, TsigKey,
};
#[cfg(feature = "rustls")]
pub use serve::active::ActiveCertificates;
pub use serve::http::HttpAnswers;
#[cfg(feature = "rustls")]
pub use serve::renewed::News;
#[cfg(feature = "rustls")]
pub use serve::slot::Serving;

/// The example that newcomers read first has to compile and to run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So have those of the page for services.
#[cfg(doctest)]
#[cfg(feature = "rustls")]
#[doc = include_str!("../../docs/rust-service.md")]
struct RustService;

/// What each verb did or found: one versioned shape a verb, ready for serialization.
pub mod report {
    #[cfg(feature = "acme")]
    pub use crate::lifecycle::report::AccountReport;
    pub use crate::lifecycle::report::{
        ErrorReport, ExaminedReport, FindingReport, GenerationReport, IssuerReport, LineageReport, LineageStatus,
        Outcome, PlanReport, PlannedReport, ProofReport, REPORT_VERSION, ReasonReport, RevokeReport, RunReport,
        ServedReport, StatusReport, VerifiedReport, VerifyReport,
    };
    pub use crate::place::journal::Event;
}

/// Who may read a file and why; the smallest access that a wish needs, and its proof.
pub mod access {
    pub use crate::place::access::acl::{Acl, EntryKind, Named, UNMAPPED};
    pub use crate::place::access::component::Component;
    pub use crate::place::access::drift::{Change, Drift, compare};
    pub use crate::place::access::explain::{PathVerdict, explain};
    pub use crate::place::access::inode::Access;
    pub use crate::place::access::model::{allows, allows_capable};
    pub use crate::place::access::names::{Names, Numbers, Reader};
    pub use crate::place::access::permissions::Permissions;
    pub use crate::place::access::prove::{AccessProof, Evidence, Secrecy, prove};
    pub use crate::place::access::readership::{Grant, Grantee, who_can_read};
    pub use crate::place::access::solve::{directory, public_file, secret_file};
    pub use crate::place::access::trust::trusted;
    pub use crate::place::access::verdict::{Capabilities, Doubt, Rule, Verdict};
    pub use crate::place::access::walk::PathFacts;
}

/// The parsers of what is on disk (what was read, as it would be written again) and of what comes over the network. Not a
/// part of the interface.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    use super::{Material, Result, SecretBytes};
    use crate::place::journal::Event;

    pub fn journal(bytes: &[u8]) -> Vec<Event> {
        crate::place::journal::parse(bytes)
    }

    pub fn manifest(bytes: &[u8]) -> Option<Vec<u8>> {
        crate::place::manifest::Manifest::from_bytes(bytes).ok()?.to_bytes().ok()
    }

    pub fn txn(bytes: &[u8]) -> Option<Vec<u8>> {
        crate::place::txn::Txn::from_bytes(bytes).ok()?.to_bytes().ok()
    }

    pub fn order(bytes: &[u8]) -> Option<Vec<u8>> {
        Some(crate::place::order::Order::from_bytes(bytes)?.to_bytes().ok()?.expose().to_vec())
    }

    pub fn schedule(bytes: &[u8]) -> Option<Vec<u8>> {
        crate::place::schedule::Schedule::from_bytes(bytes)?.to_bytes().ok()
    }

    pub fn limits(bytes: &[u8]) -> Option<Vec<u8>> {
        crate::place::ledger::to_bytes(&crate::place::ledger::from_bytes(bytes)?).ok()
    }

    /// What an authority may answer, read as far as it goes.
    #[cfg(feature = "acme")]
    pub use crate::issue::acme::fuzzing::{answer, headers};

    pub fn pkcs12(material: &Material, name: &str, passphrase: &SecretBytes) -> Result<SecretBytes> {
        crate::pki::pkcs12::encode(material, name, passphrase)
    }

    /// What step-ca may answer, and what its provisioners' keys may be wrapped in.
    #[cfg(feature = "step-ca")]
    pub mod step_ca {
        pub use crate::issue::step_ca::fuzzing::{answer, jwe};
    }

    /// The parsers of an ACME server's answers.
    #[cfg(feature = "acme")]
    pub mod acme {
        use std::time::Duration;

        use crate::issue::acme::exposed;
        use crate::{Challenge, Error, Identifier, Result, Timestamp, Window};

        pub fn directory(body: &[u8]) -> Result<Vec<String>> {
            exposed::directory(body)
        }

        pub fn order(body: &[u8]) -> Option<Vec<String>> {
            exposed::order(body)
        }

        pub fn authorization(body: &[u8], identifier: &Identifier) -> Option<Vec<Challenge>> {
            exposed::authorization(body, identifier)
        }

        pub fn problem(body: &[u8], now: Timestamp) -> Option<Error> {
            exposed::problem(body, now)
        }

        pub fn window(body: &[u8]) -> Option<Window> {
            exposed::window(body)
        }

        pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
            exposed::retry_after(value, now)
        }

        pub fn date(value: &str) -> Option<Timestamp> {
            exposed::date(value)
        }

        pub fn alternates(value: &str, url: &str) -> Vec<String> {
            exposed::alternates(value, url)
        }
    }
}
