//! `plan`, `apply`, `deploy`, `rollback`: what would be or was done with each lineage.

use serde::Serialize;

use super::{ErrorReport, Outcome, ProofReport, REPORT_VERSION, ReasonReport, ServedReport};
use crate::ground::error::{Aftermath, Error};
use crate::ground::id::LineageName;
use crate::ground::time::Timestamp;
use crate::plan::decide::{Decision, Plan, Standing};

/// `apply`, `deploy` and `rollback`: one lineage.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LineageReport {
    /// The lineage.
    pub lineage: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was decided: `keep`, `issue`, `activate`, `repair`, `recover`, or the verb.
    pub plan: String,
    /// Why.
    pub reasons: Vec<ReasonReport>,
    /// Whether a generation became active.
    pub changed: bool,
    /// The generation that is active now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// Its last moment of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// When it is to be renewed, when that is this program's business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal: Option<String>,
    /// When something is to be done next, as far as that is known: a renewal, another try, a question to the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What was seen to be served; `None` when nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Vec<ServedReport>>,
    /// Where nobody answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<String>,
    /// Who was shown to be able to read what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<ProofReport>,
    /// Old generations that were removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<String>,
    /// What a person should know beside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

impl LineageReport {
    pub(crate) fn new(lineage: &LineageName, plan: &str) -> Self {
        Self {
            lineage: lineage.to_string(),
            outcome: Outcome::Well,
            plan: plan.to_owned(),
            reasons: Vec::new(),
            changed: false,
            generation: None,
            not_after: None,
            renewal: None,
            next: None,
            served: None,
            silent: Vec::new(),
            access: Vec::new(),
            retired: Vec::new(),
            notes: Vec::new(),
            error: None,
        }
    }

    /// Nothing else may be due before this moment, and something is at it.
    pub(crate) fn look_again_by(&mut self, moment: Timestamp) {
        let known = self.next.as_ref().and_then(|next| next.parse::<Timestamp>().ok());
        self.next = Some(known.map_or(moment, |known| known.min(moment)).to_string());
    }

    pub(crate) fn failed(mut self, error: &Error) -> Self {
        let outcome = match Outcome::of(error) {
            Outcome::Invalid if self.changed => Outcome::Failed,
            outcome => outcome,
        };
        self.outcome = self.outcome.worst(outcome);
        self.changed |= matches!(error.aftermath(), Aftermath::Kept(_));
        self.error = Some(error.into());
        self
    }
}

/// `apply`, `deploy`, `rollback`: the whole run.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The verb.
    pub verb: &'static str,
    /// The worst of the lineages.
    pub outcome: Outcome,
    /// One report for each lineage, by name.
    pub lineages: Vec<LineageReport>,
}

impl RunReport {
    pub(crate) fn new(verb: &'static str, lineages: Vec<LineageReport>) -> Self {
        let outcome = lineages.iter().fold(Outcome::Well, |worst, lineage| worst.worst(lineage.outcome));
        Self { version: REPORT_VERSION, verb, outcome, lineages }
    }
}

impl PlanReport {
    pub(crate) fn new(lineages: Vec<PlannedReport>) -> Self {
        let outcome = lineages.iter().fold(Outcome::Well, |worst, lineage| worst.worst(lineage.outcome));
        Self { version: REPORT_VERSION, verb: "plan", outcome, lineages }
    }
}

impl PlannedReport {
    pub(crate) fn new(lineage: &LineageName, decided: Result<Decision, Error>) -> Self {
        let lineage = lineage.to_string();
        match decided {
            Ok(decision) => Self {
                lineage,
                outcome: match (decision.plan, decision.standing) {
                    (Plan::Keep, Standing::Settled) => Outcome::Well,
                    // What `apply` says of it.
                    (Plan::Keep, Standing::Waiting { .. }) => Outcome::Failed,
                    _ => Outcome::Finding,
                },
                plan: decision.plan.code().to_owned(),
                reasons: decision.reasons.iter().map(ReasonReport::from).collect(),
                error: None,
            },
            Err(error) => Self {
                lineage,
                outcome: Outcome::of(&error),
                plan: "keep".to_owned(),
                reasons: Vec::new(),
                error: Some((&error).into()),
            },
        }
    }
}

/// `plan`: what would happen to one lineage, and why.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PlannedReport {
    /// The lineage.
    pub lineage: String,
    /// [`Outcome::Finding`] when there is something to do, [`Outcome::Failed`] when something waits that cannot be done now.
    pub outcome: Outcome,
    /// What would be done.
    pub plan: String,
    /// Why.
    pub reasons: Vec<ReasonReport>,
    /// Why nothing could be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// `plan`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// `plan`.
    pub verb: &'static str,
    /// [`Outcome::Finding`] when there is something to do.
    pub outcome: Outcome,
    /// One for each lineage, by name.
    pub lineages: Vec<PlannedReport>,
}
