//! A program that serves the certificate itself.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use certwright::{Cancel, Chain, Error, ErrorKind, Material, ReloadCallback, ReloadContext, Reloaded, Result};
use certwright_tests::conformance::PATIENCE;
use certwright_tests::conformance::reloader::{Bench, Mood, Service};
use certwright_tests::served::Leaf;

/// The listener of this process, in words.
pub(crate) struct Listener {
    pub(crate) mood: Mutex<Mood>,
    pub(crate) used: Mutex<Option<Leaf>>,
    pub(crate) told: AtomicUsize,
    pub(crate) reached: AtomicBool,
    pub(crate) seen: Mutex<String>,
}

impl Listener {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(Mood::Well),
            used: Mutex::default(),
            told: AtomicUsize::new(0),
            reached: AtomicBool::new(false),
            seen: Mutex::default(),
        })
    }

    pub(crate) fn take(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        let about = |error: Error| error.context("listener", "listener 7").hint("look at it");
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Gone => return Err(about(Error::new(ErrorKind::NotFound, "it does not run"))),
            Mood::Refusing => return Err(about(Error::new(ErrorKind::ReloadFailed, "it does not want it"))),
            Mood::Hanging => {
                self.reached.store(true, Ordering::Release);
                while *self.mood.lock().unwrap() == Mood::Hanging {
                    cancel.check()?;
                    thread::park_timeout(Duration::from_millis(5));
                }
            }
            Mood::Deaf => return Ok(Reloaded::Asked),
            Mood::Well => {}
        }
        self.told.fetch_add(1, Ordering::Relaxed);
        let chain = Chain::from_pem(context.bundle.expose())?;
        *self.used.lock().unwrap() = Some(Leaf::of(&chain.leaf().der().into()));
        Ok(Reloaded::Confirmed)
    }
}

impl Service for Listener {
    fn activate(&self, _: &Material) -> io::Result<()> {
        // It is given what it uses.
        Ok(())
    }

    fn set(&self, mood: Mood) -> io::Result<bool> {
        *self.mood.lock().unwrap() = mood;
        Ok(true)
    }

    fn uses(&self) -> io::Result<Leaf> {
        self.used.lock().unwrap().clone().ok_or_else(|| io::Error::other("nothing yet"))
    }

    fn told(&self) -> Option<usize> {
        Some(self.told.load(Ordering::Relaxed))
    }

    fn is_reached(&self) -> io::Result<()> {
        if self.reached.load(Ordering::Acquire) { Ok(()) } else { Err(io::Error::other("nobody calls")) }
    }

    fn thing(&self) -> String {
        "listener 7".to_owned()
    }

    fn seen(&self) -> String {
        self.seen.lock().unwrap().clone()
    }
}

fn bench() -> io::Result<Bench> {
    let service = Listener::new();
    let theirs = service.clone();
    let reloader = ReloadCallback::new("listener 7", move |context: &ReloadContext<'_>, cancel: &Cancel| {
        theirs.take(context, cancel)
    });
    Ok(Bench { reloader: Arc::new(reloader), hurried: None, service, patience: PATIENCE })
}

mod by_callback {
    certwright_tests::reloader_suite!(super::bench);
}
