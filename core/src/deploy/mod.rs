//! Floor 5: from issued material to a service that is seen to serve it, and back. Knows nothing of issuers.

pub(crate) mod activate;
pub(crate) mod attempt;
pub(crate) mod check;
pub(crate) mod command;
pub(crate) mod prepare;
pub(crate) mod probe;
pub(crate) mod prove;
pub(crate) mod recover;
pub(crate) mod reload;
pub(crate) mod render;
pub(crate) mod retire;
pub(crate) mod running;
pub(crate) mod settle;
pub(crate) mod stage;

use crate::ground::error::Result;
use crate::ground::id::GenerationId;
use crate::place::txn::Purpose;
use activate::{Activated, activate};
use attempt::Attempt;
use prove::Proven;
use settle::Committed;

/// `Proven → Activated → Probed → Committed`, or back.
pub(crate) fn carry_through(
    attempt: &mut Attempt<'_>,
    proven: Proven,
    purpose: Purpose,
    from: Option<GenerationId>,
) -> Result<Committed> {
    let activated = activate(attempt, proven, purpose, from)?;
    match activated.pick_up().and_then(Activated::probe) {
        Ok(probed) => probed.commit(),
        Err(failed) => Err(failed.roll_back()),
    }
}
