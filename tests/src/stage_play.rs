//! A lineage with a service on a model file system: what the crash suites play through.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use certwright::access::Names;
use certwright::report::{LineageReport, RunReport};
use certwright::{
    Builder, Cancel, Certificate, Chain, Config, Error, ErrorKind, Fingerprint, Identity, Lifecycle, LineageName,
    ManualClock, Material, Observation, Options, Place, PrivateKey, Probe, ReloadContext, Reloaded, Reloader, Result,
    Seen, Selection, Timestamp,
};

use crate::model_fs::{ModelFs, View};

/// When the plays begin.
pub const START: &str = "2027-03-01T00:00:00Z";
/// A reader of the plays, and somebody who may read nothing.
pub const READER: u32 = 2000;
/// Somebody who may read nothing.
pub const OUTSIDER: u32 = 3000;

/// The service: it has what it read at its last reload, as a real one does.
#[derive(Debug, Default)]
pub struct Service {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The leaf in DER.
    loaded: Option<Vec<u8>>,
    mood: Mood,
    reloads: usize,
}

/// How the service behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It re-reads when told.
    #[default]
    Willing,
    /// It refuses to re-read anything but what it has.
    Refuses,
    /// It says yes and goes on with what it has.
    Lies,
}

impl Service {
    /// A service that has loaded this.
    pub fn with(loaded: Option<&Material>, mood: Mood) -> Arc<Self> {
        let loaded = loaded.map(|material| material.chain().leaf().der().to_vec());
        Arc::new(Self { state: Mutex::new(State { loaded, mood, reloads: 0 }) })
    }

    /// What it serves.
    pub fn loaded(&self) -> Option<Fingerprint> {
        let state = self.lock();
        let leaf = Certificate::from_der(state.loaded.as_deref()?).ok()?;
        Some(leaf.fingerprint())
    }

    /// How often it was told to re-read.
    pub fn reloads(&self) -> usize {
        self.lock().reloads
    }

    /// From now on it behaves so.
    pub fn set_mood(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Reloader for Service {
    fn reload(&self, context: &ReloadContext<'_>, _: &Cancel) -> Result<Reloaded> {
        let has = self.loaded();
        let mut state = self.lock();
        state.reloads += 1;
        match state.mood {
            Mood::Willing => {
                state.loaded = Some(Chain::from_pem(context.bundle.expose())?.leaf().der().to_vec());
            }
            Mood::Refuses if has != Some(context.leaf) => {
                return Err(Error::new(ErrorKind::ReloadFailed, "the service refuses"));
            }
            Mood::Refuses | Mood::Lies => {}
        }
        Ok(Reloaded::Asked)
    }
}

impl Probe for Service {
    fn observe(&self, _: &Cancel) -> Result<Vec<Observation>> {
        let state = self.lock();
        let seen = match &state.loaded {
            Some(der) => Seen::from_der([der.as_slice()]),
            None => Err(Error::new(ErrorKind::Network, "it serves nothing")),
        };
        Ok(vec![Observation::new(Place::Named("the service".to_owned()), seen)])
    }
}

/// Where the files outside are.
pub const OUTPUTS: &str = r#"
[[lineage.www.output]]
path = "/etc/certs/bundle.pem"
strategy = "replace"
form = "bundle"
[[lineage.www.output]]
path = "/etc/certs/leaf.pem"
strategy = "replace"
form = "leaf"
[[lineage.www.output]]
path = "/etc/certs/pinned.conf"
strategy = "pinned"
template = "ssl_certificate {generation}/fullchain.pem;"
[[lineage.www.output]]
path = "/etc/certs/link.pem"
strategy = "link"
form = "fullchain"
"#;

/// A configuration for the plays.
///
/// # Panics
///
/// When it cannot be parsed.
pub fn config(more: &str) -> Config {
    config_for(&["www.example.org"], more)
}

/// The same for other identifiers.
///
/// # Panics
///
/// When it cannot be parsed.
#[expect(clippy::panic, reason = "a play that cannot begin is a failed test")]
pub fn config_for(identifiers: &[&str], more: &str) -> Config {
    let text = format!(
        "version = 1\nroot = \"/srv/store\"\n[lineage.www]\nidentifiers = {identifiers:?}\nreaders = [\"user:{READER}\"]\n{more}"
    );
    match Config::parse(&text, "play.toml".as_ref()) {
        Ok(config) => config,
        Err(error) => panic!("{error:#}"),
    }
}

/// An empty model file system with the directories of the plays.
///
/// # Panics
///
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
pub fn world() -> ModelFs {
    let fs = ModelFs::default();
    for (path, mode) in [("/srv", 0o755), ("/etc", 0o755), ("/etc/certs", 0o755)] {
        fs.plant_directory(path, mode).expect("the directories of the play");
    }
    fs.settle();
    fs
}

/// One run's program: a lifecycle on this file system with this service.
///
/// # Panics
///
/// When it cannot be built.
#[expect(clippy::expect_used, reason = "a play that cannot begin is a failed test")]
pub fn program(fs: &ModelFs, config: &Config, service: &Arc<Service>, now: Timestamp) -> Lifecycle {
    let name: LineageName = "www".parse().expect("a name");
    Builder::new(config.clone())
        .filesystem(Arc::new(fs.clone()))
        .clock(Arc::new(ManualClock::at(now)))
        .names(Names::fixed(&[], &[]))
        .reloader(name.clone(), service.clone())
        .probe(name, service.clone())
        .patience(Duration::ZERO)
        .build()
        .expect("a lifecycle")
}

/// `deploy` of this material.
///
/// # Errors
///
/// As the verb.
pub fn deploy(lifecycle: &Lifecycle, material: &Material) -> Result<LineageReport> {
    one(lifecycle.deploy(&"www".parse()?, material, &options())?)
}

/// `apply`.
///
/// # Errors
///
/// As the verb.
pub fn apply(lifecycle: &Lifecycle) -> Result<LineageReport> {
    one(lifecycle.apply(&Selection::All, &options())?)
}

/// The options of the plays: nobody waits.
pub fn options() -> Options {
    Options::default().with_wait(Duration::ZERO)
}

/// The only lineage of a run.
///
/// # Errors
///
/// When there is not exactly one.
pub fn one(mut report: RunReport) -> Result<LineageReport> {
    report.lineages.pop().ok_or_else(|| Error::new(ErrorKind::Bug, "no lineage was reported"))
}

/// The leaf of a whole set of files below `current`, or what is wrong with them.
///
/// # Errors
///
/// What is wrong.
pub fn active(view: &View<'_>) -> Result<Option<Fingerprint>, String> {
    let current = "/srv/store/www/current";
    if view.read_link(current).is_err() {
        return Ok(None);
    }
    let read = |name: &str| view.read(format!("{current}/{name}")).map_err(|error| format!("{name}: {error}"));
    let key = PrivateKey::from_pem(&read("key.pem")?).map_err(|error| error.to_string())?;
    let chain = Chain::from_pem(&read("fullchain.pem")?).map_err(|error| error.to_string())?;
    let material = Material::new(key, chain).map_err(|error| error.to_string())?;
    let same = read("bundle.pem")? == material.bundle_pem().expose()
        && read("leaf.pem")? == material.chain().leaf_pem().as_bytes()
        && read("chain.pem")? == material.chain().chain_pem().as_bytes();
    read("manifest.json")?;
    if !same {
        return Err("the forms of one generation differ".to_owned());
    }
    Ok(Some(material.chain().leaf().fingerprint()))
}

/// What half-made things lie about.
pub fn debris(view: &View<'_>) -> Vec<String> {
    let paths = view.walk().into_iter().map(|(path, _)| path);
    let half_made = paths.filter(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with(".tmp-")
            || name.starts_with(".stage-")
            || name.starts_with(".trash-")
            || name.ends_with("-next")
    });
    half_made.map(|path| path.display().to_string()).collect()
}

/// The invariants that hold at every instant: what is active is whole, nobody else reads a key, the reader reads all.
///
/// # Errors
///
/// The first that does not hold.
pub fn at_every_instant(view: &View<'_>, keys: &[Vec<u8>]) -> Result<(), String> {
    let outsider = Identity::new(OUTSIDER, OUTSIDER, Vec::new());
    for key in keys {
        let leaks = view.leaks(&outsider, key);
        if !leaks.is_empty() {
            return Err(format!("an outsider reads the key in {leaks:?}"));
        }
    }
    if active(view)?.is_some() {
        let reader = Identity::new(READER, READER, Vec::new());
        for name in ["key.pem", "leaf.pem", "chain.pem", "fullchain.pem", "bundle.pem"] {
            let path = format!("/srv/store/www/current/{name}");
            if !view.can_open(&reader, &path).unwrap_or(false) {
                return Err(format!("the reader cannot open {name}"));
            }
        }
    }
    Ok(())
}
