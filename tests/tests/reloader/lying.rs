//! Whoever breaks a promise is caught by the case that is about it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certwright::{Cancel, Error, ErrorKind, ReloadContext, Reloaded, Reloader, Result};
use certwright_tests::conformance::reloader::{Bench, CASES, Mood};
use certwright_tests::conformance::{PATIENCE, finding};

use crate::callback::Listener;

type Reloads = fn(&Lying, &ReloadContext<'_>, &Cancel) -> Result<Reloaded>;

/// Keeps every promise but for what is put in its place.
struct Lying {
    listener: Arc<Listener>,
    reload: Reloads,
    preflight: fn(&Lying, &Cancel) -> Result<()>,
    describe: fn(&Lying) -> String,
    /// What it keeps and should not.
    kept: Mutex<String>,
}

impl std::fmt::Debug for Lying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lying {}", self.kept.lock().unwrap())
    }
}

impl Reloader for Lying {
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        (self.reload)(self, context, cancel)
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        (self.preflight)(self, cancel)
    }

    fn describe(&self) -> String {
        (self.describe)(self)
    }
}

impl Lying {
    fn new(listener: Arc<Listener>) -> Self {
        Self {
            listener,
            reload: |it, context, cancel| {
                cancel.check()?;
                it.listener.take(context, cancel)
            },
            preflight: |_, cancel| cancel.check(),
            describe: |_| "listener 7".to_owned(),
            kept: Mutex::default(),
        }
    }

    fn reloading(listener: Arc<Listener>, reload: Reloads) -> Self {
        Self { reload, ..Self::new(listener) }
    }

    fn calls(&self) -> usize {
        self.listener.told.load(Ordering::Relaxed)
    }
}

fn bench(make: fn(Arc<Listener>) -> Lying, patience: Duration) -> Bench {
    let listener = Listener::new();
    let hurried = Lying::reloading(listener.clone(), |it, context, cancel| {
        if *it.listener.mood.lock().unwrap() == Mood::Hanging {
            return Err(Error::new(ErrorKind::Timeout, "too late").context("listener", "listener 7").hint("wait"));
        }
        it.listener.take(context, cancel)
    });
    let reloader: Arc<dyn Reloader> = Arc::new(make(listener.clone()));
    // Whoever lies about a limit is tried as the hurried one.
    let hurried: Arc<dyn Reloader> = if patience == PATIENCE { Arc::new(hurried) } else { reloader.clone() };
    Bench { reloader, hurried: Some(hurried), service: listener, patience }
}

/// The case that catches it, a word of what is found, and the liar.
type Liar = (&'static str, &'static str, fn(Arc<Listener>) -> Lying);

/// These are never waited for to the end.
const SLOW: [&str; 3] = ["it waits on", "it waits on after its own limit", "the service uses what is active"];

const LIARS: &[Liar] = &[
    ("the_service_uses_what_is_active", "the service uses what is active", |listener| {
        Lying::reloading(listener, |_, _, cancel| cancel.check().map(|()| Reloaded::Asked))
    }),
    ("once_more_changes_nothing", "once is enough", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            let leaf = context.leaf.to_string();
            if std::mem::replace(&mut *it.kept.lock().unwrap(), leaf.clone()) == leaf {
                return Err(Error::new(ErrorKind::Conflict, "once is enough"));
            }
            it.listener.take(context, cancel)
        })
    }),
    ("it_goes_back_as_well", "never back", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            let leaf = context.leaf.to_string();
            let mut kept = it.kept.lock().unwrap();
            if kept.contains(&leaf) {
                return Err(Error::new(ErrorKind::Conflict, "never back"));
            }
            kept.push_str(&leaf);
            it.listener.take(context, cancel)
        })
    }),
    ("looking_beforehand_changes_nothing", "told Some(3) times, not Some(2)", |listener| Lying {
        preflight: |it, _| {
            it.listener.told.fetch_add(1, Ordering::Relaxed);
            Ok(())
        },
        ..Lying::new(listener)
    }),
    ("nothing_is_told_when_stopped_before", "reload: it was said to be done", |listener| {
        Lying::reloading(listener, |it, context, cancel| it.listener.take(context, cancel))
    }),
    ("nothing_is_told_when_stopped_before", "told Some(3) times, not Some(2)", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            if cancel.is_cancelled() {
                it.listener.take(context, &Cancel::new())?;
            }
            cancel.check()?;
            it.listener.take(context, cancel)
        })
    }),
    ("nothing_is_told_when_stopped_before", "preflight: it was said to be done", |listener| Lying {
        preflight: |_, _| Ok(()),
        ..Lying::new(listener)
    }),
    ("a_wait_ends_when_stopped", "it waits on", |listener| {
        Lying::reloading(listener, |it, context, _| it.listener.take(context, &Cancel::new()))
    }),
    ("a_wait_ends_when_stopped", "Network", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            let stopped = |_| Error::new(ErrorKind::Network, "it went away");
            it.listener.take(context, cancel).map_err(stopped)
        })
    }),
    ("a_wait_ends_by_itself", "it waits on after its own limit", |listener| Lying::new(listener)),
    ("a_refusal_is_an_error_that_names_the_thing", "said to be done", |listener| {
        Lying::reloading(listener, |it, context, cancel| it.listener.take(context, cancel).or(Ok(Reloaded::Asked)))
    }),
    ("a_refusal_is_an_error_that_names_the_thing", "does not name", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            it.listener.take(context, cancel).map_err(|error| Error::new(error.kind(), "no").hint("look"))
        })
    }),
    ("a_service_that_is_gone_is_named", "said to be done", |listener| {
        Lying::reloading(listener, |it, context, cancel| it.listener.take(context, cancel).or(Ok(Reloaded::Asked)))
    }),
    ("a_service_that_is_gone_is_named", "says nothing to do", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            let bare = |error: Error| Error::new(error.kind(), "no").context("listener", "listener 7");
            it.listener.take(context, cancel).map_err(bare)
        })
    }),
    ("a_service_that_is_gone_is_named", "Conflict", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            it.listener.take(context, cancel).map_err(|_| Error::new(ErrorKind::Conflict, "no"))
        })
    }),
    ("only_what_was_seen_is_confirmed", "confirmed by a service that did nothing", |listener| {
        Lying::reloading(listener, |it, context, cancel| it.listener.take(context, cancel).map(|_| Reloaded::Confirmed))
    }),
    ("it_is_described_in_one_line", "became", |listener| Lying {
        describe: |it| format!("listener 7, {} calls", it.calls()),
        ..Lying::new(listener)
    }),
    ("it_is_described_in_one_line", "is not one line", |listener| Lying {
        describe: |_| "listener\n7".to_owned(),
        ..Lying::new(listener)
    }),
    ("it_is_described_in_one_line", "does not name", |listener| Lying {
        describe: |_| "it".to_owned(),
        ..Lying::new(listener)
    }),
    ("no_secret_is_shown", "a secret can be read in: Lying", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            *it.kept.lock().unwrap() = String::from_utf8_lossy(context.bundle.expose()).into_owned();
            it.listener.take(context, cancel)
        })
    }),
    ("no_secret_is_shown", "a secret can be read in: it does not want it", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            let bundle = String::from_utf8_lossy(context.bundle.expose()).into_owned();
            it.listener.take(context, cancel).map_err(|error| error.source(bundle))
        })
    }),
    ("no_secret_is_shown", "a secret can be read in", |listener| {
        Lying::reloading(listener, |it, context, cancel| {
            // As an argument of a command, which everybody on the machine can read.
            *it.listener.seen.lock().unwrap() = String::from_utf8_lossy(context.bundle.expose()).into_owned();
            it.listener.take(context, cancel)
        })
    }),
];

#[test]
fn whoever_breaks_a_promise_is_caught() {
    for (case, words, liar) in LIARS {
        let patience = if SLOW.contains(words) { Duration::from_millis(300) } else { PATIENCE };
        let found = finding(CASES, case, &bench(*liar, patience));
        assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{case}, {words}: {found:?}");
    }
    let uncaught = CASES.iter().filter(|(name, _)| !LIARS.iter().any(|(case, _, _)| case == name));
    assert_eq!(uncaught.map(|(name, _)| *name).collect::<Vec<_>>(), Vec::<&str>::new());
    for (name, _) in CASES {
        assert_eq!(finding(CASES, name, &bench(Lying::new, PATIENCE)), None, "{name}, and nobody lies");
    }
}
