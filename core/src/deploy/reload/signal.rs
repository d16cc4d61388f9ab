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

    /// What is done with the process, whose errors name the file in which somebody would look for it.
    fn with_process(&self, cancel: &Cancel, act: impl FnOnce(&Process) -> Result<()>) -> Result<()> {
        cancel.check()?;
        let process = Process::from_pid_file(&*self.fs, &self.pid_file)?;
        act(&process).map_err(|error| error.context("pid_file", self.pid_file.as_path()))
    }
}

impl Reloader for SignalReload {
    fn reload(&self, _context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        self.with_process(cancel, |process| process.signal(self.signal)).map(|()| Reloaded::Asked)
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        self.with_process(cancel, |process| process.expect_to_handle(self.signal))
    }

    fn describe(&self) -> String {
        format!("{} to the process in `{}`", self.signal, self.pid_file.display())
    }
}
