//! Whether what was observed is what was wished, and waiting until it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Observation, Probe, at, short};
use crate::deploy::wire::deadline;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::Fingerprint;
use crate::place::pause::pause;

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
