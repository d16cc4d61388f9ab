//! Wishes for step-ca.

use std::path::PathBuf;
use std::time::Duration;

use super::service::Command;
use crate::ground::id::Fingerprint;

/// Wishes for step-ca by its own interface. Over ACME it is an [`AcmeIssuer`](super::AcmeIssuer).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepCaIssuer {
    /// Where the CA is, such as `https://ca.internal:9000`; `https` only.
    pub url: String,
    /// The SHA-256 of its root, which is all that is believed at first.
    pub fingerprint: Fingerprint,
    /// How a certificate is obtained that replaces none; `None` when there are renewals alone.
    pub credential: Option<StepCredential>,
    /// How long a certificate is valid; `None` means the provisioner's default.
    pub lifetime: Option<Duration>,
    /// How far its beginning lies back; `None` means as the CA does it, which is a minute.
    pub backdate: Option<Duration>,
    /// Data for the provisioner's template, a JSON object.
    pub template_data: Option<String>,
    /// PEM file of the roots that issued chains are judged against; `None` means the CA's own.
    pub roots: Option<PathBuf>,
    /// The total time for one certificate.
    pub limit: Duration,
}

impl StepCaIssuer {
    /// The total time for one certificate when none is given.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

    /// The CA at this URL whose root has this fingerprint, and how it is convinced.
    pub fn new(url: impl Into<String>, fingerprint: Fingerprint, credential: StepCredential) -> Self {
        Self {
            url: url.into(),
            fingerprint,
            credential: Some(credential),
            lifetime: None,
            backdate: None,
            template_data: None,
            roots: None,
            limit: Self::DEFAULT_LIMIT,
        }
    }
}

/// By what a provisioner lets a certificate be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepCredential {
    /// A provisioner of type JWK: whoever has its key signs one-time tokens.
    Jwk(StepJwk),
    /// A provisioner of type X5C: the holder of a certificate signs one-time tokens.
    X5c(StepX5c),
    /// A one-time token that somebody else has made, for one certificate.
    Token(SecretSource),
}

/// The key of a provisioner of type JWK.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepJwk {
    /// The provisioner's name.
    pub provisioner: String,
    /// Where the password is that opens the key; `None` when a program brings it, or the key is not encrypted.
    pub password: Option<SecretSource>,
    /// File with the key, as `step` writes it or as PEM; `None` to ask the CA for the encrypted one.
    pub key_file: Option<PathBuf>,
}

impl StepJwk {
    /// The provisioner of this name, whose key the CA keeps, and where its password is.
    pub fn new(provisioner: impl Into<String>, password: SecretSource) -> Self {
        Self { provisioner: provisioner.into(), password: Some(password), key_file: None }
    }
}

/// The certificate for a provisioner of type X5C.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepX5c {
    /// The provisioner's name.
    pub provisioner: String,
    /// PEM file with the certificate, and what is between it and the provisioner's root.
    pub certificate: PathBuf,
    /// PEM file with its key.
    pub key: PathBuf,
}

impl StepX5c {
    /// The provisioner of this name, and the files of a certificate that it believes.
    pub fn new(provisioner: impl Into<String>, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { provisioner: provisioner.into(), certificate: certificate.into(), key: key.into() }
    }
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretSource {
    /// A file that not everyone may read. A line break at its end does not count.
    File(PathBuf),
    /// What a command prints on standard output. A line break at its end does not count.
    Command(Command),
}
