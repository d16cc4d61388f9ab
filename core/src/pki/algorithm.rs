//! What keys and signatures are called, known ones and others.

use super::der::{self, BIT_STRING, INTEGER, OID, Reader, SEQUENCE};
use super::key::KeyAlgorithm;
use super::key_form::{EC_PUBLIC_KEY, ED25519, RSA, curve_name};

/// What a SubjectPublicKeyInfo holds.
pub(super) enum PublicKey<'a> {
    /// RSA: modulus and exponent as big-endian magnitudes without leading zeros.
    Rsa { modulus: &'a [u8], exponent: &'a [u8] },
    /// A named curve and its point.
    Curve { oid: &'a [u8], point: &'a [u8] },
    /// Ed25519.
    Ed25519,
    /// Another algorithm, or one of these in a shape that cannot be read.
    Other { oid: &'a [u8] },
}

impl<'a> PublicKey<'a> {
    /// Read a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7, RFC 3279 §2.3, RFC 5480 §2, RFC 8410 §4).
    pub(super) fn read(spki: &'a [u8]) -> Option<Self> {
        let mut inner = Reader::new(der::only(spki, SEQUENCE)?);
        let mut algorithm = Reader::new(inner.expect(SEQUENCE)?);
        let oid = algorithm.expect(OID)?;
        let (0, bits) = inner.expect(BIT_STRING)?.split_first()? else { return None };
        if oid == EC_PUBLIC_KEY {
            return Some(algorithm.expect(OID).map_or(Self::Other { oid }, |oid| Self::Curve { oid, point: bits }));
        }
        if oid == ED25519 {
            return Some(Self::Ed25519);
        }
        if oid == RSA {
            let mut numbers = Reader::new(der::only(bits, SEQUENCE)?);
            let modulus = magnitude(numbers.expect(INTEGER)?);
            let exponent = magnitude(numbers.expect(INTEGER)?);
            return Some(Self::Rsa { modulus, exponent });
        }
        Some(Self::Other { oid })
    }

    /// Its algorithm, when it is one of ours.
    pub(super) fn algorithm(&self) -> Option<KeyAlgorithm> {
        match self {
            Self::Rsa { modulus, .. } => rsa_algorithm(bits(modulus)),
            Self::Curve { oid, .. } => super::key_form::curve_algorithm(oid),
            Self::Ed25519 => Some(KeyAlgorithm::Ed25519),
            Self::Other { .. } => None,
        }
    }
}

/// The algorithm for an RSA modulus of this many bits.
pub(super) const fn rsa_algorithm(bits: usize) -> Option<KeyAlgorithm> {
    match bits {
        2048 => Some(KeyAlgorithm::Rsa2048),
        3072 => Some(KeyAlgorithm::Rsa3072),
        4096 => Some(KeyAlgorithm::Rsa4096),
        _ => None,
    }
}

/// The bits of a big-endian number without leading zero bytes.
pub(super) fn bits(magnitude: &[u8]) -> usize {
    magnitude.first().map_or(0, |top| magnitude.len() * 8 - top.leading_zeros() as usize)
}

/// A positive INTEGER without the zero byte that keeps it positive.
pub(super) fn magnitude(content: &[u8]) -> &[u8] {
    match content {
        [0, rest @ ..] => rest,
        all => all,
    }
}

/// The algorithm of a key as text: the words of [`KeyAlgorithm`], and such as `rsa-1024`, `P-521`.
pub(super) fn describe_key(spki: &[u8]) -> String {
    match PublicKey::read(spki) {
        Some(key) => match (key.algorithm(), key) {
            (Some(algorithm), _) => algorithm.word().to_owned(),
            (None, PublicKey::Rsa { modulus, .. }) => format!("rsa-{}", bits(modulus)),
            (None, PublicKey::Curve { oid, .. }) => curve_name(oid),
            (None, PublicKey::Other { oid }) => match der::oid_text(oid).as_deref() {
                Some("1.2.840.113549.1.1.10") => "RSA for PSS alone".to_owned(),
                Some("1.2.840.10040.4.1") => "DSA".to_owned(),
                Some("1.3.101.113") => "Ed448".to_owned(),
                Some(other) => other.to_owned(),
                None => "unreadable".to_owned(),
            },
            (None, PublicKey::Ed25519) => KeyAlgorithm::Ed25519.word().to_owned(),
        },
        None => "unreadable".to_owned(),
    }
}

/// The name of a signature algorithm by its dotted object identifier, in the spelling of its RFC.
pub(super) fn signature_name(oid: &str) -> &str {
    match oid {
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10040.4.3" => "dsa-with-sha1",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        other => other,
    }
}

/// Whether a signature of this name stands on a hash for which collisions are made (RFC 6194, RFC 6151).
pub(super) fn is_broken(signature: &str) -> bool {
    let signature = signature.to_ascii_lowercase();
    ["sha1", "md5", "md2"].iter().any(|hash| signature.contains(hash))
}

/// The size of an RSA key that is too short (BR §6.1.5).
pub(super) fn short_rsa(spki: &[u8]) -> Option<usize> {
    match PublicKey::read(spki)? {
        PublicKey::Rsa { modulus, .. } => Some(bits(modulus)).filter(|bits| *bits < 2048),
        _ => None,
    }
}

/// Extended key usages for people: the names of RFC 5280 §4.2.1.12, other numbers as they are.
pub(super) fn purpose_names(purposes: &[String]) -> String {
    let name = |purpose: &String| match purpose.as_str() {
        "2.5.29.37.0" => "anyExtendedKeyUsage".to_owned(),
        "1.3.6.1.5.5.7.3.1" => "serverAuth".to_owned(),
        "1.3.6.1.5.5.7.3.2" => "clientAuth".to_owned(),
        "1.3.6.1.5.5.7.3.3" => "codeSigning".to_owned(),
        "1.3.6.1.5.5.7.3.4" => "emailProtection".to_owned(),
        "1.3.6.1.5.5.7.3.8" => "timeStamping".to_owned(),
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning".to_owned(),
        other => other.to_owned(),
    };
    purposes.iter().map(name).collect::<Vec<_>>().join(", ")
}
