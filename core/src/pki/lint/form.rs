//! The form of any certificate: version, serial number, times, names, extensions (RFC 5280 §4.1, §4.2).

use super::super::der::Element;
use super::super::finding::Findings;
use super::super::leaf::Certificate;
use super::super::name::Name;
use super::Role;
use super::anatomy::{AUTHORITY_KEY_ID, Anatomy, Extension, SUBJECT_KEY_ID, authority_key_id};
use crate::ground::time::Timestamp;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Where each extension is described, whether it may be critical, and whether it must be: RFC 5280 §4.2.1 and §4.2.2.
const EXTENSIONS: [(&str, &str, &str, Criticality); 16] = [
    ("2.5.29.9", "subjectDirectoryAttributes", "RFC 5280 §4.2.1.8", Criticality::Never),
    ("2.5.29.14", "subjectKeyIdentifier", "RFC 5280 §4.2.1.2", Criticality::Never),
    ("2.5.29.15", "keyUsage", "RFC 5280 §4.2.1.3", Criticality::Usual),
    ("2.5.29.17", "subjectAltName", "RFC 5280 §4.2.1.6", Criticality::Any),
    ("2.5.29.18", "issuerAltName", "RFC 5280 §4.2.1.7", Criticality::Any),
    ("2.5.29.19", "basicConstraints", "RFC 5280 §4.2.1.9", Criticality::Any),
    ("2.5.29.30", "nameConstraints", "RFC 5280 §4.2.1.10", Criticality::Usual),
    ("2.5.29.31", "cRLDistributionPoints", "RFC 5280 §4.2.1.13", Criticality::Any),
    ("2.5.29.32", "certificatePolicies", "RFC 5280 §4.2.1.4", Criticality::Any),
    ("2.5.29.33", "policyMappings", "RFC 5280 §4.2.1.5", Criticality::Usual),
    ("2.5.29.35", "authorityKeyIdentifier", "RFC 5280 §4.2.1.1", Criticality::Never),
    ("2.5.29.36", "policyConstraints", "RFC 5280 §4.2.1.11", Criticality::Always),
    ("2.5.29.37", "extKeyUsage", "RFC 5280 §4.2.1.12", Criticality::Any),
    ("2.5.29.46", "freshestCRL", "RFC 5280 §4.2.1.15", Criticality::Never),
    ("2.5.29.54", "inhibitAnyPolicy", "RFC 5280 §4.2.1.14", Criticality::Always),
    ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess", "RFC 5280 §4.2.2.1", Criticality::Never),
];

/// What RFC 5280 says about marking an extension critical.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Criticality {
    /// MUST NOT be.
    Never,
    /// Other rules decide.
    Any,
    /// SHOULD be; CAs leave it out for old clients.
    Usual,
    /// MUST be.
    Always,
}

pub(super) fn check(
    findings: &mut Findings,
    role: Role,
    certificate: &Certificate,
    anatomy: &Anatomy<'_>,
    at: Timestamp,
) {
    check_head(findings, certificate, anatomy);
    check_times(findings, certificate, anatomy, at);
    check_extensions(findings, certificate, anatomy);
    check_key_ids(findings, role, certificate, anatomy);
}

fn check_head(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    if anatomy.version != 2 {
        let version = u32::from(anatomy.version) + 1;
        findings.error(
            "version",
            "RFC 5280 §4.1.2.1",
            format!("it is an X.509 v{version} certificate; extensions need v3"),
        );
    }
    const SERIAL: &str = "RFC 5280 §4.1.2.2";
    match anatomy.serial {
        [first, ..] if *first >= 0x80 => findings.error("serial-negative", SERIAL, "its serial number is negative"),
        digits if digits.iter().all(|digit| *digit == 0) => {
            findings.error("serial-zero", SERIAL, "its serial number is zero");
        }
        digits if digits.len() > 20 => {
            findings.error(
                "serial-long",
                SERIAL,
                format!("its serial number has {} octets; 20 are allowed", digits.len()),
            );
        }
        digits if digits.len() < 8 => {
            findings.note("serial-short", "BR §7.1", "its serial number has less than 64 bits, so it may be guessed")
        }
        _ => {}
    }
    if anatomy.inner_algorithm != anatomy.outer_algorithm {
        findings.error(
            "signature-algorithm-mismatch",
            "RFC 5280 §4.1.1.2",
            "it names two different signature algorithms",
        );
    }
    if Name::new(certificate.issuer_der()).is_empty() {
        findings.error("issuer-empty", "RFC 5280 §4.1.2.4", "its issuer is empty");
    }
    if anatomy.unique_ids {
        findings.warn("unique-id", "RFC 5280 §4.1.2.8", "it has a unique identifier, which no CA writes any more");
    }
}

fn check_times(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>, at: Timestamp) {
    const TIMES: &str = "RFC 5280 §4.1.2.5";
    for (name, time) in [("notBefore", anatomy.not_before), ("notAfter", anatomy.not_after)] {
        if let Some(fault) = time_fault(time) {
            findings.error("time-encoding", TIMES, format!("its {name} {fault}"));
        }
    }
    let window = certificate.window();
    if window.end < window.start {
        findings.error(
            "validity-reversed",
            TIMES,
            format!("it ends on {} before it begins on {}", window.end, window.start),
        );
    } else if at > window.end {
        findings.error("expired", TIMES, format!("it expired on {}", window.end));
    } else if at < window.start {
        findings.error("not-yet-valid", TIMES, format!("it is not valid before {}", window.start));
    }
}

/// UTCTime through 2049, GeneralizedTime from 2050, both to the second and in Zulu.
fn time_fault(time: Element<'_>) -> Option<&'static str> {
    let (length, year) = match time.tag {
        UTC_TIME => (13, None),
        GENERALIZED_TIME => (15, time.content.first_chunk::<4>()),
        _ => return Some("is no time"),
    };
    let (last, digits) = time.content.split_last()?;
    if time.content.len() != length || *last != b'Z' || !digits.iter().all(u8::is_ascii_digit) {
        return Some("is not written to the second in UTC");
    }
    year.filter(|year| *year < b"2050").map(|_| "before 2050 is written as GeneralizedTime")
}

fn check_extensions(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    for (at, extension) in anatomy.extensions.iter().enumerate() {
        let known = EXTENSIONS.iter().find(|known| known.0 == extension.oid);
        let name = known.map_or(extension.oid.as_str(), |known| known.1);
        if anatomy.extensions.iter().take(at).any(|before| before.oid == extension.oid) {
            findings.error("extension-twice", "RFC 5280 §4.2", format!("the extension {name} is there twice"));
        }
        let Some((_, name, section, criticality)) = known else {
            if extension.critical {
                let message = format!("it has the critical extension {name}, which is not known to TLS clients");
                findings.error("extension-critical-unknown", "RFC 5280 §4.2", message);
            }
            continue;
        };
        check_criticality(findings, extension, name, section, *criticality);
        if certificate.unreadable().contains(&extension.oid) {
            findings.error("extension-unreadable", section, format!("the extension {name} cannot be read"));
        }
    }
}

fn check_criticality(
    findings: &mut Findings,
    extension: &Extension<'_>,
    name: &str,
    section: &'static str,
    criticality: Criticality,
) {
    match (criticality, extension.critical) {
        (Criticality::Never, true) => {
            findings.error(
                "extension-critical",
                section,
                format!("the extension {name} is marked critical and must not be"),
            );
        }
        (Criticality::Always, false) => {
            findings.error(
                "extension-not-critical",
                section,
                format!("the extension {name} is not marked critical and must be"),
            );
        }
        (Criticality::Usual, false) => {
            findings.note(
                "extension-not-critical",
                section,
                format!("the extension {name} is not marked critical and should be"),
            );
        }
        _ => {}
    }
}

fn check_key_ids(findings: &mut Findings, role: Role, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    const AUTHORITY: &str = "RFC 5280 §4.2.1.1";
    // "... where a CA distributes its public key in the form of a self-signed certificate, the authority key identifier
    // MAY be omitted."
    match anatomy.extension(AUTHORITY_KEY_ID) {
        None if !certificate.is_self_signed() => {
            findings.error("authority-key-id-missing", AUTHORITY, "it has no authority key identifier");
        }
        None => {}
        Some(extension) => match authority_key_id(extension.value) {
            None => {
                findings.error("extension-unreadable", AUTHORITY, "the extension authorityKeyIdentifier cannot be read")
            }
            Some(id) => {
                if id.key.is_none() {
                    findings.error(
                        "authority-key-id-missing",
                        AUTHORITY,
                        "its authority key identifier has no keyIdentifier",
                    );
                }
                if id.key.is_some()
                    && role == Role::Root
                    && certificate.is_self_issued()
                    && id.key != certificate.subject_key_id()
                {
                    findings.error("root-key-id", "BR §7.1.2.1.3", "the key identifiers of the root differ");
                }
                if id.names_certificate {
                    let message =
                        "its authority key identifier names the issuer's certificate, which ties it to one renewal";
                    match role {
                        Role::Root if certificate.is_self_issued() => {
                            findings.error("authority-key-id-certificate", "BR §7.1.2.1.3", message)
                        }
                        _ => findings.warn("authority-key-id-certificate", "BR §7.1.2.11.1", message),
                    }
                }
            }
        },
    }
    const SUBJECT: &str = "RFC 5280 §4.2.1.2";
    if anatomy.extension(SUBJECT_KEY_ID).is_none() {
        match role {
            Role::Leaf => findings.note("subject-key-id-missing", SUBJECT, "it has no subject key identifier"),
            _ => findings.error("subject-key-id-missing", SUBJECT, "it has no subject key identifier"),
        }
    }
}
