//! The program that uses the certificate: how it is checked, reloaded, asked and seen to run.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::ground::name::DnsName;
use crate::plan::word::worded;

/// An argument vector with its limits. Never a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// Program and arguments; at least the program.
    pub argv: Vec<String>,
    /// How long it may take before its process group is killed.
    pub limit: Duration,
    /// What it looks at.
    pub scope: CommandScope,
}

/// What a command looks at: whether one run of it is good for several lineages of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CommandScope {
    /// It may look at the lineage and generation that it is told.
    #[default]
    Lineage,
    /// At the service as a whole, whichever lineage it is run for.
    Service,
}

impl Command {
    /// The time limit when none is given.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(30);

    /// This argument vector with the default time limit.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        Self { argv, limit: Self::DEFAULT_LIMIT, scope: CommandScope::Lineage }
    }

    /// The same for a command that looks at the service as a whole.
    pub fn of_service<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self { scope: CommandScope::Service, ..Self::new(argv) }
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
        /// The file whose first line is the pid, with or without blanks around it.
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
        /// How HAProxy is reloaded when that cannot be done, if it may be: what was handed over at run time is on disk too.
        otherwise: Option<Box<Reload>>,
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

    /// One connection in plain TLS without SNI, with the default time limit.
    pub const fn new(address: Address) -> Self {
        Self { address, server_name: None, starttls: None, limit: Self::DEFAULT_LIMIT, connections: 1 }
    }
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

impl Address {
    /// The port, unless it is a file.
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Socket(address) => Some(address.port()),
            Self::Host(_, port) => Some(*port),
            Self::File(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => write!(f, "{address}"),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

worded! {
    /// A dialect that upgrades a plain connection to TLS.
    pub enum StartTls {
        /// SMTP `STARTTLS` (RFC 3207).
        Smtp = "smtp",
        /// IMAP `STARTTLS` (RFC 9051 §6.2.1).
        Imap = "imap",
        /// POP3 `STLS` (RFC 2595 §4).
        Pop3 = "pop3",
        /// PostgreSQL `SSLRequest` (protocol documentation, "SSL Session Encryption").
        Postgres = "postgres",
    }
}

/// How to tell that a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Running {
    /// The process named in the first line of this pid file is alive.
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

impl Failover {
    /// The daemon that is seen to run in this way.
    pub const fn new(running: Running) -> Self {
        Self { running }
    }
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
