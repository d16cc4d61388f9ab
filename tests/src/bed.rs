//! Our ACME issuer against the test bed: a world, a place where accounts are kept, and solvers.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use certwright::{
    AcmeClient, AcmeIssuer, Cancel, Certificate, Challenge, ChallengeKind, Issued, Issuer, KeyAlgorithm, OsFilesystem,
    PrivateKey, Request, Result, Sans, Solver, SolverSpec, SystemClock, solver,
};
use certwright_testbed::{Names, Real, Settings, Testbed, Validation};

use crate::ports;
use crate::scratch::Scratch;

/// A test bed and everything around it.
#[derive(Debug)]
pub struct Bed {
    /// The server.
    pub server: Testbed,
    /// Where the client keeps its account, and the file of the roots of the server's TLS.
    pub scratch: Scratch,
    /// Where the server looks for answers to http-01, where it looks.
    pub http: SocketAddr,
    /// Where it looks for answers to tls-alpn-01.
    pub tls: SocketAddr,
}

impl Bed {
    /// One that believes every answer.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn believing() -> io::Result<Self> {
        Self::with(Settings { validation: Validation::Believed, ..Settings::default() })
    }

    /// One of this kind. Where it looks for answers, it does so at an address of its own, unless it asks another name server than its own.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn with(mut settings: Settings) -> io::Result<Self> {
        // Where nobody looks, nobody listens: there are not that many addresses.
        let [http, tls] = match &settings.validation {
            Validation::Real(_) => ports::several()?,
            Validation::Believed => [SocketAddr::from(([127, 0, 0, 1], 5002)); 2],
        };
        if let Validation::Real(real) = &mut settings.validation {
            (real.http_port, real.tls_port) = (http.port(), tls.port());
            if matches!(real.names, Names::Every(_)) {
                real.names = Names::Every(http.ip());
            }
            if let (Names::Own, Some(names)) = (real.names, &mut settings.dns) {
                names.every = vec![http.ip()];
            }
        }
        let server = Testbed::with(settings).map_err(io::Error::other)?;
        let scratch = Scratch::on_disk()?;
        std::fs::write(scratch.join("trust.pem"), server.tls_root_pem())?;
        Ok(Self { server, scratch, http, tls })
    }

    /// One that looks for answers.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn looking(names: Option<SocketAddr>) -> io::Result<Self> {
        let mut real = Real::default();
        if let Some(server) = names {
            real.names = Names::Server(server);
        }
        Self::with(Settings { validation: Validation::Real(real), ..Settings::default() })
    }

    /// The roots of the server's TLS.
    pub fn trust(&self) -> PathBuf {
        self.scratch.join("trust.pem")
    }

    /// What is wished of it; http-01 by a listener of our own.
    pub fn wish(&self) -> AcmeIssuer {
        let mut wish = AcmeIssuer::new(self.server.directory(), SolverSpec::HttpListener(self.http));
        wish.trust = Some(self.trust());
        wish
    }

    /// A client as a new process would make it.
    ///
    /// # Errors
    ///
    /// When there is no such solver.
    pub fn client(&self, wish: AcmeIssuer) -> Result<AcmeClient> {
        let files = Arc::new(OsFilesystem::new());
        let solvers = wish.solvers.iter().map(|spec| solver(spec, files.clone(), Arc::new(SystemClock)));
        let solvers = solvers.collect::<Result<_>>()?;
        self.client_with(wish, solvers)
    }

    /// The same with these solvers.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn client_with(&self, wish: AcmeIssuer, solvers: Vec<Arc<dyn Solver>>) -> Result<AcmeClient> {
        let files = Arc::new(OsFilesystem::new());
        Ok(AcmeClient::new("public".parse()?, wish, solvers, files, self.scratch.path(), Arc::new(SystemClock)))
    }
}

/// Orders a certificate for these names and a new key.
///
/// # Errors
///
/// As the issuer.
pub fn order(issuer: &dyn Issuer, names: &[&str]) -> Result<Issued> {
    order_in_place_of(issuer, names, None)
}

/// The same in place of a certificate.
///
/// # Errors
///
/// As the issuer.
pub fn order_in_place_of(issuer: &dyn Issuer, names: &[&str], replaced: Option<&Certificate>) -> Result<Issued> {
    let names = Sans::new(names.iter().map(|name| name.parse()).collect::<Result<_>>()?)?;
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let lineage = "www".parse()?;
    let request = Request::new(&lineage, &names, &key);
    let request = match replaced {
        Some(leaf) => request.replacing(leaf),
        None => request,
    };
    issuer.issue(&request, &Cancel::new())
}

/// A solver that does nothing but remember what it was asked: for worlds that believe.
#[derive(Debug, Default)]
pub struct Idle(Mutex<Vec<(String, String)>>);

impl Idle {
    /// The identifier and the token of each answer that was to be put in place.
    pub fn asked(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Solver for Idle {
    fn present(&self, challenge: &Challenge, _: &Cancel) -> Result<()> {
        let asked = (challenge.identifier().to_string(), challenge.token().to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        Ok(())
    }

    fn clean_up(&self, _: &Challenge) -> Result<()> {
        Ok(())
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Http01]
    }
}
