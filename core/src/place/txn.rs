//! What is under way in a lineage: the open, deferred or held activation. One small file, replaced by rename; recovery
//! reads it and nothing else.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ground::id::GenerationId;
use crate::ground::time::Timestamp;

/// The file's name in a lineage directory.
pub(crate) const NAME: &str = "txn";

/// The facts of the file. An absent file is the default: nothing under way.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Txn {
    /// The highest sequence number ever given, so that numbers are not reused after old generations have gone.
    pub(crate) sequence: u64,
    /// The generation that a rollback returns to.
    pub(crate) previous: Option<GenerationId>,
    /// A switch that is not settled.
    pub(crate) activation: Option<Activation>,
    /// Good material whose check, reload or probe failed, waiting.
    pub(crate) deferred: Option<Deferred>,
    /// The generation kept active by an operator's rollback.
    pub(crate) held: Option<GenerationId>,
    /// Generations that failed the proof and are never used again.
    pub(crate) unfit: Vec<GenerationId>,
}

/// A switch from one generation to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    pub(crate) purpose: Purpose,
    pub(crate) from: Option<GenerationId>,
    pub(crate) to: GenerationId,
    pub(crate) step: Step,
    /// Files outside, each prepared beside its target.
    pub(crate) outputs: Vec<PreparedOutput>,
    /// How often a run died with this switch open.
    pub(crate) crashes: u32,
}

/// Why a switch is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// New material.
    Deploy,
    /// The same material with the access and outputs that were wished.
    Repair,
    /// An operator went back on purpose.
    Rollback,
}

/// How far a switch has come. Each is written, durably, before what it announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// The generation is complete and the outputs are prepared: `current` is about to change.
    Prepared,
    /// `current` has changed: the outputs are about to be put in place.
    Activated,
    /// All files are in place: the service is about to be asked.
    Placed,
    /// Going back to `from`.
    RollingBack,
}

/// A file outside that waits beside its target under a dot name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreparedOutput {
    /// The target.
    pub(crate) path: PathBuf,
    /// The name it waits under, in the target's directory.
    pub(crate) prepared: String,
}

/// Good material that waits for its next activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deferred {
    pub(crate) generation: GenerationId,
    pub(crate) failures: u32,
    pub(crate) not_before: Timestamp,
    /// The failure, as it was reported.
    pub(crate) reason: String,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TxnError {
    #[error("it is not what certwright writes: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("it has version {0}, and this certwright reads version {VERSION}")]
    Version(u32),
    #[error("it names no generation: `{0}`")]
    Generation(String),
}

const VERSION: u32 = 1;

impl Txn {
    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, TxnError> {
        let mut bytes = serde_json::to_vec(&Shape::from(self))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The facts in these bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, TxnError> {
        match serde_json::from_slice::<Shape>(bytes) {
            Ok(shape) if shape.version == VERSION => shape.try_into(),
            Ok(shape) => Err(TxnError::Version(shape.version)),
            // A shape that is not known may be the one of another version, which is the better answer.
            Err(error) => match serde_json::from_slice::<Versioned>(bytes) {
                Ok(Versioned { version }) if version != VERSION => Err(TxnError::Version(version)),
                _ => Err(error.into()),
            },
        }
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    version: u32,
    sequence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<ActivationShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deferred: Option<DeferredShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unfit: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivationShape {
    purpose: Purpose,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    to: String,
    step: Step,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<PreparedOutput>,
    #[serde(default)]
    crashes: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeferredShape {
    generation: String,
    failures: u32,
    not_before: i64,
    reason: String,
}

impl From<&Txn> for Shape {
    fn from(txn: &Txn) -> Self {
        let text = |id: &GenerationId| id.to_string();
        Self {
            version: VERSION,
            sequence: txn.sequence,
            previous: txn.previous.as_ref().map(text),
            activation: txn.activation.as_ref().map(|activation| ActivationShape {
                purpose: activation.purpose,
                from: activation.from.as_ref().map(text),
                to: activation.to.to_string(),
                step: activation.step,
                outputs: activation.outputs.clone(),
                crashes: activation.crashes,
            }),
            deferred: txn.deferred.as_ref().map(|deferred| DeferredShape {
                generation: deferred.generation.to_string(),
                failures: deferred.failures,
                not_before: deferred.not_before.unix(),
                reason: deferred.reason.clone(),
            }),
            held: txn.held.as_ref().map(text),
            unfit: txn.unfit.iter().map(text).collect(),
        }
    }
}

impl TryFrom<Shape> for Txn {
    type Error = TxnError;

    fn try_from(shape: Shape) -> Result<Self, TxnError> {
        let activation = shape.activation.map(|activation| {
            Ok::<_, TxnError>(Activation {
                purpose: activation.purpose,
                from: activation.from.map(generation).transpose()?,
                to: generation(activation.to)?,
                step: activation.step,
                outputs: activation.outputs,
                crashes: activation.crashes,
            })
        });
        let deferred = shape.deferred.map(|deferred| {
            Ok::<_, TxnError>(Deferred {
                generation: generation(deferred.generation)?,
                failures: deferred.failures,
                not_before: Timestamp::from_unix(deferred.not_before),
                reason: deferred.reason,
            })
        });
        Ok(Self {
            sequence: shape.sequence,
            previous: shape.previous.map(generation).transpose()?,
            activation: activation.transpose()?,
            deferred: deferred.transpose()?,
            held: shape.held.map(generation).transpose()?,
            unfit: shape.unfit.into_iter().map(generation).collect::<Result<_, _>>()?,
        })
    }
}

fn generation(text: String) -> Result<GenerationId, TxnError> {
    text.parse().map_err(|_| TxnError::Generation(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Txn {
        let id = |text: &str| text.parse().unwrap();
        Txn {
            sequence: 9,
            previous: Some(id("0007-00112233")),
            activation: Some(Activation {
                purpose: Purpose::Deploy,
                from: Some(id("0008-44556677")),
                to: id("0009-8899aabb"),
                step: Step::Activated,
                outputs: vec![PreparedOutput { path: "/etc/x.pem".into(), prepared: ".x.pem.next".into() }],
                crashes: 2,
            }),
            deferred: Some(Deferred {
                generation: id("0006-00000000"),
                failures: 3,
                not_before: Timestamp::from_unix(5),
                reason: "no".into(),
            }),
            held: Some(id("0005-00000000")),
            unfit: vec![id("0004-00000000")],
        }
    }

    #[test]
    fn reads_back_what_it_writes() {
        for txn in [Txn::default(), sample()] {
            assert_eq!(Txn::from_bytes(&txn.to_bytes().unwrap()).unwrap(), txn);
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let bytes = sample().to_bytes().unwrap();
        for end in 0..bytes.len() - 1 {
            assert!(Txn::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn another_version_is_named_before_its_shape_is_judged() {
        let error = Txn::from_bytes(br#"{"version":2,"new_thing":{}}"#).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
        assert!(Txn::from_bytes(br#"{"version":1,"sequence":1,"held":"../x"}"#).is_err());
        assert!(Txn::from_bytes(br#"{"version":1,"sequence":1,"unknown":1}"#).is_err());
    }
}
