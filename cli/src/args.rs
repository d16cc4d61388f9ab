//! What can be said on the command line.

use std::path::PathBuf;

use certwright::LineageName;
use clap::{Args, Parser, Subcommand};

/// Certificates over their whole life: issued, placed for the right readers, switched atomically, seen to be served, undone.
#[derive(Debug, Parser)]
#[command(name = "certwright", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_STATUS: &str = "Exit status: 0 well; 1 failed or waiting, nothing is worse than before; 2 bad usage or \
configuration; 3 a finding; 4 stuck, a human is needed; 5 another run holds the lock.";

/// What every verb understands.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// The configuration [default: $CERTWRIGHT_CONFIG, else /etc/certwright/certwright.toml]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Another directory for the lineages than the configuration's `root`
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long, global = true, num_args = 0..=1, default_missing_value = "report", require_equals = true, value_name = "-", hide_possible_values = true, value_parser = ["report", "-"])]
    pub(crate) json: Option<String>,
    /// How long to wait for another run on the same lineage
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<std::time::Duration>,
    /// Print errors alone
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    certwright::parse_duration(text).map_err(|error| error.to_string())
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say what `apply` would do and why; write nothing
    Plan(Lineages),
    /// Issue, repair, activate: whatever each lineage needs; a second run changes nothing
    Apply(Lineages),
    /// Deploy key and certificates that another client obtained
    Deploy(Deploy),
    /// Compare what is there with the wish; change nothing
    Verify(Verify),
    /// Go back to an older generation and hold there
    Rollback(Rollback),
    /// What is active, until when, and what is unfinished
    Status(Named),
    /// Who can read this path, and why
    Access(Access),
    /// What is in these files, and would it be accepted as a server's certificate
    Inspect(Inspect),
    /// The embedded CA
    Ca(Ca),
    /// Write a commented starter configuration
    Init(Init),
    /// Print the JSON Schema of the configuration
    Schema,
    /// Print completions for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// Lineages, and whether endpoints are asked.
#[derive(Debug, Args)]
pub(crate) struct Lineages {
    #[command(flatten)]
    pub(crate) named: Named,
    /// Ask no endpoint what it serves
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Which lineages.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Lineages by name [default: all]
    #[arg(value_name = "LINEAGE")]
    pub(crate) lineages: Vec<LineageName>,
}

/// `deploy`.
#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// The lineage
    #[arg(long, value_name = "NAME")]
    pub(crate) lineage: LineageName,
    /// The private key, PEM or DER
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Leaf and chain, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) fullchain: PathBuf,
}

/// `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) lineages: Lineages,
    /// Could this machine serve now: the service and the fail-over daemon too
    #[arg(long)]
    pub(crate) ready: bool,
    /// With `--ready`: no answer in this time is a finding
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s", requires = "ready")]
    pub(crate) limit: std::time::Duration,
}

/// `rollback`.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The lineage
    #[arg(value_name = "NAME")]
    pub(crate) lineage: LineageName,
    /// The generation, such as `0008-1f3a9c20`, or its number [default: the previous one]
    #[arg(long, value_name = "N", conflicts_with = "release")]
    pub(crate) to: Option<String>,
    /// Let the lineage go on by itself again
    #[arg(long)]
    pub(crate) release: bool,
}

/// `access`.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The paths
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Whether this user can read them
    #[arg(long, value_name = "U", conflicts_with_all = ["uid", "gid", "groups"])]
    pub(crate) user: Option<String>,
    /// Whether somebody with this number can read them
    #[arg(long, value_name = "N")]
    pub(crate) uid: Option<u32>,
    /// The primary group of that somebody
    #[arg(long, value_name = "N", requires = "uid")]
    pub(crate) gid: Option<u32>,
    /// The other groups of that somebody
    #[arg(long, value_name = "N,…", value_delimiter = ',', requires = "uid")]
    pub(crate) groups: Vec<u32>,
}

/// `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Certificates, chains, keys, requests; PEM or DER
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The private key that should belong to the leaf
    #[arg(long, value_name = "K")]
    pub(crate) key: Option<PathBuf>,
    /// Roots that the chain should lead to
    #[arg(long, value_name = "ROOTS")]
    pub(crate) trust: Option<PathBuf>,
    /// A name that the leaf should be for
    #[arg(long, value_name = "N")]
    pub(crate) name: Option<String>,
    /// Judge as of this time, as in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<certwright::Timestamp>,
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
    /// Print the root certificate, for trust stores
    Export {
        /// The issuer [default: the only one of type `local`]
        #[arg(value_name = "ISSUER")]
        issuer: Option<certwright::IssuerName>,
    },
}

/// `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write it; `-` for standard output
    #[arg(value_name = "FILE", default_value = "certwright.toml")]
    pub(crate) file: PathBuf,
}

/// `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
