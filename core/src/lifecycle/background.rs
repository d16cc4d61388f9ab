//! `run` in a thread of its own, for programs that serve something else.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::Lifecycle;
use super::report::{LineageReport, Outcome};
use super::run::{RunEvent, RunOptions};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::place::wake::Wake;

/// Reports that nobody took are kept up to so many; what comes then is dropped.
const KEPT: usize = 256;

/// Renewals in the background. Dropping it stops them at the next safe point and waits for that.
///
/// # Examples
///
/// ```no_run
/// use certwright::{Config, Lifecycle, RunOptions};
///
/// # fn main() -> certwright::Result<()> {
/// # let text = "version = 1";
/// let lifecycle = Lifecycle::open(Config::parse(text, "service.toml".as_ref())?)?;
/// let renewals = lifecycle.spawn(RunOptions::default())?;
/// for report in renewals.reports() {
///     match report.error {
///         Some(error) => eprintln!("{}: {}", report.lineage, error.message),
///         None => eprintln!("{}: {:?} is active", report.lineage, report.generation),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Background {
    lifecycle: Arc<Lifecycle>,
    reports: Receiver<LineageReport>,
    wake: Wake,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Lifecycle {
    /// [`run`](Self::run) in a thread of its own, until what is returned is dropped. Needs no asynchronous runtime, and may be
    /// called inside one.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim), and `Io` when the thread cannot be started.
    ///
    /// # Effects
    ///
    /// As [`run`](Self::run).
    pub fn spawn(self, options: RunOptions) -> Result<Background> {
        let (sender, reports) = sync_channel(KEPT);
        // Whoever does not take reports has no need of the newest.
        let mut background = self.spawn_telling(options, move |report| drop(sender.try_send(report)))?;
        background.reports = reports;
        Ok(background)
    }

    /// The same, with each report told in place of kept.
    pub(crate) fn spawn_telling(
        self,
        options: RunOptions,
        mut tell: impl FnMut(LineageReport) + Send + 'static,
    ) -> Result<Background> {
        let claim = self.claim()?;
        let lifecycle = Arc::new(self);
        let (_, reports) = sync_channel(0);
        let wake = Wake::new();
        let (ours, theirs) = (lifecycle.clone(), wake.clone());
        let thread = std::thread::Builder::new()
            .name("certwright-run".to_owned())
            .spawn(move || {
                ours.run(&claim, &options, &theirs, &mut |event| {
                    match event {
                        RunEvent::Looked(report) if report.changed || report.outcome != Outcome::Well => {
                            tell(*report);
                        }
                        _ => {}
                    }
                    ControlFlow::Continue(())
                })
            })
            .map_err(|source| Error::io("the thread for renewals cannot be started", source))?;
        Ok(Background { lifecycle, reports, wake, thread: Some(thread) })
    }
}

impl Background {
    /// What was done and what failed, as it happens; looks at which there was nothing to tell are left out. Ends when the
    /// thread does, or at once where they are told to a closure. Reports that are not taken are dropped beyond 256.
    pub fn reports(&self) -> &Receiver<LineageReport> {
        &self.reports
    }

    /// The life cycle, for verbs beside: they take turns with the thread by lineage.
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// Stop at the next safe point, and wait for that.
    ///
    /// # Errors
    ///
    /// What ended the thread before, if anything did.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.lifecycle.tools.cancel.cancel();
        self.wake.wake();
        let bug = |_| Err(Error::new(ErrorKind::Bug, "the thread for renewals panicked"));
        thread.join().unwrap_or_else(bug)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
