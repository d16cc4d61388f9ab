//! Asking the issuer when it suggests to renew (RFC 9773): when it is time to ask, for what is active, and at no other time.

use std::sync::Arc;
use std::time::Duration;

use super::Lifecycle;
use super::observe::{Endpoints, Sight};
use super::obtain::leaf_of;
use crate::ground::cancel::Cancel;
use crate::ground::error::{ErrorKind, Result, Retry};
use crate::ground::id::IssuerName;
use crate::ground::time::Timestamp;
use crate::issue::issuer::Issuer;
use crate::place::lineage::LineageDirectory;
use crate::place::manifest::Manifest;
use crate::place::schedule::Schedule;
use crate::place::store::Store;
use crate::plan::decide::{Decision, Plan};
use crate::plan::renewal::{Asked, ClockCheck, ask_again, ask_again_after_failure};
use crate::plan::spec::Spec;

/// What a question brought.
struct Answer {
    asked: Asked,
    clock: Option<ClockCheck>,
}

/// Whether the issuer of what is active is to be asked now. What is to be issued anyway needs no suggestion.
pub(super) fn is_due(
    lifecycle: &Lifecycle,
    spec: &Spec,
    sight: &Sight,
    decision: &Decision,
    endpoints: Endpoints,
) -> bool {
    let asked_for = |name: &IssuerName| {
        spec.issuers.contains(name) && lifecycle.issuers.get(name).is_some_and(|issuer| issuer.suggests_renewals())
    };
    endpoints == Endpoints::Ask
        && !matches!(decision.plan, Plan::Issue | Plan::Recover)
        && sight.manifest.as_ref().and_then(|active| active.issuer.as_ref()).is_some_and(asked_for)
        && sight.observed.asked.is_none_or(|asked| asked.is_due(lifecycle.tools.clock.now()))
}

/// Ask, and let what was seen include the answer. With `Keep` it is written down, unless another run holds the lineage.
pub(super) fn consult(
    lifecycle: &Lifecycle,
    store: &Store,
    spec: &Spec,
    sight: &mut Sight,
    memory: Memory,
) -> Result<()> {
    let Some(active) = &sight.manifest else { return Ok(()) };
    let issuer = active.issuer.as_ref().and_then(|name| lifecycle.issuers.get(name));
    let (Some(issuer), Some(directory)) = (issuer, store.lineage(&spec.name)?) else { return Ok(()) };
    let Some(answer) = ask(lifecycle, &directory, issuer, active)? else { return Ok(()) };
    sight.observed.asked = Some(answer.asked);
    sight.observed.clock = answer.clock.or(sight.observed.clock);
    if memory == Memory::Keep { write(&directory, &answer, &lifecycle.tools.cancel) } else { Ok(()) }
}

/// Whether an answer is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// For the next run.
    Keep,
    /// Nothing is written.
    Leave,
}

fn ask(
    lifecycle: &Lifecycle,
    directory: &LineageDirectory,
    issuer: &Arc<dyn Issuer>,
    active: &Manifest,
) -> Result<Option<Answer>> {
    let Some(node) = directory.generation(active.generation)? else { return Ok(None) };
    let Some(leaf) = leaf_of(directory, &node) else { return Ok(None) };
    let told = issuer.renewal_info(&leaf, &lifecycle.tools.cancel);
    let now = lifecycle.tools.clock.now();
    let (window, again, authority) = match told {
        Ok(None) => (None, ask_again(now, Timestamp::MAX), None),
        Ok(Some(info)) => (Some(info.window), ask_again(now, info.check_again), info.authority_time),
        Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
        Err(error) => {
            let told = match error.retry_when() {
                Retry::After(time) => Some(time),
                _ => None,
            };
            // What it suggested before still holds.
            let before = directory.schedule()?.asked.filter(|asked| asked.leaf == active.leaf);
            (before.and_then(|asked| asked.window), ask_again_after_failure(now, active.window, told), None)
        }
    };
    let clock = authority.map(|there| ClockCheck { here: now, there });
    Ok(Some(Answer { asked: Asked { leaf: active.leaf, window, again }, clock }))
}

fn write(directory: &LineageDirectory, answer: &Answer, cancel: &Cancel) -> Result<()> {
    let _lock = match directory.lock(Duration::ZERO, cancel) {
        Ok(lock) => lock,
        // Whoever holds it asks for itself, or the next run does.
        Err(error) if error.kind() == ErrorKind::Conflict => return Ok(()),
        Err(error) => return Err(error),
    };
    let before = directory.schedule()?;
    directory.write_schedule(&Schedule { asked: Some(answer.asked), clock: answer.clock.or(before.clock), ..before })
}
