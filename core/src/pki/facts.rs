//! What is in a certificate, read once by x509-parser; what cannot be read is kept as a fact of its own.

use std::ops::Range;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::oid_registry::OID_X509_EXT_NAME_CONSTRAINTS;

use super::algorithm::{KeyAlgorithm, PublicKey};
use super::alt_name::AltNames;
use super::der::{self, OID, Reader, SEQUENCE};
use super::digest::sha256;
use super::signed::{Signed, range_of};
use crate::ground::id::Fingerprint;
use crate::ground::name::Identifier;
use crate::ground::time::{Timestamp, Window};

/// What is in a certificate.
pub(super) struct Facts {
    pub(super) der: Vec<u8>,
    pub(super) signature_algorithm: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) key_fingerprint: Fingerprint,
    pub(super) window: Window,
    pub(super) spki: Range<usize>,
    pub(super) subject: Range<usize>,
    pub(super) issuer: Range<usize>,
    pub(super) serial: Vec<u8>,
    pub(super) key: Option<KeyAlgorithm>,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) other_names: Vec<String>,
    pub(super) authority: Option<Authority>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<Vec<String>>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<Vec<u8>>,
    pub(super) name_constraints: Option<Vec<u8>>,
    pub(super) unreadable: Vec<String>,
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

impl Facts {
    /// The facts, but for the bytes themselves.
    pub(super) fn read(bytes: &[u8], parsed: &X509Certificate<'_>) -> Option<Self> {
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
