//! The one place that waits for time to pass.

use std::time::{Duration, Instant};

use crate::ground::cancel::Cancel;
use crate::ground::error::Result;

/// How soon a wish to stop is noticed.
const NOTICE: Duration = Duration::from_millis(50);

/// Let `span` pass, or less when asked to stop.
///
/// # Errors
///
/// `Cancelled`.
pub(crate) fn pause(span: Duration, cancel: &Cancel) -> Result<()> {
    let end = Instant::now() + span;
    loop {
        cancel.check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        #[expect(clippy::disallowed_methods, reason = "this is the replacement that the ban names")]
        std::thread::sleep(left.min(NOTICE));
    }
}
