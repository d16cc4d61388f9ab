//! What some bytes hold: PEM sections of any kind, or one DER object.

use super::super::csr::{self, Csr};
use super::super::finding::{Finding, Findings};
use super::super::key::PrivateKey;
use super::super::leaf::Certificate;
use super::super::pem::{self, Section};
use super::super::{algorithm, name, pkcs12};
use super::{Input, Part, facts};
use crate::ground::error::Error;
use crate::ground::name::Identifier;

/// More than any file that a server reads as certificate or key.
const MAX_INPUT: usize = 8 * 1024 * 1024;
/// More sections than anybody means; a trust store is not inspected but named as one.
const MAX_SECTIONS: usize = 1_000;

/// One thing that was found, and where.
pub(super) struct Content {
    source: String,
    pub(super) thing: Thing,
}

pub(super) enum Thing {
    Certificate(Certificate),
    Key(PrivateKey),
    Request(Csr),
    Pkcs12,
    Other(String),
}

impl Content {
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match &self.thing {
            Thing::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    pub(super) fn part(&self) -> Part {
        let (kind, facts) = match &self.thing {
            Thing::Certificate(certificate) => ("certificate".to_owned(), facts(certificate)),
            Thing::Key(key) => (
                "private key".to_owned(),
                vec![
                    ("key", algorithm::describe_key(key.public_key_der())),
                    ("key fingerprint", key.fingerprint().to_string()),
                ],
            ),
            Thing::Request(request) => {
                let names: Vec<String> = request.identifiers().iter().map(Identifier::to_string).collect();
                let facts = vec![
                    ("subject", request.subject()),
                    ("names", names.join(", ")),
                    ("other names", request.other_names().join(", ")),
                    ("key", request.key_description()),
                ];
                ("certificate request".to_owned(), facts.into_iter().filter(|(_, value)| !value.is_empty()).collect())
            }
            Thing::Pkcs12 => ("PKCS#12".to_owned(), Vec::new()),
            Thing::Other(label) => (name::escape(label), Vec::new()),
        };
        Part { source: self.source.clone(), kind, facts }
    }
}

/// Everything in one input; what cannot be read becomes a finding.
pub(super) fn read(input: &Input<'_>, findings: &mut Vec<Finding>) -> Vec<Content> {
    let mut about = Findings::about(input.name);
    let things = things(input.bytes, &mut about);
    findings.extend(about.into_vec());
    things.into_iter().map(|thing| Content { source: input.name.to_owned(), thing }).collect()
}

fn things(bytes: &[u8], findings: &mut Findings) -> Vec<Thing> {
    const PEM: &str = "RFC 7468 §2";
    if bytes.len() > MAX_INPUT {
        findings.error("too-large", PEM, format!("it has {} bytes, more than {MAX_INPUT}", bytes.len()));
        return Vec::new();
    }
    let sections = match pem::sections(bytes) {
        Ok(sections) if sections.is_empty() => return der(bytes, findings),
        Ok(sections) => sections,
        Err(error) => {
            findings.error("pem", PEM, error.to_string());
            return Vec::new();
        }
    };
    if sections.len() > MAX_SECTIONS {
        findings.error("too-many", PEM, format!("it has {} sections, more than {MAX_SECTIONS}", sections.len()));
        return Vec::new();
    }
    sections.iter().filter_map(|section| section_thing(section, findings)).collect()
}

fn section_thing(section: &Section<'_>, findings: &mut Findings) -> Option<Thing> {
    let mut unreadable = |code, reference, error: Error| {
        findings.error(code, reference, format!("line {}: {error}", section.line));
        None
    };
    let bytes = || section.decode();
    match section.label {
        "CERTIFICATE" | "X509 CERTIFICATE" => match bytes().and_then(|der| Certificate::from_der(&der)) {
            Ok(certificate) => Some(Thing::Certificate(certificate)),
            Err(error) => unreadable("certificate", "RFC 5280 §4.1", error),
        },
        label if csr::is_label(label) => match bytes().and_then(|der| Csr::from_der(&der)) {
            Ok(request) => Some(Thing::Request(request)),
            Err(error) => unreadable("request", "RFC 2986 §4", error),
        },
        "ENCRYPTED PRIVATE KEY" => Some(encrypted(findings)),
        label if label.ends_with("PRIVATE KEY") && section.has_encryption_header() => Some(encrypted(findings)),
        label if label.ends_with("PRIVATE KEY") => match PrivateKey::from_section(section) {
            Ok(key) => Some(Thing::Key(key)),
            Err(error) => unreadable("key", "RFC 5958 §2", error),
        },
        label => Some(Thing::Other(label.to_owned())),
    }
}

fn encrypted(findings: &mut Findings) -> Thing {
    findings.note(
        "key-encrypted",
        "RFC 5958 §3",
        "its private key is encrypted with a pass phrase, so it is not looked at",
    );
    Thing::Other("encrypted private key".to_owned())
}

fn der(bytes: &[u8], findings: &mut Findings) -> Vec<Thing> {
    if pkcs12::is_pkcs12(bytes) {
        findings.note(
            "pkcs12",
            "RFC 7292 §4",
            "it is a PKCS#12 file, encrypted with a pass phrase, so it is not looked at",
        );
        return vec![Thing::Pkcs12];
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        return vec![Thing::Certificate(certificate)];
    }
    if let Ok(key) = PrivateKey::from_der(bytes) {
        return vec![Thing::Key(key)];
    }
    match Csr::from_der(bytes) {
        Ok(request) => vec![Thing::Request(request)],
        Err(_) => {
            let error = pem::nothing_found(bytes, "a certificate, a key or a certificate request");
            findings.error("nothing", "RFC 7468 §2", error.to_string());
            Vec::new()
        }
    }
}
