//! Who answers the challenges of an authority.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::service::Command;
use crate::ground::name::DnsName;
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
    }
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
    /// Any kind: a command written for some client.
    Command {
        /// What arguments and environment it expects.
        convention: Convention,
        /// The program, with arguments that come before those of the convention.
        command: Command,
        /// The kinds that the command answers, in the order of preference; at least one.
        kinds: Vec<ChallengeKind>,
    },
}

/// Dynamic updates of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rfc2136 {
    /// The primary server of the zone.
    pub server: SocketAddr,
    /// The key that signs the updates; `None` when the server trusts the address.
    pub key: Option<TsigKey>,
    /// The zone to update; found by its SOA record when `None`.
    pub zone: Option<DnsName>,
    /// How long the record may take to be seen at all authoritative servers.
    pub propagation: Duration,
}

/// A shared key for transaction signatures (RFC 8945).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TsigKey {
    /// The key's name.
    pub name: DnsName,
    /// The algorithm.
    pub algorithm: TsigAlgorithm,
    /// File with the secret in base64, one line.
    pub secret_file: PathBuf,
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
