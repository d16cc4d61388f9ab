//! The embedded CA: a root and an intermediate of our own, made on first use. No network, no service.
//!
//! `root.pem` and `intermediate.pem` hold key and certificate together, each replaced in one durable step, so that no crash
//! can part a key from its certificate. What is missing is made under the lock; what is there is never replaced, but for an
//! intermediate near its end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::issuer::{Examined, Issued, Issuer, Request};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Phase, Public, Result};
use crate::ground::id::IssuerName;
use crate::ground::time::{Clock, Timestamp, Window};
use crate::pki::authority::{Authority, validity};
use crate::pki::chain::Chain;
use crate::pki::check;
use crate::pki::key::PrivateKey;
use crate::pki::leaf::Certificate;
use crate::pki::material::Material;
use crate::place::filesystem::Filesystem;
use crate::place::state::StateDirectory;
use crate::plan::spec::LocalIssuer;

const ROOT: &str = "root.pem";
const INTERMEDIATE: &str = "intermediate.pem";

/// Twenty years: a root is put into trust stores by hand.
const ROOT_LIFETIME: Duration = Duration::from_secs(7_305 * 86_400);
/// Five years, or twice a leaf when that is longer.
const INTERMEDIATE_LIFETIME: Duration = Duration::from_secs(1_826 * 86_400);
/// How long making keys may take elsewhere: RSA on a slow machine.
const LOCK_LIMIT: Duration = Duration::from_secs(60);

/// The embedded CA.
///
/// Keys and certificates of root and intermediate are made on first use, below `<root>/.issuers/<name>/`, for nobody else
/// to read (0600). Leaves are for TLS servers: a random serial number of 128 bits, an empty subject with the names in a
/// critical subjectAltName, never longer valid than the intermediate. Whoever wants to trust them takes
/// [`LocalCa::root_pem`].
///
/// Calls from several threads and processes are safe; the keys are loaded once and kept. Two processes that make the CA at
/// the same time end with one. A crash leaves either nothing or something that the next call completes.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
/// use std::sync::Arc;
///
/// use certwright::{
///     Cancel, Issuer, KeyAlgorithm, LocalCa, LocalIssuer, OsFilesystem, PrivateKey, Request, Sans, SystemClock,
/// };
///
/// # fn main() -> certwright::Result<()> {
/// let files = Arc::new(OsFilesystem::new());
/// let root = Path::new("/var/lib/certwright");
/// let ca = LocalCa::new("lab".parse()?, LocalIssuer::default(), files, root, Arc::new(SystemClock));
///
/// let (lineage, names) = ("www".parse()?, Sans::new(vec!["www.example.org".parse()?])?);
/// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// let issued = ca.issue(&Request::new(&lineage, &names, &key), &Cancel::new())?;
/// println!("{}", issued.chain.fullchain_pem());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LocalCa {
    name: IssuerName,
    wish: LocalIssuer,
    files: Arc<dyn Filesystem>,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    loaded: Mutex<Option<Arc<Loaded>>>,
}

/// The CA in memory, ready to sign.
#[derive(Debug)]
struct Loaded {
    root: Certificate,
    issuing: Authority,
    intermediates: Arc<[Certificate]>,
}

impl LocalCa {
    /// The CA of this name below the directory `root` that holds every lineage. Touches nothing until it is first used.
    pub fn new(
        name: IssuerName,
        wish: LocalIssuer,
        files: Arc<dyn Filesystem>,
        root: &Path,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let path = StateDirectory::path_for(root, &name);
        Self { name, wish, files, path, clock, loaded: Mutex::new(None) }
    }

    /// The root certificate in PEM, for trust stores.
    ///
    /// # Effects
    ///
    /// Disk: makes the CA when there is none yet.
    ///
    /// # Errors
    ///
    /// As [`Issuer::issue`], for what is about the CA itself.
    pub fn root_pem(&self, cancel: &Cancel) -> Result<String> {
        self.ready(self.clock.now(), cancel).map(|loaded| loaded.root.pem())
    }

    /// The CA with an intermediate that outlives a leaf made at `now`, from memory, from disk, or made.
    fn ready(&self, now: Timestamp, cancel: &Cancel) -> Result<Arc<Loaded>> {
        check::clock(now, None)?;
        let mut kept = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = kept.as_ref().filter(|loaded| self.lasts(loaded, now)) {
            return Ok(Arc::clone(loaded));
        }
        let state = StateDirectory::open(Arc::clone(&self.files), &self.path)?;
        let loaded = match self.read(&state, now)? {
            Some(loaded) if self.lasts(&loaded, now) => loaded,
            _ => {
                let _lock = state.lock(LOCK_LIMIT, cancel)?;
                self.complete(&state, now)?
            }
        };
        let loaded = Arc::new(loaded);
        *kept = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Whether a leaf made at `now` would not be cut short by the intermediate, unless the root cuts both.
    fn lasts(&self, loaded: &Loaded, now: Timestamp) -> bool {
        let own = loaded.issuing.certificate().window();
        own.contains(now) && own.end >= validity(now, self.wish.lifetime).end.min(loaded.root.window().end)
    }

    /// Make what is missing. The lock is held.
    fn complete(&self, state: &StateDirectory, now: Timestamp) -> Result<Loaded> {
        // Another process may have been quicker.
        if let Some(loaded) = self.read(state, now)?.filter(|loaded| self.lasts(loaded, now)) {
            return Ok(loaded);
        }
        let root = match self.stored(state, ROOT)? {
            Some(root) => self.root(root)?,
            None => {
                let key = PrivateKey::generate(self.wish.key)?;
                let made =
                    Authority::root(&key, self.name.as_str(), &self.wish.permitted, validity(now, ROOT_LIFETIME))?;
                self.root(keep(state, ROOT, key, made)?)?
            }
        };
        let root_window = root.certificate().window();
        check::clock(now, Some(root_window.start))?;
        if now > root_window.end {
            return Err(self
                .fault(ErrorKind::Refused, "the root of the embedded CA has expired")
                .context("expired", root_window.end)
                .hint("move its directory away, so that a new root is made, and put that into the trust stores"));
        }
        let lifetime = INTERMEDIATE_LIFETIME.max(self.wish.lifetime.saturating_mul(2));
        let wished = validity(now, lifetime);
        let window = Window::new(wished.start.max(root_window.start), wished.end.min(root_window.end));
        let key = PrivateKey::generate(self.wish.key)?;
        let made = root.intermediate(&key, window)?;
        let issuing = keep(state, INTERMEDIATE, key, made)?;
        loaded(root.certificate().clone(), &issuing)
    }

    /// The CA as it is on disk; `None` when something is missing or the intermediate is of another root. Whatever a clock
    /// that has gone back would spoil is refused.
    fn read(&self, state: &StateDirectory, now: Timestamp) -> Result<Option<Loaded>> {
        let (Some(root), Some(issuing)) = (self.stored(state, ROOT)?, self.stored(state, INTERMEDIATE)?) else {
            return Ok(None);
        };
        let root = self.root(root)?.certificate().clone();
        check::clock(now, Some(issuing.chain().leaf().window().start))?;
        if !issuing.chain().leaf().names_as_issuer(&root) {
            return Ok(None);
        }
        loaded(root, &issuing).map(Some)
    }

    /// The root, when its constraints are those of the configuration.
    fn root(&self, stored: Material) -> Result<Authority> {
        let root = Authority::load(stored.chain().leaf().clone(), stored.key())?;
        let mut made_with = root.permitted();
        let mut wished: Vec<String> = self.wish.permitted.iter().map(ToString::to_string).collect();
        made_with.sort_unstable();
        wished.sort_unstable();
        if made_with != wished {
            let shown = |names: &[String]| if names.is_empty() { "any name".to_owned() } else { names.join(", ") };
            return Err(self
                .fault(
                    ErrorKind::InvalidSpec,
                    "the embedded CA was made with other name constraints than are configured",
                )
                .context("made_with", Public(&shown(&made_with)))
                .context("configured", Public(&shown(&wished)))
                .hint(
                    "configure them as they were, or name a new issuer: the constraints of a root cannot be changed",
                ));
        }
        Ok(root)
    }

    fn stored(&self, state: &StateDirectory, name: &'static str) -> Result<Option<Material>> {
        let Some(bytes) = state.read(name)?.map(zeroize::Zeroizing::new) else { return Ok(None) };
        let material = PrivateKey::from_pem(&bytes).and_then(|key| Material::new(key, Chain::from_pem(&bytes)?));
        material.map(Some).map_err(|source| {
            self.fault(ErrorKind::Unfit, "a file of the embedded CA is damaged")
                .context("file", name)
                .hint("restore it from a backup; moving a damaged `intermediate.pem` away makes a new one")
                .source(source)
        })
    }

    fn fault(&self, kind: ErrorKind, message: &'static str) -> Error {
        Error::new(kind, message).context("issuer", &self.name).context("path", self.path.as_path())
    }
}

impl Issuer for LocalCa {
    fn id(&self) -> &IssuerName {
        &self.name
    }

    /// # Effects
    ///
    /// Disk: reads; makes the directory of its state.
    fn examine(&self, cancel: &Cancel) -> Vec<Examined> {
        vec![Examined::new("authority", cancel.check().and_then(|()| self.look()))]
    }

    /// # Effects
    ///
    /// Disk: makes root and intermediate when they are missing, and a new intermediate when the old one would cut the leaf
    /// short. Otherwise nothing: what was issued is not recorded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] for an identifier outside the CA's name constraints and when the root has expired;
    /// [`ErrorKind::InvalidSpec`] when the configured constraints are not those that the CA was made with;
    /// [`ErrorKind::Unfit`] when a file of the CA is damaged; [`ErrorKind::Unsupported`] when the clock is behind;
    /// [`ErrorKind::Conflict`] when another process holds the lock for a minute; [`ErrorKind::Io`] and
    /// [`ErrorKind::Permission`].
    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        let issue = || {
            cancel.check()?;
            let now = self.clock.now();
            let loaded = self.ready(now, cancel)?;
            if let Some(outside) = loaded.issuing.forbidden(request.identifiers()) {
                return Err(self
                    .fault(ErrorKind::Refused, "the embedded CA may not issue for this identifier")
                    .context("identifier", outside)
                    .context("permitted", Public(&loaded.issuing.permitted().join(", ")))
                    .hint("use an issuer without these constraints, or remove the identifier"));
            }
            let window = validity(now, self.wish.lifetime);
            let leaf = loaded.issuing.sign_leaf(request.public_key_der(), request.identifiers(), window)?;
            Ok(Issued::new(Chain::assembled(leaf, Arc::clone(&loaded.intermediates))))
        };
        issue().map_err(|error: Error| error.in_phase(Phase::Issue))
    }
}

impl LocalCa {
    fn look(&self) -> Result<String> {
        let now = self.clock.now();
        check::clock(now, None)?;
        let state = StateDirectory::open(Arc::clone(&self.files), &self.path)?;
        match self.stored(&state, ROOT)? {
            None => Ok("it is made when it is first used".to_owned()),
            Some(root) => {
                let root = self.root(root)?;
                Ok(format!("its root is good until {}", root.certificate().window().end))
            }
        }
    }
}

/// Write key and certificate in one step, and read them as they will be read.
fn keep(state: &StateDirectory, name: &str, key: PrivateKey, certificate: Certificate) -> Result<Material> {
    let material = Material::new(key, Chain::from_certificates(vec![certificate])?)?;
    state.write(name, material.bundle_pem().expose())?;
    Ok(material)
}

fn loaded(root: Certificate, issuing: &Material) -> Result<Loaded> {
    let certificate = issuing.chain().leaf().clone();
    let intermediates = Arc::from([certificate.clone()]);
    Ok(Loaded { root, issuing: Authority::load(certificate, issuing.key())?, intermediates })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::name::Sans;
    use crate::ground::time::ManualClock;
    use crate::pki::key::KeyAlgorithm;
    use crate::pki::trust::{Roots, check_links};
    use crate::place::os::OsFilesystem;

    const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);
    const DAY: Duration = Duration::from_secs(86_400);

    /// A root directory that is removed again, and a clock.
    struct Place {
        path: PathBuf,
        clock: Arc<ManualClock>,
    }

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("certwright-local-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self { path, clock: Arc::new(ManualClock::at(NOW)) }
        }

        fn ca(&self, wish: LocalIssuer) -> LocalCa {
            let clock = Arc::clone(&self.clock);
            LocalCa::new("lab".parse().unwrap(), wish, Arc::new(OsFilesystem::new()), &self.path, clock)
        }

        fn file(&self, name: &str) -> PathBuf {
            self.path.join(".issuers/lab").join(name)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }

    fn issue(ca: &LocalCa, names: &[&str]) -> Result<Chain> {
        let names = Sans::new(names.iter().map(|name| name.parse().unwrap()).collect())?;
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let issued = ca.issue(&Request::new(&"www".parse()?, &names, &key), &Cancel::new())?;
        assert_eq!(issued.chain.leaf().key_fingerprint(), key.fingerprint());
        Ok(issued.chain)
    }

    fn root(ca: &LocalCa) -> Certificate {
        Chain::from_pem(ca.root_pem(&Cancel::new()).unwrap().as_bytes()).unwrap().leaf().clone()
    }

    fn refusal(result: Result<Chain>, kind: ErrorKind, word: &str) {
        let error = result.unwrap_err();
        assert!(format!("{error:#}").contains(word), "{error:#} does not say {word:?}");
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Issue)));
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn is_made_on_first_use_and_kept() {
        let place = Place::new("kept");
        let ca = place.ca(LocalIssuer::default());
        assert!(!place.file("").exists());
        let first = issue(&ca, &["a.example", "192.0.2.1"]).unwrap();
        for other in [&ca, &place.ca(LocalIssuer::default())] {
            let chain = issue(other, &["b.example"]).unwrap();
            assert_eq!(chain.intermediates(), first.intermediates());
            assert_eq!(root(other), root(&ca));
            let roots = Roots::from_pem(root(&ca).pem().as_bytes()).unwrap();
            roots.check(&chain, NOW).unwrap();
            check_links(&chain, NOW).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_its_keys() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new("modes");
        issue(&place.ca(LocalIssuer::default()), &["a.example"]).unwrap();
        for (name, mode) in [("", 0o700), (ROOT, 0o600), (INTERMEDIATE, 0o600)] {
            assert_eq!(std::fs::metadata(place.file(name)).unwrap().permissions().mode() & 0o7777, mode, "{name}");
        }
    }

    #[test]
    fn makers_at_the_same_time_end_with_one() {
        let place = Place::new("together");
        let chains: Vec<Chain> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| issue(&place.ca(LocalIssuer::default()), &["a.example"]).unwrap()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let first = chains.first().unwrap();
        assert!(chains.iter().all(|chain| chain.intermediates() == first.intermediates()));
        let kept = root(&place.ca(LocalIssuer::default()));
        assert!(first.intermediates().first().unwrap().names_as_issuer(&kept));
    }

    #[test]
    fn half_of_it_is_completed_and_never_replaced() {
        let place = Place::new("half");
        let before = root(&place.ca(LocalIssuer::default()));
        std::fs::remove_file(place.file(INTERMEDIATE)).unwrap();
        let chain = issue(&place.ca(LocalIssuer::default()), &["a.example"]).unwrap();
        assert!(chain.intermediates().first().unwrap().names_as_issuer(&before));
        assert_eq!(root(&place.ca(LocalIssuer::default())), before);

        // An intermediate of a root that is gone.
        let other = Place::new("other");
        root(&other.ca(LocalIssuer::default()));
        std::fs::copy(other.file(INTERMEDIATE), place.file(INTERMEDIATE)).unwrap();
        let chain = issue(&place.ca(LocalIssuer::default()), &["a.example"]).unwrap();
        Roots::from_pem(before.pem().as_bytes()).unwrap().check(&chain, NOW).unwrap();
    }

    #[test]
    fn a_damaged_root_is_an_error_and_not_a_new_root() {
        let place = Place::new("damaged");
        root(&place.ca(LocalIssuer::default()));
        let whole = std::fs::read(place.file(ROOT)).unwrap();
        for damaged in [&b""[..], &whole[..whole.len() / 2], b"rubbish"] {
            std::fs::write(place.file(ROOT), damaged).unwrap();
            refusal(issue(&place.ca(LocalIssuer::default()), &["a.example"]), ErrorKind::Unfit, "is damaged");
        }
        std::fs::write(place.file(ROOT), &whole).unwrap();
        issue(&place.ca(LocalIssuer::default()), &["a.example"]).unwrap();
    }

    #[test]
    fn constraints_bind_and_cannot_be_changed() {
        let place = Place::new("constraints");
        let wish = |names: &[&str]| LocalIssuer {
            permitted: names.iter().map(|name| name.parse().unwrap()).collect(),
            ..LocalIssuer::default()
        };
        let ca = place.ca(wish(&["example.org", "example.net"]));
        let chain = issue(&ca, &["www.example.org", "*.example.net"]).unwrap();
        Roots::from_pem(root(&ca).pem().as_bytes()).unwrap().check(&chain, NOW).unwrap();
        for outside in ["www.example.com", "192.0.2.1"] {
            refusal(issue(&ca, &["example.org", outside]), ErrorKind::Refused, outside);
        }
        issue(&place.ca(wish(&["example.net", "example.org"])), &["example.org"]).unwrap();
        for changed in [&[][..], &["example.org"], &["example.org", "example.net", "example.com"]] {
            refusal(
                issue(&place.ca(wish(changed)), &["example.org"]),
                ErrorKind::InvalidSpec,
                "other name constraints",
            );
        }
    }

    #[test]
    fn the_intermediate_is_renewed_before_it_cuts_a_leaf_short() {
        let place = Place::new("renewed");
        let ca = place.ca(LocalIssuer::default());
        let first = issue(&ca, &["a.example"]).unwrap();
        let end = first.intermediates().first().unwrap().window().end;
        for (moment, renewed) in [(end.saturating_sub(31 * DAY), false), (end.saturating_sub(29 * DAY), true)] {
            place.clock.set(moment);
            let chain = issue(&ca, &["a.example"]).unwrap();
            assert_eq!(chain.intermediates() != first.intermediates(), renewed, "{moment}");
            assert_eq!(chain.leaf().window().length(), 30 * DAY - Duration::from_secs(1));
            Roots::from_pem(root(&ca).pem().as_bytes()).unwrap().check(&chain, moment).unwrap();
        }
    }

    #[test]
    fn near_the_end_of_the_root_leaves_are_cut_and_after_it_none_is_issued() {
        let place = Place::new("end");
        let ca = place.ca(LocalIssuer::default());
        let end = root(&ca).window().end;
        place.clock.set(end.saturating_sub(DAY));
        let chain = issue(&ca, &["a.example"]).unwrap();
        assert_eq!(chain.leaf().window().end, end);
        assert_eq!(issue(&ca, &["a.example"]).unwrap().intermediates(), chain.intermediates());
        place.clock.set(end.saturating_add(DAY));
        refusal(issue(&ca, &["a.example"]), ErrorKind::Refused, "root of the embedded CA has expired");
    }

    #[test]
    fn a_clock_that_is_behind_issues_nothing_and_makes_nothing() {
        let place = Place::new("clock");
        place.clock.set(Timestamp::from_unix(0));
        refusal(issue(&place.ca(LocalIssuer::default()), &["a.example"]), ErrorKind::Unsupported, "clock");
        assert!(!place.file("").exists());
        place.clock.set(NOW.saturating_add(10 * DAY));
        let made = std::fs::read(place.file(INTERMEDIATE));
        assert!(made.is_err());
        issue(&place.ca(LocalIssuer::default()), &["a.example"]).unwrap();
        let made = std::fs::read(place.file(INTERMEDIATE)).unwrap();
        place.clock.set(NOW);
        refusal(issue(&place.ca(LocalIssuer::default()), &["a.example"]), ErrorKind::Unsupported, "clock");
        assert_eq!(std::fs::read(place.file(INTERMEDIATE)).unwrap(), made);
    }

    #[test]
    fn a_cancelled_call_makes_nothing() {
        let place = Place::new("cancelled");
        let cancel = Cancel::new();
        cancel.cancel();
        let (lineage, names) = ("www".parse().unwrap(), Sans::new(vec!["a.example".parse().unwrap()]).unwrap());
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let error = place.ca(LocalIssuer::default()).issue(&Request::new(&lineage, &names, &key), &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(!place.file("").exists());
    }
}
