//! What a program observes itself, here: the listener of a load balancer, in words.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use certwright::{Cancel, Error, ErrorKind, Observation, Place, Probe, ProbeCallback, Result, Seen};
use certwright_tests::conformance::PATIENCE;
use certwright_tests::conformance::probe::{Bench, Mood, Service, Shown};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

pub(crate) struct Listener {
    mood: Mutex<Mood>,
    pub(crate) asked: AtomicUsize,
    reached: AtomicBool,
}

impl Listener {
    pub(crate) fn new() -> Arc<Self> {
        let (asked, reached) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { mood: Mutex::new(Mood::Gone), asked, reached })
    }

    pub(crate) fn observation(seen: Result<Seen>) -> Vec<Observation> {
        let told = |error: Error| error.context("listener", "listener 7").hint("look at it");
        vec![Observation::new(Place::Named("listener 7".to_owned()), seen.map_err(told))]
    }

    /// What it shows without its key, if it does.
    pub(crate) fn forged(&self) -> Option<Shown> {
        match self.mood() {
            Mood::Forging(shown) => Some(shown),
            _ => None,
        }
    }

    fn mood(&self) -> Mood {
        self.mood.lock().unwrap().clone()
    }

    /// What it serves to whoever asks for this name, waiting as long as it is silent and `cancel` and `patience` let it.
    pub(crate) fn look(&self, name: &str, patience: Option<Duration>, cancel: &Cancel) -> Result<Vec<Observation>> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        self.reached.store(true, Ordering::Release);
        while matches!(self.mood(), Mood::Silent) {
            cancel.check()?;
            if let Some(patience) = patience {
                thread::park_timeout(patience);
                return Ok(Self::observation(Err(Error::new(ErrorKind::Timeout, "it says nothing"))));
            }
            thread::park_timeout(Duration::from_millis(5));
        }
        let seen = match self.mood() {
            Mood::Serving(shown) => facts(&shown),
            Mood::ByName(ours, theirs) => facts(if name == "www.example.org" { &ours } else { &theirs }),
            Mood::Forging(_) => Err(Error::new(ErrorKind::Network, "it does not hold the key")),
            Mood::Silent | Mood::Gone => Err(Error::new(ErrorKind::Network, "it is not there")),
        };
        Ok(Self::observation(seen))
    }
}

/// The facts of a chain, as `Seen` reads them.
pub(crate) fn facts(shown: &Shown) -> Result<Seen> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&shown.chain).map(std::result::Result::unwrap).collect();
    Seen::from_der(chain.iter().map(CertificateDer::as_ref))
}

impl Service for Listener {
    fn set(&self, mood: Mood) -> io::Result<bool> {
        self.reached.store(false, Ordering::Release);
        *self.mood.lock().unwrap() = mood;
        Ok(true)
    }

    fn seen_by_another(&self) -> io::Result<Vec<u8>> {
        match self.mood() {
            Mood::Serving(shown) | Mood::ByName(shown, _) => Ok(shown.chain),
            other => Err(io::Error::other(format!("{other:?}"))),
        }
    }

    fn asked(&self) -> Option<usize> {
        Some(self.asked.load(Ordering::Acquire))
    }

    fn is_reached(&self) -> io::Result<()> {
        if self.reached.load(Ordering::Acquire) { Ok(()) } else { Err(io::Error::other("nobody came")) }
    }

    fn place(&self) -> String {
        "listener 7".to_owned()
    }
}

fn bench() -> io::Result<Bench> {
    let service = Listener::new();
    let probe = |name: &'static str, patience: Option<Duration>| -> Arc<dyn Probe> {
        let theirs = service.clone();
        Arc::new(ProbeCallback::new("listener 7", move |cancel: &Cancel| theirs.look(name, patience, cancel)))
    };
    Ok(Bench {
        probe: probe("www.example.org", None),
        hurried: Some(probe("www.example.org", Some(Duration::from_millis(5)))),
        other_name: Some(probe("other.example.org", None)),
        service: service.clone(),
        patience: PATIENCE,
    })
}

mod by_callback {
    certwright_tests::probe_suite!(super::bench);
}
