//! Dynamic updates of a zone (RFC 2136), for whichever challenge: where a record belongs, and what is sent there.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::rr::Name;

use super::dns;
use super::dns::tsig::Key;
use super::dns::update::{Change, Spot, Update};
use super::dns::watch::Watch;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::Clock;
use crate::place::filesystem::Filesystem;
use crate::place::secret_file;
use crate::plan::spec::Rfc2136;

/// How long one update may take.
pub(super) const UPDATING: Duration = Duration::from_secs(15);

/// A zone that is updated as wished.
pub(super) struct Updates {
    wish: Rfc2136,
    fs: Arc<dyn Filesystem>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) watch: Watch,
}

impl Updates {
    pub(super) fn new(wish: Rfc2136, fs: Arc<dyn Filesystem>, clock: Arc<dyn Clock>) -> Self {
        let watch = Watch::new(wish.propagation.clone(), Arc::clone(&fs));
        Self { wish, fs, clock, watch }
    }

    /// Where the record of this name belongs.
    pub(super) fn spot(&self, name: &Name, end: Instant, cancel: &Cancel) -> Result<Spot> {
        let name = self.watch.canonical(name, end, cancel)?;
        let Some(zone) = &self.wish.zone else {
            let zone = self.watch.zone(&name, end, cancel)?;
            return Ok(Spot { name, zone });
        };
        let zone = dns::parse(&format!("{zone}."))?;
        if zone.zone_of(&name) {
            return Ok(Spot { name, zone });
        }
        Err(Error::new(ErrorKind::InvalidSpec, "the record of the challenge is not in the configured zone")
            .context("record", Public(&name.to_ascii()))
            .context("zone", Public(&zone.to_ascii()))
            .hint("make the record an alias (CNAME) of a name in that zone, or leave `zone` out"))
    }

    /// Change one value.
    pub(super) fn change(
        &self,
        spot: &Spot,
        value: &[u8],
        change: Change,
        end: Instant,
        cancel: &Cancel,
    ) -> Result<()> {
        let key = self.wish.key.as_ref().map(|wish| {
            secret_file::read(&*self.fs, &wish.secret_file).and_then(|content| Key::read(wish, content.expose()))
        });
        let key = key.transpose()?;
        let update = Update { server: self.wish.server, key: key.as_ref(), now: self.clock.now(), end, cancel };
        update.send(spot, value, change)
    }

    /// The values that the server has for the record.
    pub(super) fn values(&self, spot: &Spot, end: Instant, cancel: &Cancel) -> Result<Vec<Vec<u8>>> {
        dns::visible::values(self.wish.server, &spot.name, end, cancel)
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("wish", &self.wish).finish_non_exhaustive()
    }
}
