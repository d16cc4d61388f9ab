//! The conformance suite of `Issuer` over step-ca: the real one and the stand-in, by its own interface.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use certwright::{
    Clock, OsFilesystem, Sans, SecretSource, StepCaClient, StepCaIssuer, StepCredential, StepJwk, SystemClock,
};
use certwright_testbed::Fault;
use certwright_tests::conformance::issuer::{Authority, Bench, Mood};
use certwright_tests::scratch::Scratch;
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

fn names(text: &[&str]) -> Sans {
    Sans::new(text.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
}

fn bench() -> io::Result<Bench> {
    let ca = StandIn::start(json!({}), "1m");
    let scratch = Scratch::on_disk()?;
    let password = secret(&scratch, "step-password", ca.password());
    let credential = StepCredential::Jwk(StepJwk::new("deploy", SecretSource::File(password)));
    let mut wish = StepCaIssuer::new(ca.url(), ca.fingerprint().parse().unwrap(), credential);
    wish.limit = Duration::from_secs(30);
    let files = Arc::new(OsFilesystem::new());
    let issuer = StepCaClient::new("internal".parse().unwrap(), wish, files, scratch.path(), Arc::new(SystemClock));
    let roots = ca.roots();
    Ok(Bench {
        issuer: Arc::new(issuer),
        authority: Arc::new(World { ca, scratch }),
        roots: Box::new(move || Ok(roots.clone())),
        now: SystemClock.now(),
        names: vec![names(&["www.example.org"]), names(&["example.org", "*.example.org", "192.0.2.1", "2001:db8::1"])],
        patience: certwright_tests::conformance::PATIENCE,
    })
}

impl Drop for World {
    fn drop(&mut self) {
        // The roots of the CA were kept for nobody else.
        let kept = self.scratch.join(".issuers/internal/roots.json");
        if let Ok(facts) = std::fs::metadata(kept) {
            use std::os::unix::fs::PermissionsExt;

            assert!(std::thread::panicking() || facts.permissions().mode() & 0o077 == 0);
        }
    }
}

mod stand_in {
    certwright_tests::issuer_suite!(super::bench);
}
