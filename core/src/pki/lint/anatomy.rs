//! A certificate element by element, as encoded: what the lints need and the facts of [`Certificate`] smooth over.

use super::super::der::{self, BIT_STRING, Element, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};
use super::super::leaf::Certificate;
use super::super::signed::Signed;

pub(super) const SUBJECT_KEY_ID: &str = "2.5.29.14";
pub(super) const KEY_USAGE: &str = "2.5.29.15";
pub(super) const ALT_NAME: &str = "2.5.29.17";
pub(super) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(super) const NAME_CONSTRAINTS: &str = "2.5.29.30";
pub(super) const AUTHORITY_KEY_ID: &str = "2.5.29.35";
pub(super) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

/// The parts of a TBSCertificate (RFC 5280 §4.1).
pub(super) struct Anatomy<'a> {
    /// As encoded: 0 is v1, 2 is v3.
    pub(super) version: u8,
    pub(super) serial: &'a [u8],
    pub(super) inner_algorithm: &'a [u8],
    pub(super) outer_algorithm: &'a [u8],
    pub(super) not_before: Element<'a>,
    pub(super) not_after: Element<'a>,
    /// Whether issuerUniqueID or subjectUniqueID is there.
    pub(super) unique_ids: bool,
    pub(super) extensions: Vec<Extension<'a>>,
}

/// One extension, undecoded.
#[derive(Clone)]
pub(super) struct Extension<'a> {
    pub(super) oid: String,
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Anatomy<'a> {
    /// `None` when something is not DER.
    pub(super) fn of(certificate: &'a Certificate) -> Option<Self> {
        let signed = Signed::split(certificate.der())?;
        let mut parts = Reader::new(der::only(signed.content, SEQUENCE)?);
        let version = match parts.optional(der::context(0)) {
            Some(version) => *der::only(version, INTEGER)?.first()?,
            None => 0,
        };
        let serial = parts.expect(INTEGER)?;
        let inner_algorithm = parts.element()?.whole;
        parts.expect(SEQUENCE)?;
        let mut validity = Reader::new(parts.expect(SEQUENCE)?);
        let (not_before, not_after) = (validity.element()?, validity.element()?);
        parts.expect(SEQUENCE)?;
        parts.expect(SEQUENCE)?;
        let mut unique_ids = false;
        for tag in [0x81, 0x82] {
            unique_ids |= parts.optional(tag).is_some();
        }
        let mut extensions = Vec::new();
        if let Some(list) = parts.optional(der::context(3)) {
            let mut list = Reader::new(der::only(list, SEQUENCE)?);
            while !list.is_empty() {
                extensions.push(Extension::read(list.expect(SEQUENCE)?)?);
            }
        }
        parts.is_empty().then_some(Self {
            version,
            serial,
            inner_algorithm,
            outer_algorithm: signed.algorithm,
            not_before,
            not_after,
            unique_ids,
            extensions,
        })
    }

    pub(super) fn extension(&self, oid: &str) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }
}

impl<'a> Extension<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut parts = Reader::new(content);
        let oid = der::oid_text(parts.expect(OID)?)?;
        let critical = parts.optional(1).is_some_and(|value| value != [0]);
        let value = parts.expect(OCTET_STRING)?;
        parts.is_empty().then_some(Self { oid, critical, value })
    }
}

/// The entries of a GeneralNames (RFC 5280 §4.2.1.6), each with its context tag.
pub(super) fn general_names(value: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut list = Reader::new(der::only(value, SEQUENCE)?);
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(list.element()?);
    }
    Some(names)
}

/// What the basic constraints say (RFC 5280 §4.2.1.9), as encoded.
pub(super) struct Basics {
    pub(super) ca: bool,
    pub(super) path_length: Option<u32>,
}

pub(super) fn basic_constraints(value: &[u8]) -> Option<Basics> {
    let mut parts = Reader::new(der::only(value, SEQUENCE)?);
    let ca = match parts.optional(1) {
        Some([0xff]) => true,
        Some(_) => return None,
        None => false,
    };
    let path_length = match parts.optional(INTEGER) {
        Some(digits) if digits.len() <= 4 && digits.first().is_some_and(|first| *first < 0x80) => {
            Some(digits.iter().fold(0, |sum, digit| sum << 8 | u32::from(*digit)))
        }
        Some(_) => return None,
        None => None,
    };
    parts.is_empty().then_some(Basics { ca, path_length })
}

/// The bits of a key usage (RFC 5280 §4.2.1.3), in the order of [`KeyUsage`](super::super::facts::KeyUsage).
pub(super) fn key_usage(value: &[u8]) -> Option<u16> {
    let (unused, bytes) = der::only(value, BIT_STRING)?.split_first()?;
    if *unused > 7 || bytes.len() > 2 || (bytes.is_empty() && *unused != 0) {
        return None;
    }
    let bit = |(at, byte): (usize, &u8)| {
        (0..8).fold(0_u16, |bits, place| {
            bits | u16::from(byte >> (7 - place) & 1).checked_shl((at * 8 + place) as u32).unwrap_or(0)
        })
    };
    Some(bytes.iter().enumerate().map(bit).fold(0, |all, bits| all | bits))
}

/// The fields of an authority key identifier (RFC 5280 §4.2.1.1).
pub(super) struct AuthorityKeyId<'a> {
    pub(super) key: Option<&'a [u8]>,
    /// Whether authorityCertIssuer or authorityCertSerialNumber is there.
    pub(super) names_certificate: bool,
}

pub(super) fn authority_key_id(value: &[u8]) -> Option<AuthorityKeyId<'_>> {
    let mut parts = Reader::new(der::only(value, SEQUENCE)?);
    let key = parts.optional(0x80);
    let issuer = parts.optional(der::context(1));
    let serial = parts.optional(0x82);
    parts.is_empty().then_some(AuthorityKeyId { key, names_certificate: issuer.is_some() || serial.is_some() })
}
