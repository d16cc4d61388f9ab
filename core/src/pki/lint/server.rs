//! What makes a leaf a server's: its names and its purposes.

use super::super::constraints::{DNS_NAME, IP_ADDRESS};
use super::super::facts::KeyUsage;
use super::super::finding::Findings;
use super::super::leaf::Certificate;
use super::super::name::{self, Name};
use super::super::trust::{ANY_PURPOSE, SERVER_AUTH};
use super::anatomy::{
    ALT_NAME, Anatomy, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, basic_constraints,
    general_names, key_usage,
};
use crate::ground::name::Identifier;
use crate::ground::time::Timestamp;

const COMMON_NAME: &str = "2.5.4.3";

pub(super) fn check(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    check_alt_names(findings, certificate, anatomy);
    check_common_names(findings, certificate, anatomy);
    check_purposes(findings, certificate, anatomy);
    check_key_usage(findings, certificate, anatomy);
    check_basics(findings, anatomy);
    check_lifetime(findings, certificate);
    if anatomy.extension(NAME_CONSTRAINTS).is_some() {
        findings.error(
            "name-constraints-in-leaf",
            "RFC 5280 §4.2.1.10",
            "it has name constraints, which are for CAs alone",
        );
    }
}

fn check_alt_names(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    const NAMES: &str = "RFC 5280 §4.2.1.6";
    let Some(extension) = anatomy.extension(ALT_NAME) else {
        findings.error(
            "names-missing",
            "RFC 9525 §2",
            "it has no subjectAltName, and clients look nowhere else for names",
        );
        return;
    };
    let Some(names) = general_names(extension.value) else {
        findings.error("extension-unreadable", NAMES, "the extension subjectAltName cannot be read");
        return;
    };
    match (Name::new(certificate.subject_der()).is_empty(), extension.critical) {
        (true, false) => findings.error(
            "names-not-critical",
            NAMES,
            "its subject is empty, and its subjectAltName is not marked critical and must be",
        ),
        (false, true) => findings.error(
            "names-critical",
            "BR §7.1.2.7.12",
            "its subject is not empty, and its subjectAltName is marked critical and must not be",
        ),
        _ => {}
    }
    let mut for_server = false;
    for entry in &names {
        match entry.tag {
            DNS_NAME => {
                for_server = true;
                let text = String::from_utf8_lossy(entry.content);
                if let Some(fault) = dns_fault(&text) {
                    findings.error("name-malformed", NAMES, format!("its name `{}` {fault}", name::escape(&text)));
                }
            }
            IP_ADDRESS => {
                for_server = true;
                if !matches!(entry.content.len(), 4 | 16) {
                    let message = format!(
                        "an address in its subjectAltName has {} bytes; 4 or 16 are right",
                        entry.content.len()
                    );
                    findings.error("name-malformed", NAMES, message);
                }
            }
            _ => findings.warn(
                "name-kind",
                "BR §7.1.2.7.12",
                "its subjectAltName has an entry that is neither a DNS name nor an address",
            ),
        }
    }
    if !for_server {
        findings.error("names-missing", "BR §7.1.2.7.12", "its subjectAltName has neither a DNS name nor an address");
    }
}

/// What is wrong with a dNSName: RFC 5280 §4.2.1.6 asks for the preferred name syntax of RFC 1034 §3.5 as changed by RFC
/// 1123 §2.1; wildcards are those of RFC 9525 §6.3.
fn dns_fault(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("is empty");
    }
    if !text.is_ascii() {
        return Some("is not ASCII: names in other scripts are written as A-labels");
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Some("is an address, which is written as iPAddress");
    }
    let base = text.strip_prefix("*.").unwrap_or(text);
    if base.contains('*') {
        return Some("has a star that is not the whole leftmost label");
    }
    if base.contains('_') {
        return Some("has an underscore");
    }
    if base.ends_with('.') || base.starts_with('.') {
        return Some("begins or ends with a dot");
    }
    if base.len() < text.len() && !base.contains('.') {
        return Some("stands for every name of a top-level domain");
    }
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (base.len() > 253 || !base.split('.').all(label_ok)).then_some("is no DNS name")
}

/// The common names of a subject.
pub(in super::super) fn names_of_subject(certificate: &Certificate) -> Vec<String> {
    Name::new(certificate.subject_der()).values(COMMON_NAME).collect()
}

/// A common name, when there is one, repeats a name of the subjectAltName to the letter (BR §7.1.4.3).
fn check_common_names(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    const RULE: &str = "BR §7.1.4.3";
    let common = names_of_subject(certificate);
    if common.len() > 1 {
        findings.warn("common-names", RULE, "its subject has more than one common name");
    }
    let entries = anatomy.extension(ALT_NAME).and_then(|extension| general_names(extension.value)).unwrap_or_default();
    let repeated = |text: &str| {
        let as_name =
            |entry: &super::super::der::Element<'_>| entry.tag == DNS_NAME && entry.content == text.as_bytes();
        let as_address =
            |identifier: &Identifier| matches!(identifier, Identifier::Ip(address) if address.to_string() == text);
        entries.iter().any(as_name) || certificate.identifiers().iter().any(as_address)
    };
    for text in common.iter().filter(|text| !repeated(text)) {
        let message = format!("its common name `{}` is none of its subjectAltNames", name::escape(text));
        match claims_another(text, certificate.identifiers()) {
            true => findings.error("common-name", RULE, message),
            false => findings.warn("common-name", RULE, message),
        }
    }
}

/// Whether a common name looks like a name or an address that the certificate is not for. "Example Server 7" misleads nobody,
/// and neither does the domain of the names, or a host's name beside its addresses, which private CAs like to write there.
fn claims_another(text: &str, identifiers: &[Identifier]) -> bool {
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if text.contains(char::is_whitespace) || !(text.contains(['.', ':']) || hexadecimal) {
        return false;
    }
    let Ok(Identifier::Dns(common)) = text.parse() else { return true };
    let mut names = identifiers.iter().filter(|identifier| !matches!(identifier, Identifier::Ip(_))).peekable();
    let below =
        |name: &Identifier| name.to_string().strip_suffix(common.as_str()).is_some_and(|left| left.ends_with('.'));
    hexadecimal || (names.peek().is_some() && !names.any(below))
}

fn check_purposes(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    const RULE: &str = "BR §7.1.2.7.10";
    let Some(extension) = anatomy.extension(EXTENDED_KEY_USAGE) else {
        findings.warn("purpose-missing", RULE, "it has no extended key usage, so it is good for everything");
        return;
    };
    let Some(purposes) = certificate.extended_key_usage() else {
        // An empty list, too, cannot be read: it has at least one entry.
        findings.error("extension-unreadable", "RFC 5280 §4.2.1.12", "the extension extKeyUsage cannot be read");
        return;
    };
    let has = |wanted: &str| purposes.iter().any(|purpose| purpose == wanted);
    if has(ANY_PURPOSE) {
        findings.error("purpose-any", RULE, "its extended key usage is anyExtendedKeyUsage");
    } else if !has(SERVER_AUTH) {
        findings.error(
            "purpose",
            "RFC 5280 §4.2.1.12",
            format!("its extended key usage is {}, without serverAuth", purposes.join(", ")),
        );
    }
    if extension.critical {
        findings.error(
            "purpose-critical",
            "BR §7.1.2.7.6",
            "its extended key usage is marked critical and must not be",
        );
    }
}

fn check_key_usage(findings: &mut Findings, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    const RULE: &str = "RFC 5280 §4.2.1.3";
    let Some(extension) = anatomy.extension(KEY_USAGE) else { return };
    let Some(bits) = key_usage(extension.value).filter(|bits| *bits != 0) else {
        findings.error("key-usage", RULE, "its key usage cannot be read or has no bit set");
        return;
    };
    let usage = KeyUsage(bits);
    let rsa = certificate.key_description().starts_with("rsa");
    if usage.has(KeyUsage::KEY_CERT_SIGN) && !certificate.is_ca() {
        findings.error("key-usage-ca", "RFC 5280 §4.2.1.9", "its key usage is keyCertSign, and it is no CA");
    }
    if !usage.has(KeyUsage::DIGITAL_SIGNATURE) {
        let names: Vec<&str> = usage.names().collect();
        let message = format!("its key usage is {}, without digitalSignature, which TLS 1.3 needs", names.join(", "));
        match rsa && usage.has(KeyUsage::KEY_ENCIPHERMENT) {
            true => findings.warn("key-usage", "RFC 8446 §4.4.2.2", message),
            false => findings.error("key-usage", "RFC 8446 §4.4.2.2", message),
        }
    }
    if usage.has(KeyUsage::KEY_ENCIPHERMENT) && !rsa {
        findings.warn("key-usage-kind", "RFC 8813 §3", "its key usage is keyEncipherment, which its key cannot do");
    }
}

fn check_basics(findings: &mut Findings, anatomy: &Anatomy<'_>) {
    const RULE: &str = "RFC 5280 §4.2.1.9";
    let Some(extension) = anatomy.extension(BASIC_CONSTRAINTS) else { return };
    match basic_constraints(extension.value) {
        None => findings.error("extension-unreadable", RULE, "the extension basicConstraints cannot be read"),
        Some(basics) if basics.ca => {
            findings.error(
                "ca-as-server",
                "BR §7.1.2.7.8",
                "it is a CA certificate, whose key has no place on a server",
            );
        }
        Some(basics) if basics.path_length.is_some() => {
            findings.warn("path-length-in-leaf", RULE, "it has a path length and is no CA");
        }
        Some(_) => {}
    }
}

/// How long a publicly trusted certificate may be valid, by the day it begins (BR §6.3.2).
const LIFETIMES: [(Timestamp, u64); 4] = [
    (Timestamp::from_unix(1_868_227_200), 47),
    (Timestamp::from_unix(1_805_068_800), 100),
    (Timestamp::from_unix(1_773_532_800), 200),
    (Timestamp::from_unix(1_598_918_400), 398),
];

fn check_lifetime(findings: &mut Findings, certificate: &Certificate) {
    let window = certificate.window();
    let Some((_, days)) = LIFETIMES.iter().find(|(from, _)| window.start >= *from) else { return };
    // Both ends count.
    let seconds = window.length().as_secs().saturating_add(1);
    if seconds > days * 86_400 {
        let message = format!("it is valid for {} days; public CAs may give {days}", seconds.div_ceil(86_400));
        findings.note("lifetime", "BR §6.3.2", message);
    }
}
