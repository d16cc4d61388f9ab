//! Asking a long call to stop at its next safe point.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{Error, ErrorKind, Result};

/// A shared wish to stop. Cloning shares it; waits and network calls look at it, a switch in progress is finished first.
///
/// # Examples
///
/// ```
/// let cancel = certwright::Cancel::new();
/// assert!(cancel.check().is_ok());
/// cancel.clone().cancel();
/// assert_eq!(cancel.check().unwrap_err().kind(), certwright::ErrorKind::Cancelled);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A wish nobody has expressed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ask every holder of a clone to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// The flag itself, for a signal handler: setting it asks to stop.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }

    /// Whether stopping was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// An error when stopping was asked for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(
                Error::new(ErrorKind::Cancelled, "stopped as asked").hint("run the same command again to go on")
            );
        }
        Ok(())
    }
}
