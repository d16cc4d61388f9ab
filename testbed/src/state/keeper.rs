//! When a world is written down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use certwright::Result;
use tokio::sync::oneshot;

use super::{Kept, Store, Tls};
use crate::wire::server::Shared;

/// How long a change waits for company.
const WAIT: Duration = Duration::from_millis(200);
/// Writing takes one part in so many of the time, however large the world is.
const SHARE: u32 = 20;

/// Writes a world down while it lives, and once more at its end.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) store: Store,
    pub(crate) tls: Tls,
    pub(crate) shared: Arc<Shared>,
}

impl Keeper {
    /// Writes down what changed, if something did.
    pub(crate) fn keep(&self) -> Result<()> {
        let kept = {
            let mut world = self.shared.world();
            if !std::mem::take(&mut world.changed) {
                return Ok(());
            }
            Kept::of(&world, &self.tls)
        };
        let written = kept.text().and_then(|text| self.store.write(&text));
        if written.is_err() {
            self.shared.world().changed = true;
        }
        written
    }

    /// Until this ends. A disk that is full now may have room the next time: a failure is not the end.
    pub(crate) async fn until(self, mut stopped: oneshot::Receiver<()>) {
        let mut wait = WAIT;
        while tokio::time::timeout(wait, &mut stopped).await.is_err() {
            let began = Instant::now();
            let _ = self.keep();
            wait = WAIT.max(began.elapsed().saturating_mul(SHARE));
        }
        self.shared.world().changed = true;
        let _ = self.keep();
    }
}
