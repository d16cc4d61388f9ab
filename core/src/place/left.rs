//! Answers to challenges that may be in place still: written down before they are given, and kept until they are known to be
//! gone, so that what a killed run or a failed clean-up leaves is seen to by the next.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ground::id::IssuerName;
use crate::ground::name::Identifier;
use crate::plan::spec::ChallengeKind;

/// One answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LeftAnswer {
    /// Whose challenge it answers.
    pub(crate) issuer: IssuerName,
    pub(crate) kind: ChallengeKind,
    /// Without `*.` for a wildcard.
    pub(crate) identifier: Identifier,
    pub(crate) token: String,
    /// Of the account's key.
    pub(crate) thumbprint: String,
    /// How often it could not be taken away.
    pub(crate) failures: u32,
    /// Why, the last time; `None` while nobody has tried.
    pub(crate) why: Option<String>,
}

impl LeftAnswer {
    /// Whether it is the same answer, whatever became of it.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (&self.issuer, self.kind, &self.identifier, &self.token)
            == (&other.issuer, other.kind, &other.identifier, &other.token)
    }
}

/// Without what belongs into no log.
impl fmt::Debug for LeftAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeftAnswer")
            .field("issuer", &self.issuer)
            .field("kind", &self.kind)
            .field("identifier", &self.identifier)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

/// One sentence for people.
impl fmt::Display for LeftAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, kind, identifier, failures, .. } = self;
        match &self.why {
            None => write!(f, "the answer to the {kind} challenge of {issuer} for {identifier} may be in place still"),
            Some(why) => write!(
                f,
                "the answer to the {kind} challenge of {issuer} for {identifier} could not be taken away ({failures} times): {why}"
            ),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Shape {
    issuer: String,
    kind: String,
    identifier: String,
    token: String,
    thumbprint: String,
    failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Shape {
    /// `None` for one that nobody can answer to any more.
    pub(super) fn read(self) -> Option<LeftAnswer> {
        Some(LeftAnswer {
            issuer: self.issuer.parse().ok()?,
            kind: ChallengeKind::ALL.into_iter().find(|kind| kind.word() == self.kind)?,
            identifier: self.identifier.parse().ok()?,
            token: self.token,
            thumbprint: self.thumbprint,
            failures: self.failures,
            why: self.why,
        })
    }
}

impl From<&LeftAnswer> for Shape {
    fn from(left: &LeftAnswer) -> Self {
        Self {
            issuer: left.issuer.to_string(),
            kind: left.kind.word().to_owned(),
            identifier: left.identifier.to_string(),
            token: left.token.clone(),
            thumbprint: left.thumbprint.clone(),
            failures: left.failures,
            why: left.why.clone(),
        }
    }
}
