//! Certificates: their bytes, and the facts in them, read once.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::oid_registry::OID_X509_EXT_NAME_CONSTRAINTS;
use x509_parser::prelude::FromDer;

use super::algorithm::{self, PublicKey};
use super::alt_name::AltNames;
use super::der::{self, OID, Reader, SEQUENCE};
use super::digest::sha256;
use super::key::KeyAlgorithm;
use super::name::{self, Name};
use super::pem;
use super::signed::{SignatureFault, Signed, range_of};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::Fingerprint;
use crate::ground::name::Identifier;
use crate::ground::time::{Timestamp, Window};

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

struct Facts {
    der: Vec<u8>,
    signature_algorithm: String,
    fingerprint: Fingerprint,
    key_fingerprint: Fingerprint,
    window: Window,
    spki: Range<usize>,
    subject: Range<usize>,
    issuer: Range<usize>,
    serial: Vec<u8>,
    key: Option<KeyAlgorithm>,
    identifiers: Vec<Identifier>,
    other_names: Vec<String>,
    authority: Option<Authority>,
    key_usage: Option<KeyUsage>,
    extended_key_usage: Option<Vec<String>>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    name_constraints: Option<Vec<u8>>,
    unreadable: Vec<String>,
}

/// What the basic constraints of a CA say (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) path_length: Option<u32>,
}

/// The bits of the key usage extension (RFC 5280 §4.2.1.3), in the order of its BIT STRING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyUsage(pub(super) u16);

impl KeyUsage {
    pub(super) const DIGITAL_SIGNATURE: u16 = 1;
    pub(super) const KEY_ENCIPHERMENT: u16 = 1 << 2;
    pub(super) const KEY_CERT_SIGN: u16 = 1 << 5;
    pub(super) const CRL_SIGN: u16 = 1 << 6;

    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    pub(super) const fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }

    /// The names of RFC 5280 for the bits that are set.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(at, _)| self.0 >> at & 1 != 0).map(|(_, name)| name)
    }
}

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

    pub(super) fn serial_bytes(&self) -> &[u8] {
        &self.0.serial
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

impl Facts {
    /// The facts, but for the bytes themselves.
    fn read(bytes: &[u8], parsed: &X509Certificate<'_>) -> Option<Self> {
        // The parser forgives bytes after the last element inside; DER does not.
        Signed::split(bytes)?;
        let spki = parsed.public_key().raw;
        let validity = parsed.validity();
        let mut facts = Self {
            der: Vec::new(),
            signature_algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
            fingerprint: sha256(bytes),
            key_fingerprint: sha256(spki),
            window: Window::new(
                Timestamp::from_unix(validity.not_before.timestamp()),
                Timestamp::from_unix(validity.not_after.timestamp()),
            ),
            spki: range_of(bytes, spki)?,
            subject: range_of(bytes, parsed.subject().as_raw())?,
            issuer: range_of(bytes, parsed.issuer().as_raw())?,
            serial: parsed.raw_serial().to_vec(),
            key: PublicKey::read(spki).and_then(|key| key.algorithm()),
            identifiers: Vec::new(),
            other_names: Vec::new(),
            authority: None,
            key_usage: None,
            extended_key_usage: None,
            subject_key_id: None,
            authority_key_id: None,
            name_constraints: None,
            unreadable: Vec::new(),
        };
        for extension in parsed.extensions() {
            facts.add(extension);
        }
        Some(facts)
    }

    fn add(&mut self, extension: &X509Extension<'_>) {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                let names = AltNames::read(names);
                self.identifiers.extend(names.identifiers);
                self.other_names.extend(names.others);
            }
            ParsedExtension::BasicConstraints(constraints) => {
                self.authority = constraints.ca.then_some(Authority { path_length: constraints.path_len_constraint });
            }
            ParsedExtension::KeyUsage(usage) => self.key_usage = Some(KeyUsage(usage.flags)),
            ParsedExtension::ExtendedKeyUsage(_) => match key_purposes(extension.value) {
                Some(purposes) => self.extended_key_usage = Some(purposes),
                None => self.unreadable.push(extension.oid.to_id_string()),
            },
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(authority) => {
                self.authority_key_id = authority.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            _ if extension.oid == OID_X509_EXT_NAME_CONSTRAINTS => {
                self.name_constraints = Some(extension.value.to_vec());
            }
            ParsedExtension::ParseError { .. } => self.unreadable.push(extension.oid.to_id_string()),
            _ => {}
        }
    }
}

/// KeyPurposeIds as dotted text: at least one, each readable.
fn key_purposes(value: &[u8]) -> Option<Vec<String>> {
    let mut purposes = Reader::new(der::only(value, SEQUENCE)?);
    let mut found = Vec::new();
    while !purposes.is_empty() {
        found.push(der::oid_text(purposes.expect(OID)?)?);
    }
    (!found.is_empty()).then_some(found)
}

fn damaged() -> Error {
    Error::new(ErrorKind::Unfit, "the certificate cannot be read: it is damaged or no certificate")
        .hint("fetch the certificate again, byte for byte")
}
