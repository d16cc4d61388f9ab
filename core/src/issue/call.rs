//! One call of an issuer over the network: a runtime of its own, one deadline, one wish to stop. Nothing of it outlives the
//! call: no thread, no socket.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::ground::time::{Clock, Timestamp};

/// How soon a wish to stop is noticed.
const NOTICE: Duration = Duration::from_millis(100);

/// One call.
pub(super) struct Call<'s> {
    runtime: Option<Runtime>,
    cancel: &'s Cancel,
    clock: Arc<dyn Clock>,
    limit: Duration,
    place: (&'static str, String),
    end: Instant,
}

impl<'s> Call<'s> {
    /// One that ends after `limit`, with the authority at this place, which has a name in errors.
    ///
    /// # Errors
    ///
    /// `Io` when the operating system gives no more handles.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        limit: Duration,
        (name, place): (&'static str, &str),
        cancel: &'s Cancel,
    ) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|source| Error::io("the network cannot be waited for", source))?;
        let place = (name, place.to_owned());
        Ok(Self { runtime: Some(runtime), cancel, clock, limit, place, end: Instant::now() + limit })
    }

    /// The wish to stop that this call looks at.
    pub(super) fn cancel(&self) -> &'s Cancel {
        self.cancel
    }

    /// The time by our own clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Wait that long.
    ///
    /// # Errors
    ///
    /// `Timeout`, at once, when the time does not suffice; `Cancelled`.
    pub(super) fn sleep(&self, span: Duration) -> Result<()> {
        if span.is_zero() {
            return self.cancel.check();
        }
        if span >= self.left() {
            return Err(self.late().retry(Retry::After(self.now().saturating_add(span))));
        }
        self.drive(async { tokio::time::sleep(span).await })
    }

    /// Run a future to its end, or to that of the call.
    ///
    /// # Errors
    ///
    /// `Timeout`; `Cancelled`.
    pub(super) fn drive<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        let Some(runtime) = &self.runtime else {
            return Err(Error::new(ErrorKind::Bug, "a call was used after its end"));
        };
        runtime.block_on(async {
            let mut future = pin!(future);
            loop {
                self.cancel.check()?;
                let left = self.left();
                if left.is_zero() {
                    return Err(self.late());
                }
                if let Ok(done) = timeout(left.min(NOTICE), future.as_mut()).await {
                    return Ok(done);
                }
            }
        })
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    fn late(&self) -> Error {
        Error::new(ErrorKind::Timeout, "the authority was not done in time")
            .context("limit", self.limit)
            .context(self.place.0, Public(&self.place.1))
            .hint("try again; for slow DNS or a slow authority raise `limit` of the issuer")
            .retry(Retry::Now)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        // A look-up that hangs in the system's resolver must not be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Do it on a thread of its own: the caller may be inside a runtime, which cannot be waited in.
///
/// # Errors
///
/// Those of `work`; `Io` when the system has no thread.
pub(super) fn apart<T: Send>(name: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let running = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn_scoped(scope, work)
            .map_err(|source| Error::io("no thread can be started for the authority", source))?;
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
