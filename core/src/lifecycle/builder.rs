//! Putting a [`Lifecycle`] together: what is configured, and what a program brings itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Lifecycle, issuers};
use crate::deploy::attempt::{Service, Tools, Watch};
use crate::deploy::probe::Probe;
use crate::deploy::reload::Reloader;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::{IssuerName, LineageName};
use crate::ground::time::Clock;
use crate::issue::issuer::Issuer;
use crate::issue::solver::Solver;
use crate::place::access::names::Names;
use crate::place::clock::SystemClock;
use crate::place::filesystem::Filesystem;
use crate::place::machine;
use crate::place::os::OsFilesystem;
use crate::plan::spec::{Config, Spec};

/// A [`Lifecycle`] in the making.
#[derive(Debug)]
pub struct Builder {
    config: Config,
    tools: Tools,
    issuers: BTreeMap<IssuerName, Arc<dyn Issuer>>,
    solvers: Vec<Arc<dyn Solver>>,
    reloaders: BTreeMap<LineageName, Arc<dyn Reloader>>,
    probes: BTreeMap<LineageName, Vec<Arc<dyn Probe>>>,
    patience: Option<Duration>,
}

impl Builder {
    /// Everything as configured, on this machine.
    pub fn new(config: Config) -> Self {
        let tools = Tools {
            fs: Arc::new(OsFilesystem::new()),
            clock: Arc::new(SystemClock),
            names: Names::system(),
            cancel: Cancel::new(),
            machine: machine::number(),
            watch: None,
        };
        Self {
            config,
            tools,
            issuers: BTreeMap::new(),
            solvers: Vec::new(),
            reloaders: BTreeMap::new(),
            probes: BTreeMap::new(),
            patience: None,
        }
    }

    /// Another file system.
    #[must_use]
    pub fn filesystem(mut self, fs: Arc<dyn Filesystem>) -> Self {
        self.tools.fs = fs;
        self
    }

    /// Another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.tools.clock = clock;
        self
    }

    /// Another source of users and groups.
    #[must_use]
    pub fn names(mut self, names: Names) -> Self {
        self.tools.names = names;
        self
    }

    /// A wish to stop that the caller keeps a clone of.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.tools.cancel = cancel;
        self
    }

    /// Be told about each arrow as it begins.
    #[must_use]
    pub fn watch(mut self, watch: Watch) -> Self {
        self.tools.watch = Some(watch);
        self
    }

    /// An issuer of the caller's own, under the name that it answers with.
    #[must_use]
    pub fn issuer(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuers.insert(issuer.id().clone(), issuer);
        self
    }

    /// An answerer of challenges of the caller's own, for every ACME server of the configuration. Those that are brought come
    /// before those that are configured, in the order in which they are brought.
    #[must_use]
    pub fn solver(mut self, solver: Arc<dyn Solver>) -> Self {
        self.solvers.push(solver);
        self
    }

    /// A reloader of the caller's own for one lineage, instead of the configured one.
    #[must_use]
    pub fn reloader(mut self, lineage: LineageName, reloader: Arc<dyn Reloader>) -> Self {
        self.reloaders.insert(lineage, reloader);
        self
    }

    /// A probe of the caller's own for one lineage, beside the configured ones.
    #[must_use]
    pub fn probe(mut self, lineage: LineageName, probe: Arc<dyn Probe>) -> Self {
        self.probes.entry(lineage).or_default().push(probe);
        self
    }

    /// How long after a reload every service may go on serving the old certificate before that counts as a failure. When it
    /// is not said, the longest time limit of the lineage's endpoints counts.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The lifecycle. Touches neither disk nor network.
    ///
    /// # Errors
    ///
    /// `InvalidSpec` when a lineage names an issuer that is neither configured nor brought.
    pub fn build(self) -> Result<Lifecycle> {
        let Self { config, tools, mut issuers, solvers, reloaders, probes, patience } = self;
        for (name, spec) in &config.issuers {
            if !issuers.contains_key(name) {
                let issuer = issuers::configured(name, spec, &solvers, &config.root, &tools)?;
                issuers.insert(name.clone(), issuer);
            }
        }
        for spec in config.lineages.values() {
            if let Some(issuer) = spec.issuers.iter().find(|issuer| !issuers.contains_key(*issuer)) {
                return Err(Error::new(ErrorKind::InvalidSpec, "the lineage names an issuer that there is not")
                    .context("lineage", &spec.name)
                    .context("issuer", issuer)
                    .hint(format!("write a table `[issuer.{issuer}]`, or name another")));
            }
        }
        Ok(Lifecycle { config, tools, issuers, reloaders, probes, patience })
    }
}

impl Lifecycle {
    /// How the service of a lineage is asked.
    pub(super) fn service(&self, spec: &Spec) -> Result<Service> {
        let mut service = Service::of(spec, &self.tools.fs).map_err(|error| error.context("lineage", &spec.name))?;
        if let Some(reloader) = self.reloaders.get(&spec.name) {
            service.reloader = Some(reloader.clone());
        }
        service.patience = self.patience.unwrap_or(service.patience);
        service.probes.extend(self.probes.get(&spec.name).into_iter().flatten().cloned());
        Ok(service)
    }
}
