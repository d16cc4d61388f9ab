//! One line on a terminal that says what is under way, for people who have waited a moment already.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use certwright::{LineageName, Phase, Watch};

/// What is over sooner is not worth a line.
const PATIENCE: Duration = Duration::from_millis(400);
/// The seconds in the line go on as they pass.
const TICK: Duration = Duration::from_secs(1);
/// Faster changes than this cannot be read.
const LEAST: Duration = Duration::from_millis(80);
/// Fits the narrowest terminal in use: a line that wraps cannot be taken away again.
const WIDTH: usize = 78;

/// The line. It is taken away when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    shared: Arc<Shared>,
    drawer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while the terminal is written to, and never by those who are watched: a stopped terminal holds up no arrow.
    pen: Mutex<()>,
}

#[derive(Debug)]
struct State {
    verb: &'static str,
    begun: Instant,
    /// The arrow that each lineage is in, and since when.
    under_way: BTreeMap<LineageName, (Phase, Instant)>,
    quiet_until: Instant,
    drawn: Option<Instant>,
    /// The line says something else than is true now.
    stale: bool,
    over: bool,
}

impl Progress {
    /// A line that begins with the verb; none when nobody looks at standard error.
    pub(crate) fn begin(verb: &'static str) -> Option<Self> {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if dumb || !io::stderr().is_terminal() {
            return None;
        }
        let begun = Instant::now();
        let (under_way, quiet_until) = (BTreeMap::new(), begun + PATIENCE);
        let state = State { verb, begun, under_way, quiet_until, drawn: None, stale: false, over: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), pen: Mutex::new(()) });
        let theirs = shared.clone();
        let drawer = std::thread::Builder::new().name("progress".to_owned()).spawn(move || theirs.draw_until_over());
        Some(Self { shared, drawer: drawer.ok() })
    }

    /// Told about each arrow as it begins.
    pub(crate) fn watch(&self) -> Watch {
        let shared = self.shared.clone();
        Arc::new(move |progress| shared.take(progress))
    }

    /// Take the line away, to write something else. It comes back when there is still something to wait for.
    pub(crate) fn clear(&self) {
        self.shared.erase();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.state().over = true;
        self.shared.changed.notify_one();
        if let Some(drawer) = self.drawer.take() {
            // It draws and waits for nothing but this.
            let _ = drawer.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, progress: &certwright::Progress) {
        let mut state = self.state();
        if progress.phase == Phase::Record {
            state.under_way.remove(&progress.lineage);
        } else {
            state.under_way.insert(progress.lineage.clone(), (progress.phase, Instant::now()));
        }
        state.stale = true;
        if state.drawn.is_some() {
            self.changed.notify_one();
        }
    }

    fn draw_until_over(&self) {
        let mut state = self.state();
        while !state.over {
            let wait = state.next_drawing().saturating_duration_since(Instant::now());
            if wait.is_zero() {
                drop(state);
                self.draw();
                state = self.state();
            } else {
                state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        drop(state);
        self.erase();
    }

    fn draw(&self) {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let line = {
            let mut state = self.state();
            state.drawn = Some(Instant::now());
            state.stale = false;
            state.line()
        };
        let _ = io::stderr().lock().write_all(format!("\r{line}\x1b[K").as_bytes());
    }

    fn erase(&self) {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let was_drawn = {
            let mut state = self.state();
            state.quiet_until = Instant::now() + PATIENCE;
            state.drawn.take().is_some()
        };
        if was_drawn {
            let _ = io::stderr().lock().write_all(b"\r\x1b[K");
        }
    }
}

impl State {
    fn next_drawing(&self) -> Instant {
        match self.drawn {
            None => self.quiet_until,
            Some(drawn) if self.stale => drawn + LEAST,
            Some(drawn) => drawn + TICK,
        }
    }

    /// What has been waited for longest, since that is what people wait for.
    fn line(&self) -> String {
        let longest = self.under_way.iter().min_by_key(|(_, (_, since))| *since);
        let Some((lineage, (phase, since))) = longest else { return line(self.verb, self.begun.elapsed()) };
        match self.under_way.len() - 1 {
            0 => line(&format!("{lineage}: {phase}"), since.elapsed()),
            others => line(&format!("{others} others, {lineage}: {phase}"), since.elapsed()),
        }
    }
}

fn line(what: &str, elapsed: Duration) -> String {
    let seconds = match elapsed.as_secs() {
        0 => " …".to_owned(),
        seconds => format!(" … {seconds} s"),
    };
    let room = WIDTH - seconds.chars().count();
    what.chars().take(room).chain(seconds.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_wraps() {
        assert_eq!(line("www: probe", Duration::from_millis(900)), "www: probe …");
        assert_eq!(line("www: probe", Duration::from_secs(12)), "www: probe … 12 s");
        let long = line(&"w".repeat(100), Duration::from_secs(100));
        assert_eq!(long.chars().count(), WIDTH);
        assert!(long.ends_with("w … 100 s"), "{long}");
    }
}
