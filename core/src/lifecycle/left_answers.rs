//! Answers to challenges that outlived the run that gave them: written down beforehand, taken away by whoever comes next.

use std::time::Duration;

use super::Lifecycle;
use crate::deploy::attempt::Attempt;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::IssuerName;
use crate::ground::name::Identifier;
use crate::issue::solver::Challenge;
use crate::place::left::LeftAnswer;
use crate::place::lineage::LineageDirectory;
use crate::place::schedule::Schedule;

/// When whoever waits for the next thing to do tries again.
pub(super) const AGAIN: Duration = Duration::from_secs(3_600);

/// Try once more to take away what is on record. What is still there after it, one sentence each.
pub(super) fn take_away(lifecycle: &Lifecycle, attempt: &Attempt<'_>) -> Result<Vec<String>> {
    let before = attempt.directory.schedule()?;
    let mut still = Vec::new();
    for left in &before.answers {
        let issuer = lifecycle.issuers.get(&left.issuer);
        let gone = issuer.map_or_else(|| Err(nobody()), |issuer| issuer.take_away(&challenge(left)?));
        match gone {
            Ok(()) => {}
            // Nobody will come who could: it goes into the history, for a person.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                attempt.record("answer_left", None, Some(format!("{left}; {error:#}")));
            }
            Err(error) => still.push(failed(left.clone(), &error)),
        }
    }
    let told = still.iter().map(ToString::to_string).collect();
    if still != before.answers {
        attempt.directory.write_schedule(&Schedule { answers: still, ..before })?;
    }
    Ok(told)
}

/// What is on record as not to be taken away, one sentence each.
pub(super) fn told(directory: &LineageDirectory) -> Vec<String> {
    let answers = directory.schedule().map(|schedule| schedule.answers).unwrap_or_default();
    answers.iter().map(ToString::to_string).collect()
}

/// Write down that these answers are about to be given.
pub(super) fn given(directory: &LineageDirectory, issuer: &IssuerName, challenges: &[Challenge]) -> Result<()> {
    let mut schedule = directory.schedule()?;
    for left in challenges.iter().map(|challenge| of(issuer, challenge)) {
        if !schedule.answers.iter().any(|one| one.is(&left)) {
            schedule.answers.push(left);
        }
    }
    directory.write_schedule(&schedule)
}

/// Write down what became of them: all are gone but those that come with an error.
pub(super) fn taken(
    directory: &LineageDirectory,
    issuer: &IssuerName,
    challenges: &[Challenge],
    errors: &[(Challenge, Error)],
) -> Result<()> {
    let mut schedule = directory.schedule()?;
    let given: Vec<LeftAnswer> = challenges.iter().map(|challenge| of(issuer, challenge)).collect();
    schedule.answers.retain(|one| !given.iter().any(|left| left.is(one)));
    schedule.answers.extend(errors.iter().map(|(challenge, error)| failed(of(issuer, challenge), error)));
    directory.write_schedule(&schedule)
}

fn failed(left: LeftAnswer, error: &Error) -> LeftAnswer {
    LeftAnswer { failures: left.failures.saturating_add(1), why: Some(format!("{error:#}")), ..left }
}

fn of(issuer: &IssuerName, challenge: &Challenge) -> LeftAnswer {
    let authorization = String::from_utf8_lossy(challenge.key_authorization().expose()).into_owned();
    let thumbprint = authorization.rsplit('.').next().unwrap_or_default().to_owned();
    LeftAnswer {
        issuer: issuer.clone(),
        kind: challenge.kind(),
        identifier: challenge.identifier().clone(),
        token: challenge.token().to_owned(),
        thumbprint,
        failures: 0,
        why: None,
    }
}

fn challenge(left: &LeftAnswer) -> Result<Challenge> {
    let identifier: Identifier = left.identifier.clone();
    Challenge::new(left.kind, identifier, &left.token, &left.thumbprint)
}

fn nobody() -> Error {
    Error::new(ErrorKind::NotFound, "the issuer that it was given for is not configured any more")
        .hint("look for the answer and remove it by hand")
}
