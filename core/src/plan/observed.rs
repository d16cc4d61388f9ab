//! What was seen of one lineage before anything is decided. A higher floor fills it in; the decision reads nothing else.

use crate::ground::id::{GenerationId, IssuerName};
use crate::ground::name::Sans;
use crate::ground::time::{Timestamp, Window};
use crate::pki::key::KeyAlgorithm;
use crate::plan::renewal::{Asked, ClockCheck};

/// What was seen of one lineage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// The active generation, when its content was verified.
    pub(crate) active: Option<Active>,
    /// Why there is no verified active generation although `current` is there.
    pub(crate) damage: Option<String>,
    /// An earlier run did not end: its `txn` is open, or it left something behind.
    pub(crate) unfinished: bool,
    /// Good material whose check, reload or probe failed.
    pub(crate) deferred: Option<Deferred>,
    /// The newest complete generation that was never active and is neither deferred nor unfit.
    pub(crate) candidate: Option<Candidate>,
    /// The generation that an operator's rollback holds.
    pub(crate) held: Option<GenerationId>,
    /// Where access is not as wished, one sentence each.
    pub(crate) access_drift: Vec<String>,
    /// Where outputs are not as placed, one sentence each.
    pub(crate) output_drift: Vec<String>,
    /// What the endpoints serve.
    pub(crate) served: Served,
    /// When the issuer may be asked again after it failed.
    pub(crate) issue_not_before: Option<Timestamp>,
    /// How often the issuer failed in a row.
    pub(crate) issue_failures: u32,
    /// Why it failed the last time, in a sentence.
    pub(crate) issue_why: Option<String>,
    /// What the issuer was asked last about the active leaf, and answered; `None` when it was not asked.
    pub(crate) asked: Option<Asked>,
    /// The times of the last issuances, as far as they are known.
    pub(crate) issued: Vec<Timestamp>,
    /// How far the clock was from an authority's when that was seen last.
    pub(crate) clock: Option<ClockCheck>,
    /// The latest time that is known to have passed on this machine: of the last recorded event, or of the build.
    pub(crate) newest_known: Option<Timestamp>,
    /// A number that differs between machines, so that they do not all renew at the same moment.
    pub(crate) machine: u64,
}

/// The active generation.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    /// Which generation it is.
    pub(crate) generation: GenerationId,
    /// What its certificate is for.
    pub(crate) identifiers: Sans,
    /// The algorithm of its key.
    pub(crate) key: KeyAlgorithm,
    /// Who issued it; `None` when another client brought it.
    pub(crate) issuer: Option<IssuerName>,
    /// When its certificate is valid.
    pub(crate) window: Window,
    /// When it was staged.
    pub(crate) created: Timestamp,
}

/// A complete generation that is not active.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Which generation it is.
    pub(crate) generation: GenerationId,
    /// What its certificate is for.
    pub(crate) identifiers: Sans,
    /// The algorithm of its key.
    pub(crate) key: KeyAlgorithm,
    /// Who issued it; `None` when another client brought it.
    pub(crate) issuer: Option<IssuerName>,
    /// When its certificate is valid.
    pub(crate) window: Window,
}

/// Good material whose check, reload or probe failed.
#[derive(Clone, Debug)]
pub(crate) struct Deferred {
    /// The generation that waits. It may be the active one, when it could not be made to be served.
    pub(crate) material: Candidate,
    /// How often it was tried.
    pub(crate) failures: u32,
    /// When it may be tried again.
    pub(crate) not_before: Timestamp,
    /// Why it failed the last time, in a sentence.
    pub(crate) reason: String,
}

/// What the endpoints of a lineage serve.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) enum Served {
    /// The lineage has no endpoint.
    #[default]
    NotConfigured,
    /// Endpoints were left out on purpose.
    NotAsked,
    /// Every endpoint serves the active certificate.
    Current,
    /// Some endpoint serves another one: what and where, one sentence each.
    Other(Vec<String>),
    /// No endpoint serves another one, and some did not answer: which and why, one sentence each.
    Unreachable(Vec<String>),
}
