//! Certificates from an ACME server (RFC 8555), over instant-acme.
//!
//! An order, with the requests that it takes when the account is there and the directory is known:
//!
//! ```text
//!             POST new-order                                 (again without `replaces`, when that is refused)
//!                   │                                         URL and key are kept from here on
//!   ┌───────────────▼───────────────┐
//!   │ pending                       │  POST-as-GET each authorization; those that are valid are done
//!   │   solver: present … wait      │  the answers, in place and to be seen, before the authority is told
//!   │                               │  POST each challenge
//!   │   poll                        │  POST-as-GET order: from milliseconds, growing; never before `Retry-After`
//!   └───┬───────────────────────┬───┘
//!       │ ready                 │ invalid ──▶ POST-as-GET authorizations: which identifier, where did they look
//!   solver: clean up            solver: clean up (also when presenting failed, and when asked to stop)
//!       │
//!   POST finalize  ◀── our own request: the key never passes through a client library
//!       │
//!   processing ── poll ──▶ valid
//!                            │
//!                      POST-as-GET certificate, and alternates when another chain is preferred
//! ```
//!
//! A run that was cut off anywhere in it goes on where the order stands. Every request goes to the host of the directory. A
//! refused nonce is replaced for as long as there is time.

mod account;
mod account_file;
mod answers;
mod chain;
mod desk;
mod directory;
mod enrol;
mod header;
mod http;
mod order;
mod pace;
mod problem;
mod renewal;
mod revoke;
mod rollover;
mod session;
mod why;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::account::{Account, Wish};
use self::desk::Desk;
use self::http::{Connector, Origin};
use self::session::{Carried, Session};
use super::issuer::{Issued, Issuer, RenewalInfo, Request, RevocationReason};
use super::solver::Solver;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Phase, Public, Result, Retry};
use crate::ground::id::IssuerName;
use crate::ground::secret::SecretBytes;
use crate::ground::time::{Clock, Timestamp};
use crate::pki::check;
use crate::pki::jws::from_base64url;
use crate::pki::key::PrivateKey;
use crate::pki::leaf::Certificate;
use crate::pki::trust::Roots;
use crate::place::filesystem::Filesystem;
use crate::place::input;
use crate::place::state::StateDirectory;
use crate::plan::spec::AcmeIssuer;

/// How long a directory is believed without asking again.
const DIRECTORY_AGE: Duration = Duration::from_secs(3600);
/// How many unused nonces are kept for later calls.
const NONCES: usize = 64;
/// The largest key or secret that is read.
const SMALL: usize = 64 * 1024;
/// How far the clocks of this machine and of the authority may be apart before nothing is ordered.
const APART: Duration = Duration::from_secs(86_400);

/// An ACME server as an issuer.
///
/// The account is made on first use, below `<root>/.issuers/<name>/`, for nobody else to read (0600). Making it agrees to the
/// terms of service that the directory names. Calls from several threads and processes are safe, inside and outside an
/// asynchronous runtime; no thread and no connection outlives a call.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
/// use std::sync::Arc;
///
/// use certwright::{
///     AcmeClient, AcmeIssuer, Cancel, Issuer, KeyAlgorithm, OsFilesystem, PrivateKey, Request, Sans, Solver, SolverSpec,
///     SystemClock,
/// };
///
/// # fn solver() -> Arc<dyn Solver> { unimplemented!() }
/// # fn main() -> certwright::Result<()> {
/// let wish = AcmeIssuer::new(
///     "https://acme-v02.api.letsencrypt.org/directory",
///     SolverSpec::HttpListener(([0, 0, 0, 0], 80).into()),
/// );
/// let (files, clock) = (Arc::new(OsFilesystem::new()), Arc::new(SystemClock));
/// let root = Path::new("/var/lib/certwright");
/// let client = AcmeClient::new("public".parse()?, wish, vec![solver()], files, root, clock);
///
/// let (lineage, names) = ("www".parse()?, Sans::new(vec!["www.example.org".parse()?])?);
/// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// let issued = client.issue(&Request::new(&lineage, &names, &key), &Cancel::new())?;
/// println!("{}", issued.chain.fullchain_pem());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AcmeClient {
    name: IssuerName,
    wish: AcmeIssuer,
    solvers: Vec<Arc<dyn Solver>>,
    files: Arc<dyn Filesystem>,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
}

/// What one call learns for the next.
#[derive(Debug, Default)]
struct Memory {
    connector: Option<Arc<Connector>>,
    directory: Option<Fetched>,
    nonces: Vec<String>,
}

/// A directory, and when it was fetched by both kinds of clock.
#[derive(Clone, Debug)]
struct Fetched {
    since: Instant,
    at: Timestamp,
    body: bytes::Bytes,
}

impl Fetched {
    /// Whether it is young enough, and the clock of the machine has not been moved since: after that, the authority's `Date`
    /// is wanted again.
    fn is_fresh(&self, now: Timestamp) -> bool {
        const MOVED: Duration = Duration::from_secs(3600);
        let expected = self.at.saturating_add(self.since.elapsed());
        let moved = now.since(expected).or_else(|| expected.since(now)).unwrap_or_default();
        self.since.elapsed() < DIRECTORY_AGE && moved < MOVED
    }
}

/// An account at an authority, as both sides see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcmeAccount {
    /// The URL of the directory.
    pub directory: String,
    /// The account's URL.
    pub url: String,
    /// The status by the authority: `valid`, `deactivated`, `revoked`.
    pub status: String,
    /// The contacts that the authority has.
    pub contact: Vec<String>,
    /// The thumbprint of the account's key (RFC 7638), as authorities and DNS records show it.
    pub thumbprint: String,
    /// The terms of service that were agreed to.
    pub terms: Option<String>,
}

impl AcmeClient {
    /// The server of this wish, below the directory `root` that holds every lineage. `solvers` answer the challenges, in the
    /// order of preference. Touches nothing until it is first used.
    pub fn new(
        name: IssuerName,
        wish: AcmeIssuer,
        solvers: Vec<Arc<dyn Solver>>,
        files: Arc<dyn Filesystem>,
        root: &Path,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let path = StateDirectory::path_for(root, &name);
        Self { name, wish, solvers, files, path, clock, memory: Mutex::default() }
    }

    /// The account, as it is kept here and as the authority has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is none yet; otherwise as [`Issuer::issue`].
    ///
    /// # Effects
    ///
    /// Network; reads the disk.
    pub fn account(&self, cancel: &Cancel) -> Result<AcmeAccount> {
        self.with_session(cancel, |session| {
            let account = self.present_account()?;
            let (status, contact) = account.seen(session)?;
            Ok(AcmeAccount { status, contact, ..shown(&account) })
        })
    }

    /// Give the account a fresh key (RFC 8555 §7.3.5).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no account yet, [`ErrorKind::Unsupported`] when the authority cannot; otherwise
    /// as [`Issuer::issue`]. The old key goes on unless the authority has taken the new one, and a run that was cut off is
    /// settled by the next.
    ///
    /// # Effects
    ///
    /// Network and disk.
    pub fn roll_over(&self, cancel: &Cancel) -> Result<AcmeAccount> {
        self.with_session(cancel, |session| {
            let state = self.state()?;
            let _lock = state.lock(enrol::LOCK_LIMIT, cancel)?;
            let directory = session.directory()?;
            rollover::settle(&state, &self.account_wish(None), session, &directory)?;
            let account = rollover::roll_over(&state, self.present_account()?, session, &directory)?;
            Ok(shown(&account))
        })
    }

    /// Give the account up for good (RFC 8555 §7.3.6). Certificates that it was given stay valid.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is none; otherwise as [`Issuer::issue`].
    ///
    /// # Effects
    ///
    /// Network and disk: nothing is ordered with this issuer any more until its directory is moved away.
    pub fn deactivate(&self, cancel: &Cancel) -> Result<AcmeAccount> {
        self.with_session(cancel, |session| {
            let state = self.state()?;
            let _lock = state.lock(enrol::LOCK_LIMIT, cancel)?;
            let account = self.present_account()?.deactivate(&state, session)?;
            Ok(AcmeAccount { status: "deactivated".to_owned(), ..shown(&account) })
        })
    }

    /// Take over the account of another client: certbot, lego, dehydrated or acme.sh. `from` is the directory that it keeps
    /// for the account, or the file with the key. A key that is not on P-256 is replaced by one that is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no key; [`ErrorKind::Conflict`] when this issuer has an account already;
    /// [`ErrorKind::Refused`] when the authority knows no account with this key; otherwise as [`Issuer::issue`].
    ///
    /// # Effects
    ///
    /// Network and disk. The other client's files are read and left as they are; after a change of the key they are of no use
    /// any more.
    pub fn import(&self, from: &Path, cancel: &Cancel) -> Result<AcmeAccount> {
        let key = self.foreign_key(from)?;
        self.with_session(cancel, |session| {
            let state = self.state()?;
            let _lock = state.lock(enrol::LOCK_LIMIT, cancel)?;
            let account = enrol::adopt(&state, &self.account_wish(None), &key, session)?;
            Ok(shown(&account))
        })
    }

    /// The key of another client's account.
    fn foreign_key(&self, from: &Path) -> Result<PrivateKey> {
        // certbot; dehydrated; acme.sh; lego.
        const NAMES: [&str; 5] = ["private_key.json", "account_key.pem", "account.key", "keys/*.key", "*.key"];
        let (path, bytes) = input::first_of(&*self.files, from, &NAMES, SMALL)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no account key of another client here")
                .context("path", from)
                .context("looked_for", Public(&NAMES.join(", ")))
                .hint("name the directory that the other client keeps for this account, or the file with its key")
        })?;
        let bytes = zeroize::Zeroizing::new(bytes);
        let json = bytes.trim_ascii_start().starts_with(b"{");
        let key = if json { PrivateKey::from_jwk(&bytes) } else { PrivateKey::from_pem(&bytes) };
        key.map_err(|error| error.context("path", path.as_path()))
    }

    /// The account that is kept, or an error that says how to get one.
    fn present_account(&self) -> Result<Account> {
        Account::kept(&self.state()?, &self.account_wish(None))?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "this issuer has no account yet")
                .context("path", self.path.as_path())
                .hint("the first `certwright apply` makes it, or import one with `certwright account import`")
        })
    }

    fn ready_account(&self, session: &Session<'_>) -> Result<Account> {
        let external =
            self.wish.external_account.as_ref().map(|external| Ok((&*external.kid, self.mac_key(external)?)));
        enrol::ready(&self.state()?, &self.account_wish(external.transpose()?), session)
    }

    fn account_wish<'w>(&'w self, external: Option<(&'w str, SecretBytes)>) -> Wish<'w> {
        Wish { issuer: &self.name, directory: &self.wish.directory, contact: &self.wish.contact, external }
    }

    /// The MAC key that the authority gave out, in base64url as RFC 8555 §7.3.4 says, or with padding as some print it.
    fn mac_key(&self, external: &crate::plan::spec::ExternalAccount) -> Result<SecretBytes> {
        let path = external.key_file.as_path();
        let bytes = zeroize::Zeroizing::new(input::read(&*self.files, path, SMALL)?);
        let text = std::str::from_utf8(bytes.trim_ascii()).unwrap_or_default();
        let text = zeroize::Zeroizing::new(text.trim_end_matches('=').replace('+', "-").replace('/', "_"));
        let key = from_base64url(&text).filter(|key| !key.is_empty());
        key.map(SecretBytes::from).ok_or_else(|| {
            Error::new(ErrorKind::Unfit, "the MAC key of the external account is not base64url")
                .context("path", path)
                .hint("put the key into the file as the authority shows it, on one line, and nothing else")
        })
    }

    fn state(&self) -> Result<StateDirectory> {
        StateDirectory::open(Arc::clone(&self.files), &self.path)
    }

    /// Run with a session, on a thread of its own: the caller may be inside a runtime, which cannot be waited in.
    fn with_session<T: Send>(&self, cancel: &Cancel, act: impl FnOnce(&Session<'_>) -> Result<T> + Send) -> Result<T> {
        let work = || {
            cancel.check()?;
            let session = Session::new(
                self.connector()?,
                &self.wish.directory,
                self.carried(),
                Arc::clone(&self.clock),
                self.wish.limit,
                cancel,
            )?;
            let done = act(&session);
            self.remember(session.carried());
            done
        };
        let done = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("certwright-acme".to_owned());
            let running = thread
                .spawn_scoped(scope, work)
                .map_err(|source| Error::io("no thread can be started for the authority", source))?;
            running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        done.map_err(|error| match error.fact("issuer") {
            Some(_) => error,
            None => error.context("issuer", &self.name),
        })
    }

    /// What the last call left.
    fn carried(&self) -> Carried {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = memory.directory.as_ref().filter(|fetched| fetched.is_fresh(self.clock.now()));
        let directory = fresh.map(|fetched| fetched.body.clone());
        Carried { directory, nonce: memory.nonces.pop() }
    }

    fn remember(&self, carried: Carried) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.directory = match (carried.directory, memory.directory.take()) {
            (Some(body), Some(known)) if known.body == body && known.is_fresh(self.clock.now()) => Some(known),
            (Some(body), _) => Some(Fetched { since: Instant::now(), at: self.clock.now(), body }),
            (None, _) => None,
        };
        if memory.nonces.len() < NONCES {
            memory.nonces.extend(carried.nonce);
        }
    }

    /// Connections to the authority, with the roots that are to be trusted.
    fn connector(&self) -> Result<Arc<Connector>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = &memory.connector {
            return Ok(Arc::clone(connector));
        }
        let origin = self.wish.directory.parse().ok().and_then(|url| Origin::of(&url)).ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "the directory is not an https URL")
                .context("directory", Public(&self.wish.directory))
                .hint("write the URL that the authority publishes, such as `https://ca.example/acme/directory`")
        })?;
        let roots: Vec<Vec<u8>> = match &self.wish.trust {
            Some(path) => {
                let roots = self.roots(path)?;
                roots.certificates().iter().map(|root| root.der().to_vec()).collect()
            }
            None => input::system_roots()?,
        };
        let connector = Connector::new(origin, roots.iter().map(Vec::as_slice), Arc::clone(&self.clock))?;
        Ok(Arc::clone(memory.connector.insert(Arc::new(connector))))
    }

    fn roots(&self, path: &Path) -> Result<Roots> {
        let bytes = input::read(&*self.files, path, Roots::MAX_INPUT)?;
        Roots::from_pem(&bytes).map_err(|error| error.context("path", path))
    }
}

impl Issuer for AcmeClient {
    fn id(&self) -> &IssuerName {
        &self.name
    }

    /// # Effects
    ///
    /// Network; whatever the solvers do, and undo again; disk: makes the account when there is none, and reads `trust`,
    /// `roots` and the key of `eab`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChallengeFailed`] with the identifier, where the authority looked and what it found;
    /// [`ErrorKind::Refused`] and [`ErrorKind::RateLimited`] with the authority's own words; [`ErrorKind::Network`],
    /// [`ErrorKind::Timeout`], [`ErrorKind::Cancelled`]; [`ErrorKind::Protocol`] when an answer cannot be used;
    /// [`ErrorKind::Untrusted`] when the authority's own TLS, or the chain that it issued, does not lead to the roots that are
    /// configured; [`ErrorKind::Unsupported`] when the clock is wrong; [`ErrorKind::Unfit`] when a file is damaged.
    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        let issued = self.with_session(cancel, |session| {
            check::clock(session.now(), None)?;
            // Read before anything is ordered: an order must not be lost to a typing error.
            let roots = self.wish.roots.as_deref().map(|path| self.roots(path)).transpose()?;
            let directory = session.directory()?;
            let account = self.ready_account(session)?;
            agree_on_time(session)?;
            let desk = Desk {
                issuer: &self.name,
                wish: &self.wish,
                solvers: &self.solvers,
                session,
                account: &account,
                directory: &directory,
                request,
            };
            let chain = order::obtain(&desk)?;
            if let Some(roots) = roots {
                roots.check(&chain, session.now())?;
            }
            Ok(Issued::new(chain))
        });
        issued.map_err(|error| error.in_phase(Phase::Issue))
    }

    /// # Effects
    ///
    /// Network: one request, without account.
    fn renewal_info(&self, leaf: &Certificate, cancel: &Cancel) -> Result<Option<RenewalInfo>> {
        self.with_session(cancel, |session| renewal::ask(leaf, session, &session.directory()?))
    }

    /// # Effects
    ///
    /// Network: signed by the account. A certificate that is revoked already is no error.
    fn revoke(&self, leaf: &Certificate, reason: RevocationReason, cancel: &Cancel) -> Result<()> {
        self.with_session(cancel, |session| {
            let directory = session.directory()?;
            let account = self.present_account()?;
            revoke::revoke(leaf, reason, session, &account, &directory)
        })
    }
}

/// A clock that is far off would order too early, or believe a certificate that is not valid yet.
fn agree_on_time(session: &Session<'_>) -> Result<()> {
    let (Some(theirs), ours) = (session.last().and_then(|answer| answer.date()), session.now()) else { return Ok(()) };
    let apart = |later: Timestamp, earlier: Timestamp| later.since(earlier).is_some_and(|apart| apart > APART);
    if !apart(theirs, ours) && !apart(ours, theirs) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "the clocks of this machine and of the authority are more than a day apart")
        .context("here", ours)
        .context("there", theirs)
        .hint("set the clock, by NTP if it can be reached, and try again")
        .retry(Retry::Now))
}

/// The parsers of what an authority sends, for the fuzzer and the replay of its corpus.
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    use super::{directory, header, problem, renewal};
    use crate::ground::time::Timestamp;

    /// A body as each of the documents that are read here.
    pub fn answer(body: &[u8]) {
        let _ = directory::Directory::read(body, "https://ca.example/directory");
        let _ = renewal::window(body);
        if let Some(problem) = serde_json::from_slice(body).ok().as_ref().and_then(problem::Problem::read) {
            let error = problem.error(problem::Stage::Validation, None, Timestamp::from_unix(0));
            let _ = format!("{error:#}");
        }
    }

    /// A header as each of those that are read here: the wait, the moment and the links that it is.
    pub fn headers(value: &str) -> (Option<std::time::Duration>, Option<Timestamp>, Vec<String>) {
        let links = header::alternates(value).map(str::to_owned).collect();
        (header::retry_after(value, Timestamp::from_unix(1_795_507_200)), header::http_date(value), links)
    }
}

fn shown(account: &Account) -> AcmeAccount {
    AcmeAccount {
        directory: account.facts.directory.clone(),
        url: account.facts.url.clone(),
        status: "valid".to_owned(),
        contact: account.facts.contact.clone(),
        thumbprint: account.key.thumbprint(),
        terms: account.facts.terms.clone(),
    }
}
