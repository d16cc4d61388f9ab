//! The ACME issuer against the real Pebble: every challenge, every kind of order, accounts, and what goes wrong.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test may panic")]

#[path = "acme/accounts.rs"]
mod accounts;
#[path = "acme/command_line.rs"]
mod command_line;
#[path = "acme/orders.rs"]
mod orders;
#[path = "acme/requests.rs"]
mod requests;
#[path = "acme/trouble.rs"]
mod trouble;

use std::path::Path;
use std::sync::{Arc, Mutex};

use certwright::{
    AcmeClient, AcmeIssuer, Cancel, Certificate, Challenge, ChallengeKind, Error, ErrorKind, Identifier, Issued,
    Issuer, KeyAlgorithm, OsFilesystem, PrivateKey, Request, Result, Roots, Sans, Solver, SolverSpec, SystemClock,
    Timestamp, solver,
};
use certwright_tests::openssl::openssl;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::pebble::{Options, Pebble};

type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

/// A Pebble and a place where clients keep their accounts.
struct Stage {
    pebble: Arc<Pebble>,
    scratch: Scratch,
}

impl Stage {
    fn new(options: Options<'_>) -> std::io::Result<Self> {
        Ok(Self { pebble: Arc::new(Pebble::start(options)?), scratch: Scratch::on_disk()? })
    }

    /// What is wished of the authority; http-01 by a listener of our own unless the test says otherwise.
    fn wish(&self) -> AcmeIssuer {
        let mut wish = AcmeIssuer::new(&self.pebble.directory, SolverSpec::HttpListener(self.pebble.http));
        wish.trust = Some(self.pebble.trust.clone());
        wish
    }

    /// A client as a new process would make it.
    fn client(&self, wish: AcmeIssuer) -> Result<AcmeClient> {
        let files = Arc::new(OsFilesystem::new());
        let solvers = wish.solvers.iter().map(|spec| solver(spec, files.clone(), Arc::new(SystemClock)));
        self.client_with(wish.clone(), solvers.collect::<Result<_>>()?)
    }

    fn client_with(&self, wish: AcmeIssuer, solvers: Vec<Arc<dyn Solver>>) -> Result<AcmeClient> {
        let files = Arc::new(OsFilesystem::new());
        Ok(AcmeClient::new("public".parse()?, wish, solvers, files, self.scratch.path(), Arc::new(SystemClock)))
    }

    /// Where the client keeps its account.
    fn state(&self, file: &str) -> std::path::PathBuf {
        self.scratch.join(".issuers/public").join(file)
    }

    /// Whether the chain is for these names and this key and leads to the root of this number.
    fn accepts(&self, made: &Made, root: u8) -> Outcome {
        let roots = Roots::from_pem(&self.pebble.root(root)?)?;
        roots.check(&made.issued.chain, now())?;
        let leaf = made.leaf();
        assert_eq!(leaf.key_fingerprint(), made.key.fingerprint());
        for name in &made.names {
            assert!(leaf.covers(name), "{name} is not in {:?}", leaf.identifiers());
        }
        assert_eq!(leaf.identifiers().len(), made.names.len());
        Ok(())
    }
}

fn now() -> Timestamp {
    certwright::Clock::now(&SystemClock)
}

/// What was ordered, and what came.
struct Made {
    names: Sans,
    key: PrivateKey,
    issued: Issued,
}

impl Made {
    fn leaf(&self) -> &Certificate {
        self.issued.chain.leaf()
    }
}

fn order(client: &AcmeClient, names: &[&str]) -> Result<Made> {
    order_until(client, names, &Cancel::new())
}

fn order_until(client: &AcmeClient, names: &[&str], cancel: &Cancel) -> Result<Made> {
    let names = Sans::new(names.iter().map(|name| name.parse()).collect::<Result<_>>()?)?;
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let issued = client.issue(&Request::new(&"www".parse()?, &names, &key), cancel)?;
    Ok(Made { names, key, issued })
}

/// Answers `dns-01` at the name server of Pebble's world, keeps a list of what it did, and fails when told to.
#[derive(Debug)]
struct Records {
    pebble: Arc<Pebble>,
    done: Mutex<Vec<String>>,
    /// What to do instead of answering.
    quirk: Quirk,
}

/// How a solver misbehaves.
#[derive(Debug)]
enum Quirk {
    None,
    /// Put a wrong answer in place.
    Wrong,
    /// Fail to put the answer for this name in place.
    FailsAt(&'static str),
    /// Decline every challenge.
    Declines,
    /// Ask to stop while waiting.
    Cancels(Cancel),
}

impl Records {
    fn new(stage: &Stage, quirk: Quirk) -> Arc<Self> {
        Arc::new(Self { pebble: Arc::clone(&stage.pebble), done: Mutex::default(), quirk })
    }

    fn note(&self, what: &str, challenge: &Challenge) {
        self.done.lock().unwrap().push(format!("{what} {}", challenge.identifier()));
    }

    fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }
}

impl Solver for Records {
    fn present(&self, challenge: &Challenge, _: &Cancel) -> Result<()> {
        self.note("present", challenge);
        let value = match &self.quirk {
            Quirk::FailsAt(name) if challenge.identifier().to_string() == *name => {
                return Err(Error::new(ErrorKind::Permission, "the zone is not ours"));
            }
            Quirk::Declines => return Err(Error::new(ErrorKind::Unsupported, "not by this one")),
            Quirk::Wrong => "wrong".to_owned(),
            _ => digest(challenge.key_authorization().expose()),
        };
        self.pebble.names.add_txt(&record(challenge), &value).map_err(|source| Error::io("no record", source))
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        self.note("clean up", challenge);
        self.pebble.names.clear_txt(&record(challenge)).map_err(|source| Error::io("no record", source))
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Dns01]
    }

    fn wait(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        self.note("wait", challenge);
        if let Quirk::Cancels(asked) = &self.quirk {
            asked.cancel();
        }
        cancel.check()
    }
}

fn record(challenge: &Challenge) -> String {
    let Identifier::Dns(name) = challenge.identifier() else { panic!("dns-01 is for names") };
    format!("_acme-challenge.{name}.")
}

/// The value of a TXT record (RFC 8555 §8.4), by OpenSSL.
fn digest(key_authorization: &[u8]) -> String {
    let scratch = Scratch::on_disk().unwrap();
    let (text, hash) = (scratch.join("text"), scratch.join("hash"));
    std::fs::write(&text, key_authorization).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    openssl(["dgst", "-sha256", "-binary", "-out", &path(&hash), &path(&text)]).unwrap();
    let base64 = openssl(["enc", "-base64", "-A", "-in", &path(&hash)]).unwrap();
    let base64 = String::from_utf8(base64.stdout).unwrap();
    base64.trim().trim_end_matches('=').replace('+', "-").replace('/', "_")
}
