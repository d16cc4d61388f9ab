//! What a generation is: its files with hash, size and access, and the facts of its certificate. Written last, so that a
//! generation without a readable manifest is incomplete.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::access::acl::Acl;
use super::access::inode::Access;
use crate::ground::error::Error;
use crate::ground::id::{Fingerprint, GenerationId, IssuerName};
use crate::ground::name::{Identifier, Sans};
use crate::ground::time::{Timestamp, Window};
use crate::pki::key::KeyAlgorithm;
use crate::plan::spec::Strategy;

/// The file's name in a generation.
pub(crate) const NAME: &str = "manifest.json";

/// The facts of one generation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Manifest {
    /// Which generation it is.
    pub generation: GenerationId,
    /// When it was staged.
    pub created: Timestamp,
    /// Who issued; `None` when another client brought the material.
    pub issuer: Option<IssuerName>,
    /// The certificate's identifiers.
    pub identifiers: Sans,
    /// The algorithm of the key.
    pub key: KeyAlgorithm,
    /// SHA-256 of the public key.
    pub key_fingerprint: Fingerprint,
    /// SHA-256 of the leaf.
    pub leaf: Fingerprint,
    /// The leaf's validity.
    pub window: Window,
    /// The generation that first had the material which this one repeats, when it repairs access or outputs.
    pub repairs: Option<GenerationId>,
    /// The access of the generation's directory.
    pub directory: Access,
    /// The files, in the order they were written.
    pub files: Vec<FileFacts>,
    /// The files outside, in the order they are put in place.
    pub outputs: Vec<OutputFacts>,
}

/// One file of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct FileFacts {
    /// Its name in the generation.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: Fingerprint,
    /// Owner, group and ACL.
    pub access: Access,
}

/// One file outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct OutputFacts {
    /// Where it is.
    pub path: PathBuf,
    /// How it changes.
    pub strategy: Strategy,
    /// The file of the generation that it repeats; for a link, the name below `current/` that it leads to.
    pub source: String,
    /// Owner, group and ACL of the file outside; without meaning for a link.
    pub access: Access,
}

impl Manifest {
    /// The generation that first had this material: how new it is, however often it was repaired since.
    pub(crate) fn origin(&self) -> GenerationId {
        self.repairs.unwrap_or(self.generation)
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        let mut bytes = serde_json::to_vec_pretty(&Shape::from(self))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The facts in these bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
        // Seen to be UTF-8 once, not text by text.
        let text = str::from_utf8(bytes).map_err(|_| ManifestError::Text)?;
        let shape: Shape<'_> = serde_json::from_str(text)?;
        if shape.version != VERSION {
            return Err(ManifestError::Version(shape.version));
        }
        shape.try_into()
    }
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    #[error("it is not what certwright writes: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("it is not what certwright writes: it is no text")]
    Text,
    #[error("it has version {0}, and this certwright reads version {VERSION}")]
    Version(u32),
    #[error("it names a file that is not a plain name: `{0}`")]
    FileName(String),
    #[error(transparent)]
    Value(#[from] Error),
}

const VERSION: u32 = 1;

/// Text is borrowed from the bytes of the file where it stands there as it is: thousands of manifests are read in a run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape<'a> {
    version: u32,
    #[serde(borrow)]
    generation: Cow<'a, str>,
    created: i64,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    issuer: Option<Text<'a>>,
    #[serde(borrow)]
    identifiers: Vec<Text<'a>>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    key_fingerprint: Cow<'a, str>,
    #[serde(borrow)]
    leaf: Cow<'a, str>,
    not_before: i64,
    not_after: i64,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    repairs: Option<Text<'a>>,
    #[serde(borrow)]
    directory: AccessShape<'a>,
    #[serde(borrow)]
    files: Vec<FileShape<'a>>,
    #[serde(default, borrow, skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<OutputShape<'a>>,
}

/// Text that is borrowed also within another type, where serde would copy it.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessShape<'a> {
    uid: u32,
    gid: u32,
    #[serde(borrow)]
    acl: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileShape<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    size: u64,
    #[serde(borrow)]
    sha256: Cow<'a, str>,
    #[serde(borrow)]
    access: AccessShape<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputShape<'a> {
    path: PathBuf,
    strategy: StrategyShape,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    access: AccessShape<'a>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StrategyShape {
    Link,
    Pinned,
    Replace,
}

fn text(shown: impl ToString) -> Cow<'static, str> {
    Cow::Owned(shown.to_string())
}

impl From<&Access> for AccessShape<'_> {
    fn from(access: &Access) -> Self {
        Self { uid: access.uid, gid: access.gid, acl: text(&access.acl) }
    }
}

/// The few different ACLs that the many files of a manifest have, each read once.
#[derive(Default)]
struct Acls<'a>(Vec<(Cow<'a, str>, Acl)>);

impl<'a> Acls<'a> {
    fn access(&mut self, shape: AccessShape<'a>) -> Result<Access, Error> {
        let known = self.0.iter().find(|(text, _)| *text == shape.acl).map(|(_, acl)| acl.clone());
        let acl = match known {
            Some(acl) => acl,
            None => {
                let acl: Acl = shape.acl.parse()?;
                self.0.push((shape.acl, acl.clone()));
                acl
            }
        };
        Ok(Access::new(shape.uid, shape.gid, acl))
    }
}

impl<'a> From<&'a Manifest> for Shape<'a> {
    fn from(manifest: &'a Manifest) -> Self {
        Self {
            version: VERSION,
            generation: text(manifest.generation),
            created: manifest.created.unix(),
            issuer: manifest.issuer.as_ref().map(|issuer| Text(issuer.as_str().into())),
            identifiers: manifest.identifiers.iter().map(|identifier| Text(text(identifier))).collect(),
            key: manifest.key.word().into(),
            key_fingerprint: text(manifest.key_fingerprint),
            leaf: text(manifest.leaf),
            not_before: manifest.window.start.unix(),
            not_after: manifest.window.end.unix(),
            repairs: manifest.repairs.map(|id| Text(text(id))),
            directory: (&manifest.directory).into(),
            files: manifest.files.iter().map(FileShape::from).collect(),
            outputs: manifest.outputs.iter().map(OutputShape::from).collect(),
        }
    }
}

impl<'a> From<&'a FileFacts> for FileShape<'a> {
    fn from(file: &'a FileFacts) -> Self {
        let name = file.name.as_str().into();
        Self { name, size: file.size, sha256: text(file.sha256), access: (&file.access).into() }
    }
}

impl<'a> From<&'a OutputFacts> for OutputShape<'a> {
    fn from(output: &'a OutputFacts) -> Self {
        let strategy = match output.strategy {
            Strategy::Link => StrategyShape::Link,
            Strategy::Pinned => StrategyShape::Pinned,
            Strategy::Replace => StrategyShape::Replace,
        };
        let source = output.source.as_str().into();
        Self { path: output.path.clone(), strategy, source, access: (&output.access).into() }
    }
}

impl TryFrom<Shape<'_>> for Manifest {
    type Error = ManifestError;

    fn try_from(shape: Shape<'_>) -> Result<Self, ManifestError> {
        let identifiers: Vec<Identifier> =
            shape.identifiers.iter().map(|text| text.0.parse()).collect::<Result<_, _>>()?;
        let mut acls = Acls::default();
        Ok(Self {
            generation: shape.generation.parse()?,
            created: Timestamp::from_unix(shape.created),
            issuer: shape.issuer.map(|name| name.0.parse()).transpose()?,
            identifiers: Sans::new(identifiers)?,
            key: shape.key.parse()?,
            key_fingerprint: shape.key_fingerprint.parse()?,
            leaf: shape.leaf.parse()?,
            window: Window::new(Timestamp::from_unix(shape.not_before), Timestamp::from_unix(shape.not_after)),
            repairs: shape.repairs.map(|id| id.0.parse()).transpose()?,
            directory: acls.access(shape.directory)?,
            files: shape.files.into_iter().map(|file| file.facts(&mut acls)).collect::<Result<_, _>>()?,
            outputs: shape.outputs.into_iter().map(|output| output.facts(&mut acls)).collect::<Result<_, _>>()?,
        })
    }
}

impl<'a> FileShape<'a> {
    fn facts(self, acls: &mut Acls<'a>) -> Result<FileFacts, ManifestError> {
        let (name, sha256, access) = (plain(self.name)?, self.sha256.parse()?, acls.access(self.access)?);
        Ok(FileFacts { name, size: self.size, sha256, access })
    }
}

impl<'a> OutputShape<'a> {
    fn facts(self, acls: &mut Acls<'a>) -> Result<OutputFacts, ManifestError> {
        let strategy = match self.strategy {
            StrategyShape::Link => Strategy::Link,
            StrategyShape::Pinned => Strategy::Pinned,
            StrategyShape::Replace => Strategy::Replace,
        };
        Ok(OutputFacts { path: self.path, strategy, source: plain(self.source)?, access: acls.access(self.access)? })
    }
}

/// A manifest is read back by a process with privileges: it may name files of its own generation only.
fn plain(name: Cow<'_, str>) -> Result<String, ManifestError> {
    let bytes = name.as_bytes();
    let ok = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if bytes.first().is_some_and(u8::is_ascii_alphanumeric) && bytes.iter().all(ok) {
        return Ok(name.into_owned());
    }
    Err(ManifestError::FileName(name.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::digest::sha256;

    fn sample() -> Manifest {
        let access = Access::new(0, 33, "u::rw-,u:1000:r--,g::---,m::r--,o::---".parse().unwrap());
        let leaf = sha256(b"leaf");
        Manifest {
            generation: GenerationId::new(3, &leaf),
            created: Timestamp::from_unix(100),
            issuer: Some("lab".parse().unwrap()),
            identifiers: Sans::new(vec!["a.example".parse().unwrap(), "192.0.2.1".parse().unwrap()]).unwrap(),
            key: KeyAlgorithm::EcdsaP256,
            key_fingerprint: sha256(b"key"),
            leaf,
            window: Window::new(Timestamp::from_unix(50), Timestamp::from_unix(500)),
            repairs: None,
            directory: access.clone(),
            files: vec![FileFacts { name: "key.pem".into(), size: 3, sha256: sha256(b"key"), access: access.clone() }],
            outputs: vec![OutputFacts {
                path: "/etc/x.pem".into(),
                strategy: Strategy::Replace,
                source: "bundle.pem".into(),
                access,
            }],
        }
    }

    #[test]
    fn reads_back_what_it_writes() {
        assert_eq!(Manifest::from_bytes(&sample().to_bytes().unwrap()).unwrap(), sample());
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let bytes = sample().to_bytes().unwrap();
        for end in 0..bytes.len() - 2 {
            assert!(Manifest::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn names_no_file_of_another_directory() {
        for name in ["../key.pem", "/etc/shadow", "", ".hidden", "a/b", "a\0"] {
            let mut manifest = sample();
            manifest.files[0].name = name.into();
            assert!(Manifest::from_bytes(&manifest.to_bytes().unwrap()).is_err(), "{name:?}");
        }
    }
}
