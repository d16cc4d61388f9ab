//! The account of what was asked of an issuer, on disk: one for all lineages, below the issuer's own state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::atomic::found;
use super::filesystem::{Filesystem, Open};
use super::state::StateDirectory;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::IssuerName;
use crate::ground::time::Timestamp;
use crate::plan::limits::{Bucket, Ledger};

const NAME: &str = "limits.json";
const VERSION: u32 = 1;
const LIMIT: usize = 8 << 20;
/// How long another run may take with it.
const LOCK_LIMIT: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
struct Shape {
    version: u32,
    /// When all of each limit has come back, and when the next one who is refused comes again.
    buckets: BTreeMap<String, (i64, i64)>,
    waits: BTreeMap<String, i64>,
}

pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Ledger> {
    let shape: Shape = serde_json::from_slice(bytes).ok().filter(|shape: &Shape| shape.version == VERSION)?;
    let moment = Timestamp::from_unix;
    Some(Ledger {
        buckets: shape
            .buckets
            .into_iter()
            .map(|(key, (full, queue))| (key, Bucket { full: moment(full), queue: moment(queue) }))
            .collect(),
        waits: shape.waits.into_iter().map(|(key, until)| (key, moment(until))).collect(),
    })
}

pub(crate) fn to_bytes(ledger: &Ledger) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Shape {
        version: VERSION,
        buckets: ledger.buckets.iter().map(|(key, b)| (key.clone(), (b.full.unix(), b.queue.unix()))).collect(),
        waits: ledger.waits.iter().map(|(key, until)| (key.clone(), until.unix())).collect(),
    })
}

/// Look, without a lock. An account that cannot be used is an empty one: the authority still counts.
pub(crate) fn read(fs: &dyn Filesystem, root: &Path, issuer: &IssuerName) -> Result<Ledger> {
    let path = StateDirectory::path_for(root, issuer).join(NAME);
    let bytes = found(fs.open(None, &path, Open::Read))
        .and_then(|file| file.map(|file| fs.read(&file, LIMIT)).transpose())
        .map_err(|source| Error::io("the issuer's limits cannot be read", source).context("path", path.as_path()))?;
    Ok(bytes.and_then(|bytes| from_bytes(&bytes)).unwrap_or_default())
}

/// Change it, alone.
pub(crate) fn update<T>(
    fs: &Arc<dyn Filesystem>,
    root: &Path,
    issuer: &IssuerName,
    now: Timestamp,
    cancel: &Cancel,
    change: impl FnOnce(&mut Ledger) -> T,
) -> Result<T> {
    let state = StateDirectory::open(Arc::clone(fs), &StateDirectory::path_for(root, issuer))?;
    let _lock = state.lock(LOCK_LIMIT, cancel)?;
    let mut ledger = state.read(NAME)?.and_then(|bytes| from_bytes(&bytes)).unwrap_or_default();
    let before = ledger.clone();
    let result = change(&mut ledger);
    ledger.tidy(now);
    if ledger != before {
        let bug = |source| Error::new(ErrorKind::Bug, "`limits.json` cannot be written as JSON").source(source);
        state.write(NAME, &to_bytes(&ledger).map_err(bug)?)?;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let moment = Timestamp::from_unix;
        let ledger = Ledger {
            buckets: [("new orders".to_owned(), Bucket { full: moment(5), queue: Timestamp::MIN })].into(),
            waits: [("everything".to_owned(), moment(9))].into(),
        };
        assert_eq!(from_bytes(&to_bytes(&ledger).unwrap()), Some(ledger));
        for other in [&b""[..], b"{}", br#"{"version":2,"buckets":{},"waits":{}}"#] {
            assert_eq!(from_bytes(other), None);
        }
    }
}
