//! The wish, as the rest of the library sees it: parsed, checked, with presets already filled in.
//!
//! These types do not derive serialization; the shape of `certwright.toml` is in `file`, which makes these. Each has a
//! constructor that takes what cannot be guessed and leaves the rest at its default, for callers that have no file.

mod access;
mod issuer;
mod limits;
mod output;
mod service;
mod solver;
mod step_ca;

pub use access::{AccessWish, AclWish, Principal, Privacy};
pub use issuer::{AcmeIssuer, ExternalAccount, IssuerSpec, LocalIssuer};
pub use limits::{LimitTable, Limits, Rate};
pub use output::{Encoding, Form, Output, Strategy};
pub use service::{Address, Command, CommandScope, Endpoint, Failover, KeyRule, Reload, Running, StartTls};
pub use solver::{
    ChallengeKind, CommandSolver, Convention, DnsPersist, Propagation, Rfc2136, SolverSpec, TsigAlgorithm, TsigKey,
};
pub use step_ca::{SecretSource, StepCaIssuer, StepCredential, StepJwk, StepX5c};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::nearest::nearest;
use super::word::worded;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::{IssuerName, LineageName};
use crate::ground::name::Sans;
use crate::pki::key::KeyAlgorithm;

/// A whole configuration: where lineages live, who issues, what is wished.
///
/// # Examples
///
/// ```
/// use certwright::Config;
///
/// let text = r#"
///     version = 1
///     root = "/var/lib/certwright"
///
///     [issuer.lab]
///     type = "local"
///
///     [lineage.www]
///     identifiers = ["www.example.org"]
///     issuer = "lab"
///     readers = ["user:www-data"]
/// "#;
/// let config = Config::parse(text, "certwright.toml".as_ref())?;
/// let spec = config.lineage(&"www".parse()?)?;
/// assert_eq!(spec.identifiers.to_string(), "www.example.org");
/// # Ok::<(), certwright::Error>(())
/// ```
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

impl Config {
    /// The root when the configuration names none.
    pub const DEFAULT_ROOT: &'static str = "/var/lib/certwright";

    /// A configuration without issuers and lineages.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), issuers: BTreeMap::new(), lineages: BTreeMap::new(), failover: None }
    }

    /// The wish for one lineage.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the configuration has no lineage of this name; the hint has the nearest one.
    pub fn lineage(&self, name: &LineageName) -> Result<&Spec> {
        self.lineages.get(name).ok_or_else(|| {
            let error =
                Error::new(ErrorKind::NotFound, "the configuration has no such lineage").context("lineage", name);
            match nearest(name.as_str(), self.lineages.keys().map(LineageName::as_str)) {
                Some(near) => error.hint(format!("write `{near}`, if that was meant")),
                None => error.hint(format!("add `[lineage.{name}]` to the configuration")),
            }
        })
    }
}

/// The wish for one lineage.
///
/// # Examples
///
/// ```
/// use certwright::{Principal, Sans, Spec};
///
/// let mut spec = Spec::new("www".parse()?, Sans::new(vec!["www.example.org".parse()?])?);
/// spec.issuers.push("lab".parse()?);
/// spec.access.readers.push(Principal::User("www-data".to_owned()));
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The lineage's name.
    pub name: LineageName,
    /// What the certificate is for.
    pub identifiers: Sans,
    /// Who issues, the most wished for first: the next is asked when one refuses for a reason that another may not share.
    /// Empty when another client brings the material.
    pub issuers: Vec<IssuerName>,
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

impl Spec {
    /// A wish for these identifiers: a P-256 key that nobody but the owner reads, no issuer, no service, no outputs.
    pub fn new(name: LineageName, identifiers: Sans) -> Self {
        Self {
            name,
            identifiers,
            issuers: Vec::new(),
            key: KeyAlgorithm::default(),
            key_change: KeyChange::default(),
            roots: None,
            access: AccessWish::default(),
            privacy: Privacy::default(),
            outputs: Vec::new(),
            check: None,
            reload: None,
            probes: Vec::new(),
            running: None,
            key_rule: KeyRule::default(),
            retain: Retain::default(),
        }
    }
}

worded! {
    /// Whether a renewal brings a fresh key.
    #[derive(Default)]
    pub enum KeyChange {
        /// Rekey: every issuance has a fresh key.
        #[default]
        Rekey = "rekey",
        /// Renew: the key stays until the spec asks for another algorithm.
        Renew = "renew",
    }
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

impl Retain {
    /// Keep this many, and whatever is younger than `age`.
    pub const fn new(count: u32, age: Duration) -> Self {
        Self { count, age }
    }
}

impl Default for Retain {
    fn default() -> Self {
        Self { count: 5, age: Duration::from_secs(30 * 86_400) }
    }
}
