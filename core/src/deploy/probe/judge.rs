//! Whether what was observed is what was wished, and waiting until it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Observation, Probe, at, short};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::Fingerprint;
use crate::place::pause::pause;
use crate::place::wire::deadline;

/// The first pause between two looks. A reload takes some ten milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many places that are wrong are named in an error.
const NAMED: usize = 8;

/// Whether every observation is of the leaf with this fingerprint. No observation at all is no proof.
///
/// # Errors
///
/// `ProbeMismatch` naming every place where another certificate is served or none could be seen, when one is wrong; the
/// error of the first place that could not be seen, when that is all.
pub(crate) fn served(expected: &Fingerprint, observations: &[Observation]) -> Result<()> {
    if observations.is_empty() {
        return Err(Error::new(ErrorKind::ProbeMismatch, "nothing was observed")
            .context("expected", Public(&short(expected)))
            .hint("name at least one address to ask"));
    }
    let wrong: Vec<&Observation> = observations.iter().filter(|one| !is_right(expected, one)).collect();
    // A certificate that is wrong says more than a place that could not be seen.
    let Some(worst) = wrong.iter().find(|one| one.seen.is_ok()).or_else(|| wrong.first()) else {
        return Ok(());
    };
    let also_right = observations.iter().any(|one| one.place == worst.place && is_right(expected, one));
    let error = match &worst.seen {
        Err(why) => {
            let error = Error::new(why.kind(), "the endpoint could not be observed").retry(why.retry_when());
            why.hint_text().into_iter().fold(error, |error, hint| error.hint(hint.to_owned()))
        }
        Ok(_) if also_right => {
            Error::new(ErrorKind::ProbeMismatch, "some connections are served the new certificate and some another")
                .hint("wait until the old workers have ended, or restart the service")
        }
        Ok(_) => Error::new(ErrorKind::ProbeMismatch, "another certificate is served").hint(
            "see in the service's log whether it re-read, and whether it reads this lineage's files for this name",
        ),
    };
    let others = wrong.iter().filter(|one| !std::ptr::eq(**one, *worst));
    let error = std::iter::once(worst).chain(others).take(NAMED).fold(error, |error, one| told(error, one));
    Err(error.context("expected", Public(&short(expected))))
}

fn is_right(expected: &Fingerprint, observation: &Observation) -> bool {
    observation.seen.as_ref().is_ok_and(|seen| seen.fingerprint == *expected)
}

/// What was seen at one place, as facts of an error.
fn told(error: Error, observation: &Observation) -> Error {
    let error = at(&observation.place, error);
    match &observation.seen {
        Ok(seen) => error.context("serves", Public(&short(&seen.fingerprint))).context("until", seen.window.end),
        Err(why) => error.context("unseen", Public(&reason(why))),
    }
}

/// What failed and why, without the facts, which are told already.
fn reason(error: &Error) -> String {
    let mut words = error.message().to_owned();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        words += &format!(": {source}");
        next = source.source();
    }
    words
}

/// Ask until every probe sees the leaf with this fingerprint, or `patience` has passed: a service that was told to re-read
/// does it when it gets to it. Every probe is asked at least once, and all of them in each round: one that saw the new
/// certificate may meet an old worker yet.
///
/// # Errors
///
/// The verdict on the last round, as of [`served`]; `Cancelled`; `InvalidSpec`.
///
/// # Effects
///
/// Those of the probes.
pub(crate) fn await_served(
    probes: &[Arc<dyn Probe>],
    expected: &Fingerprint,
    patience: Duration,
    cancel: &Cancel,
) -> Result<Vec<Observation>> {
    let end = deadline(patience);
    let mut span = FIRST_PAUSE;
    loop {
        let error = match look(probes, expected, cancel) {
            Ok(observations) => return Ok(observations),
            Err(error) if matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::InvalidSpec) => return Err(error),
            Err(error) => error,
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(error.context("waited", patience));
        }
        pause(span.min(left), cancel)?;
        span = (span * 2).min(LONGEST_PAUSE);
    }
}

fn look(probes: &[Arc<dyn Probe>], expected: &Fingerprint, cancel: &Cancel) -> Result<Vec<Observation>> {
    let mut observations = Vec::new();
    for probe in probes {
        observations.extend(probe.observe(cancel)?);
    }
    served(expected, &observations).map(|()| observations)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::deploy::probe::{Place, ProbeCallback, Seen};
    use crate::ground::time::{Timestamp, Window};

    const PLENTY: Duration = Duration::from_secs(60);

    fn fingerprint(byte: u8) -> Fingerprint {
        Fingerprint::from_bytes([byte; 32])
    }

    fn seen(place: &str, byte: u8) -> Observation {
        let window = Window::new(Timestamp::from_unix(0), Timestamp::from_unix(86_400));
        let (leaf, key) = (fingerprint(byte), fingerprint(0));
        let seen = Seen { fingerprint: leaf, key_fingerprint: key, window, chain_length: 2 };
        Observation::new(Place::Named(place.to_owned()), Ok(seen))
    }

    fn unseen(place: &str) -> Observation {
        let error = Error::new(ErrorKind::Timeout, "the handshake failed").source("no answer").hint("look there");
        Observation::new(Place::Named(place.to_owned()), Err(error))
    }

    #[test]
    fn names_every_place_that_is_wrong() {
        let new = fingerprint(1);
        assert!(served(&new, &[seen("a", 1), seen("b", 1)]).is_ok());
        let error = served(&new, &[seen("a", 1), unseen("b"), seen("c", 2), seen("d", 3)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "another certificate is served (address `c`, serves `0202020202020202`, until `1970-01-02T00:00:00Z`, \
             address `b`, unseen `the handshake failed: no answer`, address `d`, serves `0303030303030303`, \
             until `1970-01-02T00:00:00Z`, expected `0101010101010101`)"
        );
        assert_eq!(error.kind(), ErrorKind::ProbeMismatch);
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn nothing_seen_is_never_taken_for_right() {
        let error = served(&fingerprint(1), &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProbeMismatch);
        let error = served(&fingerprint(1), &[seen("a", 1), unseen("b")]).unwrap_err();
        assert_eq!((error.kind(), error.fact("address")), (ErrorKind::Timeout, Some("b")));
        assert_eq!(error.hint_text(), Some("look there"));
    }

    #[test]
    fn one_place_with_both_is_told_apart() {
        let error = served(&fingerprint(1), &[seen("a", 1), seen("a", 2)]).unwrap_err();
        assert!(error.message().starts_with("some connections"), "{error}");
        let error = served(&fingerprint(1), &[seen("a", 1), seen("b", 2)]).unwrap_err();
        assert!(error.message().starts_with("another certificate"), "{error}");
    }

    #[test]
    fn an_error_names_some_places_and_not_a_thousand() {
        let many: Vec<Observation> = (0..1000).map(|at| seen(&format!("place {at}"), 2)).collect();
        let error = served(&fingerprint(1), &many).unwrap_err();
        assert_eq!(error.facts().filter(|(name, _)| *name == "address").count(), NAMED);
    }

    /// A probe that gives these answers in turn and then the last one for ever, and how often it was asked.
    fn answering(answers: Vec<fn() -> Result<Vec<Observation>>>) -> (Arc<dyn Probe>, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let probe = ProbeCallback::new("scripted", move |_: &Cancel| {
            let at = counted.fetch_add(1, Ordering::Relaxed);
            answers[at.min(answers.len() - 1)]()
        });
        (Arc::new(probe), count)
    }

    #[test]
    fn waits_until_the_new_one_is_served() {
        let cannot_resolve = || Err(Error::new(ErrorKind::Network, "the name cannot be resolved"));
        let (late, asked) =
            answering(vec![|| Ok(vec![seen("a", 2)]), || Ok(vec![unseen("a")]), cannot_resolve, || {
                Ok(vec![seen("a", 1)])
            }]);
        let (ready, _) = answering(vec![|| Ok(vec![seen("b", 1), seen("c", 1)])]);
        let found = await_served(&[late, ready], &fingerprint(1), PLENTY, &Cancel::new()).unwrap();
        let places: Vec<String> = found.iter().map(|one| one.place.to_string()).collect();
        assert_eq!(places, ["a", "b", "c"]);
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn gives_up_with_the_last_verdict() {
        let (probe, asked) = answering(vec![|| Ok(vec![seen("a", 2)])]);
        let probes = [probe];
        let error = await_served(&probes, &fingerprint(1), Duration::ZERO, &Cancel::new()).unwrap_err();
        assert_eq!(asked.load(Ordering::Relaxed), 1, "asked once even without patience");
        assert_eq!((error.kind(), error.fact("serves")), (ErrorKind::ProbeMismatch, Some("0202020202020202")));
        let error = await_served(&probes, &fingerprint(1), FIRST_PAUSE * 4, &Cancel::new()).unwrap_err();
        assert!(asked.load(Ordering::Relaxed) > 2);
        assert_eq!(error.fact("waited"), Some("80ms"));
    }

    #[test]
    fn an_early_right_answer_does_not_stand_for_a_later_wrong_one() {
        let (flapping, _) = answering(vec![|| Ok(vec![seen("a", 1)]), || Ok(vec![seen("a", 2)])]);
        let (late, _) = answering(vec![|| Ok(vec![seen("b", 2)]), || Ok(vec![seen("b", 1)])]);
        let error = await_served(&[flapping, late], &fingerprint(1), FIRST_PAUSE * 2, &Cancel::new()).unwrap_err();
        assert_eq!(error.fact("address"), Some("a"));
    }

    #[test]
    fn stops_at_once_when_asked_or_when_no_time_will_help() {
        let cancel = Cancel::new();
        cancel.cancel();
        let (probe, _) = answering(vec![|| Ok(vec![seen("a", 2)])]);
        let error = await_served(&[probe], &fingerprint(1), PLENTY, &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        let (probe, asked) = answering(vec![|| Err(Error::new(ErrorKind::InvalidSpec, "this is no name"))]);
        let error = await_served(&[probe], &fingerprint(1), PLENTY, &Cancel::new()).unwrap_err();
        assert_eq!((error.kind(), asked.load(Ordering::Relaxed)), (ErrorKind::InvalidSpec, 1));
    }
}
