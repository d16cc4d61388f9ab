//! `issuer test`: whether an issuer can be used.

use serde::Serialize;

use super::{ErrorReport, Outcome, REPORT_VERSION};
use crate::ground::id::IssuerName;
use crate::issue::issuer::Examined;

/// `issuer test`: what was looked at, in its order.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct IssuerReport {
    /// The version of this shape.
    pub version: u32,
    /// The issuer.
    pub issuer: String,
    /// Well, or a finding.
    pub outcome: Outcome,
    /// What was found, one for each thing. What an earlier one makes impossible is not there.
    pub findings: Vec<ExaminedReport>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ExaminedReport {
    /// What: `trust`, `health`, `clock`, `provisioner`, `directory`, `account`, `certificate` and others.
    pub what: String,
    /// What was found, in a sentence; `None` when it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

impl IssuerReport {
    pub(crate) fn new(issuer: &IssuerName, found: Vec<Examined>) -> Self {
        let well = found.iter().all(|one| one.found.is_ok());
        let findings = found.into_iter().map(|one| {
            let (found, error) = match one.found {
                Ok(found) => (Some(found), None),
                Err(error) => (None, Some(ErrorReport::from(&error))),
            };
            ExaminedReport { what: one.what.to_owned(), found, error }
        });
        Self {
            version: REPORT_VERSION,
            issuer: issuer.to_string(),
            outcome: if well { Outcome::Well } else { Outcome::Finding },
            findings: findings.collect(),
        }
    }
}
