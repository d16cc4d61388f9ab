//! Waiting that somebody else can end.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Ends the wait of a [`run`](crate::Lifecycle::run). Cloning shares it.
///
/// # Examples
///
/// ```
/// let wake = certwright::Wake::new();
/// wake.clone().wake();
/// assert!(wake.wait(std::time::Duration::from_secs(3_600)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wake {
    /// Nobody was woken yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// End the wait that is under way, or the next one. Not for a signal handler: it takes a lock.
    pub fn wake(&self) {
        *self.0.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }

    /// Wait for [`wake`](Self::wake), at most so long. Answers whether it came, and forgets it.
    pub fn wait(&self, limit: Duration) -> bool {
        let woken = self.0.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.changed.wait_timeout_while(woken, limit, |woken| !*woken);
        let (mut woken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *woken)
    }
}
