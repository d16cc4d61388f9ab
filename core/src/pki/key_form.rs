//! The three encodings of a private key, turned into one: PKCS#8 as every TLS library reads it, and the public part.
//!
//! Other programs write more forms than ring reads (curve parameters inside, leading zeros cut off, Ed25519 with the public
//! key beside it); here they become one spelling.

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use super::algorithm::{
    EC_PUBLIC_KEY, ED25519, KeyAlgorithm, RSA, bits, curve_algorithm, curve_name, magnitude, rsa_algorithm,
};
use super::der::{self, BIT_STRING, INTEGER, NULL, OCTET_STRING, OID, Reader, SEQUENCE, element};
use crate::ground::error::{Error, ErrorKind, Public, Result};

const ZERO: &[u8] = &[INTEGER, 1, 0];
const ONE: &[u8] = &[INTEGER, 1, 1];

/// A key in the one spelling.
#[derive(Clone)]
pub(super) struct KeyForm {
    pub(super) algorithm: KeyAlgorithm,
    /// DER of the PKCS#8.
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
    /// DER of the SubjectPublicKeyInfo.
    pub(super) spki: Vec<u8>,
}

/// Read a key in any encoding. Whether private and public part match is not looked at here.
pub(super) fn read(bytes: &[u8]) -> Result<KeyForm> {
    let mut inner = Reader::new(der::only(bytes, SEQUENCE).ok_or_else(damaged)?);
    let version = inner.expect(INTEGER).ok_or_else(damaged)?;
    match (version, inner.peek()) {
        ([0 | 1], Some(SEQUENCE)) => pkcs8(inner),
        ([1], Some(OCTET_STRING)) => sec1(inner, None),
        ([0], Some(INTEGER)) => pkcs1(bytes, inner),
        ([1], Some(INTEGER)) => Err(unsupported("RSA keys of more than two primes")),
        _ => Err(damaged()),
    }
}

/// PrivateKeyInfo and OneAsymmetricKey (RFC 5208 §5, RFC 5958 §2), after the version.
fn pkcs8(mut inner: Reader<'_>) -> Result<KeyForm> {
    let mut algorithm = Reader::new(inner.expect(SEQUENCE).ok_or_else(damaged)?);
    let oid = algorithm.expect(OID).ok_or_else(damaged)?;
    let key = inner.expect(OCTET_STRING).ok_or_else(damaged)?;
    if oid == EC_PUBLIC_KEY {
        let curve = algorithm.element().ok_or_else(damaged)?;
        if curve.tag != OID {
            return Err(unsupported("a curve given by its parameters instead of its name"));
        }
        let mut inner = Reader::new(der::only(key, SEQUENCE).ok_or_else(damaged)?);
        if inner.expect(INTEGER) != Some(&[1]) {
            return Err(damaged());
        }
        sec1(inner, Some(curve.content))
    } else if oid == ED25519 {
        let key = from_ed25519_seed(der::only(key, OCTET_STRING).ok_or_else(damaged)?)?;
        while let Some(beside) = inner.element() {
            // The public key is `[1] IMPLICIT`; some programs, ring among them, write it EXPLICIT.
            let names_public = matches!(beside.tag, 0x81 | 0xa1);
            if names_public && !key.spki.ends_with(beside.content.last_chunk::<32>().ok_or_else(damaged)?) {
                return Err(damaged());
            }
        }
        Ok(key)
    } else if oid == RSA {
        let mut inner = Reader::new(der::only(key, SEQUENCE).ok_or_else(damaged)?);
        if inner.expect(INTEGER) != Some(&[0]) {
            return Err(unsupported("RSA keys of more than two primes"));
        }
        pkcs1(key, inner)
    } else {
        let name = match der::oid_text(oid).as_deref() {
            Some("1.2.840.113549.1.1.10") => "RSA keys for PSS alone".to_owned(),
            Some("1.3.101.113") => "Ed448".to_owned(),
            Some("1.2.840.10040.4.1") => "DSA".to_owned(),
            Some(other) => other.to_owned(),
            None => return Err(damaged()),
        };
        Err(unsupported(&name))
    }
}

/// ECPrivateKey (RFC 5915 §3), after the version. The curve is named inside, or around it in PKCS#8.
fn sec1(mut inner: Reader<'_>, outer_curve: Option<&[u8]>) -> Result<KeyForm> {
    let scalar = inner.expect(OCTET_STRING).ok_or_else(damaged)?;
    let named = match inner.optional(der::context(0)) {
        Some(parameters) => match Reader::new(parameters).element() {
            Some(curve) if curve.tag == OID => Some(curve.content),
            _ => return Err(unsupported("a curve given by its parameters instead of its name")),
        },
        None => None,
    };
    let public = inner.optional(der::context(1));
    let curve = match (outer_curve, named) {
        (Some(outer), Some(inner)) if outer != inner => return Err(damaged()),
        (outer, inner) => outer.or(inner).ok_or_else(damaged)?,
    };
    let algorithm = curve_algorithm(curve).ok_or_else(|| unsupported(&curve_name(curve)))?;
    let size = if algorithm == KeyAlgorithm::EcdsaP384 { 48 } else { 32 };
    let public = public.ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "the elliptic curve key comes without its public part")
            .hint("add it with `openssl pkey -in KEY -out COMPLETE`")
    })?;
    let point = match der::only(public, BIT_STRING).and_then(<[u8]>::split_first) {
        Some((0, point)) if point.len() == 1 + 2 * size && point.first() == Some(&4) => point,
        Some((0, [2 | 3, ..])) => {
            return Err(unsupported("a compressed public key"));
        }
        _ => return Err(damaged()),
    };
    // RFC 5915 asks for the full length; some programs cut leading zeros off or put one before.
    let scalar = Zeroizing::new(scalar.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>());
    let missing = size.checked_sub(scalar.len()).ok_or_else(damaged)?;
    let zeros = [0; 48];
    let scalar = element(OCTET_STRING, &[zeros.get(..missing).unwrap_or_default(), &scalar]);
    let bits = element(BIT_STRING, &[&[0], point]);
    let private = element(SEQUENCE, &[ONE, &scalar, &element(der::context(1), &[&bits])]);
    let identifier = element(SEQUENCE, &[&element(OID, &[EC_PUBLIC_KEY]), &element(OID, &[curve])]);
    Ok(assemble(algorithm, &identifier, &private, &bits))
}

/// RSAPrivateKey (RFC 8017 §A.1.2), `whole` being all of it and `inner` what follows the version.
fn pkcs1(whole: &[u8], mut inner: Reader<'_>) -> Result<KeyForm> {
    let modulus = inner.element().filter(|number| number.tag == INTEGER).ok_or_else(damaged)?;
    let exponent = inner.element().filter(|number| number.tag == INTEGER).ok_or_else(damaged)?;
    let bits = bits(magnitude(modulus.content));
    let algorithm = match rsa_algorithm(bits) {
        Some(algorithm) => algorithm,
        None if bits < 2048 => {
            return Err(Error::new(ErrorKind::Unfit, "the RSA key is too short to be safe")
                .context("bits", bits)
                .hint("make a new key; `ecdsa-p256` is the default"));
        }
        None => return Err(unsupported(&format!("RSA with {bits} bits"))),
    };
    let bits = element(BIT_STRING, &[&[0], &element(SEQUENCE, &[modulus.whole, exponent.whole])]);
    let identifier = element(SEQUENCE, &[&element(OID, &[RSA]), &[NULL, 0]]);
    Ok(assemble(algorithm, &identifier, whole, &bits))
}

/// An Ed25519 key is its seed (RFC 8410 §7). The public key is left out of the PKCS#8: OpenSSL refuses the version that has
/// room for it.
pub(super) fn from_ed25519_seed(seed: &[u8]) -> Result<KeyForm> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| damaged())?;
    let identifier = element(SEQUENCE, &[&element(OID, &[ED25519])]);
    let bits = element(BIT_STRING, &[&[0], pair.public_key().as_ref()]);
    Ok(assemble(KeyAlgorithm::Ed25519, &identifier, &element(OCTET_STRING, &[seed]), &bits))
}

fn assemble(algorithm: KeyAlgorithm, identifier: &[u8], private: &[u8], public_bits: &[u8]) -> KeyForm {
    let pkcs8 = element(SEQUENCE, &[ZERO, identifier, &element(OCTET_STRING, &[private])]);
    let spki = element(SEQUENCE, &[identifier, public_bits]).to_vec();
    KeyForm { algorithm, pkcs8, spki }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Unfit, "the private key cannot be read: it is damaged or no private key")
        .hint("fetch the key again or make a new one")
}

fn unsupported(what: &str) -> Error {
    let words: Vec<&str> = KeyAlgorithm::ALL.iter().map(|algorithm| algorithm.word()).collect();
    Error::new(ErrorKind::Unsupported, "keys of this kind are not supported")
        .context("kind", Public(what))
        .hint(format!("make a key of one of these kinds: `{}`", words.join("`, `")))
}
