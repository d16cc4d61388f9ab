//! What X.509 signs, certificates and requests alike, and whether the signature is right.

use std::ops::Range;

use ring::signature as ring;

use super::algorithm::{KeyAlgorithm, PublicKey, bits, signature_name};
use super::der::{self, BIT_STRING, INTEGER, OID, Reader, SEQUENCE};

/// The three parts of a signed object (RFC 5280 §4.1.1, RFC 2986 §4.2).
#[derive(Clone, Copy)]
pub(super) struct Signed<'a> {
    /// What is signed, as encoded.
    pub(super) content: &'a [u8],
    /// The AlgorithmIdentifier, as encoded.
    pub(super) algorithm: &'a [u8],
    /// The signature's bytes.
    pub(super) signature: &'a [u8],
}

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignatureFault {
    /// It is of another key, or something was changed.
    Wrong,
    /// It cannot be checked: this algorithm with this key is not known here.
    Unsupported(String),
}

impl<'a> Signed<'a> {
    /// Take the parts from the DER of the whole, strictly.
    pub(super) fn split(der: &'a [u8]) -> Option<Self> {
        let mut parts = Reader::new(der::only(der, SEQUENCE)?);
        let content = parts.element().filter(|part| part.tag == SEQUENCE)?.whole;
        let algorithm = parts.element().filter(|part| part.tag == SEQUENCE)?.whole;
        let (0, signature) = parts.expect(BIT_STRING)?.split_first()? else { return None };
        parts.is_empty().then_some(Self { content, algorithm, signature })
    }

    /// Check the signature with the signer's SubjectPublicKeyInfo. Weak but readable algorithms pass: whether they are good
    /// enough is another question.
    pub(super) fn verify(&self, spki: &[u8]) -> Result<(), SignatureFault> {
        let oid = algorithm_oid(self.algorithm).unwrap_or_default();
        let unsupported = || SignatureFault::Unsupported(signature_name(&oid).to_owned());
        let key = PublicKey::read(spki).ok_or_else(unsupported)?;
        let bytes = public_bits(spki).ok_or_else(unsupported)?;
        let check = verification(&oid, self.algorithm, &key).ok_or_else(unsupported)?;
        ring::UnparsedPublicKey::new(check, bytes)
            .verify(self.content, self.signature)
            .map_err(|_| SignatureFault::Wrong)
    }
}

/// The dotted object identifier of an AlgorithmIdentifier.
fn algorithm_oid(identifier: &[u8]) -> Option<String> {
    der::oid_text(Reader::new(der::only(identifier, SEQUENCE)?).expect(OID)?)
}

/// How ring checks this algorithm with this kind of key.
fn verification(oid: &str, identifier: &[u8], key: &PublicKey<'_>) -> Option<&'static dyn ring::VerificationAlgorithm> {
    Some(match (key, oid) {
        (PublicKey::Curve { .. }, "1.2.840.10045.4.3.2") => match key.algorithm()? {
            KeyAlgorithm::EcdsaP256 => &ring::ECDSA_P256_SHA256_ASN1,
            _ => &ring::ECDSA_P384_SHA256_ASN1,
        },
        (PublicKey::Curve { .. }, "1.2.840.10045.4.3.3") => match key.algorithm()? {
            KeyAlgorithm::EcdsaP256 => &ring::ECDSA_P256_SHA384_ASN1,
            _ => &ring::ECDSA_P384_SHA384_ASN1,
        },
        (PublicKey::Ed25519, "1.3.101.112") => &ring::ED25519,
        (PublicKey::Rsa { modulus, .. }, _) => {
            let short = bits(modulus) < 2048;
            match oid {
                "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => &ring::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
                "1.2.840.113549.1.1.11" if short => &ring::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                "1.2.840.113549.1.1.11" => &ring::RSA_PKCS1_2048_8192_SHA256,
                "1.2.840.113549.1.1.12" => &ring::RSA_PKCS1_2048_8192_SHA384,
                "1.2.840.113549.1.1.13" if short => &ring::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
                "1.2.840.113549.1.1.13" => &ring::RSA_PKCS1_2048_8192_SHA512,
                "1.2.840.113549.1.1.10" => match pss_hash(identifier)?.as_str() {
                    "2.16.840.1.101.3.4.2.1" => &ring::RSA_PSS_2048_8192_SHA256,
                    "2.16.840.1.101.3.4.2.2" => &ring::RSA_PSS_2048_8192_SHA384,
                    "2.16.840.1.101.3.4.2.3" => &ring::RSA_PSS_2048_8192_SHA512,
                    _ => return None,
                },
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// The hash named in RSASSA-PSS-params (RFC 4055 §3.1), when the salt is as long as it: ring knows no other. Without a hash
/// it is SHA-1, which is not supported either.
fn pss_hash(identifier: &[u8]) -> Option<String> {
    let mut inner = Reader::new(der::only(identifier, SEQUENCE)?);
    inner.expect(OID)?;
    let mut parameters = Reader::new(inner.expect(SEQUENCE)?);
    let hash = algorithm_oid(parameters.optional(der::context(0))?)?;
    parameters.optional(der::context(1));
    let salt = der::only(parameters.optional(der::context(2))?, INTEGER)?;
    let fits = matches!(
        (hash.as_str(), salt),
        ("2.16.840.1.101.3.4.2.1", [32]) | ("2.16.840.1.101.3.4.2.2", [48]) | ("2.16.840.1.101.3.4.2.3", [64])
    );
    fits.then_some(hash)
}

/// The bytes of the public key inside a SubjectPublicKeyInfo.
pub(super) fn public_bits(spki: &[u8]) -> Option<&[u8]> {
    let mut inner = Reader::new(der::only(spki, SEQUENCE)?);
    inner.expect(SEQUENCE)?;
    match inner.expect(BIT_STRING)?.split_first()? {
        (0, bits) => Some(bits),
        _ => None,
    }
}

/// Where a part lies in the bytes that it was read from.
pub(super) fn range_of(bytes: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
    let range = start..start.checked_add(part.len())?;
    (bytes.get(range.clone()) == Some(part)).then_some(range)
}
