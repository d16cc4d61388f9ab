//! A lineage with an issuer, a service and a clock, on a model file system, from run to run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use certwright::access::Names;
use certwright::report::{LineageReport, LineageStatus, PlannedReport, VerifiedReport};
use certwright::{
    Builder, Cancel, Config, Depth, Endpoints, Fingerprint, Issued, Issuer, IssuerName, Lifecycle, LineageName,
    ManualClock, Request, Result, Return, Selection, Timestamp,
};

use crate::materials::Authority;
use crate::model_fs::ModelFs;
use crate::stage_play::{Mood, START, Service, active, apply, config_for, one, options, world};

/// A day.
pub const DAY: Duration = Duration::from_secs(86_400);

/// The embedded CA, counted.
#[derive(Debug)]
struct Counting {
    name: IssuerName,
    authority: Authority,
    orders: AtomicUsize,
}

impl Issuer for Counting {
    fn id(&self) -> &IssuerName {
        &self.name
    }

    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        self.orders.fetch_add(1, Ordering::Relaxed);
        self.authority.issuer().issue(request, cancel)
    }
}

/// The lineage `www` with all that is around it.
#[derive(Debug)]
pub struct World {
    /// Its disk.
    pub fs: ModelFs,
    /// What is wished.
    pub config: Config,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Its service, which is reloaded and probed.
    pub service: Arc<Service>,
    issuer: Arc<Counting>,
}

/// Everything here panics when the play itself goes wrong: that is a failed test.
#[expect(clippy::unwrap_used, reason = "a play that goes wrong is a failed test")]
#[expect(clippy::missing_panics_doc, reason = "a play that goes wrong is a failed test")]
impl World {
    /// At the beginning, with these lines in the table of the lineage.
    pub fn new(more: &str) -> Self {
        let now: Timestamp = START.parse().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let issuer = Counting {
            name: "lab".parse().unwrap(),
            authority: Authority::with_clock(clock.clone()),
            orders: AtomicUsize::new(0),
        };
        let service = Service::with(None, Mood::Willing);
        let mut world = Self {
            fs: world(),
            config: config_for(&["www.example.org"], ""),
            clock,
            issuer: Arc::new(issuer),
            service,
        };
        world.wish(&["www.example.org"], more);
        world
    }

    /// From now on this is wished.
    pub fn wish(&mut self, identifiers: &[&str], more: &str) {
        let text = format!("issuer = \"lab\"\n{more}\n[issuer.lab]\ntype = \"local\"\n");
        self.config = config_for(identifiers, &text);
    }

    /// A program that was just started.
    pub fn lifecycle(&self) -> Lifecycle {
        let name: LineageName = "www".parse().unwrap();
        Builder::new(self.config.clone())
            .filesystem(Arc::new(self.fs.clone()))
            .clock(self.clock.clone())
            .names(Names::fixed(&[], &[]))
            .issuer(self.issuer.clone())
            .reloader(name.clone(), self.service.clone())
            .probe(name, self.service.clone())
            .patience(Duration::ZERO)
            .build()
            .unwrap()
    }

    /// `apply`.
    pub fn apply(&self) -> LineageReport {
        apply(&self.lifecycle()).unwrap()
    }

    /// `plan`.
    pub fn plan(&self) -> PlannedReport {
        self.lifecycle().plan(&Selection::All, Endpoints::Ask).unwrap().lineages.pop().unwrap()
    }

    /// `verify`.
    pub fn verify(&self) -> VerifiedReport {
        self.lifecycle().verify(&Selection::All, Depth::Whole).unwrap().lineages.pop().unwrap()
    }

    /// `verify --ready`.
    pub fn ready(&self) -> VerifiedReport {
        self.lifecycle().verify(&Selection::All, Depth::Ready).unwrap().lineages.pop().unwrap()
    }

    /// `status`.
    pub fn status(&self) -> LineageStatus {
        self.lifecycle().status(&Selection::All).unwrap().lineages.pop().unwrap()
    }

    /// `rollback`.
    pub fn rollback(&self, to: Return) -> LineageReport {
        one(self.lifecycle().rollback(&"www".parse().unwrap(), to, &options()).unwrap()).unwrap()
    }

    /// How many certificates were ordered.
    pub fn orders(&self) -> usize {
        self.issuer.orders.load(Ordering::Relaxed)
    }

    /// The leaf that is active.
    pub fn leaf(&self) -> Fingerprint {
        self.fs.look(active).unwrap().unwrap()
    }

    /// The active generation's directory.
    pub fn current(&self) -> String {
        let target = self.fs.look(|view| view.read_link("/srv/store/www/current")).unwrap();
        format!("/srv/store/www/{}", target.display())
    }

    /// The active generation's name.
    pub fn generation(&self) -> String {
        self.current().rsplit('/').next().unwrap().to_owned()
    }
}
