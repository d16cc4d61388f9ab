//! What each verb did or found, in one versioned shape a verb. Surfaces print them; they decide nothing.

use std::path::PathBuf;

use serde::Serialize;

use crate::deploy::probe::Observation;
use crate::ground::error::{Aftermath, Error, ErrorKind, Phase, Retry};
use crate::ground::id::LineageName;
use crate::place::access::prove::{AccessProof, Evidence, Secrecy};
use crate::place::journal::Event;
use crate::plan::decide::{Decision, Plan};
use crate::plan::reason::Reason;

/// The version of every shape here. It grows when a field changes its meaning or goes; new fields do not change it.
pub const REPORT_VERSION: u32 = 1;

/// How a verb came out, from best to worst as the exit status counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Well: done, or nothing to do.
    Well,
    /// There is something to do, or something is not as wished.
    Finding,
    /// Another run holds the lock.
    Busy,
    /// It failed or waits for its next try; nothing is worse than before.
    Failed,
    /// The configuration or the call cannot be meant.
    Invalid,
    /// A human is needed.
    Stuck,
}

impl Outcome {
    /// The exit status of the command, the same for every verb.
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::Finding => 3,
            Self::Stuck => 4,
            Self::Busy => 5,
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Finding => 1,
            Self::Busy => 2,
            Self::Failed => 3,
            Self::Invalid => 4,
            Self::Stuck => 5,
        }
    }

    /// The worse of two.
    #[must_use]
    pub const fn worst(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// What an error amounts to.
    pub fn of(error: &Error) -> Self {
        match (error.aftermath(), error.kind()) {
            (Aftermath::Stuck { .. }, _) => Self::Stuck,
            (_, ErrorKind::Conflict) if error.retry_when() == Retry::Now => Self::Busy,
            (_, ErrorKind::InvalidSpec) => Self::Invalid,
            _ => Self::Failed,
        }
    }
}

/// An error in a report: the six facts of [`Error`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ErrorReport {
    /// The stable kind.
    pub kind: &'static str,
    /// The arrow in which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<&'static str>,
    /// One line, with context.
    pub message: String,
    /// Ordered facts.
    pub context: Vec<(&'static str, String)>,
    /// What caused it, outermost first.
    pub causes: Vec<String>,
    /// What is true now.
    pub aftermath: &'static str,
    /// The generation the aftermath is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// What an operator does by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// One sentence that says what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// When to try again: `never`, `now`, or a time.
    pub retry: String,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        let mut causes = Vec::new();
        let mut next = std::error::Error::source(error);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        let (generation, commands) = match error.aftermath() {
            Aftermath::RolledBack(id) | Aftermath::Kept(id) => (Some(id.to_string()), Vec::new()),
            Aftermath::Stuck { commands } => (None, commands.clone()),
            Aftermath::Untouched => (None, Vec::new()),
        };
        Self {
            kind: error.kind().code(),
            phase: error.phase().map(Phase::code),
            message: error.to_string(),
            context: error.facts().map(|(name, value)| (name, value.to_owned())).collect(),
            causes,
            aftermath: error.aftermath().code(),
            generation,
            commands,
            hint: error.hint_text().map(str::to_owned),
            retry: match error.retry_when() {
                Retry::Never => "never".to_owned(),
                Retry::Now => "now".to_owned(),
                Retry::After(time) => time.to_string(),
            },
        }
    }
}

/// One reason of a decision.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ReasonReport {
    /// Stable code.
    pub code: String,
    /// One sentence.
    pub text: String,
}

/// What an endpoint was seen to serve.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ServedReport {
    /// Where it was asked.
    pub address: String,
    /// SHA-256 of the leaf.
    pub fingerprint: String,
    /// Its last moment of validity.
    pub not_after: String,
}

/// Who was shown to be able, or unable, to read a file.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProofReport {
    /// The file.
    pub path: PathBuf,
    /// The principals that were shown to be able to read it.
    pub readers: Vec<String>,
    /// What was shown of everybody else: `shut out`, or `may read` for what is public.
    pub outsiders: &'static str,
    /// How it was shown: `model_and_kernel`, or `model` when this process may not take on another identity.
    pub evidence: &'static str,
}

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
    /// What was seen to be served; `None` when nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Vec<ServedReport>>,
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
            served: None,
            access: Vec::new(),
            retired: Vec::new(),
            notes: Vec::new(),
            error: None,
        }
    }

    pub(crate) fn failed(mut self, error: &Error) -> Self {
        self.outcome = self.outcome.worst(Outcome::of(error));
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
        Self { version: REPORT_VERSION, outcome, lineages }
    }
}

impl PlannedReport {
    pub(crate) fn new(lineage: &LineageName, decided: Result<Decision, Error>) -> Self {
        let lineage = lineage.to_string();
        match decided {
            Ok(decision) => Self {
                lineage,
                outcome: if decision.plan == Plan::Keep { Outcome::Well } else { Outcome::Finding },
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
    /// [`Outcome::Finding`] when there is something to do.
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
    /// [`Outcome::Finding`] when there is something to do.
    pub outcome: Outcome,
    /// One for each lineage, by name.
    pub lineages: Vec<PlannedReport>,
}

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
        Self { version: REPORT_VERSION, outcome, findings, lineages }
    }
}

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
            identifiers: Vec::new(),
            issuer: None,
            fingerprint: None,
            not_before: None,
            not_after: None,
            renewal: None,
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
        Self { version: REPORT_VERSION, outcome, lineages }
    }
}

impl From<&Reason> for ReasonReport {
    fn from(reason: &Reason) -> Self {
        Self { code: reason.code().to_owned(), text: reason.to_string() }
    }
}

impl ServedReport {
    /// What was seen, if anything was.
    pub(crate) fn of(observation: &Observation) -> Option<Self> {
        let seen = observation.seen.as_ref().ok()?;
        Some(Self {
            address: observation.place.to_string(),
            fingerprint: seen.fingerprint.to_string(),
            not_after: seen.window.end.to_string(),
        })
    }
}

impl ProofReport {
    /// A file is proved before it has its name; it is reported under the path that it has since.
    pub(crate) fn committed(proof: &AccessProof, settled: PathBuf) -> Self {
        Self { path: settled, ..Self::from(proof) }
    }
}

impl From<&AccessProof> for ProofReport {
    fn from(proof: &AccessProof) -> Self {
        let evidence = match proof.evidence() {
            Evidence::ModelAndKernel => "model_and_kernel",
            Evidence::ModelAlone => "model",
        };
        Self {
            path: proof.path().to_owned(),
            readers: proof.readers().iter().map(ToString::to_string).collect(),
            outsiders: if proof.secrecy() == Secrecy::Secret { "shut out" } else { "may read" },
            evidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts_in_the_documented_order() {
        // 4, 2, 1, 5, 3, 0: the order that the documentation of exit statuses gives.
        let order = [Outcome::Stuck, Outcome::Invalid, Outcome::Failed, Outcome::Busy, Outcome::Finding, Outcome::Well];
        assert_eq!(order.map(Outcome::exit_status), [4, 2, 1, 5, 3, 0]);
        for (at, worse) in order.iter().enumerate() {
            for better in &order[at..] {
                assert_eq!(worse.worst(*better), *worse);
                assert_eq!(better.worst(*worse), *worse);
            }
        }
    }
}
