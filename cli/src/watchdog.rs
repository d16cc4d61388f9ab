//! The watchdog of systemd (sd_watchdog_enabled(3)): it is told that all is well only while something goes on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use certwright::Watch;

use crate::notify::Notifier;

/// The longest that one step may take, such as the wait for a name server. Beyond it, systemd is left to think that the
/// program hangs.
const LONGEST_STEP: Duration = Duration::from_secs(20 * 60);

/// Told of every step; tells systemd in time.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    last: Instant,
    over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watchdog {
    /// As the environment says; without a watchdog nothing is told.
    pub(crate) fn from_environment(notifier: &Notifier) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let limit = number("WATCHDOG_USEC").filter(|limit| ours && *limit > 0).map(Duration::from_micros);
        Self::every(limit.map(|limit| limit / 2), LONGEST_STEP, notifier)
    }

    fn every(pause: Option<Duration>, longest: Duration, notifier: &Notifier) -> Self {
        let state = State { last: Instant::now(), over: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let (theirs, notifier) = (shared.clone(), notifier.clone());
        let beat = move |pause: Duration| {
            let mut state = theirs.lock();
            while !state.over {
                if state.last.elapsed() < longest {
                    notifier.send("WATCHDOG=1");
                }
                state = theirs.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
            }
        };
        let thread = pause
            .and_then(|pause| std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || beat(pause)).ok());
        Self { shared, thread }
    }

    /// Something went on.
    pub(crate) fn progress(&self) {
        self.shared.lock().last = Instant::now();
    }

    /// Told of every arrow as it begins.
    pub(crate) fn watch(&self) -> Watch {
        let shared = self.shared.clone();
        Arc::new(move |_| shared.lock().last = Instant::now())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
