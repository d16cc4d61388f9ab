//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use certwright::{DnsName, IssuerName, LineageName, RevocationReason, Timestamp};
use clap::{Args, Parser, Subcommand};

/// Certificates over their whole life: issued, placed for the right readers, switched atomically, seen to be served, undone.
#[derive(Debug, Parser)]
#[command(
    name = "certwright",
    version,
    max_term_width = 100,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs",
    disable_help_subcommand = true,
    after_help = EXIT_STATUS
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The exit statuses in one sentence each.
pub(crate) const EXIT_STATUS: &str = "\
Exit status:
  0  well, done, nothing to do, accepted
  1  failed or waiting, and nothing is worse than before
  2  bad usage or configuration
  3  a finding: something to do, drift, the wrong certificate served, not accepted, denied
  4  stuck: a human is needed
  5  another run holds the lock";

/// What every verb understands.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct Shared {
    /// The configuration [default: $CERTWRIGHT_CONFIG, else /etc/certwright/certwright.toml]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Another directory for the lineages than the configuration's `root`
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How long to wait for another run on the same lineage, such as 30s or 5m [default: 5s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// Print errors alone
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    certwright::parse_duration(text).map_err(|error| match error.hint_text() {
        Some(hint) => format!("{}; {hint}", error.message()),
        None => error.message().to_owned(),
    })
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say what `apply` would do and why; write nothing
    Plan(Lineages),
    /// Issue, repair, activate: whatever each lineage needs; a second run changes nothing
    Apply(Lineages),
    /// Go on applying each lineage when its time has come
    Run(Run),
    /// Deploy key and certificates that another client obtained
    Deploy(Deploy),
    /// Compare what is there with the wish; change nothing
    Verify(Verify),
    /// Go back to an older generation and hold there, or let go again
    Rollback(Rollback),
    /// Say what is active, until when, what is next and what is unfinished
    Status(Named),
    /// Say who can read a path, and why
    Access(Access),
    /// Say what is in files, and whether it would be accepted as a server's certificate
    Inspect(Inspect),
    /// Ask the embedded CA
    Ca(Ca),
    /// See to the account at an ACME server
    Account(Account),
    /// See whether an issuer can be used
    Issuer(Issuer),
    /// Declare the active certificate of a lineage invalid
    Revoke(Revoke),
    /// Try a client or a hook: an ACME server with all that a client looks at, for one command
    #[cfg(feature = "testbed")]
    Testbed(crate::verb::testbed::Arguments),
    /// Write a commented starter configuration
    Init(Init),
    /// Print the JSON Schema of the configuration
    Schema,
    /// Print completions for a shell
    Completions(Completions),
    /// Print the manual page, or write one for each verb
    Man(Man),
}

impl Verb {
    /// The word on the command line.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Run(_) => "run",
            Self::Deploy(_) => "deploy",
            Self::Verify(_) => "verify",
            Self::Rollback(_) => "rollback",
            Self::Status(_) => "status",
            Self::Access(_) => "access",
            Self::Inspect(_) => "inspect",
            Self::Ca(_) => "ca",
            Self::Account(_) => "account",
            Self::Issuer(_) => "issuer",
            Self::Revoke(_) => "revoke",
            #[cfg(feature = "testbed")]
            Self::Testbed(_) => "testbed",
            Self::Init(_) => "init",
            Self::Schema => "schema",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}

/// Which lineages.
#[derive(Clone, Debug, Args)]
pub(crate) struct Named {
    /// Lineages by name [default: all]
    #[arg(value_name = "LINEAGE")]
    pub(crate) lineages: Vec<LineageName>,
}

/// Lineages, and whether endpoints are asked.
#[derive(Clone, Debug, Args)]
pub(crate) struct Lineages {
    #[command(flatten)]
    pub(crate) named: Named,
    /// Ask no endpoint what it serves
    #[arg(long)]
    pub(crate) offline: bool,
}

/// `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "One process for each root. SIGHUP reads the configuration again, SIGTERM stops at the next safe \
point. It speaks to systemd as `Type=notify`."
)]
pub(crate) struct Run {
    /// How often each lineage is looked at although nothing is due, such as 10m [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) every: Option<Duration>,
    /// Write metrics for Prometheus into this file, such as a textfile collector reads
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics_file: Option<PathBuf>,
    /// Offer metrics for Prometheus at this address, under /metrics
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Ask no endpoint what it serves, and no issuer what it suggests
    #[arg(long)]
    pub(crate) offline: bool,
}

/// `deploy`.
#[derive(Debug, Args)]
#[command(after_help = "For the hook of an ACME client. The old certificate stays in use unless all of it succeeds.")]
pub(crate) struct Deploy {
    /// The lineage
    #[arg(long, value_name = "NAME")]
    pub(crate) lineage: LineageName,
    /// The private key: PKCS#8, SEC1 or PKCS#1, PEM or DER
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The leaf and its chain, PEM, leaf first
    #[arg(long, value_name = "FILE")]
    pub(crate) fullchain: PathBuf,
}

/// `verify`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) lineages: Lineages,
    /// Could this machine serve now? The service and the fail-over daemon count too; answers 0 or 3
    #[arg(long, conflicts_with = "offline")]
    pub(crate) ready: bool,
    /// With --ready: no answer within this time is a 3
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s", requires = "ready")]
    pub(crate) limit: Duration,
}

/// `rollback`.
#[derive(Debug, Args)]
#[command(after_help = "The lineage is held there: `apply` keeps the generation until a newer one is issued or it is \
released.")]
pub(crate) struct Rollback {
    /// The lineage
    #[arg(value_name = "NAME")]
    pub(crate) lineage: LineageName,
    /// The generation, such as 0008-1f3a9c20, or its number 8 [default: the previous one]
    #[arg(long, value_name = "N", conflicts_with = "release")]
    pub(crate) to: Option<String>,
    /// Let the lineage go on by itself again
    #[arg(long)]
    pub(crate) release: bool,
}

/// `access`.
#[derive(Debug, Args)]
#[command(after_help = "With `--json -` each line of standard input is one question, \
{\"path\":…,\"uid\":…,\"gid\":…,\"groups\":[…]}, and is answered by one line, \
{\"r\":…,\"w\":…,\"x\":…,\"why\":…}.")]
pub(crate) struct Access {
    /// The paths; `-` for questions on standard input
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Whether this user, by name or number and with all its groups, can read them; denied is a 3
    #[arg(long, value_name = "U", conflicts_with_all = ["uid", "gid", "groups"])]
    pub(crate) user: Option<String>,
    /// The same for a number; its groups are looked up, unless --gid says them
    #[arg(long, value_name = "N")]
    pub(crate) uid: Option<u32>,
    /// The primary group
    #[arg(long, value_name = "N", requires = "uid")]
    pub(crate) gid: Option<u32>,
    /// The other groups
    #[arg(long, value_name = "N,…", value_delimiter = ',', requires = "gid")]
    pub(crate) groups: Vec<u32>,
}

/// `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Certificates, chains, keys, requests, PEM or DER; `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The private key that should belong to the leaf
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The roots that the chain should lead to
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// The name or address that a client would ask for
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Judge as of this moment, such as 2026-11-24T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

/// `ca`.
#[derive(Debug, Args)]
pub(crate) struct Ca {
    #[command(subcommand)]
    pub(crate) verb: CaVerb,
}

/// What the embedded CA is asked.
#[derive(Debug, Subcommand)]
pub(crate) enum CaVerb {
    /// Print the root certificate, for trust stores; the CA is made when there is none yet
    Export {
        /// The issuer [default: the only one of type `local`]
        #[arg(value_name = "ISSUER")]
        issuer: Option<IssuerName>,
    },
}

/// `account`.
#[derive(Debug, Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    pub(crate) verb: AccountVerb,
    /// The issuer [default: the only one of type `acme`]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) issuer: Option<IssuerName>,
}

/// What is done with an account.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountVerb {
    /// Say what the account is, by what is kept here and by the authority
    Show,
    /// Give the account a fresh key
    Rollover,
    /// Give the account up for good; certificates stay valid, nothing is ordered any more
    Deactivate,
    /// Take over the account of certbot, lego, dehydrated or acme.sh
    Import {
        /// The directory that the other client keeps for the account, or the file with its key
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
}

/// `issuer`.
#[derive(Debug, Args)]
pub(crate) struct Issuer {
    #[command(subcommand)]
    pub(crate) verb: IssuerVerb,
}

/// What is done with an issuer.
#[derive(Debug, Subcommand)]
pub(crate) enum IssuerVerb {
    /// Look whether it can be reached and trusted, knows what it is convinced with, has the same time, and issues
    #[command(
        after_help = "The embedded CA and step-ca issue a certificate for a throw-away name, which is thrown away. An ACME \
server is not asked for one unless a name is given: its limits count."
    )]
    Test {
        /// The issuer
        #[arg(value_name = "NAME")]
        issuer: IssuerName,
        /// Ask for a certificate for this DNS name
        #[arg(long, value_name = "DNSNAME", conflicts_with = "no_certificate")]
        name: Option<DnsName>,
        /// Ask for no certificate
        #[arg(long)]
        no_certificate: bool,
    },
}

/// `revoke`.
#[derive(Debug, Args)]
#[command(
    after_help = "The certificate is served until another one takes its place: let `apply` issue one first. After \
a key was stolen, let it issue one with a fresh key, then revoke the old one."
)]
pub(crate) struct Revoke {
    /// The lineage
    #[arg(value_name = "NAME")]
    pub(crate) lineage: LineageName,
    /// Why
    #[arg(long, value_name = "REASON", value_parser = reason, default_value = "unspecified")]
    pub(crate) reason: RevocationReason,
}

fn reason(text: &str) -> Result<RevocationReason, String> {
    let words = RevocationReason::ALL.map(RevocationReason::word);
    let found = RevocationReason::ALL.into_iter().find(|reason| reason.word() == text);
    found.ok_or_else(|| format!("say one of {}", words.join(", ")))
}

/// `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write it, never over another file; `-` for standard output [default: where the configuration is looked for]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for each verb into this directory instead
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}
