//! What a later run reads back from the disk, where a crash or somebody's editor may have been.

use certwright::fuzzing as read;

/// A generation's `manifest.json`.
///
/// # Panics
///
/// When something accepted means something else once it was written again.
pub fn manifest(data: &[u8]) {
    settles(read::manifest, data);
}

/// A lineage's `txn`.
///
/// # Panics
///
/// When something accepted means something else once it was written again.
pub fn txn(data: &[u8]) {
    settles(read::txn, data);
}

/// A lineage's `order/order.json`.
///
/// # Panics
///
/// When something accepted means something else once it was written again.
pub fn order(data: &[u8]) {
    settles(read::order, data);
}

/// A lineage's `schedule.json`.
///
/// # Panics
///
/// When something accepted means something else once it was written again.
pub fn schedule(data: &[u8]) {
    settles(read::schedule, data);
}

/// An issuer's `limits.json`.
///
/// # Panics
///
/// When something accepted means something else once it was written again.
pub fn limits(data: &[u8]) {
    settles(read::limits, data);
}

/// A lineage's `journal.jsonl`.
///
/// # Panics
///
/// When a damaged line hides another, or an event is invented.
pub fn journal(data: &[u8]) {
    let events = read::journal(data);
    assert!(events.len() <= data.split(|byte| *byte == b'\n').count());
    let more = [data, b"\n{\"time\":7,\"event\":\"commit\"}\n{\"time\":8,\"ev"].concat();
    let later = read::journal(&more);
    assert_eq!(later.len(), events.len() + 1, "a cut line hides another");
    assert_eq!(later.split_last().map(|(last, before)| (last.time, before)), Some((7, events.as_slice())));
    for event in &events {
        let line = serde_json::to_vec(event).map(|line| read::journal(&line));
        assert_eq!(line.ok().as_deref(), Some(std::slice::from_ref(event)));
    }
}

/// Reading and writing settle after one round: what is written is read as what it was written from.
fn settles(again: fn(&[u8]) -> Option<Vec<u8>>, data: &[u8]) {
    let Some(written) = again(data) else { return };
    assert_eq!(again(&written).as_ref(), Some(&written), "what is written is not read back as it was");
}
