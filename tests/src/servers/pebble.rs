//! pebble(1): the ACME server of Let's Encrypt's own tests, with a name server of its own world.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use certwright::{Clock, SystemClock};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::LIMIT;
use super::challtestsrv::ChallTestSrv;
use crate::http::{Answer, Web};
use crate::materials::Authority;
use crate::ports;
use crate::process::Running;
use crate::program::program;
use crate::scratch::Scratch;
use crate::until::until;

/// The domain that it issues nothing for.
pub const BLOCKED: &str = "blocked.example";

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// Per cent of the good nonces that it refuses.
    pub nonce_rejection: u8,
    /// Per cent of the valid authorizations that it uses again.
    pub authorization_reuse: u8,
    /// The only key, with its id, that an account may be bound to; `None` when accounts need not be bound.
    pub external_account: Option<ExternalAccount<'a>>,
    /// How many more roots it has certificates for, each with an intermediate.
    pub alternate_roots: u8,
    /// Intermediates in a chain.
    pub chain_length: u8,
    /// Whether it looks for the answers to its challenges.
    pub validation: Validation,
    /// Where it looks for names, when not at the name server of its world.
    pub resolver: Option<SocketAddr>,
}

/// A key for external account binding (RFC 8555 §7.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalAccount<'a> {
    /// Its id.
    pub id: &'a str,
    /// The key, base64url without padding.
    pub key: &'a str,
}

/// How answers to challenges are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// By looking, at once.
    Real,
    /// Each is believed.
    Believed,
}

impl Default for Options<'_> {
    /// Never refuses a nonce, never uses an authorization again, one root, one intermediate, looks for every answer.
    fn default() -> Self {
        Self {
            nonce_rejection: 0,
            authorization_reuse: 0,
            external_account: None,
            alternate_roots: 0,
            chain_length: 1,
            validation: Validation::Real,
            resolver: None,
        }
    }
}

/// One that answers. It ends when it is dropped.
#[derive(Debug)]
pub struct Pebble {
    /// Where everything begins.
    pub directory: String,
    /// The roots (a PEM file) that its own TLS is trusted by. Not those of what it issues.
    pub trust: PathBuf,
    /// Where it looks for answers to http-01, for every name and for this address as an identifier.
    pub http: SocketAddr,
    /// Where it looks for answers to tls-alpn-01.
    pub tls: SocketAddr,
    /// Where it looks for names.
    pub names: ChallTestSrv,
    /// From the start of its process until its directory answered.
    pub took: Duration,
    acme: Web,
    management: Web,
    running: Running,
    home: Scratch,
}

impl Pebble {
    /// Starts one, and waits until its directory answers.
    ///
    /// # Errors
    ///
    /// With its last words, when it ends or does not answer in time.
    pub fn start(options: Options<'_>) -> io::Result<Self> {
        let [acme, management, http, tls] = ports::several()?;
        let names = ChallTestSrv::start(http.ip())?;
        let home = Scratch::on_disk()?;
        let (trust, certificate, key) = (home.join("trust.pem"), home.join("tls.pem"), home.join("tls-key.pem"));
        let now = SystemClock.now();
        let authority = Authority::new(now);
        let material = authority.leaf(&[&acme.ip().to_string()], now);
        fs::write(&trust, authority.root_pem())?;
        fs::write(&certificate, material.chain().fullchain_pem())?;
        fs::write(&key, material.key().to_pem().expose())?;
        let config = home.join("pebble.json");
        let keys = options.external_account.map(|account| json!({ account.id: account.key })).unwrap_or_default();
        let text = json!({ "pebble": {
            "listenAddress": acme.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": certificate,
            "privateKey": key,
            "httpPort": http.port(),
            "tlsPort": tls.port(),
            "externalAccountBindingRequired": options.external_account.is_some(),
            "externalAccountMACKeys": keys,
            "domainBlocklist": [BLOCKED],
        }});
        fs::write(&config, text.to_string())?;

        let mut command = Command::new(program("pebble"));
        command.arg("-config").arg(&config).args(["-dnsserver", &options.resolver.unwrap_or(names.dns).to_string()]);
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", options.nonce_rejection.to_string());
        command.env("PEBBLE_AUTHZREUSE", options.authorization_reuse.to_string());
        command.env("PEBBLE_ALTERNATE_ROOTS", options.alternate_roots.to_string());
        command.env("PEBBLE_CHAIN_LENGTH", options.chain_length.to_string());
        if options.validation == Validation::Believed {
            command.env("PEBBLE_VA_ALWAYS_VALID", "1");
        }
        let log = File::create(home.join("output.log"))?;
        command.current_dir("/").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let began = Instant::now();
        let running = Running::start(&mut command)?;
        let (acme_web, management) = (Web::secure(acme, &trust)?, Web::secure(management, &trust)?);
        let directory = format!("https://{acme}/dir");
        let took = Duration::ZERO;
        let mut server = Self { directory, trust, http, tls, names, took, acme: acme_web, management, running, home };
        server
            .answers()
            .map_err(|error| io::Error::new(error.kind(), format!("{error}; it said: {}", server.said())))?;
        server.took = began.elapsed();
        server.ready().map_err(|error| io::Error::new(error.kind(), format!("{error}; it said: {}", server.said())))?;
        Ok(server)
    }

    fn answers(&mut self) -> io::Result<()> {
        until(LIMIT, "the directory answers", || {
            if let Ok(status) = self.running.wait(Duration::ZERO) {
                return Ok(Err(io::Error::other(format!("pebble ended with {status}"))));
            }
            self.acme.get("/dir").map(|_| Ok(()))
        })?
    }

    fn ready(&mut self) -> io::Result<()> {
        until(LIMIT, "the roots can be had", || self.root(0).map(drop))
    }

    /// A root that it issues under, PEM: 0, and 1 to the number of alternate ones. Another one each time that it starts.
    ///
    /// # Errors
    ///
    /// When it has no such root.
    pub fn root(&self, number: u8) -> io::Result<Vec<u8>> {
        self.ask(&format!("/roots/{number}")).map(|answer| answer.body)
    }

    /// The intermediate below that root, PEM.
    ///
    /// # Errors
    ///
    /// As [`Pebble::root`].
    pub fn intermediate(&self, number: u8) -> io::Result<Vec<u8>> {
        self.ask(&format!("/intermediates/{number}")).map(|answer| answer.body)
    }

    /// The root in a file, for what wants one.
    ///
    /// # Errors
    ///
    /// As [`Pebble::root`], or when it cannot be written.
    pub fn root_file(&self, number: u8) -> io::Result<PathBuf> {
        let path = self.home.join(format!("root-{number}.pem"));
        fs::write(&path, self.root(number)?)?;
        Ok(path)
    }

    /// Why a certificate was revoked (RFC 5280 §5.3.1); `None` when it was not. The serial number in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// When it did not issue it.
    pub fn revoked(&self, serial: &str) -> io::Result<Option<u64>> {
        let answer = self.ask(&format!("/cert-status-by-serial/{serial}"))?;
        let status: Value = serde_json::from_slice(&answer.body)?;
        match status.get("Status").and_then(Value::as_str) {
            Some("Valid") => Ok(None),
            Some("Revoked") => Ok(Some(status.get("Reason").and_then(Value::as_u64).unwrap_or(0))),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("no status: {status}"))),
        }
    }

    /// The ACME requests that it took, in order, as `POST /order-plz`. Those that made sure that it answers are left out.
    pub fn requests(&self) -> Vec<String> {
        let said = self.said();
        let lines = said.lines().filter_map(|line| line.strip_suffix(" -> calling handler()"));
        let requests = lines.filter_map(|line| line.splitn(4, ' ').nth(3).map(str::to_owned));
        requests.filter(|request| !request.starts_with("GET /roots")).skip(1).collect()
    }

    /// How many accounts it made; a request whose nonce it refused makes none.
    pub fn accounts(&self) -> usize {
        self.said().lines().filter(|line| line.contains("There are now ") && line.contains(" account")).count()
    }

    /// What it printed: a line for every request, among others.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.join("output.log")).unwrap_or_default()).into_owned()
    }

    /// Its process.
    pub fn process(&self) -> &Running {
        &self.running
    }

    fn ask(&self, path: &str) -> io::Result<Answer> {
        self.management.get(path)
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.running.signal(Signal::TERM);
        let _ = self.running.wait(LIMIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openssl::x509;

    fn started(options: Options<'_>) -> Pebble {
        Pebble::start(options).unwrap()
    }

    #[test]
    fn answers_and_ends_with_its_owner() {
        let pebble = started(Options::default());
        let directory: Value = serde_json::from_slice(&pebble.acme.get("/dir").unwrap().body).unwrap();
        assert!(directory["newOrder"].as_str().unwrap().starts_with("https://127."), "{directory}");
        assert_eq!(directory["meta"].get("externalAccountRequired"), Some(&Value::Bool(false)));
        assert_eq!(pebble.requests(), ["GET /dir"]);
        assert!(x509(&pebble.root(0).unwrap(), &["-subject"]).unwrap().contains("Pebble Root"));
        let issuer = x509(&pebble.intermediate(0).unwrap(), &["-issuer"]).unwrap();
        assert!(issuer.contains("Pebble Root"), "{issuer}");
        assert!(pebble.root(1).is_err(), "it has one root");
        assert!(pebble.revoked("00").is_err());
        let (address, dns) = (pebble.acme.clone(), pebble.names.dns);
        drop(pebble);
        assert!(address.get("/dir").is_err());
        assert!(ports::reachable(dns, Duration::ZERO).is_err());
    }

    #[test]
    fn is_as_it_was_asked_to_be() {
        let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
        let external_account = Some(ExternalAccount { id: "kid-1", key });
        let pebble = started(Options { external_account, alternate_roots: 2, ..Options::default() });
        let directory: Value = serde_json::from_slice(&pebble.acme.get("/dir").unwrap().body).unwrap();
        assert_eq!(directory["meta"]["externalAccountRequired"], Value::Bool(true));
        let roots = [0, 1, 2].map(|number| pebble.root(number).unwrap());
        assert!(roots[0] != roots[1] && roots[1] != roots[2] && roots[0] != roots[2]);
        assert_eq!(fs::read(pebble.root_file(2).unwrap()).unwrap(), roots[2]);
        pebble.names.add_txt("_acme-challenge.a.example.", "value").unwrap();
        pebble.names.set_alias("b.example.", "a.example.").unwrap();
        pebble.names.set_addresses("c.example.", &["127.0.0.9"]).unwrap();
        pebble.names.fail("d.example.").unwrap();
        pebble.names.clear_txt("_acme-challenge.a.example.").unwrap();
    }
}
