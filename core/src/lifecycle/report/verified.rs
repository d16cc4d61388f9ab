//! `verify`: what is not as wished.

use serde::Serialize;

use super::{ErrorReport, Outcome, ProofReport, REPORT_VERSION, ServedReport};
use crate::ground::error::Error;
use crate::ground::id::LineageName;

/// `verify`: one thing that is not as wished.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FindingReport {
    /// Stable code: `access_drift`, `output_drift`, `damage`, `not_served`, `expired`, `not_ready` and the like.
    pub code: String,
    /// One sentence that names the thing.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// `verify`: one lineage.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct VerifiedReport {
    /// The lineage.
    pub lineage: String,
    /// How it came out.
    pub outcome: Outcome,
    /// The active generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// What is not as wished; empty when all is.
    pub findings: Vec<FindingReport>,
    /// What was seen to be served; `None` when nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Vec<ServedReport>>,
    /// Who was shown to be able to read what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<ProofReport>,
    /// Why it could not be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// `verify`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct VerifyReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// `verify`.
    pub verb: &'static str,
    /// The worst of the lineages.
    pub outcome: Outcome,
    /// What is not as wished of the machine: the fail-over daemon.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingReport>,
    /// One for each lineage, by name.
    pub lineages: Vec<VerifiedReport>,
}

impl FindingReport {
    pub(crate) fn new(code: &str, text: String, hint: Option<String>) -> Self {
        Self { code: code.to_owned(), text, hint }
    }
}

impl VerifiedReport {
    pub(crate) fn new(lineage: &LineageName) -> Self {
        Self {
            lineage: lineage.to_string(),
            outcome: Outcome::Well,
            generation: None,
            findings: Vec::new(),
            served: None,
            access: Vec::new(),
            error: None,
        }
    }

    pub(crate) fn find(&mut self, code: &str, text: String, hint: Option<String>) {
        self.take(Some(FindingReport::new(code, text, hint)));
    }

    pub(crate) fn take(&mut self, finding: Option<FindingReport>) {
        if let Some(finding) = finding {
            self.outcome = self.outcome.worst(Outcome::Finding);
            self.findings.push(finding);
        }
    }

    pub(crate) fn fail(&mut self, error: &Error) {
        self.outcome = self.outcome.worst(Outcome::of(error));
        self.error = Some(error.into());
    }
}

impl VerifyReport {
    pub(crate) fn new(findings: Vec<FindingReport>, lineages: Vec<VerifiedReport>) -> Self {
        let machine = if findings.is_empty() { Outcome::Well } else { Outcome::Finding };
        let outcome = lineages.iter().fold(machine, |worst, lineage| worst.worst(lineage.outcome));
        Self { version: REPORT_VERSION, verb: "verify", outcome, findings, lineages }
    }
}
