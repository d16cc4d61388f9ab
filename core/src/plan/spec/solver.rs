//! Who answers the challenges of an authority.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::service::Command;
use crate::plan::word::worded;

worded! {
    /// A kind of challenge.
    pub enum ChallengeKind {
        /// A file below `/.well-known/acme-challenge/` over HTTP (RFC 8555 §8.3).
        Http01 = "http-01",
        /// A TXT record at `_acme-challenge` (RFC 8555 §8.4).
        Dns01 = "dns-01",
        /// A certificate for the protocol `acme-tls/1` (RFC 8737).
        TlsAlpn01 = "tls-alpn-01",
        /// A TXT record at `_validation-persist` that stays (draft-ietf-acme-dns-persist-01).
        DnsPersist01 = "dns-persist-01",
    }
}

impl ChallengeKind {
    /// The kinds that a token is answered with, by something that is taken away afterwards.
    pub const WITH_TOKEN: [Self; 3] = [Self::Http01, Self::Dns01, Self::TlsAlpn01];
}

/// How challenges are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SolverSpec {
    /// `http-01`: a file in the document root of a server that runs already.
    HttpWebroot(PathBuf),
    /// `http-01`: a listener of our own, for the time of the order. Behind another server this may be any port.
    HttpListener(SocketAddr),
    /// `tls-alpn-01`: a listener of our own, for the time of the order.
    TlsAlpnListener(SocketAddr),
    /// `dns-01`: a dynamic update (RFC 2136) signed with TSIG (RFC 8945).
    Rfc2136(Rfc2136),
    /// `dns-persist-01`: the same, once.
    DnsPersist(DnsPersist),
    /// Any kind: a command written for some client.
    Command(CommandSolver),
}

/// Dynamic updates of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rfc2136 {
    /// The primary server of the zone.
    pub server: SocketAddr,
    /// The key that signs the updates; `None` when the server trusts the address.
    pub key: Option<TsigKey>,
    /// The zone to update, without a dot at its end; found by its SOA record when `None`. It may have underscores, which no
    /// host name has: a zone can be made for `_acme-challenge` alone.
    pub zone: Option<String>,
    /// How it is seen that the record can be seen.
    pub propagation: Propagation,
}

impl Rfc2136 {
    /// Updates at this server, unsigned, of the zone that the record is found to be in.
    pub fn new(server: SocketAddr) -> Self {
        Self { server, key: None, zone: None, propagation: Propagation::default() }
    }
}

/// A record that stays, put in place by a dynamic update where it is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsPersist {
    /// How the zone is updated.
    pub updates: Rfc2136,
    /// For how long a record is good; for ever when `None`. It is written anew when half of that is over.
    pub lasts: Option<Duration>,
}

impl DnsPersist {
    /// A record that lasts for ever, by updates like these.
    pub fn new(updates: Rfc2136) -> Self {
        Self { updates, lasts: None }
    }
}

/// How it is seen that a record has reached every authoritative server of its zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Propagation {
    /// How long it may take; zero means that nobody is asked.
    pub limit: Duration,
    /// Who looks up aliases, zones and their servers; the resolvers of the system when `None`.
    pub resolver: Option<SocketAddr>,
    /// The servers that must show the record; those that the zone names when empty.
    pub authoritative: Vec<SocketAddr>,
}

impl Propagation {
    /// How long a record may take to be seen everywhere when nothing is said.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(120);
}

impl Default for Propagation {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, resolver: None, authoritative: Vec::new() }
    }
}

/// A command that was written for another client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandSolver {
    /// What arguments and environment it expects.
    pub convention: Convention,
    /// The program, with arguments that come before those of the convention.
    pub command: Command,
    /// What takes the answer away again, where the convention has a command of its own for it ([`Convention::Certbot`]).
    pub cleanup: Option<Command>,
    /// The kinds that the command answers, in the order of preference; at least one.
    pub kinds: Vec<ChallengeKind>,
    /// How it is seen that the record of a `dns-01` answer can be seen.
    pub propagation: Propagation,
}

impl CommandSolver {
    /// A command of this convention that answers challenges of these kinds.
    pub fn new(convention: Convention, command: Command, kinds: Vec<ChallengeKind>) -> Self {
        Self { convention, command, cleanup: None, kinds, propagation: Propagation::default() }
    }
}

/// A shared key for transaction signatures (RFC 8945).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TsigKey {
    /// The name that the server knows it by, as a name in DNS without a dot at its end.
    pub name: String,
    /// The algorithm.
    pub algorithm: TsigAlgorithm,
    /// File with the secret in base64, one line.
    pub secret_file: PathBuf,
}

impl TsigKey {
    /// The key of this name, for HMAC with SHA-256, with its secret in this file.
    pub fn new(name: impl Into<String>, secret_file: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), algorithm: TsigAlgorithm::default(), secret_file: secret_file.into() }
    }
}

worded! {
    /// An algorithm of TSIG (RFC 8945 §6).
    #[derive(Default)]
    pub enum TsigAlgorithm {
        /// HMAC with SHA-256.
        #[default]
        HmacSha256 = "hmac-sha256",
        /// HMAC with SHA-384.
        HmacSha384 = "hmac-sha384",
        /// HMAC with SHA-512.
        HmacSha512 = "hmac-sha512",
    }
}

worded! {
    /// The client that a challenge script was written for.
    pub enum Convention {
        /// A dehydrated hook: `deploy_challenge` and `clean_challenge` with name, token and answer.
        Dehydrated = "dehydrated",
        /// A certbot manual hook: `CERTBOT_DOMAIN`, `CERTBOT_VALIDATION` and others.
        Certbot = "certbot",
        /// lego's exec provider: `present` or `cleanup`, record name, value.
        Lego = "lego",
        /// lego's exec provider in its raw mode: `present` or `cleanup`, `--`, name, token, key authorization.
        LegoRaw = "lego-raw",
        /// A uacme hook: `begin`, `done` or `failed`, kind, identifier, token, answer.
        Uacme = "uacme",
    }
}

impl Convention {
    /// The kinds of challenge that such a script can answer.
    pub const fn kinds(self) -> &'static [ChallengeKind] {
        match self {
            Self::Dehydrated | Self::Uacme => &ChallengeKind::WITH_TOKEN,
            Self::Certbot => &[ChallengeKind::Http01, ChallengeKind::Dns01],
            // Told a record and its value, a script need not know what they are for.
            Self::Lego => &[ChallengeKind::Dns01, ChallengeKind::DnsPersist01],
            Self::LegoRaw => &[ChallengeKind::Dns01],
        }
    }
}
