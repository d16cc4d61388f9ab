//! Lineages with issuers whose every mood can be set and a clock that is moved by hand: what the renewal suites play through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use certwright::access::Names;
use certwright::report::LineageReport;
use certwright::{
    Builder, Cancel, Certificate, Clock, Config, Error, ErrorKind, Issued, Issuer, IssuerName, IssuerSpec, Lifecycle,
    LocalCa, LocalIssuer, ManualClock, Options, RenewalInfo, Request, Result, Retry, Selection, Timestamp, Window,
};

use crate::model_fs::ModelFs;
use crate::stage_play::{START, world};

/// A CA with a clock of its own, as far as it is given one.
#[derive(Debug)]
pub struct Ca {
    name: IssuerName,
    authority: LocalCa,
    clock: Arc<ManualClock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mood: CaMood,
    orders: Vec<Timestamp>,
    tried: usize,
    replaced: Vec<bool>,
    questions: usize,
    suggestion: Suggestion,
    tells_time: bool,
}

/// How the CA takes orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaMood {
    /// It issues.
    #[default]
    Willing,
    /// It cannot be reached.
    Down,
    /// It fails so.
    Fails(ErrorKind),
    /// It says not now, and when.
    Limits(Timestamp),
}

/// What the CA suggests about renewals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Suggestion {
    /// It has no such service.
    #[default]
    Nothing,
    /// It has one that fails.
    Broken,
    /// This window, and a question again after so long.
    Fixed(Window, Duration),
    /// A window from this share of the life on (in percent), for so long, and a question again after so long.
    Share(u32, Duration, Duration),
}

impl Ca {
    /// A CA that issues for this long.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
    pub fn new(name: &str, life: Duration, clock: Arc<ManualClock>) -> Arc<Self> {
        let fs = ModelFs::default();
        fs.plant_directory("/ca", 0o700).expect("a directory");
        let name: IssuerName = name.parse().expect("a name");
        let mut wish = LocalIssuer::default();
        wish.lifetime = life;
        let authority = LocalCa::new(name.clone(), wish, Arc::new(fs), "/ca".as_ref(), clock.clone());
        Arc::new(Self { name, authority, clock, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it takes orders so.
    pub fn set(&self, mood: CaMood) {
        self.lock().mood = mood;
    }

    /// From now on it suggests this.
    pub fn suggest(&self, suggestion: Suggestion) {
        self.lock().suggestion = suggestion;
    }

    /// From now on it tells what time it is.
    pub fn tell_time(&self) {
        self.lock().tells_time = true;
    }

    /// When it issued, by its clock.
    pub fn orders(&self) -> Vec<Timestamp> {
        self.lock().orders.clone()
    }

    /// How often it was asked to issue.
    pub fn tried(&self) -> usize {
        self.lock().tried
    }

    /// How often it was asked for a suggestion.
    pub fn questions(&self) -> usize {
        self.lock().questions
    }

    /// Whether each order named the certificate that it replaces.
    pub fn replaced(&self) -> Vec<bool> {
        self.lock().replaced.clone()
    }
}

impl Issuer for Ca {
    fn id(&self) -> &IssuerName {
        &self.name
    }

    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        let mood = {
            let mut state = self.lock();
            state.tried += 1;
            state.mood
        };
        match mood {
            CaMood::Willing => {}
            CaMood::Down => return Err(Error::new(ErrorKind::Network, "nobody answers")),
            CaMood::Fails(kind) => return Err(Error::new(kind, "it does not work")),
            CaMood::Limits(until) => {
                return Err(Error::new(ErrorKind::RateLimited, "too many requests").retry(Retry::After(until)));
            }
        }
        let issued = self.authority.issue(request, cancel)?;
        let mut state = self.lock();
        state.orders.push(self.clock.now());
        state.replaced.push(request.replaced().is_some());
        Ok(if state.tells_time { issued.at(self.clock.now()) } else { issued })
    }

    fn suggests_renewals(&self) -> bool {
        self.lock().suggestion != Suggestion::Nothing
    }

    fn renewal_info(&self, leaf: &Certificate, cancel: &Cancel) -> Result<Option<RenewalInfo>> {
        cancel.check()?;
        let mut state = self.lock();
        state.questions += 1;
        let now = self.clock.now();
        let (window, again) = match state.suggestion {
            Suggestion::Nothing => return Ok(None),
            Suggestion::Broken => return Err(Error::new(ErrorKind::Network, "nobody answers")),
            Suggestion::Fixed(window, again) => (window, again),
            Suggestion::Share(percent, length, again) => {
                let life = leaf.window();
                let start = life.start.saturating_add(life.length() * percent / 100);
                (Window::new(start, start.saturating_add(length)), again)
            }
        };
        let info = RenewalInfo::new(window, now.saturating_add(again));
        Ok(Some(if state.tells_time { info.at(now) } else { info }))
    }
}

/// Lineages on a model file system.
#[derive(Debug)]
pub struct Renewing {
    /// The disk.
    pub fs: ModelFs,
    /// The wish.
    pub config: Config,
    /// The clock of the machine.
    pub clock: Arc<ManualClock>,
    /// The clock of the world, by which the CA goes.
    pub world: Arc<ManualClock>,
    issuers: BTreeMap<IssuerName, Arc<Ca>>,
}

impl Renewing {
    /// One lineage `www` with issuers of these names, each issuing for this long.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
    pub fn new(issuers: &[&str], life: Duration) -> Self {
        let now: Timestamp = START.parse().expect("a moment");
        let (clock, world_clock) = (Arc::new(ManualClock::at(now)), Arc::new(ManualClock::at(now)));
        let list = issuers.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "version = 1\nroot = \"/srv/store\"\n[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = [{list}]\n"
        );
        for name in issuers {
            text.push_str(&format!("[issuer.{name}]\ntype = \"local\"\n"));
        }
        let config = Config::parse(&text, "play.toml".as_ref()).expect("a configuration");
        let made = issuers.iter().map(|name| Ca::new(name, life, world_clock.clone()));
        let issuers = made.map(|ca| (ca.id().clone(), ca)).collect();
        Self { fs: world(), config, clock, world: world_clock, issuers }
    }

    /// Another lineage like `www`.
    ///
    /// # Panics
    ///
    /// When a name cannot be meant.
    #[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
    pub fn add(&mut self, name: &str, identifier: &str) {
        let mut spec = self.config.lineages.values().next().expect("a lineage").clone();
        spec.name = name.parse().expect("a name");
        spec.identifiers = certwright::Sans::new(vec![identifier.parse().expect("a name")]).expect("a name");
        self.config.lineages.insert(spec.name.clone(), spec);
    }

    /// What the configuration says about an issuer, in the place of the embedded CA.
    ///
    /// # Panics
    ///
    /// When the name cannot be meant.
    #[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
    pub fn wish(&mut self, issuer: &str, spec: IssuerSpec) {
        self.config.issuers.insert(issuer.parse().expect("a name"), spec);
    }

    /// An issuer.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
    pub fn ca(&self, name: &str) -> &Arc<Ca> {
        self.issuers.get(&name.parse::<IssuerName>().expect("a name")).expect("an issuer")
    }

    /// One run's program.
    ///
    /// # Panics
    ///
    /// When it cannot be built.
    #[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
    pub fn lifecycle(&self) -> Lifecycle {
        let mut builder = Builder::new(self.config.clone())
            .filesystem(Arc::new(self.fs.clone()))
            .clock(self.clock.clone())
            .names(Names::fixed(&[], &[]))
            .patience(Duration::ZERO);
        for ca in self.issuers.values() {
            builder = builder.issuer(ca.clone());
        }
        builder.build().expect("a lifecycle")
    }

    /// Both clocks go on.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
        self.world.advance(span);
    }

    /// `apply` of one lineage.
    ///
    /// # Panics
    ///
    /// When there is no report.
    #[expect(clippy::expect_used, reason = "a play that cannot go on is a failed test")]
    pub fn apply_one(&self, name: &str, options: Options) -> LineageReport {
        let selection = Selection::Named(vec![name.parse().expect("a name")]);
        let mut report = self.lifecycle().apply(&selection, &options.with_wait(Duration::ZERO)).expect("a report");
        report.lineages.pop().expect("one lineage")
    }

    /// `apply` of `www`.
    pub fn apply(&self) -> LineageReport {
        self.apply_one("www", Options::default())
    }

    /// Apply whenever something is due, as `run` does, for so long, and `check` each report.
    ///
    /// # Panics
    ///
    /// When it never comes to rest.
    pub fn live(&self, span: Duration, mut check: impl FnMut(&LineageReport)) {
        let end = self.clock.now().saturating_add(span);
        let mut restless = 0;
        while self.clock.now() < end {
            let report = self.apply();
            check(&report);
            let now = self.clock.now();
            let next = report.next.as_ref().and_then(|next| next.parse::<Timestamp>().ok()).filter(|next| *next > now);
            let wait = match next {
                Some(next) => next.since(now).unwrap_or_default(),
                None if report.error.is_some() => Duration::from_secs(60),
                None => Duration::ZERO,
            };
            restless = if wait.is_zero() { restless + 1 } else { 0 };
            assert!(restless < 4, "it does not come to rest: {report:?}");
            self.advance(wait.min(Duration::from_secs(86_400)));
        }
    }
}
