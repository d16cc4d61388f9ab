//! Keys and signatures: strong enough, and written as they should be.

use super::super::algorithm::{self, EC_PUBLIC_KEY, P256, P384, P521, PublicKey, bits, curve_name};
use super::super::der::{self, NULL, OID, Reader, SEQUENCE};
use super::super::finding::Findings;
use super::super::leaf::Certificate;
use super::Role;
use super::anatomy::Anatomy;

pub(super) fn check(findings: &mut Findings, role: Role, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    check_key(findings, certificate);
    check_signature(findings, role, certificate, anatomy);
}

fn check_key(findings: &mut Findings, certificate: &Certificate) {
    const KINDS: &str = "BR §6.1.5";
    match PublicKey::read(certificate.spki_der()) {
        None => findings.error("key-unreadable", "RFC 5280 §4.1.2.7", "its public key cannot be read"),
        Some(PublicKey::Rsa { modulus, exponent }) => check_rsa(findings, modulus, exponent),
        Some(PublicKey::Curve { oid, point }) => {
            if ![P256, P384, P521].contains(&oid) {
                let curve = curve_name(oid);
                findings.error("key-curve", KINDS, format!("its key is on {curve}, which no client accepts"));
            }
            match point.first() {
                Some(4) => {}
                Some(2 | 3) => findings.warn(
                    "key-compressed",
                    "RFC 5480 §2.2",
                    "its public key is compressed, which many clients do not read",
                ),
                _ => findings.error("key-unreadable", "RFC 5480 §2.2", "its public key cannot be read"),
            }
        }
        Some(PublicKey::Ed25519) => {
            findings.note("key-kind", KINDS, "its key is Ed25519, which browsers do not accept")
        }
        Some(PublicKey::Other { .. }) if explicit_curve(certificate.spki_der()) => {
            let message = "the curve of its key is given by parameters instead of its name";
            findings.error("key-curve-explicit", "RFC 5480 §2.1.1", message);
        }
        Some(PublicKey::Other { .. }) => {
            let kind = algorithm::describe_key(certificate.spki_der());
            findings.error("key-kind", KINDS, format!("its key is {kind}, which no client accepts"));
        }
    }
}

fn check_rsa(findings: &mut Findings, modulus: &[u8], exponent: &[u8]) {
    const SIZE: &str = "BR §6.1.5";
    const QUALITY: &str = "BR §6.1.6";
    let size = bits(modulus);
    if size < 2048 {
        findings.error("rsa-short", SIZE, format!("its RSA key has {size} bits; 2048 are needed"));
    } else if !size.is_multiple_of(8) {
        findings.error("rsa-odd-size", SIZE, format!("its RSA key has {size} bits, which is no multiple of 8"));
    } else if size > 8192 {
        findings.error("rsa-long", SIZE, format!("its RSA key has {size} bits, more than clients work with"));
    }
    let even = |number: &[u8]| number.last().is_none_or(|last| last & 1 == 0);
    if even(modulus) {
        findings.error("rsa-modulus", QUALITY, "its RSA modulus is even");
    }
    match exponent {
        digits if even(digits) || matches!(digits, [] | [0 | 1]) => {
            findings.error("rsa-exponent", QUALITY, "its RSA exponent is even or less than 3");
        }
        [_] | [_, _] => findings.warn("rsa-exponent", QUALITY, "its RSA exponent is less than 65537"),
        digits if digits.len() > 32 => findings.warn("rsa-exponent", QUALITY, "its RSA exponent is larger than 2^256"),
        _ => {}
    }
}

/// Whether the algorithm is ecPublicKey with a SEQUENCE where the name of the curve belongs.
fn explicit_curve(spki: &[u8]) -> bool {
    let read = || {
        let mut algorithm = Reader::new(Reader::new(der::only(spki, SEQUENCE)?).expect(SEQUENCE)?);
        let oid = algorithm.expect(OID)?;
        Some(oid == EC_PUBLIC_KEY && algorithm.peek() == Some(SEQUENCE))
    };
    read().unwrap_or(false)
}

fn check_signature(findings: &mut Findings, role: Role, certificate: &Certificate, anatomy: &Anatomy<'_>) {
    let name = certificate.signature_algorithm();
    if algorithm::is_broken(&name) {
        let message = format!("its signature is {name}, which can be forged");
        match role {
            // Nobody checks the signature on a root.
            Role::Root => findings.note("signature-hash", "BR §7.1.3.2", message),
            _ => findings.error("signature-hash", "BR §7.1.3.2", message),
        }
    }
    let parameters = || {
        let mut identifier = Reader::new(der::only(anatomy.outer_algorithm, SEQUENCE)?);
        identifier.expect(OID)?;
        Some(identifier.peek())
    };
    let wrong = match (name.as_str(), parameters()) {
        (rsa, found) if rsa.ends_with("WithRSAEncryption") => found != Some(Some(NULL)),
        (ec, found) if ec.starts_with("ecdsa") || ec == "Ed25519" => found != Some(None),
        _ => false,
    };
    if wrong {
        let message = format!("the parameters of its signature algorithm {name} are not written as they should be");
        findings.warn("signature-parameters", "BR §7.1.3.2", message);
    }
}
