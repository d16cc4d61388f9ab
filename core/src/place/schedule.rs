//! When a lineage may ask its issuer again: what a failed issuance leaves behind for the next run.

use serde::{Deserialize, Serialize};

use super::atomic;
use super::lineage::LineageDirectory;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::time::Timestamp;

const NAME: &str = "schedule.json";
const VERSION: u32 = 1;

/// The facts of the file. An absent or unreadable file is the default: nothing has failed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Schedule {
    /// How often issuing has failed since it last worked.
    pub(crate) failures: u32,
    /// No issuance is tried before this.
    pub(crate) not_before: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Shape {
    version: u32,
    failures: u32,
    not_before: Option<i64>,
}

impl Schedule {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let shape: Shape = serde_json::from_slice(bytes).ok().filter(|shape: &Shape| shape.version == VERSION)?;
        Some(Self { failures: shape.failures, not_before: shape.not_before.map(Timestamp::from_unix) })
    }
}

impl LineageDirectory {
    /// When the issuer may be asked again. A file that cannot be used costs at most one try too early.
    pub(crate) fn schedule(&self) -> Result<Schedule> {
        Ok(self.read(&self.node, NAME)?.and_then(|bytes| Schedule::from_bytes(&bytes)).unwrap_or_default())
    }

    /// Write down when the issuer may be asked again.
    pub(crate) fn write_schedule(&self, schedule: &Schedule) -> Result<()> {
        let not_before = schedule.not_before.map(Timestamp::unix);
        let shape = Shape { version: VERSION, failures: schedule.failures, not_before };
        let bytes = serde_json::to_vec(&shape)
            .map_err(|source| Error::new(ErrorKind::Bug, "`schedule.json` cannot be written as JSON").source(source))?;
        atomic::replace(&*self.fs, &self.node, NAME, &bytes)
            .map_err(|source| self.fault("`schedule.json` cannot be written", NAME, source))
    }
}
