//! What came of it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::hook::act::Event;
use crate::hook::call::Call;
use crate::hook::contract::Contract;

/// What a hook did on the bench.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HookReport {
    /// The hook.
    pub script: PathBuf,
    /// The contract that it was held to.
    pub contract: Contract,
    /// Every call with good material and working tools, in order.
    pub events: Vec<EventReport>,
    /// What is wrong with it; empty when nothing was found.
    pub findings: Vec<HookFinding>,
}

/// One call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EventReport {
    /// What the client calls it.
    pub event: String,
    /// Its exit status; 128 and the number of a signal; `None` when it did not end in time.
    pub status: Option<i32>,
    /// How long it took.
    pub took: Duration,
    /// What it did to files below the directory of the bench.
    pub changes: Vec<Change>,
    /// What it said on standard error, cut where it is long.
    pub stderr: String,
}

/// Something that became of a file. Paths are below the directory of the bench.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It was not there before; owner, group, mode and ACL in words.
    #[expect(missing_docs, reason = "named as what they are")]
    Created { path: PathBuf, access: String },
    /// It has another content.
    #[expect(missing_docs, reason = "named as what they are")]
    Written { path: PathBuf },
    /// It has another owner, group, mode or ACL.
    #[expect(missing_docs, reason = "named as what they are")]
    Access { path: PathBuf, before: String, after: String },
    /// It is gone.
    #[expect(missing_docs, reason = "named as what they are")]
    Removed { path: PathBuf },
}

/// Something that is wrong with a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookFinding {
    /// A stable word.
    pub code: &'static str,
    /// The event at which it was seen.
    pub event: String,
    /// What was seen.
    pub text: String,
    /// What to do.
    pub hint: &'static str,
}

impl EventReport {
    pub(super) fn new(event: &Event, call: &Call, changes: Vec<Change>) -> Self {
        let (status, took, stderr) = (call.status, call.took, call.stderr.clone());
        Self { event: event.name.clone(), status, took, changes, stderr }
    }
}

impl Change {
    /// In one line.
    pub fn text(&self) -> String {
        match self {
            Self::Created { path, access } if access.is_empty() => format!("created {}", path.display()),
            Self::Created { path, access } => format!("created {}: {access}", path.display()),
            Self::Written { path } => format!("wrote {}", path.display()),
            Self::Access { path, before, after } => {
                format!("changed the access of {}: {before} is now {after}", path.display())
            }
            Self::Removed { path } => format!("removed {}", path.display()),
        }
    }

    fn document(&self) -> Value {
        match self {
            Self::Created { path, access } => json!({ "change": "created", "path": path, "access": access }),
            Self::Written { path } => json!({ "change": "written", "path": path }),
            Self::Access { path, before, after } => {
                json!({ "change": "access", "path": path, "before": before, "after": after })
            }
            Self::Removed { path } => json!({ "change": "removed", "path": path }),
        }
    }
}

impl HookReport {
    /// All of it, as one document.
    pub fn document(&self) -> Value {
        let event = |told: &EventReport| {
            json!({
                "event": told.event,
                "status": told.status,
                "took_ms": told.took.as_millis(),
                "changes": told.changes.iter().map(Change::document).collect::<Vec<_>>(),
                "stderr": told.stderr,
            })
        };
        let finding = |told: &HookFinding| json!({ "code": told.code, "event": told.event, "text": told.text, "hint": told.hint });
        json!({
            "script": self.script,
            "contract": self.contract.word(),
            "events": self.events.iter().map(event).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}
