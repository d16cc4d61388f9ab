//! Documents that the command makes itself; the reports of the library are documents already.

use std::time::Duration;

use certwright::report::{ErrorReport, Outcome, REPORT_VERSION};
use serde::Serialize;

/// What a verb found, under the lead that every document has.
#[derive(Debug, Serialize)]
pub(crate) struct Document<T> {
    version: u32,
    verb: &'static str,
    outcome: Outcome,
    #[serde(flatten)]
    content: T,
}

impl<T> Document<T> {
    pub(crate) fn new(verb: &'static str, outcome: Outcome, content: T) -> Self {
        Self { version: REPORT_VERSION, verb, outcome, content }
    }
}

/// Why a verb ended early.
#[derive(Debug, Serialize)]
pub(crate) struct Failed {
    pub(crate) error: ErrorReport,
}

/// What stands for a report that did not come in time.
#[derive(Debug, Serialize)]
pub(crate) struct NoAnswer {
    findings: [NoAnswerFinding; 1],
    lineages: [(); 0],
}

#[derive(Debug, Serialize)]
struct NoAnswerFinding {
    code: &'static str,
    text: String,
    hint: &'static str,
}

impl NoAnswer {
    /// After this time.
    pub(crate) fn within(limit: Duration) -> Self {
        let finding = NoAnswerFinding {
            code: "no_answer",
            text: format!("no answer within {}s", limit.as_secs()),
            hint: "see with `certwright verify` what it waits for",
        };
        Self { findings: [finding], lineages: [] }
    }

    /// The same for people.
    pub(crate) fn text(&self) -> &str {
        let [finding] = &self.findings;
        &finding.text
    }
}
