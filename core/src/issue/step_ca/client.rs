//! The client: what it is made of, and how one of its calls is run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::answer;
use super::session::Session;
use super::trust;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result, Retry};
use crate::ground::id::IssuerName;
use crate::ground::secret::SecretBytes;
use crate::ground::time::Clock;
use crate::issue::call::apart;
use crate::pki::leaf::Certificate;
use crate::place::filesystem::Filesystem;
use crate::place::state::StateDirectory;
use crate::plan::spec::StepCaIssuer;

/// How far the clocks of this machine and of the CA may be apart before nothing is asked for.
const APART: Duration = Duration::from_secs(86_400);

/// Who says the password of a provisioner's key when it is needed: at every certificate that replaces none.
pub type Password = Arc<dyn Fn() -> Result<SecretBytes> + Send + Sync>;

/// step-ca as an issuer, by its own interface.
///
/// Its roots are kept below `<root>/.issuers/<name>/`. Calls from several threads and processes are safe, inside and outside
/// an asynchronous runtime; no thread and no connection outlives a call.
///
/// A certificate that is to take the place of another one of the same names, whose key is in the request
/// ([`Request::replacing_held`](crate::Request::replacing_held)), is renewed or rekeyed: that needs no credential.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
/// use std::sync::Arc;
///
/// use certwright::{
///     Cancel, Fingerprint, Issuer, KeyAlgorithm, OsFilesystem, PrivateKey, Request, Sans, SecretSource, StepCaClient,
///     StepCaIssuer, StepCredential, StepJwk, SystemClock,
/// };
///
/// # fn main() -> certwright::Result<()> {
/// let fingerprint: Fingerprint = "d9d0978692f1c7cc791f5c343ce98771900721405e834cd27b9502cc719f5097".parse()?;
/// let password = SecretSource::File("/etc/certwright/step-password".into());
/// let credential = StepCredential::Jwk(StepJwk::new("deploy", password));
/// let wish = StepCaIssuer::new("https://ca.internal:9000", fingerprint, credential);
/// let root = Path::new("/var/lib/certwright");
/// let client = StepCaClient::new("internal".parse()?, wish, Arc::new(OsFilesystem::new()), root, Arc::new(SystemClock));
///
/// let (lineage, names) = ("www".parse()?, Sans::new(vec!["www.internal".parse()?])?);
/// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// let issued = client.issue(&Request::new(&lineage, &names, &key), &Cancel::new())?;
/// println!("{}", issued.chain.fullchain_pem());
/// # Ok(())
/// # }
/// ```
pub struct StepCaClient {
    pub(super) name: IssuerName,
    pub(super) wish: StepCaIssuer,
    pub(super) files: Arc<dyn Filesystem>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) password: Option<Password>,
    path: PathBuf,
}

impl StepCaClient {
    /// The CA of this wish, below the directory `root` that holds every lineage. Touches nothing until it is first used.
    pub fn new(
        name: IssuerName,
        wish: StepCaIssuer,
        files: Arc<dyn Filesystem>,
        root: &Path,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let path = StateDirectory::path_for(root, &name);
        Self { name, wish, files, clock, password: None, path }
    }

    /// The same, with somebody who says the password of the provisioner's key.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.password = Some(password);
        self
    }

    /// The CA's roots in PEM, for trust stores.
    ///
    /// # Effects
    ///
    /// Network; disk: keeps them.
    ///
    /// # Errors
    ///
    /// As [`Issuer::issue`](crate::Issuer::issue), for what is about the CA itself.
    pub fn roots_pem(&self, cancel: &Cancel) -> Result<String> {
        self.with_session(cancel, |_, roots| Ok(roots.iter().map(Certificate::pem).collect()))
    }

    /// The roots of every CA that this one trusts (`/federation`), its own among them, in PEM, for trust stores.
    ///
    /// # Effects
    ///
    /// Network; disk: keeps those of the CA itself.
    ///
    /// # Errors
    ///
    /// As [`StepCaClient::roots_pem`].
    pub fn federation_pem(&self, cancel: &Cancel) -> Result<String> {
        self.with_session(cancel, |session, _| {
            let roots = answer::roots(&session.get("/federation")?.body)?;
            Ok(roots.iter().map(Certificate::pem).collect())
        })
    }

    /// Run with a session, on a thread of its own, once the CA is trusted and the clocks agree.
    pub(super) fn with_session<T: Send>(
        &self,
        cancel: &Cancel,
        act: impl FnOnce(&Session<'_>, &[Certificate]) -> Result<T> + Send,
    ) -> Result<T> {
        let work = || {
            let session = self.session(cancel)?;
            let roots = self.trusted(&session)?;
            agree_on_time(&session)?;
            act(&session, &roots)
        };
        apart("certwright-step-ca", work).map_err(|error| self.own(error))
    }

    /// A session that trusts nobody yet.
    pub(super) fn session<'s>(&self, cancel: &'s Cancel) -> Result<Session<'s>> {
        cancel.check()?;
        Session::new(&self.wish.url, Arc::clone(&self.clock), self.wish.limit, cancel)
    }

    /// The roots by which the session trusts the CA from now on.
    pub(super) fn trusted(&self, session: &Session<'_>) -> Result<Vec<Certificate>> {
        let state = StateDirectory::open(Arc::clone(&self.files), &self.path)?;
        trust::establish(&state, &self.wish.fingerprint, session)
    }

    /// The error, with the issuer that it is about.
    pub(super) fn own(&self, error: Error) -> Error {
        match error.fact("issuer") {
            Some(_) => error,
            None => error.context("issuer", &self.name),
        }
    }
}

impl fmt::Debug for StepCaClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepCaClient").field("name", &self.name).field("wish", &self.wish).finish_non_exhaustive()
    }
}

/// A clock that is far off would take what has ended for what is good. Less is made up for: the CA's own counts.
fn agree_on_time(session: &Session<'_>) -> Result<()> {
    let Some((ours, theirs)) = session.clocks() else { return Ok(()) };
    let difference = ours.since(theirs).or_else(|| theirs.since(ours)).unwrap_or_default();
    if difference <= APART {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "the clocks of this machine and of the CA are more than a day apart")
        .context("here", ours)
        .context("there", theirs)
        .hint("set the clock, by NTP if it can be reached, and try again")
        .retry(Retry::Now))
}
