//! What a certificate request has to be like before it is signed (RFC 8555 §7.4; BR §6.1.1.3, §7.1.3).

use std::collections::BTreeSet;

use certwright::{Csr, Identifier};

use crate::acme::jwk::Jwk;
use crate::acme::order::Order;
use crate::acme::problem::{Problem, ProblemKind};

/// An RSA key that is worth a certificate.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;
/// The AlgorithmIdentifier of sha1WithRSAEncryption.
const SHA1_RSA: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];

/// Reads a request and looks at it: signature, key, names.
pub(crate) fn fit(der: &[u8], order: &Order, account: &Jwk) -> Result<Csr, Problem> {
    let csr = Csr::from_der(der).map_err(|error| bad(error.to_string()))?;
    if der.windows(SHA1_RSA.len()).any(|part| part == SHA1_RSA) {
        return Err(bad("the request is signed with SHA-1: use SHA-256"));
    }
    let key = csr.key_description();
    match key.strip_prefix("rsa-").map(str::parse::<u32>) {
        Some(Ok(bits)) if RSA_BITS.contains(&bits) => {}
        Some(_) => {
            let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
            return Err(bad(format!("the key of the request is {key}: an RSA key has {least} to {most} bits")));
        }
        None if matches!(key.as_str(), "ecdsa-p256" | "ecdsa-p384" | "ed25519") => {}
        None => return Err(bad(format!("the key of the request is {key}, which no certificate is issued for"))),
    }
    if csr.public_key_der() == account.spki() {
        return Err(bad("the key of an account must not be the key of a certificate: make another one"));
    }
    if let [other, ..] = csr.other_names() {
        return Err(bad(format!("the request asks for a name that the order has not: {other}")));
    }
    let mut asked: BTreeSet<Identifier> = csr.identifiers().iter().cloned().collect();
    let ordered: BTreeSet<Identifier> = order.identifiers.iter().cloned().collect();
    for name in common_names(&csr.subject()) {
        // It may be there, in the subjectAltName, or in both (RFC 8555 §7.4).
        match name.to_lowercase().parse::<Identifier>() {
            Ok(identifier) if ordered.contains(&identifier) => drop(asked.insert(identifier)),
            _ => return Err(bad(format!("the common name `{name}` is not an identifier of the order"))),
        }
    }
    let said = |names: Vec<&Identifier>| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (asked.difference(&ordered).collect::<Vec<_>>(), ordered.difference(&asked).collect::<Vec<_>>()) {
        (more, less) if more.is_empty() && less.is_empty() => Ok(csr),
        (more, less) if less.is_empty() => {
            Err(bad(format!("the request asks for names that the order has not: {}", said(more))))
        }
        (more, less) if more.is_empty() => {
            Err(bad(format!("the request lacks identifiers of the order: {}", said(less))))
        }
        (more, less) => {
            Err(bad(format!("the request asks for {} in place of {}, which the order has", said(more), said(less))))
        }
    }
}

/// The common names of a subject as it is shown.
fn common_names(subject: &str) -> impl Iterator<Item = &str> {
    subject.split(", ").filter_map(|part| part.strip_prefix("CN="))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::BadCsr, detail)
}
