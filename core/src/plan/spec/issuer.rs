//! Where certificates come from.

use std::path::PathBuf;
use std::time::Duration;

use super::limits::Limits;
use super::solver::SolverSpec;
use super::step_ca::StepCaIssuer;
use crate::ground::name::DnsName;
use crate::pki::key::KeyAlgorithm;

/// How to reach an issuer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IssuerSpec {
    /// The embedded CA below `<root>/.issuers/<name>/`.
    Local(LocalIssuer),
    /// An ACME server (RFC 8555).
    Acme(Box<AcmeIssuer>),
    /// step-ca, by its own interface.
    StepCa(Box<StepCaIssuer>),
}

/// Wishes for the embedded CA.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalIssuer {
    /// How long a leaf is valid.
    pub lifetime: Duration,
    /// Names below which this CA may issue (RFC 5280 §4.2.1.10); empty means any. Fixed when the CA is made.
    pub permitted: Vec<DnsName>,
    /// The algorithm of the CA's own keys.
    pub key: KeyAlgorithm,
}

impl LocalIssuer {
    /// How long a leaf is valid when nothing is said: renewed after twenty days, with ten days to notice trouble.
    pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
}

impl Default for LocalIssuer {
    fn default() -> Self {
        Self { lifetime: Self::DEFAULT_LIFETIME, permitted: Vec::new(), key: KeyAlgorithm::default() }
    }
}

/// Wishes for an ACME server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcmeIssuer {
    /// The URL of the directory (RFC 8555 §7.1.1); `https` only.
    pub directory: String,
    /// Contact URLs of the account, such as `mailto:ops@example.org`; may be empty.
    pub contact: Vec<String>,
    /// PEM file of the roots that the directory's own TLS leads to; `None` means the roots of the system.
    pub trust: Option<PathBuf>,
    /// PEM file of the roots that issued chains are judged against; `None` means links, order and signatures as sent.
    pub roots: Option<PathBuf>,
    /// The profile to ask for; `None` means the server's default.
    pub profile: Option<String>,
    /// The common name of an issuer in the chain that is preferred among the alternates (RFC 8555 §7.4.2).
    pub preferred_chain: Option<String>,
    /// The binding to an account elsewhere (RFC 8555 §7.3.4).
    pub external_account: Option<ExternalAccount>,
    /// Who answers the challenges, in the order of preference. Empty when the program that serves answers them itself, which
    /// is brought to [`Builder::solver`](crate::Builder::solver).
    pub solvers: Vec<SolverSpec>,
    /// The total time for one issuance.
    pub limit: Duration,
    /// What is counted, so that an order that would be refused is not placed.
    pub limits: Limits,
}

impl AcmeIssuer {
    /// The total time for one issuance when none is given: DNS needs minutes to be seen.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(600);

    /// The server with this directory; nothing else is asked of it, and `solver` answers its challenges.
    pub fn new(directory: impl Into<String>, solver: SolverSpec) -> Self {
        Self {
            directory: directory.into(),
            contact: Vec::new(),
            trust: None,
            roots: None,
            profile: None,
            preferred_chain: None,
            external_account: None,
            solvers: vec![solver],
            limit: Self::DEFAULT_LIMIT,
            limits: Limits::default(),
        }
    }
}

/// What the authority gave out of band, to bind the account to (RFC 8555 §7.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalAccount {
    /// The key identifier.
    pub kid: String,
    /// File with the MAC key in base64url, one line.
    pub key_file: PathBuf,
}

impl ExternalAccount {
    /// The account of this identifier, with the MAC key in this file.
    pub fn new(kid: impl Into<String>, key_file: impl Into<PathBuf>) -> Self {
        Self { kid: kid.into(), key_file: key_file.into() }
    }
}
