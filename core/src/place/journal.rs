//! The history of a lineage for people and reports: one JSON object a line, appended. Nothing needs it.

use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::filesystem::{Filesystem, Node, Open, Rename};
use crate::ground::time::Timestamp;

/// The file's name in a lineage directory.
pub(crate) const NAME: &str = "journal.jsonl";
/// Where it is moved when it has grown.
const OLD_NAME: &str = "journal.jsonl.1";
/// When it has grown: about two thousand events.
const GROWN: u64 = 256 * 1024;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// What: the arrow and its outcome, such as `stage`, `activate`, `commit`, `roll_back`, `repair`, `recover`.
    pub event: String,
    /// The generation it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// What a person wants to know beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Event {
    /// Something that happened at this time.
    pub fn new(time: Timestamp, event: &str) -> Self {
        Self { time: time.unix(), event: event.to_owned(), generation: None, detail: None }
    }
}

/// Append an event. A history that cannot be written never stops a deployment, so failure is not reported.
pub(crate) fn append(fs: &dyn Filesystem, directory: &Node, event: &Event) {
    let Ok(mut line) = serde_json::to_vec(event) else { return };
    line.push(b'\n');
    let Ok(file) = fs.open(Some(directory), Path::new(NAME), Open::Append) else { return };
    let _ = fs.write(&file, &line);
    if fs.stat(&file).is_ok_and(|stat| stat.size > GROWN) {
        let _ = fs.rename(directory, OsStr::new(NAME), directory, OsStr::new(OLD_NAME), Rename::Replace);
    }
}

/// The events of a journal, oldest first; lines that are not events (a cut last line) are passed over.
pub(crate) fn parse(bytes: &[u8]) -> Vec<Event> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_hides_no_other() {
        let text = b"{\"time\":1,\"event\":\"stage\"}\n{\"time\":2,\"ev\n\n{\"time\":3,\"event\":\"commit\",\"generation\":\"0001-00000000\"}\n";
        let events = parse(text);
        assert_eq!(events.iter().map(|event| event.time).collect::<Vec<_>>(), [1, 3]);
    }
}
