//! Old generations go: by age and reference, never by number alone, so that a slow reader finds what it opened.

use super::attempt::Attempt;
use crate::ground::error::Result;
use crate::ground::id::GenerationId;
use crate::ground::time::Timestamp;
use crate::plan::policy;

/// Remove what the spec does not keep. `active` and everything that `txn` refers to stay.
pub(crate) fn retire(attempt: &Attempt<'_>, active: GenerationId) -> Result<Vec<GenerationId>> {
    let ids = attempt.directory.ids()?;
    if ids.len() <= attempt.spec.retain.count as usize {
        return Ok(Vec::new());
    }
    let mut kept = vec![active];
    kept.extend(attempt.txn.previous);
    kept.extend(attempt.txn.held);
    kept.extend(attempt.txn.deferred.as_ref().map(|deferred| deferred.generation));
    let dated: Vec<(GenerationId, Timestamp)> = ids.iter().map(|id| (*id, created(attempt, *id))).collect();
    let gone = policy::expendable(&dated, &kept, attempt.spec.retain, attempt.now());
    for id in &gone {
        attempt.directory.remove(*id)?;
        attempt.record("retire", Some(*id), None);
    }
    Ok(gone)
}

/// A generation that does not say when it was made was made now: it is kept for its time.
fn created(attempt: &Attempt<'_>, id: GenerationId) -> Timestamp {
    let manifest = attempt
        .directory
        .generation(id)
        .ok()
        .flatten()
        .and_then(|node| attempt.directory.manifest(&node, id).ok().and_then(std::result::Result::ok));
    manifest.map_or_else(|| attempt.now(), |manifest| manifest.created)
}
