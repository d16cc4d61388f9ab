//! From a proven generation to a committed one, or back: alone, or together with others that use the same service.

use super::activate::{Activated, activate};
use super::attempt::Attempt;
use super::prove::{Gate, Proven, prove_generation};
use super::settle::{Committed, Stepped};
use super::turn::Turn;
use crate::ground::error::{Error, ErrorKind, Result, Retry};
use crate::ground::id::GenerationId;
use crate::place::txn::Purpose;

/// `Proven → Activated → Probed → Committed`, or back.
///
/// Lineages of one run with the same service take turns, so that a certificate that the service refuses is not held against
/// another one. Where one check and one reload are good for all of them, they first try together. When that fails nobody
/// knows whose fault it is: all step back, and each goes its way alone.
pub(crate) fn carry_through(
    attempt: &mut Attempt<'_>,
    proven: Proven,
    purpose: Purpose,
    from: Option<GenerationId>,
) -> Result<Committed> {
    let Some(turn) = attempt.service.turn.clone() else {
        return alone(activate(attempt, proven, purpose, from)?);
    };
    let Some(others) = turn.together() else {
        let _nobody_else = turn.alone();
        return alone(activate(attempt, proven, purpose, from)?);
    };
    let activated = activate(attempt, proven, purpose, from)?;
    let failed = match activated.pick_up_together(&turn).and_then(Activated::probe) {
        Ok(probed) => return probed.commit(),
        Err(failed) => *failed,
    };
    let asked = failed.activated.asked;
    let id = match failed.step_back()? {
        Stepped::Back(id) => id,
        Stepped::Stays(activated) => {
            drop(others);
            let _nobody_else = turn.alone();
            return alone(*activated).inspect_err(|error| give_up(&turn, error));
        }
    };
    drop(others);
    let _nobody_else = turn.alone();
    if turn.is_given_up() {
        return Err(not_tried(attempt));
    }
    let gate = if purpose == Purpose::Deploy { Gate::Forward } else { Gate::Return };
    let proven = prove_generation(attempt, id, gate)?;
    let mut activated = activate(attempt, proven, purpose, from)?;
    activated.asked = asked;
    alone(activated).inspect_err(|error| give_up(&turn, error))
}

fn alone(activated: Activated<'_, '_>) -> Result<Committed> {
    match activated.pick_up().and_then(Activated::probe) {
        Ok(probed) => probed.commit(),
        Err(failed) => Err(failed.roll_back()),
    }
}

/// A service that does not answer in time would keep each of the others waiting for as long.
fn give_up(turn: &Turn, error: &Error) {
    if error.kind() == ErrorKind::Timeout {
        turn.give_up();
    }
}

fn not_tried(attempt: &Attempt<'_>) -> Error {
    Error::new(ErrorKind::Timeout, "the service did not answer in time for another lineage, so this one was not tried")
        .context("lineage", &attempt.spec.name)
        .hint("see why the service does not answer; the next run tries it, without a new order")
        .retry(Retry::Now)
}
