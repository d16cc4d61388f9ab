//! `status`: what is active, what is next, what is unfinished.

use serde::Serialize;

use super::{ErrorReport, Outcome, REPORT_VERSION};
use crate::ground::error::Error;
use crate::ground::id::LineageName;
use crate::place::journal::Event;

/// `status`: one generation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct GenerationReport {
    /// Its name.
    pub generation: String,
    /// `active`, `previous`, `held`, `deferred`, `unfit`, `candidate` or `retired`.
    pub role: &'static str,
    /// When it was staged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The generation that first had its key and certificate, when it was made to repair access or outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repairs: Option<String>,
    /// Its last moment of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
}

/// `status`: one lineage.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LineageStatus {
    /// The lineage.
    pub lineage: String,
    /// How it stands: [`Outcome::Failed`] while something waits or is unfinished.
    pub outcome: Outcome,
    /// The active generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// The generation that a rollback would return to. A repair is not a step that could be gone back on: what was active
    /// before it had the same certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The identifiers of its certificate.
    pub identifiers: Vec<String>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// SHA-256 of its leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// First moment of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Last moment of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// When it will be renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal: Option<String>,
    /// On whose word: by its lifetime, or as the issuer suggests; completes a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal_basis: Option<String>,
    /// What is unfinished, deferred or held, each one sentence.
    pub unsettled: Vec<String>,
    /// Every generation, newest first.
    pub generations: Vec<GenerationReport>,
    /// The last events, newest first.
    pub history: Vec<Event>,
    /// Why the status is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// `status`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StatusReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// `status`.
    pub verb: &'static str,
    /// The worst of the lineages.
    pub outcome: Outcome,
    /// One for each lineage, by name.
    pub lineages: Vec<LineageStatus>,
}

impl LineageStatus {
    pub(crate) fn new(lineage: &LineageName) -> Self {
        Self {
            lineage: lineage.to_string(),
            outcome: Outcome::Well,
            generation: None,
            previous: None,
            identifiers: Vec::new(),
            issuer: None,
            fingerprint: None,
            not_before: None,
            not_after: None,
            renewal: None,
            renewal_basis: None,
            unsettled: Vec::new(),
            generations: Vec::new(),
            history: Vec::new(),
            error: None,
        }
    }

    pub(crate) fn unsettle(&mut self, text: String, outcome: Outcome) {
        self.outcome = self.outcome.worst(outcome);
        self.unsettled.push(text);
    }

    pub(crate) fn fail(&mut self, error: &Error) {
        self.outcome = self.outcome.worst(Outcome::of(error));
        self.error = Some(error.into());
    }
}

impl StatusReport {
    pub(crate) fn new(lineages: Vec<LineageStatus>) -> Self {
        let outcome = lineages.iter().fold(Outcome::Well, |worst, lineage| worst.worst(lineage.outcome));
        Self { version: REPORT_VERSION, verb: "status", outcome, lineages }
    }
}
