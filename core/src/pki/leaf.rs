//! Certificates: their bytes, and the facts in them, read once.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::algorithm::{self, KeyAlgorithm};
use super::facts::{Facts, KeyUsage};
use super::name::{self, Name};
use super::pem;
use super::signed::{SignatureFault, Signed};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::Fingerprint;
use crate::ground::name::Identifier;
use crate::ground::time::Window;

/// "id-at-commonName" (RFC 5280 §A.1).
#[cfg(feature = "https")]
const COMMON_NAME: &str = "2.5.4.3";

/// More than any certificate that is accepted: a thousand long names fit.
const MAX_INPUT: usize = 512 * 1024;

/// One X.509 certificate (RFC 5280) and its facts. Cloning shares it.
///
/// Reading it says nothing about whether it is trusted or good for anything: that is what the checks are for. What cannot be read in an extension is kept as a fact, so that it can be reported.
///
/// # Examples
///
/// ```no_run
/// use certwright::{Certificate, Chain};
///
/// # fn main() -> certwright::Result<()> {
/// # let pem = [];
/// let chain = Chain::from_pem(&pem)?;
/// let leaf: &Certificate = chain.leaf();
/// println!("{} until {}", leaf.subject(), leaf.window().end);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Facts>);

impl Certificate {
    /// From the DER of one certificate, with nothing after it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] when it is not one.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Self::from_owned(der.to_vec())
    }

    pub(super) fn from_owned(der: Vec<u8>) -> Result<Self> {
        if der.len() > MAX_INPUT {
            return Err(Error::new(ErrorKind::Unfit, "this is too large for a certificate").context("bytes", der.len()));
        }
        let (rest, parsed) = X509Certificate::from_der(&der).map_err(|error| damaged().source(error.to_string()))?;
        if !rest.is_empty() {
            return Err(Error::new(ErrorKind::Unfit, "there are bytes after the certificate")
                .context("bytes", rest.len())
                .hint("fetch the certificate again"));
        }
        let mut facts = Facts::read(&der, &parsed).ok_or_else(damaged)?;
        facts.der = der;
        Ok(Self(Arc::new(facts)))
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The certificate in PEM (RFC 7468), 64 columns, LF.
    pub fn pem(&self) -> String {
        std::mem::take(&mut *pem::encode("CERTIFICATE", self.der()))
    }

    /// The SHA-256 of the DER.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// The SHA-256 of the SubjectPublicKeyInfo; equal to [`PrivateKey::fingerprint`](crate::PrivateKey::fingerprint) of the
    /// key that belongs to it.
    pub fn key_fingerprint(&self) -> Fingerprint {
        self.0.key_fingerprint
    }

    /// Its public key: DER of its SubjectPublicKeyInfo.
    pub fn public_key_der(&self) -> &[u8] {
        self.spki_der()
    }

    /// When it is valid, both ends included (RFC 5280 §4.1.2.5).
    pub fn window(&self) -> Window {
        self.0.window
    }

    /// The DNS names, wildcards and IP addresses of its subjectAltName, in order. Names in the subject do not count
    /// (RFC 9525 §2).
    pub fn identifiers(&self) -> &[Identifier] {
        &self.0.identifiers
    }

    /// Entries of its subjectAltName that are no [`Identifier`], as text: mail addresses, names with an underscore,
    /// damaged ones.
    pub fn other_names(&self) -> &[String] {
        &self.0.other_names
    }

    /// Whether it is good for `wanted`.
    pub fn covers(&self, wanted: &Identifier) -> bool {
        self.0.identifiers.iter().any(|have| have.covers(wanted))
    }

    /// The subject for people, such as `CN=www.example.org, O=Example`; control characters are escaped. May be empty.
    pub fn subject(&self) -> String {
        Name::new(self.subject_der()).to_string()
    }

    /// The issuer for people, as [`Certificate::subject`].
    pub fn issuer(&self) -> String {
        Name::new(self.issuer_der()).to_string()
    }

    /// The serial number in lower-case hexadecimal, two digits a byte, as encoded.
    pub fn serial(&self) -> String {
        name::hex(&self.0.serial)
    }

    /// The serial number as encoded: a zero before a set high bit belongs to it.
    #[cfg(feature = "https")]
    pub(crate) fn serial_bytes(&self) -> &[u8] {
        &self.0.serial
    }

    /// The common name of its subject, when it has one.
    #[cfg(feature = "step-ca")]
    pub(crate) fn common_name(&self) -> Option<String> {
        Name::new(self.subject_der()).values(COMMON_NAME).next()
    }

    /// The common names of its issuer; certificates have one at most, as a rule.
    #[cfg(feature = "https")]
    pub(crate) fn issuer_common_names(&self) -> impl Iterator<Item = String> {
        Name::new(self.issuer_der()).values(COMMON_NAME)
    }

    /// The algorithm of its key, when it is one that certwright knows.
    pub fn key_algorithm(&self) -> Option<KeyAlgorithm> {
        self.0.key
    }

    /// The algorithm of its key as text, unknown ones included: `ecdsa-p256`, `rsa-1024`.
    pub fn key_description(&self) -> String {
        algorithm::describe_key(self.spki_der())
    }

    /// The algorithm of the signature on it, as text: `ecdsa-with-SHA256`.
    pub fn signature_algorithm(&self) -> String {
        algorithm::signature_name(&self.0.signature_algorithm).to_owned()
    }

    /// Whether its basic constraints say that it is a CA.
    pub fn is_ca(&self) -> bool {
        self.0.authority.is_some()
    }

    /// How many CA certificates may follow it in a path, when it is a CA and says so (RFC 5280 §4.2.1.9).
    pub fn path_length(&self) -> Option<u32> {
        self.0.authority.and_then(|authority| authority.path_length)
    }

    /// The key usages it is restricted to, by their names in RFC 5280 §4.2.1.3; `None` without the extension.
    pub fn key_usage(&self) -> Option<Vec<&'static str>> {
        self.0.key_usage.map(|usage| usage.names().collect())
    }

    /// The extended key usages it is restricted to, as dotted object identifiers (RFC 5280 §4.2.1.12); `None` without the
    /// extension.
    pub fn extended_key_usage(&self) -> Option<&[String]> {
        self.0.extended_key_usage.as_deref()
    }

    /// The subject key identifier (RFC 5280 §4.2.1.2).
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.subject_key_id.as_deref()
    }

    /// The key identifier of its issuer (RFC 5280 §4.2.1.1).
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.authority_key_id.as_deref()
    }

    /// Whether subject and issuer are the same name, as in a root.
    pub fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// Whether `issuer` may have issued it, going by names and key identifiers; no signature is checked.
    pub(crate) fn names_as_issuer(&self, issuer: &Self) -> bool {
        let ids_agree = match (self.authority_key_id(), issuer.subject_key_id()) {
            (Some(wanted), Some(have)) => wanted == have,
            _ => true,
        };
        ids_agree && self.issuer_der() == issuer.subject_der()
    }

    /// Whether `issuer` signed it.
    pub(super) fn verify_by(&self, issuer: &Self) -> Result<(), SignatureFault> {
        Signed::split(self.der()).ok_or(SignatureFault::Wrong)?.verify(issuer.spki_der())
    }

    /// Whether it is signed with its own key. A CA that changes its key also issues certificates to its own name
    /// (self-issued, RFC 5280 §3.2), which are not this. Where the signature cannot be checked, the name decides.
    pub(super) fn is_self_signed(&self) -> bool {
        match self.verify_by(self) {
            Ok(()) => true,
            Err(SignatureFault::Unsupported(_)) => self.is_self_issued(),
            Err(SignatureFault::Wrong) => false,
        }
    }

    pub(super) fn subject_der(&self) -> &[u8] {
        self.part(&self.0.subject)
    }

    pub(super) fn issuer_der(&self) -> &[u8] {
        self.part(&self.0.issuer)
    }

    pub(super) fn spki_der(&self) -> &[u8] {
        self.part(&self.0.spki)
    }

    pub(super) fn usage(&self) -> Option<KeyUsage> {
        self.0.key_usage
    }

    /// The value of its name constraints.
    pub(super) fn name_constraints(&self) -> Option<&[u8]> {
        self.0.name_constraints.as_deref()
    }

    /// Extensions that could not be read, by name or object identifier.
    pub(super) fn unreadable(&self) -> &[String] {
        &self.0.unreadable
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("identifiers", &self.0.identifiers)
            .field("fingerprint", &self.0.fingerprint)
            .finish_non_exhaustive()
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Unfit, "the certificate cannot be read: it is damaged or no certificate")
        .hint("fetch the certificate again, byte for byte")
}
