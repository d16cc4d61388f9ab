//! Private keys that other clients keep as JSON (RFC 7517, RFC 7518 §6): certbot does so with its account key.

use serde_json::Value;
use zeroize::Zeroizing;

use super::algorithm::magnitude;
use super::der::{BIT_STRING, INTEGER, OCTET_STRING, OID, SEQUENCE, context, element};
use super::jws::from_base64url;
use super::key::PrivateKey;
use crate::ground::error::{Error, ErrorKind, Public, Result};

/// `prime256v1` and `secp384r1` (RFC 5480 §2.1.1.1).
const CURVES: [(&str, usize, &[u8]); 2] =
    [("P-256", 32, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]), ("P-384", 48, &[0x2b, 0x81, 4, 0, 0x22])];

/// `id-Ed25519` (RFC 8410 §3).
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

impl PrivateKey {
    /// From a private JWK: RSA with all of its numbers, or a key on P-256 or P-384, or an Ed25519 key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] when a member is missing or damaged, [`ErrorKind::Unsupported`] for other kinds of key.
    pub(crate) fn from_jwk(text: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(text).map_err(|_| damaged())?;
        let number = |name: &str| {
            let digits = value.get(name).and_then(Value::as_str).and_then(from_base64url);
            digits.map(Zeroizing::new).ok_or_else(damaged)
        };
        match value.get("kty").and_then(Value::as_str) {
            Some("RSA") => {
                let mut parts = vec![integer(&[0])];
                for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
                    parts.push(integer(&number(name)?));
                }
                let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
                Self::from_der(&element(SEQUENCE, &parts))
            }
            Some("EC") => {
                let curve = value.get("crv").and_then(Value::as_str).unwrap_or_default();
                let known = CURVES.iter().find(|(name, ..)| *name == curve);
                let (_, size, oid) = known.ok_or_else(|| unsupported(curve))?;
                let (x, y, scalar) = (number("x")?, number("y")?, number("d")?);
                if x.len() != *size || y.len() != *size {
                    return Err(damaged());
                }
                let curve = element(context(0), &[&element(OID, &[oid])]);
                let public = element(context(1), &[&element(BIT_STRING, &[&[0, 4], &x, &y])]);
                let scalar = element(OCTET_STRING, &[&scalar]);
                Self::from_der(&element(SEQUENCE, &[&integer(&[1]), &scalar, &curve, &public]))
            }
            Some("OKP") => match value.get("crv").and_then(Value::as_str) {
                Some("Ed25519") => {
                    let (seed, public) = (number("d")?, number("x")?);
                    let algorithm = element(SEQUENCE, &[&element(OID, &[ED25519])]);
                    let seed = element(OCTET_STRING, &[&element(OCTET_STRING, &[&seed])]);
                    let public = element(context(1), &[&element(BIT_STRING, &[&[0], &public])]);
                    Self::from_der(&element(SEQUENCE, &[&integer(&[1]), &algorithm, &seed, &public]))
                }
                other => Err(unsupported(other.unwrap_or_default())),
            },
            other => Err(unsupported(other.unwrap_or_default())),
        }
    }
}

/// A positive INTEGER: no leading zeros, but one before a set high bit.
fn integer(digits: &[u8]) -> Zeroizing<Vec<u8>> {
    let digits = match digits.iter().position(|digit| *digit != 0) {
        Some(first) => digits.get(first..).unwrap_or_default(),
        None => &[0],
    };
    let lead: &[u8] = if magnitude(digits).first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[lead, digits])
}

fn damaged() -> Error {
    Error::new(ErrorKind::Unfit, "the JSON web key is damaged, or no private key")
        .hint("name the file with the private key, byte for byte as the other client wrote it")
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, "JSON web keys of this kind cannot be used here")
        .context("kind", Public(what))
        .hint("use an RSA key, one on P-256 or P-384, or an Ed25519 key")
}
