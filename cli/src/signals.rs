//! SIGINT and SIGTERM ask to stop at the next safe point; a second one ends the process at once. For `run`, SIGHUP asks to
//! read the configuration again.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use certwright::{Cancel, Error, Result, Wake};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::{pipe, unregister};

use crate::notify::Notifier;

/// Signals are watched for as long as this lives.
#[derive(Debug)]
pub(crate) struct Signals {
    cancel: Cancel,
    ids: Vec<SigId>,
}

impl Signals {
    /// Begin to watch.
    pub(crate) fn watch() -> Result<Self> {
        let mut signals = Self { cancel: Cancel::new(), ids: Vec::with_capacity(4) };
        for signal in [SIGINT, SIGTERM] {
            signals.add(signal).map_err(|source| Error::io("signals cannot be watched", source))?;
        }
        Ok(signals)
    }

    /// In this order: the second signal finds the flag set and ends the process, as a shell would tell it (128 + n).
    fn add(&mut self, signal: i32) -> io::Result<()> {
        self.ids.push(flag::register_conditional_shutdown(signal, 128 + signal, self.cancel.flag())?);
        self.ids.push(flag::register(signal, self.cancel.flag())?);
        Ok(())
    }

    /// The wish to stop that a signal expresses.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // A program that carries the command gets its own handling back.
        self.ids.drain(..).for_each(|id| {
            unregister(id);
        });
    }
}

/// Signals for a program that goes on: those that end it, the one that makes it read its configuration again, and an end to
/// whatever it waits for.
#[derive(Debug)]
pub(crate) struct Hangups {
    signals: Signals,
    reload: Arc<AtomicBool>,
    wake: Wake,
}

impl Hangups {
    /// Begin to watch. Whoever is notified hears of a wish to stop at once, however long the next safe point takes.
    pub(crate) fn watch(notifier: &Notifier) -> Result<Self> {
        let mut hangups = Self { signals: Signals::watch()?, reload: Arc::default(), wake: Wake::new() };
        hangups.listen(notifier).map_err(|source| Error::io("signals cannot be watched", source))?;
        Ok(hangups)
    }

    /// A signal handler may take no lock: it writes a byte, and a thread that reads it does the rest.
    fn listen(&mut self, notifier: &Notifier) -> io::Result<()> {
        self.signals.ids.push(flag::register(SIGHUP, self.reload.clone())?);
        let (mut reader, writer) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            self.signals.ids.push(pipe::register(signal, writer.try_clone()?)?);
        }
        let (wake, cancel, notifier) = (self.wake.clone(), self.signals.cancel(), notifier.clone());
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let mut byte = [0];
            while reader.read(&mut byte).is_ok_and(|length| length > 0) {
                if cancel.is_cancelled() {
                    notifier.send("STOPPING=1");
                }
                wake.wake();
            }
        })?;
        Ok(())
    }

    /// The wish to stop.
    pub(crate) fn cancel(&self) -> Cancel {
        self.signals.cancel()
    }

    /// The wish to read the configuration again.
    pub(crate) fn reload(&self) -> &AtomicBool {
        &self.reload
    }

    /// What ends a wait.
    pub(crate) fn wake(&self) -> &Wake {
        &self.wake
    }
}
