//! The wish, as the rest of the library sees it: parsed, checked, with presets already filled in.
//!
//! These types do not derive serialization; the shape of `certwright.toml` is in `file`, which makes these.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::ground::id::{IssuerName, LineageName};
use crate::ground::name::{DnsName, Sans};
use crate::pki::key::KeyAlgorithm;

/// A whole configuration: where lineages live, who issues, what is wished.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The directory that holds every lineage. Absolute.
    pub root: PathBuf,
    /// The issuers that lineages may name.
    pub issuers: BTreeMap<IssuerName, IssuerSpec>,
    /// The wishes by lineage name.
    pub lineages: BTreeMap<LineageName, Spec>,
    /// How to tell that the fail-over daemon of this machine runs, for `verify --ready`.
    pub failover: Option<Failover>,
}

/// How to reach an issuer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IssuerSpec {
    /// The embedded CA below `<root>/.issuers/<name>/`.
    Local(LocalIssuer),
}

/// Wishes for the embedded CA.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LocalIssuer {
    /// How long a leaf is valid.
    pub lifetime: Duration,
    /// Names below which this CA may issue (RFC 5280 §4.2.1.10); empty means any. Fixed when the CA is made.
    pub permitted: Vec<DnsName>,
    /// The algorithm of the CA's own keys.
    pub key: KeyAlgorithm,
}

impl Default for LocalIssuer {
    /// Leaves of 90 days, any name, keys on P-256.
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(90 * 86_400), permitted: Vec::new(), key: KeyAlgorithm::default() }
    }
}

/// The wish for one lineage.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The lineage's name.
    pub name: LineageName,
    /// What the certificate is for.
    pub identifiers: Sans,
    /// Who issues; `None` when another client brings the material.
    pub issuer: Option<IssuerName>,
    /// The algorithm of the leaf's key.
    pub key: KeyAlgorithm,
    /// Whether a renewal brings a fresh key.
    pub key_change: KeyChange,
    /// PEM file of roots that the chain must lead to; `None` means links, order and signatures are checked as sent.
    pub roots: Option<PathBuf>,
    /// Who may read the secrets inside the lineage, and how.
    pub access: AccessWish,
    /// Whether the directories are closed to everyone but the readers.
    pub privacy: Privacy,
    /// Files outside the lineage directory, and forms inside it beyond the usual.
    pub outputs: Vec<Output>,
    /// The service's own configuration test.
    pub check: Option<Command>,
    /// How the service is made to re-read.
    pub reload: Option<Reload>,
    /// What to ask, to see which certificate is served.
    pub probes: Vec<Endpoint>,
    /// How to tell that the service runs, for `verify --ready`.
    pub running: Option<Running>,
    /// When the program itself judges the mode bits of a key.
    pub key_rule: KeyRule,
    /// What to keep of old generations.
    pub retain: Retain,
}

/// Whether a renewal brings a fresh key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyChange {
    /// Rekey: every issuance has a fresh key.
    #[default]
    Rekey,
    /// Renew: the key stays until the spec asks for another algorithm.
    Renew,
}

/// Whether the directories of a lineage may be searched by everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Privacy {
    /// Search without list for everyone (0711): the secrets inside are closed anyway.
    #[default]
    Open,
    /// Search for the readers alone, by ACL entries.
    Private,
}

/// Who must be able to read, and raw access beside it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccessWish {
    /// Principals that must be able to read.
    pub readers: Vec<Principal>,
    /// The owner of the file; the user that runs certwright when `None`.
    pub owner: Option<Principal>,
    /// The group of the file.
    pub group: Option<Principal>,
    /// Mode bits wished as such, `0o600` to `0o777`.
    pub mode: Option<u32>,
    /// Raw entries of the access ACL (acl(5) short text form, `user:backup:r--`).
    pub acl: Vec<AclWish>,
}

/// A user or a group by name or number. Names are resolved when access is proved, not when the spec is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Principal {
    /// `user:NAME` or `user:1000`.
    User(String),
    /// `group:NAME` or `group:1000`.
    Group(String),
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
        }
    }
}

/// One raw ACL entry wished for: a named user or group and its permission bits (r 4, w 2, x 1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclWish {
    /// Whom the entry names.
    pub who: Principal,
    /// Permission bits, 0 to 7.
    pub permissions: u8,
}

/// One file that a program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// Where it is, absolute. For [`Strategy::Link`] a path below `current/`, made known but not written.
    pub path: PathBuf,
    /// How it changes.
    pub strategy: Strategy,
    /// What is in it.
    pub form: Form,
    /// How it is written.
    pub encoding: Encoding,
    /// Its own access; the lineage's when `None`.
    pub access: Option<AccessWish>,
    /// For [`Strategy::Pinned`]: the text of the include file, with `{generation}` in place of the generation's path.
    pub template: Option<String>,
    /// For [`Encoding::Pkcs12`]: file that holds the pass phrase.
    pub passphrase_file: Option<PathBuf>,
    /// What the program that reads this file insists on.
    pub key_rule: KeyRule,
}

/// How an output changes from one generation to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// A symbolic link at a fixed path outside, set once, that leads through `current/`.
    Link,
    /// A one-line include file that names the generation, replaced by one rename.
    Pinned,
    /// A real file at a fixed path, replaced by one rename.
    Replace,
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// The private key.
    Key,
    /// The end-entity certificate.
    Leaf,
    /// Intermediates, leaf side first, without root.
    Chain,
    /// Leaf and chain.
    Fullchain,
    /// Key, leaf and chain.
    Bundle,
}

impl Form {
    /// Every form, in the order of the files of a generation.
    pub const ALL: [Self; 5] = [Self::Key, Self::Leaf, Self::Chain, Self::Fullchain, Self::Bundle];

    /// The word of the configuration, and the stem of the file in a generation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Leaf => "leaf",
            Self::Chain => "chain",
            Self::Fullchain => "fullchain",
            Self::Bundle => "bundle",
        }
    }

    /// The name of the file in a generation.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Key => "key.pem",
            Self::Leaf => "leaf.pem",
            Self::Chain => "chain.pem",
            Self::Fullchain => "fullchain.pem",
            Self::Bundle => "bundle.pem",
        }
    }

    /// Whether it holds the private key.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::Bundle)
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// Text armour (RFC 7468).
    #[default]
    Pem,
    /// DER, one object per file.
    Der,
    /// PKCS#12 (RFC 7292), encrypted by PBES2 with AES-256.
    Pkcs12,
}

/// An argument vector with its limits. Never a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// Program and arguments; at least the program.
    pub argv: Vec<String>,
    /// How long it may take before its process group is killed.
    pub limit: Duration,
}

impl Command {
    /// The time limit when none is given.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(30);

    /// This argument vector with the default time limit.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), limit: Self::DEFAULT_LIMIT }
    }
}

/// How a service is made to re-read its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reload {
    /// Run a command.
    Command(Command),
    /// Send a signal to the process named in a pid file.
    Signal {
        /// The signal's name without `SIG`: `HUP`, `USR1`, `USR2`.
        signal: String,
        /// The file that holds the pid.
        pid_file: PathBuf,
    },
    /// Reload a systemd unit.
    Unit(String),
    /// Replace the certificate through HAProxy's runtime API.
    Haproxy {
        /// The admin socket.
        socket: PathBuf,
        /// The certificate's name inside HAProxy: the path it was loaded from.
        certificate: PathBuf,
    },
}

/// One endpoint that is asked which certificate it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Where to connect.
    pub address: Address,
    /// The name sent as SNI; none is sent when `None`.
    pub server_name: Option<DnsName>,
    /// The dialect spoken before TLS.
    pub starttls: Option<StartTls>,
    /// The total time for connect, dialect and handshake.
    pub limit: Duration,
    /// How many fresh connections must all see the new certificate (several workers may answer).
    pub connections: u32,
}

impl Endpoint {
    /// The time limit when none is given.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(10);
}

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// One socket address.
    Socket(SocketAddr),
    /// A host name and port; every address it resolves to is asked.
    Host(String, u16),
    /// A certificate file that a program reads, as `file:/path`.
    File(PathBuf),
}

/// A dialect that upgrades a plain connection to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartTls {
    /// SMTP `STARTTLS` (RFC 3207).
    Smtp,
    /// IMAP `STARTTLS` (RFC 9051 §6.2.1).
    Imap,
    /// POP3 `STLS` (RFC 2595 §4).
    Pop3,
    /// PostgreSQL `SSLRequest` (protocol documentation, "SSL Session Encryption").
    Postgres,
}

/// How to tell that a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Running {
    /// The process named in this pid file is alive.
    PidFile(PathBuf),
    /// The systemd unit is active.
    Unit(String),
}

/// How to tell that the fail-over daemon runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failover {
    /// How to tell that it runs.
    pub running: Running,
}

/// What a program insists on for the mode bits of its key, beside being able to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyRule {
    /// Nothing.
    #[default]
    None,
    /// No group or world bit, unless root owns it and it is at most 0640 (PostgreSQL manual §19.9.1).
    Postgres,
}

/// What to keep of old generations. A generation goes when it is beyond `count` *and* older than `age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retain {
    /// How many generations are kept whatever their age.
    pub count: u32,
    /// How long a generation is kept whatever their number; never less than a day.
    pub age: Duration,
}

impl Default for Retain {
    fn default() -> Self {
        Self { count: 5, age: Duration::from_secs(30 * 86_400) }
    }
}
