//! Bounds of durations that are written.

use std::time::Duration;

use super::fault::{Faults, Place};
use super::read::At;
use crate::ground::duration::show;

/// A duration within bounds; outside them it is a fault.
pub(super) fn bounded(
    written: &At<Duration>,
    least: Duration,
    most: Duration,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Duration {
    if !(least..=most).contains(&written.value) {
        let message = format!("`{}` is not from {} to {}", show(written.value), show(least), show(most));
        faults.add_at(written.at, place, message, None);
    }
    written.value
}
