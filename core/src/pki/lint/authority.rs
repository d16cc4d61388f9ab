//! What makes a certificate a CA's, and what CAs say about those below them.

use super::super::constraints::{Constraints, DIRECTORY_NAME, DNS_NAME, IP_ADDRESS, RFC822_NAME, Subtree};
use super::super::facts::KeyUsage;
use super::super::finding::{Finding, Findings};
use super::super::leaf::Certificate;
use super::super::name::{self, Name};
use super::super::trust;
use super::anatomy::{
    ALT_NAME, Anatomy, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, basic_constraints,
    general_names, key_usage,
};
use super::{Role, label};

pub(super) fn check(findings: &mut Findings, role: Role, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    if Name::new(certificate.subject_der()).is_empty() {
        findings.error("subject-empty", "RFC 5280 §4.1.2.6", "it is a CA and its subject is empty");
    }
    check_basics(findings, anatomy);
    check_key_usage(findings, anatomy);
    check_constraints(findings, anatomy);
    if anatomy.extension(EXTENDED_KEY_USAGE).is_some() {
        match role {
            Role::Root if certificate.is_self_issued() => {
                findings.error("root-purpose", "BR §7.1.2.1.2", "it is a root and has an extended key usage")
            }
            _ if !trust::serves(certificate) => {
                findings.error("purpose", "RFC 5280 §4.2.1.12", "its extended key usage does not allow servers");
            }
            _ => {}
        }
    }
}

fn check_basics(findings: &mut Findings, anatomy: &Anatomy<'_>) {
    const RULE: &str = "RFC 5280 §4.2.1.9";
    let Some(extension) = anatomy.extension(BASIC_CONSTRAINTS) else {
        findings.error("basic-constraints", RULE, "it issued another certificate and has no basic constraints");
        return;
    };
    let Some(basics) = basic_constraints(extension.value) else {
        findings.error("extension-unreadable", RULE, "the extension basicConstraints cannot be read");
        return;
    };
    if !basics.ca {
        findings.error("basic-constraints", RULE, "it issued another certificate and is no CA");
    } else if !extension.critical {
        findings.error(
            "basic-constraints-not-critical",
            RULE,
            "it is a CA, and its basic constraints are not marked critical",
        );
    }
}

fn check_key_usage(findings: &mut Findings, anatomy: &Anatomy<'_>) {
    const RULE: &str = "RFC 5280 §4.2.1.3";
    match anatomy.extension(KEY_USAGE).map(|extension| key_usage(extension.value)) {
        None => findings.warn("key-usage-missing", RULE, "it is a CA and has no key usage"),
        Some(None) => findings.error("extension-unreadable", RULE, "the extension keyUsage cannot be read"),
        Some(Some(bits)) if !KeyUsage(bits).has(KeyUsage::KEY_CERT_SIGN) => {
            findings.error("key-usage-ca", RULE, "it is a CA, and its key usage is without keyCertSign");
        }
        Some(Some(bits)) if !KeyUsage(bits).has(KeyUsage::CRL_SIGN) => {
            findings.note("key-usage-crl", "BR §7.1.2.10.7", "it is a CA, and its key usage is without cRLSign");
        }
        Some(Some(_)) => {}
    }
}

fn check_constraints(findings: &mut Findings, anatomy: &Anatomy<'_>) {
    const RULE: &str = "RFC 5280 §4.2.1.10";
    let Some(extension) = anatomy.extension(NAME_CONSTRAINTS) else { return };
    let Some(constraints) = Constraints::read(extension.value) else {
        findings.error("extension-unreadable", RULE, "the extension nameConstraints cannot be read");
        return;
    };
    if constraints.permitted.is_empty() && constraints.excluded.is_empty() {
        findings.error("name-constraints-empty", RULE, "its name constraints are empty");
    }
    for tree in constraints.permitted.iter().chain(&constraints.excluded) {
        if let Some(fault) = subtree_fault(tree) {
            findings.error("name-constraints-malformed", RULE, format!("a name constraint {fault}"));
        }
    }
}

fn subtree_fault(tree: &Subtree) -> Option<&'static str> {
    let text = String::from_utf8_lossy(&tree.base);
    match tree.tag {
        DNS_NAME if text.contains('*') => Some("has a star, where every name below is meant anyhow"),
        DNS_NAME if text.starts_with('.') => Some("begins with a dot"),
        DNS_NAME if !text.is_ascii() => Some("is not ASCII"),
        RFC822_NAME if text.matches('@').count() > 1 => Some("is no mailbox, host or domain"),
        IP_ADDRESS => match tree.base.len() {
            8 | 32 if contiguous(tree.base.get(tree.base.len() / 2..)?) => None,
            8 | 32 => Some("has a mask with holes"),
            _ => Some("on addresses is not an address and a mask"),
        },
        _ => None,
    }
}

/// Ones, then zeros (RFC 4632 §3.1).
fn contiguous(mask: &[u8]) -> bool {
    let bits = mask.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1));
    bits.clone().is_sorted_by(|left, right| left >= right)
}

/// What the CAs of a path say about those below: path lengths, names, key identifiers.
pub(super) fn over(path: &[(Role, &Certificate)]) -> Vec<Finding> {
    let mut all = Vec::new();
    for (place, (role, certificate)) in path.iter().enumerate().skip(1) {
        let mut findings = Findings::about(label(*role, certificate));
        let below = path.get(..place).unwrap_or_default();
        // Self-issued certificates, made when a CA changes its key, do not count (RFC 5280 §4.2.1.9).
        let between = below.iter().skip(1).filter(|(_, other)| !other.is_self_issued()).count();
        if certificate.path_length().is_some_and(|most| u64::from(most) < between as u64) {
            let message = format!("it allows fewer CAs below it than the {between} that follow");
            findings.error("path-length", "RFC 5280 §4.2.1.9", message);
        }
        check_key_id_of(&mut findings, below, certificate);
        check_names_below(&mut findings, below, certificate);
        all.extend(findings.into_vec());
    }
    all
}

fn check_key_id_of(findings: &mut Findings, below: &[(Role, &Certificate)], certificate: &Certificate) {
    let Some((_, issued)) = below.last() else { return };
    if let (Some(wanted), Some(have)) = (issued.authority_key_id(), certificate.subject_key_id())
        && wanted != have
    {
        let message = "its key identifier is not the one that the certificate below names";
        findings.warn("authority-key-id-mismatch", "RFC 5280 §4.2.1.1", message);
    }
}

/// What clients are ready to do before they suspect an attack (rustls-webpki has the same limit).
const MAX_COMPARISONS: usize = 250_000;

/// Every name in the certificates below lies inside the constraints. A self-issued CA certificate is exempt (§6.1.3 b).
fn check_names_below(findings: &mut Findings, below: &[(Role, &Certificate)], certificate: &Certificate) {
    const RULE: &str = "RFC 5280 §4.2.1.10";
    if certificate.name_constraints().is_none() {
        return;
    }
    let constraints = Constraints::of(certificate);
    let names: usize = below.iter().map(|(_, other)| other.identifiers().len() + other.other_names().len()).sum();
    if names.saturating_mul(constraints.len()) > MAX_COMPARISONS {
        findings.error("name-constraints-many", RULE, "there are too many name constraints and names to compare");
        return;
    }
    for (role, other) in below {
        if *role != Role::Leaf && other.is_self_issued() {
            continue;
        }
        let subject = other.subject_der();
        if !Name::new(subject).is_empty() && !constraints.permit_name(DIRECTORY_NAME, subject) {
            let message = format!("its name constraints forbid the subject of the {}", label(*role, other));
            findings.error("name-constraints", RULE, message);
        }
        let Some(anatomy) = Anatomy::of(other) else { continue };
        let names = anatomy.extension(ALT_NAME).and_then(|extension| general_names(extension.value));
        for entry in names.unwrap_or_default() {
            if !constraints.permit_name(entry.tag, entry.content) {
                let shown = match entry.tag {
                    DNS_NAME | RFC822_NAME => name::escape(&String::from_utf8_lossy(entry.content)),
                    _ => name::hex(entry.content),
                };
                let message = format!("its name constraints forbid `{shown}` in the {}", label(*role, other));
                findings.error("name-constraints", RULE, message);
            }
        }
    }
}
