//! The picture, as code: lock → recover → observe → decide → the chain → report.
//!
//! Floor 6, the only one that knows both where material comes from (`issue`) and what becomes of it (`deploy`).

#[cfg(feature = "acme")]
mod accounts;
mod apply;
mod background;
mod batch;
mod bring;
mod budget;
mod builder;
mod consult;
mod enter;
mod examine;
mod issuers;
mod left_answers;
mod metrics;
mod observe;
mod obtain;
pub(crate) mod report;
mod return_to;
mod revoke;
mod run;
mod status;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use background::Background;
pub use builder::Builder;
pub use examine::Trial;
pub use metrics::Metrics;
pub use observe::Endpoints;
pub use return_to::Return;
pub use run::{Claim, RunEvent, RunOptions};
pub use verify::Depth;

use crate::deploy::attempt::Tools;
use crate::deploy::probe::Probe;
use crate::deploy::reload::Reloader;
use crate::ground::error::Result;
use crate::ground::id::{IssuerName, LineageName};
use crate::issue::issuer::Issuer;
use crate::pki::material::Material;
use crate::plan::spec::Config;
use report::{LineageReport, PlanReport, RunReport, StatusReport, VerifyReport};

/// How long a verb that writes waits for another run on the same lineage.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Which lineages a verb is for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Selection {
    /// All that are configured.
    #[default]
    All,
    /// These.
    Named(Vec<LineageName>),
}

/// How a verb that writes goes about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Whether endpoints are asked when nothing else is to be done.
    pub endpoints: Endpoints,
    /// How long to wait for another run on the same lineage.
    pub wait: Duration,
}

impl Options {
    /// The same, with another patience for other runs.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// The same, with endpoints asked or left alone.
    #[must_use]
    pub const fn with_endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { endpoints: Endpoints::Ask, wait: DEFAULT_WAIT }
    }
}

/// The managed certificates of one configuration, with everything that a verb works with.
///
/// Every verb may be called from any thread, inside or outside an asynchronous runtime (it blocks), and by several
/// processes at once: those that write take turns by lineage.
///
/// # Examples
///
/// ```
/// use certwright::{Config, Lifecycle, Options, Selection};
///
/// # fn main() -> Result<(), certwright::Error> {
/// # let root = std::env::temp_dir().join(format!("certwright-doc-{}", std::process::id()));
/// let text = format!(r#"
///     version = 1
///     root = "{}"
///     [issuer.lab]
///     type = "local"
///     [lineage.www]
///     identifiers = ["www.example.org"]
///     issuer = "lab"
/// "#, root.display());
/// let lifecycle = Lifecycle::open(Config::parse(&text, "certwright.toml".as_ref())?)?;
/// let report = lifecycle.apply(&Selection::All, &Options::default())?;
/// assert!(report.lineages[0].changed);
/// let again = lifecycle.apply(&Selection::All, &Options::default())?;
/// assert!(!again.lineages[0].changed);
/// # let _ = std::fs::remove_dir_all(root);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lifecycle {
    config: Config,
    tools: Tools,
    issuers: BTreeMap<IssuerName, Arc<dyn Issuer>>,
    reloaders: BTreeMap<LineageName, Arc<dyn Reloader>>,
    probes: BTreeMap<LineageName, Vec<Arc<dyn Probe>>>,
    patience: Option<Duration>,
}

impl Lifecycle {
    /// Everything as configured, on this machine's file system and clock.
    ///
    /// # Errors
    ///
    /// `InvalidSpec` when something configured cannot be meant.
    pub fn open(config: Config) -> Result<Self> {
        Builder::new(config).build()
    }

    /// Say what [`apply`](Self::apply) would do and why. Reads disk and endpoints, writes nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` for a lineage that is not configured. What goes wrong with one lineage is in its report.
    pub fn plan(&self, selection: &Selection, endpoints: Endpoints) -> Result<PlanReport> {
        self.plan_selected(selection, endpoints)
    }

    /// Run the pipeline for every lineage that needs it. A second run changes nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` for a lineage that is not configured. What goes wrong with one lineage is in its report, and the others
    /// are tried all the same.
    ///
    /// # Effects
    ///
    /// Disk, the issuer, the service.
    pub fn apply(&self, selection: &Selection, options: &Options) -> Result<RunReport> {
        let mut lineages = Vec::new();
        self.apply_each(selection, options, &mut |report| lineages.push(report))?;
        Ok(RunReport::new("apply", lineages))
    }

    /// [`apply`](Self::apply), with each report handed out as it is made, by name: memory stays flat however many there
    /// are.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn apply_each(
        &self,
        selection: &Selection,
        options: &Options,
        each: &mut dyn FnMut(LineageReport),
    ) -> Result<()> {
        batch::apply(self, &self.select(selection)?, options, each);
        Ok(())
    }

    /// Deploy key and certificates that another client obtained: the pipeline from `Issued` on.
    ///
    /// # Errors
    ///
    /// `NotFound` for a lineage that is not configured. What goes wrong with the deployment is in the report.
    ///
    /// # Effects
    ///
    /// Disk, the service.
    pub fn deploy(&self, lineage: &LineageName, material: &Material, options: &Options) -> Result<RunReport> {
        let report = self.bring(self.config.lineage(lineage)?, material, options);
        Ok(RunReport::new("deploy", vec![report]))
    }

    /// Compare what is there with the wish. Changes nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` for a lineage that is not configured. What is not as wished is in the report.
    pub fn verify(&self, selection: &Selection, depth: Depth) -> Result<VerifyReport> {
        self.verify_selected(selection, depth)
    }

    /// Go back to an older generation on purpose and hold there, or let a held lineage go again.
    ///
    /// # Errors
    ///
    /// `NotFound` for a lineage that is not configured. What goes wrong on the way is in the report.
    ///
    /// # Effects
    ///
    /// Disk, the service.
    pub fn rollback(&self, lineage: &LineageName, to: Return, options: &Options) -> Result<RunReport> {
        let report = self.return_lineage(self.config.lineage(lineage)?, to, options);
        Ok(RunReport::new("rollback", vec![report]))
    }

    /// What is active, until when, when it is renewed, and what is unfinished. Reads disk alone.
    ///
    /// # Errors
    ///
    /// `NotFound` for a lineage that is not configured.
    pub fn status(&self, selection: &Selection) -> Result<StatusReport> {
        self.status_selected(selection)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn select(&self, selection: &Selection) -> Result<Vec<&LineageName>> {
        match selection {
            Selection::All => Ok(self.config.lineages.keys().collect()),
            Selection::Named(names) => names.iter().map(|name| Ok(&self.config.lineage(name)?.name)).collect(),
        }
    }
}
