//! A reload by a signal to the process that a pid file names.

use std::path::PathBuf;
use std::sync::Arc;

use super::{ReloadContext, Reloaded, Reloader};
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;
use crate::place::filesystem::Filesystem;
use crate::place::process::{Process, Signal};

/// Sends a signal to the process in a pid file, once it is seen to live and to handle that signal.
#[derive(Debug)]
pub(super) struct SignalReload {
    signal: Signal,
    pid_file: PathBuf,
    fs: Arc<dyn Filesystem>,
}

impl SignalReload {
    pub(super) fn new(signal: &str, pid_file: PathBuf, fs: Arc<dyn Filesystem>) -> Result<Self> {
        Ok(Self { signal: Signal::named(signal)?, pid_file, fs })
    }

    fn process(&self, cancel: &Cancel) -> Result<Process> {
        cancel.check()?;
        Process::from_pid_file(&*self.fs, &self.pid_file)
    }
}

impl Reloader for SignalReload {
    fn reload(&self, _context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        self.process(cancel)?.signal(self.signal).map(|()| Reloaded::Asked)
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        self.process(cancel)?.expect_to_handle(self.signal)
    }

    fn describe(&self) -> String {
        format!("{} to the process in `{}`", self.signal, self.pid_file.display())
    }
}
