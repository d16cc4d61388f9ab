//! The client: what it is made of, and how one of its calls is run.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::memory::Memory;
use super::session::Session;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::IssuerName;
use crate::ground::time::Clock;
use crate::issue::call::apart;
use crate::issue::http::{Connector, Origin};
use crate::issue::solver::Solver;
use crate::pki::trust::Roots;
use crate::place::filesystem::Filesystem;
use crate::place::input;
use crate::place::state::StateDirectory;
use crate::plan::spec::AcmeIssuer;

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
///     AcmeClient, AcmeIssuer, Cancel, Issuer, KeyAlgorithm, OsFilesystem, PrivateKey, Request, Sans, SolverSpec,
///     SystemClock, solver,
/// };
///
/// # fn main() -> certwright::Result<()> {
/// let (files, clock) = (Arc::new(OsFilesystem::new()), Arc::new(SystemClock));
/// let root = Path::new("/var/lib/certwright");
/// let answers = SolverSpec::HttpListener(([0, 0, 0, 0], 80).into());
/// let solvers = vec![solver(&answers, files.clone(), clock.clone())?];
/// let wish = AcmeIssuer::new("https://acme-v02.api.letsencrypt.org/directory", answers);
/// let client = AcmeClient::new("public".parse()?, wish, solvers, files, root, clock);
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
    pub(super) name: IssuerName,
    pub(super) wish: AcmeIssuer,
    pub(super) solvers: Vec<Arc<dyn Solver>>,
    pub(super) files: Arc<dyn Filesystem>,
    pub(super) path: PathBuf,
    clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
    connector: Mutex<Option<Arc<Connector>>>,
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
        Self { name, wish, solvers, files, path, clock, memory: Mutex::default(), connector: Mutex::default() }
    }

    /// Where the account is kept.
    pub(super) fn state(&self) -> Result<StateDirectory> {
        StateDirectory::open(Arc::clone(&self.files), &self.path)
    }

    /// Run with a session, on a thread of its own: the caller may be inside a runtime, which cannot be waited in.
    pub(super) fn with_session<T: Send>(
        &self,
        cancel: &Cancel,
        act: impl FnOnce(&Session<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let work = || {
            cancel.check()?;
            let session = Session::new(
                self.connector()?,
                &self.wish.directory,
                self.memory().carry(self.clock.now()),
                Arc::clone(&self.clock),
                self.wish.limit,
                cancel,
            )?;
            let done = act(&session);
            self.memory().keep(session.carried(), self.clock.now());
            done
        };
        apart("certwright-acme", work).map_err(|error| match error.fact("issuer") {
            Some(_) => error,
            None => error.context("issuer", &self.name),
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections to the authority, with the roots that are to be trusted.
    fn connector(&self) -> Result<Arc<Connector>> {
        let mut kept = self.connector.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = &*kept {
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
        Ok(Arc::clone(kept.insert(Arc::new(connector))))
    }

    /// The roots in a file.
    pub(super) fn roots(&self, path: &Path) -> Result<Roots> {
        let bytes = input::read(&*self.files, path, Roots::MAX_INPUT)?;
        Roots::from_pem(&bytes).map_err(|error| error.context("path", path))
    }
}
