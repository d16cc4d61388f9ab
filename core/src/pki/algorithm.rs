//! The algorithms of keys and signatures: those that are used here, and what others are called.

use std::fmt;
use std::str::FromStr;

use super::der::{self, BIT_STRING, INTEGER, OID, Reader, SEQUENCE};
use crate::ground::error::{Error, ErrorKind, Public, Result};

pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
pub(super) const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
pub(super) const P521: &[u8] = &[0x2b, 0x81, 4, 0, 0x23];
pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// The algorithm of a key, with its size.
///
/// # Examples
///
/// ```
/// use certwright::KeyAlgorithm;
///
/// assert_eq!("ecdsa-p384".parse::<KeyAlgorithm>()?, KeyAlgorithm::EcdsaP384);
/// assert_eq!(KeyAlgorithm::default().word(), "ecdsa-p256");
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 (the default).
    #[default]
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
}

impl KeyAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 6] =
        [Self::EcdsaP256, Self::EcdsaP384, Self::Ed25519, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// The word of the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.word() == text).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|algorithm| algorithm.word()).collect();
            Error::new(ErrorKind::InvalidSpec, "this is not a key algorithm")
                .context("value", Public(text))
                .hint(format!("write one of `{}`", words.join("`, `")))
        })
    }
}

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
            Self::Curve { oid, .. } => curve_algorithm(oid),
            Self::Ed25519 => Some(KeyAlgorithm::Ed25519),
            Self::Other { .. } => None,
        }
    }
}

/// The algorithm of a key on a named curve, when it is one of ours.
pub(super) fn curve_algorithm(oid: &[u8]) -> Option<KeyAlgorithm> {
    match oid {
        P256 => Some(KeyAlgorithm::EcdsaP256),
        P384 => Some(KeyAlgorithm::EcdsaP384),
        _ => None,
    }
}

/// What people call a curve, for errors and findings.
pub(super) fn curve_name(oid: &[u8]) -> String {
    match der::oid_text(oid).as_deref() {
        Some("1.2.840.10045.3.1.7") => "P-256".to_owned(),
        Some("1.3.132.0.34") => "P-384".to_owned(),
        Some("1.3.132.0.35") => "P-521".to_owned(),
        Some("1.3.132.0.10") => "secp256k1".to_owned(),
        Some(other) => format!("the curve {other}"),
        None => "an unreadable curve".to_owned(),
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
