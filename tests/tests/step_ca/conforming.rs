//! The conformance suite of `Issuer` over step-ca: the real one and the stand-in, by its own interface.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certwright::{
    Clock, OsFilesystem, Sans, SecretSource, StepCaClient, StepCaIssuer, StepCredential, StepJwk, SystemClock,
};
use certwright_testbed::Fault;
use certwright_tests::conformance::issuer::{Authority, Bench, Mood};
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::step_ca::{Options, PASSWORD, StepCa};
use rustix::process::Signal;
use serde_json::json;

use super::ca::{Ca, StandIn, secret};

/// The stand-in, which can be made to fail and to be silent.
struct World {
    ca: StandIn,
    scratch: Scratch,
}

impl Authority for World {
    fn set(&self, mood: Mood) -> io::Result<()> {
        self.ca.server.mend();
        match mood {
            Mood::Willing => {}
            Mood::Failing => self.ca.server.distort("/", Fault::Status(503)),
            Mood::Silent => self.ca.server.distort("/", Fault::Hang),
        }
        Ok(())
    }

    fn traces(&self) -> String {
        self.ca.server.asked().join("\n")
    }

    fn is_waited_for(&self) -> io::Result<()> {
        // A silent one has been asked once more than it has answered.
        let asked = self.ca.server.asked();
        if asked.is_empty() { Err(io::Error::other("nobody asks")) } else { Ok(()) }
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        vec![self.ca.password().as_bytes().to_vec(), b"BEGIN PRIVATE KEY".to_vec()]
    }

    fn place(&self) -> String {
        self.ca.url()
    }

    fn refuses(&self) -> Option<Sans> {
        None
    }
}

/// The real one, which can be ended and held.
struct Debian {
    ca: Mutex<StepCa>,
    scratch: Scratch,
    url: String,
    address: SocketAddr,
}

impl Debian {
    fn ca(&self) -> std::sync::MutexGuard<'_, StepCa> {
        self.ca.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Authority for Debian {
    fn set(&self, mood: Mood) -> io::Result<()> {
        let mut ca = self.ca();
        // Whoever was held goes on first, or it would not hear anything else.
        if let Ok(process) = ca.process() {
            process.signal(Signal::CONT)?;
        }
        match mood {
            Mood::Willing if ca.process().is_err() => ca.run(),
            Mood::Willing => Ok(()),
            Mood::Failing => ca.stop(),
            Mood::Silent => ca.process()?.signal(Signal::STOP),
        }
    }

    fn traces(&self) -> String {
        self.ca().said()
    }

    fn is_waited_for(&self) -> io::Result<()> {
        // The kernel has taken a connection that nobody answers.
        let SocketAddr::V4(address) = self.address else { return Err(io::Error::other("an address of IPv6")) };
        let place = format!("{:08X}:{:04X}", u32::from_le_bytes(address.ip().octets()), address.port());
        let table = std::fs::read_to_string("/proc/net/tcp")?;
        let waits = table.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            fields.next() == Some(&place) && fields.nth(1) == Some("01")
        });
        if waits { Ok(()) } else { Err(io::Error::other("nobody is connected")) }
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        vec![PASSWORD.as_bytes().to_vec(), b"BEGIN PRIVATE KEY".to_vec()]
    }

    fn place(&self) -> String {
        self.url.clone()
    }

    fn refuses(&self) -> Option<Sans> {
        None
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        // One that is held does not end.
        if let Ok(process) = self.ca().process() {
            let _ = process.signal(Signal::CONT);
        }
        kept_for_nobody_else(&self.scratch);
    }
}

/// The roots of the CA were kept for nobody else.
fn kept_for_nobody_else(scratch: &Scratch) {
    use std::os::unix::fs::PermissionsExt;

    if let Ok(facts) = std::fs::metadata(scratch.join(".issuers/internal/roots.json")) {
        assert!(std::thread::panicking() || facts.permissions().mode() & 0o077 == 0);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        kept_for_nobody_else(&self.scratch);
    }
}

fn names(text: &[&str]) -> Sans {
    Sans::new(text.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
}

/// A client with the password of the JWK provisioner in a file.
fn issuer(url: &str, fingerprint: &str, password: &str, scratch: &Scratch) -> Arc<StepCaClient> {
    let password = secret(scratch, "step-password", password);
    let credential = StepCredential::Jwk(StepJwk::new("deploy", SecretSource::File(password)));
    let mut wish = StepCaIssuer::new(url, fingerprint.parse().unwrap(), credential);
    wish.limit = Duration::from_secs(30);
    let files = Arc::new(OsFilesystem::new());
    Arc::new(StepCaClient::new("internal".parse().unwrap(), wish, files, scratch.path(), Arc::new(SystemClock)))
}

fn bench(issuer: Arc<StepCaClient>, authority: Arc<dyn Authority>, roots: Vec<u8>) -> Bench {
    Bench {
        issuer,
        authority,
        roots: Box::new(move || Ok(roots.clone())),
        now: SystemClock.now(),
        names: vec![names(&["www.example.org"]), names(&["example.org", "*.example.org", "192.0.2.1", "2001:db8::1"])],
        patience: certwright_tests::conformance::PATIENCE,
    }
}

mod stand_in {
    use super::*;

    certwright_tests::issuer_suite!(|| {
        let ca = StandIn::start(json!({}), "1m");
        let scratch = Scratch::on_disk()?;
        let (issuer, roots) = (issuer(&ca.url(), &ca.fingerprint(), ca.password(), &scratch), ca.roots());
        io::Result::Ok(bench(issuer, Arc::new(World { ca, scratch }), roots))
    });
}

mod real {
    use super::*;

    certwright_tests::issuer_suite!(|| {
        let ca = StepCa::start(&Options::default())?;
        let scratch = Scratch::on_disk()?;
        let (issuer, roots) = (issuer(&ca.url, &ca.fingerprint, PASSWORD, &scratch), ca.roots()?);
        let (url, address) = (ca.url.clone(), ca.url.trim_start_matches("https://").parse().map_err(io::Error::other)?);
        io::Result::Ok(bench(issuer, Arc::new(Debian { ca: Mutex::new(ca), scratch, url, address }), roots))
    });
}
