//! What a report rests on: reasons, what was served, who was shown to be able to read.

use std::path::PathBuf;

use serde::Serialize;

use crate::deploy::probe::Observation;
use crate::place::access::prove::{AccessProof, Evidence, Secrecy};
use crate::plan::reason::Reason;

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
