//! What each verb did or found, in one versioned shape a verb. Surfaces print them; they decide nothing.

mod account;
mod evidence;
mod issuer;
mod run;
mod standing;
mod verified;

use serde::Serialize;

#[cfg(feature = "acme")]
pub use account::AccountReport;
pub use account::RevokeReport;
pub use evidence::{ProofReport, ReasonReport, ServedReport};
pub use issuer::{ExaminedReport, IssuerReport};
pub use run::{LineageReport, PlanReport, PlannedReport, RunReport};
pub use standing::{GenerationReport, LineageStatus, StatusReport};
pub use verified::{FindingReport, VerifiedReport, VerifyReport};

use crate::ground::error::{Aftermath, Error, ErrorKind, Phase, Retry, harmless};

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

    /// What an error amounts to. [`Invalid`](Self::Invalid) says that nothing was done: once something was, whatever
    /// was wrong with the configuration, it is a failure.
    pub fn of(error: &Error) -> Self {
        match (error.aftermath(), error.kind()) {
            (Aftermath::Stuck { .. }, _) => Self::Stuck,
            (_, ErrorKind::Conflict) if error.retry_when() == Retry::Now => Self::Busy,
            (Aftermath::Untouched, ErrorKind::InvalidSpec) => Self::Invalid,
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
            causes.push(harmless(&cause.to_string()));
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
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_error_after_something_was_done_is_a_failure() {
        let id = "0002-00112233".parse().unwrap();
        let error = |aftermath| Error::new(ErrorKind::InvalidSpec, "no such thing").left(aftermath);
        for (aftermath, outcome) in [
            (Aftermath::Untouched, Outcome::Invalid),
            (Aftermath::RolledBack(id), Outcome::Failed),
            (Aftermath::Kept(id), Outcome::Failed),
            (Aftermath::Stuck { commands: Vec::new() }, Outcome::Stuck),
        ] {
            assert_eq!(Outcome::of(&error(aftermath.clone())), outcome, "{aftermath:?}");
        }
        let mut report = LineageReport::new(&"www".parse().unwrap(), "apply");
        assert_eq!(report.clone().failed(&error(Aftermath::Untouched)).outcome, Outcome::Invalid);
        // An earlier run's activation was finished before this one found the fault.
        report.changed = true;
        assert_eq!(report.failed(&error(Aftermath::Untouched)).outcome, Outcome::Failed);
    }

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
