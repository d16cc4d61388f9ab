//! SIGINT and SIGTERM ask to stop at the next safe point; a second one ends the process at once.

use std::io;

use certwright::{Cancel, Error, Result};
use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::unregister;

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
