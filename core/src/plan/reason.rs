//! Why a decision is what it is: a stable code for programs, a sentence for people.

use std::fmt;

use crate::ground::id::{GenerationId, IssuerName, LineageName};
use crate::ground::time::Timestamp;
use crate::pki::key::KeyAlgorithm;
use crate::plan::renewal::Renewal;

/// One reason of a [`Decision`](crate::Decision). `Display` is one sentence without full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// An earlier run did not end.
    Unfinished,
    /// What is active is not whole.
    Damaged(String),
    /// Nothing is active, and nothing is there to be activated.
    NothingActive,
    /// There is no issuer: another client brings what this lineage needs.
    WaitingForMaterial(LineageName),
    /// The spec names other identifiers than the active certificate has.
    IdentifiersChanged {
        /// What the spec has and the certificate does not cover.
        missing: Vec<String>,
        /// What the certificate has and the spec does not.
        extra: Vec<String>,
    },
    /// The spec names another key algorithm than the active key has.
    KeyChanged {
        /// The algorithm of the active key.
        active: KeyAlgorithm,
        /// The algorithm of the spec.
        wished: KeyAlgorithm,
    },
    /// The spec names another issuer than the one that issued the active certificate.
    IssuerChanged {
        /// Who issued the active certificate; `None` when another client brought it.
        active: Option<IssuerName>,
        /// The issuer of the spec.
        wished: IssuerName,
    },
    /// The renewal time was reached.
    RenewalDue {
        /// The renewal time, and on whose word.
        renewal: Renewal,
        /// When the active certificate ends.
        end: Timestamp,
    },
    /// The active certificate is no longer valid.
    Expired {
        /// Since when.
        at: Timestamp,
    },
    /// Good material whose check, reload or probe failed is waiting to be activated again.
    Deferred {
        /// Which generation.
        generation: GenerationId,
        /// When it is tried again.
        until: Timestamp,
        /// How often it was tried.
        failures: u32,
        /// Why it failed the last time.
        why: String,
    },
    /// Good material whose check, reload or probe failed is to be tried again now.
    Retried {
        /// Which generation.
        generation: GenerationId,
        /// How often it was tried.
        failures: u32,
    },
    /// Good material whose check, reload or probe failed is no longer better than what is active.
    Superseded(GenerationId),
    /// A complete generation was never activated.
    Ready(GenerationId),
    /// An operator rolled back to this generation and holds it.
    Held(GenerationId),
    /// Somebody changed who can read a file.
    AccessDrift(String),
    /// A file outside is not what was placed there.
    OutputDrift(String),
    /// An endpoint serves another certificate than the active one.
    ServedOther(String),
    /// An endpoint did not answer.
    Unreachable(String),
    /// The issuer failed, and is not asked again yet.
    BackOff {
        /// When it is asked again.
        until: Timestamp,
        /// How often it failed; 0 when it was not asked, because its limits are used up.
        failures: u32,
        /// Why, when that was written down.
        why: Option<String>,
    },
    /// A certificate was issued a moment ago: another one is not ordered so soon.
    JustIssued {
        /// When it can be.
        until: Timestamp,
    },
    /// The clock is ahead of an authority's, by whose time nothing is due.
    ClockAhead {
        /// What the clock says.
        now: Timestamp,
        /// What the authority's clock says.
        authority: Timestamp,
    },
    /// The clock is behind a time that is known to have passed: nothing is ordered by it.
    ClockSuspect {
        /// What the clock says.
        now: Timestamp,
        /// A time that has passed.
        known: Timestamp,
    },
}

macro_rules! codes {
    ($($variant:ident = $code:literal,)+) => {
        impl Reason {
            /// Every code. Surfaces test that they know each one.
            pub const CODES: [&'static str; [$($code),+].len()] = [$($code),+];

            /// The stable, lower-case name used in reports.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)+
                }
            }
        }
    };
}

codes! {
    Unfinished = "unfinished",
    Damaged = "damaged",
    NothingActive = "nothing_active",
    WaitingForMaterial = "waiting_for_material",
    IdentifiersChanged = "identifiers_changed",
    KeyChanged = "key_changed",
    IssuerChanged = "issuer_changed",
    RenewalDue = "renewal_due",
    Expired = "expired",
    Deferred = "deferred",
    Retried = "retried",
    Superseded = "superseded",
    Ready = "ready",
    Held = "held",
    AccessDrift = "access_drift",
    OutputDrift = "output_drift",
    ServedOther = "served_other",
    Unreachable = "unreachable",
    BackOff = "back_off",
    JustIssued = "just_issued",
    ClockAhead = "clock_ahead",
    ClockSuspect = "clock_suspect",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("an earlier run did not end"),
            Self::Damaged(what) => write!(f, "what is active is not whole: {what}"),
            Self::NothingActive => f.write_str("nothing is active"),
            Self::WaitingForMaterial(lineage) => {
                write!(f, "there is no issuer; another client brings key and certificates with `{}`", bring(lineage))
            }
            Self::IdentifiersChanged { missing, extra } => {
                let mut lead = "the active certificate ";
                for (what, list) in [("lacks", missing), ("is also for", extra)] {
                    if !list.is_empty() {
                        write!(f, "{lead}{what} {}", list.join(", "))?;
                        lead = " and ";
                    }
                }
                Ok(())
            }
            Self::KeyChanged { active, wished } => write!(f, "the active key is {active}, wished is {wished}"),
            Self::IssuerChanged { active: Some(active), wished } => {
                write!(f, "the active certificate is from {active}, wished is {wished}")
            }
            Self::IssuerChanged { active: None, wished } => {
                write!(f, "the active certificate was brought by another client, wished is {wished}")
            }
            Self::RenewalDue { renewal: Renewal { at, basis }, end } => {
                write!(f, "the renewal time was {at}, {basis}; the active certificate ends {end}")
            }
            Self::Expired { at } => write!(f, "the active certificate ended {at}"),
            Self::Deferred { generation, until, failures, why } => {
                write!(
                    f,
                    "{generation} waits until {until} to be activated again; it failed {}: {why}",
                    Times(*failures)
                )
            }
            Self::Retried { generation, failures } => {
                write!(f, "{generation} is to be activated again; it failed {}", Times(*failures))
            }
            Self::Superseded(generation) => {
                write!(f, "{generation} waited, and is no longer better than what is active")
            }
            Self::Ready(generation) => write!(f, "{generation} is complete and was never active"),
            Self::Held(generation) => write!(f, "{generation} is held by an operator's rollback"),
            Self::AccessDrift(what) => write!(f, "access was changed: {what}"),
            Self::OutputDrift(what) => write!(f, "an output is not as placed: {what}"),
            Self::ServedOther(what) => write!(f, "another certificate is served: {what}"),
            Self::Unreachable(what) => write!(f, "an endpoint does not answer: {what}"),
            Self::BackOff { until, failures, why } => {
                match failures {
                    0 => write!(f, "the issuer is asked {until}")?,
                    failures => write!(f, "the issuer failed {} and is asked again {until}", Times(*failures))?,
                }
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
            }
            Self::JustIssued { until } => {
                write!(f, "a certificate was issued a moment ago; another one is not ordered before {until}")
            }
            Self::ClockAhead { now, authority } => {
                write!(f, "the clock says {now}, the issuer's {authority}; by that nothing is due")
            }
            Self::ClockSuspect { now, known } => {
                write!(f, "the clock says {now}, which is before {known}; nothing is ordered by it")
            }
        }
    }
}

/// The command with which another client brings material for a lineage.
pub(crate) fn bring(lineage: &LineageName) -> String {
    format!("certwright deploy --lineage {lineage} --key FILE --fullchain FILE")
}

/// A count of failures in words.
struct Times(u32);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("once"),
            2 => f.write_str("twice"),
            count => write!(f, "{count} times"),
        }
    }
}
