//! Whoever breaks a promise is caught by the case that is about it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certwright::{Cancel, Error, ErrorKind, Observation, Probe, Result, Seen, Window};
use certwright_tests::conformance::probe::{Bench, CASES, Mood};
use certwright_tests::conformance::{PATIENCE, finding};

use crate::callback::Listener;

type Looks = dyn Fn(&Listener, &str, &Cancel) -> Result<Vec<Observation>> + Send + Sync;

/// Keeps every promise but for what is put in its place.
struct Lying {
    listener: Arc<Listener>,
    name: &'static str,
    look: Arc<Looks>,
    words: fn(asked: usize) -> String,
}

impl std::fmt::Debug for Lying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lying")
    }
}

impl Probe for Lying {
    fn observe(&self, cancel: &Cancel) -> Result<Vec<Observation>> {
        (self.look)(&self.listener, self.name, cancel)
    }

    fn describe(&self) -> String {
        (self.words)(self.listener.asked.load(Ordering::Acquire))
    }
}

fn honest(listener: &Listener, name: &str, cancel: &Cancel) -> Result<Vec<Observation>> {
    cancel.check()?;
    listener.look(name, None, cancel)
}

fn bench(look: Arc<Looks>, words: fn(usize) -> String, patience: Duration) -> Bench {
    let listener = Listener::new();
    let probe = |name, look| -> Arc<dyn Probe> { Arc::new(Lying { listener: listener.clone(), name, look, words }) };
    let on_time: Arc<Looks> = Arc::new(|listener, name, cancel| {
        cancel.check()?;
        listener.look(name, Some(Duration::from_millis(5)), cancel)
    });
    // Whoever lies about a limit is tried as the hurried one.
    let hurried = if patience == PATIENCE { on_time } else { look.clone() };
    Bench {
        probe: probe("www.example.org", look.clone()),
        hurried: Some(probe("www.example.org", hurried)),
        other_name: Some(probe("other.example.org", look.clone())),
        service: listener.clone(),
        patience,
    }
}

/// An honest look, and what is made of it.
fn telling(change: impl Fn(Seen) -> Seen + Send + Sync + 'static) -> Arc<Looks> {
    Arc::new(move |listener, name, cancel| {
        let mut found = honest(listener, name, cancel)?;
        for one in &mut found {
            if let Ok(seen) = &mut one.seen {
                *seen = change(seen.clone());
            }
        }
        Ok(found)
    })
}

/// The same, from the error that was told.
fn erring(change: fn(Error) -> Error) -> Arc<Looks> {
    Arc::new(move |listener, name, cancel| {
        let mut found = honest(listener, name, cancel)?;
        for one in &mut found {
            if let Err(error) = &mut one.seen {
                *error = change(std::mem::replace(error, Error::new(ErrorKind::Bug, "")));
            }
        }
        Ok(found)
    })
}

/// Keeps the first that it saw.
fn remembering() -> Arc<Looks> {
    let first = Mutex::new(None);
    telling(move |seen| first.lock().unwrap().get_or_insert(seen).clone())
}

/// The case that catches it, a word of what is found, and the liar.
fn liars() -> Vec<(&'static str, &'static str, Arc<Looks>)> {
    vec![
        (
            "it_sees_what_another_client_sees",
            "the leaf is",
            telling(|mut seen| {
                seen.fingerprint = seen.key_fingerprint;
                seen
            }),
        ),
        (
            "it_sees_what_another_client_sees",
            "notBefore=",
            telling(|mut seen| {
                seen.window = Window::new(seen.window.start.saturating_add(Duration::from_secs(1)), seen.window.end);
                seen
            }),
        ),
        (
            "it_sees_what_another_client_sees",
            "notAfter=",
            telling(|mut seen| {
                seen.window = Window::new(seen.window.start, seen.window.end.saturating_add(Duration::from_secs(1)));
                seen
            }),
        ),
        (
            "it_sees_what_another_client_sees",
            "the key is",
            telling(|mut seen| {
                seen.key_fingerprint = seen.fingerprint;
                seen
            }),
        ),
        (
            "it_sees_what_another_client_sees",
            "certificates are sent",
            telling(|mut seen| {
                seen.chain_length = 1;
                seen
            }),
        ),
        (
            "it_sees_what_another_client_sees",
            "reported is []",
            Arc::new(|listener, name, cancel| honest(listener, name, cancel).map(|_| Vec::new())),
        ),
        ("it_looks_anew_each_time", "the leaf is", remembering()),
        (
            "another_name_is_another_certificate",
            "the leaf is",
            Arc::new(|listener, _, cancel| honest(listener, "www.example.org", cancel)),
        ),
        (
            "who_does_not_hold_the_key_is_not_believed",
            "it was said to be done",
            Arc::new(|listener, name, cancel| match listener.forged() {
                Some(shown) => Ok(Listener::observation(crate::callback::facts(&shown))),
                None => honest(listener, name, cancel),
            }),
        ),
        (
            "a_place_where_nobody_is_has_its_error",
            "reported is []",
            Arc::new(|listener, name, cancel| {
                Ok(honest(listener, name, cancel)?.into_iter().filter(|one| one.seen.is_ok()).collect())
            }),
        ),
        (
            "a_place_where_nobody_is_has_its_error",
            "does not name",
            erring(|error| Error::new(error.kind(), "nobody is there").hint("look")),
        ),
        (
            "a_place_where_nobody_is_has_its_error",
            "says nothing to do",
            erring(|error| Error::new(error.kind(), "nobody is there").context("address", "listener 7")),
        ),
        (
            "a_place_where_nobody_is_has_its_error",
            "Unfit",
            erring(|_| Error::new(ErrorKind::Unfit, "no").context("address", "listener 7").hint("look")),
        ),
        ("silence_ends_at_the_limit", "it waits on after its own limit", Arc::new(honest)),
        (
            "a_wait_ends_when_stopped",
            "it waits on, though",
            Arc::new(|listener, name, _| honest(listener, name, &Cancel::new())),
        ),
        (
            "a_wait_ends_when_stopped",
            "Network",
            Arc::new(|listener, name, cancel| {
                honest(listener, name, cancel).map_err(|_| Error::new(ErrorKind::Network, "it went away"))
            }),
        ),
        (
            "nothing_is_asked_when_stopped_before",
            "said to be done",
            Arc::new(|listener, name, _| honest(listener, name, &Cancel::new())),
        ),
        (
            "nothing_is_asked_when_stopped_before",
            "looks, and not",
            Arc::new(|listener, name, cancel| {
                let found = listener.look(name, None, cancel);
                cancel.check()?;
                found
            }),
        ),
        ("several_threads_look_at_once", "somebody looks already", {
            let (busy, calls) = (Mutex::new(()), AtomicUsize::new(0));
            let all = std::sync::Barrier::new(8);
            Arc::new(move |listener, name, cancel| {
                let alone = busy.try_lock();
                calls.fetch_add(1, Ordering::AcqRel);
                all.wait();
                match alone {
                    Ok(_) => honest(listener, name, cancel),
                    Err(_) => Err(Error::new(ErrorKind::Conflict, "somebody looks already")),
                }
            })
        }),
    ]
}

/// A word of what is found, and the description.
type Words = (&'static str, fn(usize) -> String);

const WORDS: [Words; 3] = [
    ("became", |asked| format!("listener 7, asked {asked} times")),
    ("is not one line", |_| "listener 7\n".repeat(2)),
    ("does not name", |_| "it".to_owned()),
];

fn right(_: usize) -> String {
    "listener 7".to_owned()
}

#[test]
fn whoever_breaks_a_promise_is_caught() {
    let liars = liars();
    for (case, words, look) in &liars {
        // Who waits on is not waited for.
        let patience = if words.starts_with("it waits on") { Duration::from_millis(300) } else { PATIENCE };
        let bench = bench(look.clone(), right, patience);
        let found = finding(CASES, case, &bench);
        // Threads that were left behind end.
        bench.service.set(Mood::Gone).unwrap();
        assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{case}, {words}: {found:?}");
    }
    for (words, describe) in WORDS {
        let found = finding(CASES, "it_is_described_in_one_line", &bench(Arc::new(honest), describe, PATIENCE));
        assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{words}: {found:?}");
    }
    let named = |name: &str| liars.iter().any(|(case, _, _)| *case == name) || name == "it_is_described_in_one_line";
    let uncaught: Vec<_> = CASES.iter().map(|(name, _)| *name).filter(|name| !named(name)).collect();
    assert_eq!(uncaught, Vec::<&str>::new());
    for (name, _) in CASES {
        assert_eq!(finding(CASES, name, &bench(Arc::new(honest), right, PATIENCE)), None, "{name}, and nobody lies");
    }
}
