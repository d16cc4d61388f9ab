//! Flattened JSON web signatures as ACME uses them (RFC 7515 §7.2.2, RFC 8555 §6.2), key thumbprints (RFC 7638) and
//! bindings to an account elsewhere (RFC 8555 §7.3.4).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use ring::{digest, hmac};
use serde_json::{Map, Value, json};

use super::algorithm;
use super::der::{self, BIT_STRING, INTEGER, Reader, SEQUENCE};
use super::key::{KeyAlgorithm, PrivateKey};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::secret::SecretBytes;

/// RFC 4648 §5, without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// RFC 4648 §4, with padding.
#[cfg(feature = "step-ca")]
pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// Random bytes of the operating system.
#[cfg(feature = "step-ca")]
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    use ring::rand::SecureRandom as _;

    let mut bytes = [0; N];
    let failed = |_| Error::new(ErrorKind::Io, "the operating system gave no random numbers");
    SystemRandom::new().fill(&mut bytes).map_err(failed).map(|()| bytes)
}

/// The bytes of a text by RFC 4648 §5 without padding.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// Who a signature is by: the header says the key itself, or the URL of the account that has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By<'a> {
    /// The whole public key, where there is no account yet.
    Key,
    /// The account's URL.
    Account(&'a str),
}

/// An account key, ready to sign. Its `Debug` output is its public part.
pub(crate) struct AccountKey {
    pair: Pair,
    random: SystemRandom,
    /// The public key in the one spelling of RFC 7638 §3.
    jwk: String,
    pkcs8: SecretBytes,
}

enum Pair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl AccountKey {
    /// Any key that can sign.
    pub(crate) fn new(key: &PrivateKey) -> Result<Self> {
        let pkcs8 = key.to_der();
        let random = SystemRandom::new();
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.expose(), &random);
        let pair = match key.algorithm() {
            KeyAlgorithm::EcdsaP256 => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::P256),
            KeyAlgorithm::EcdsaP384 => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::P384),
            KeyAlgorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8.expose()).map(Pair::Ed25519),
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                RsaKeyPair::from_pkcs8(pkcs8.expose()).map(Pair::Rsa)
            }
        };
        let pair = pair.map_err(|rejected| {
            Error::new(ErrorKind::Unfit, "the account key cannot be used").source(rejected.to_string())
        })?;
        let jwk = jwk(key).ok_or_else(|| Error::new(ErrorKind::Bug, "the public key of the account cannot be read"))?;
        Ok(Self { pair, random, jwk: Value::Object(jwk).to_string(), pkcs8 })
    }

    /// The key in DER, as PKCS#8.
    pub(crate) fn pkcs8(&self) -> &SecretBytes {
        &self.pkcs8
    }

    /// The public key as JSON.
    pub(crate) fn jwk(&self) -> &str {
        &self.jwk
    }

    /// The thumbprint of the public key with SHA-256 (RFC 7638), base64url.
    pub(crate) fn thumbprint(&self) -> String {
        base64url(digest::digest(&digest::SHA256, self.jwk.as_bytes()).as_ref())
    }

    /// Whether the key is on P-256, the one curve that every authority takes.
    pub(crate) fn is_p256(&self) -> bool {
        matches!(self.pair, Pair::P256(_))
    }

    /// A request body: `payload` signed for `url`. A payload of no bytes at all is that of POST-as-GET (RFC 8555 §6.3).
    pub(crate) fn sign(&self, by: By<'_>, nonce: Option<&str>, url: &str, payload: &[u8]) -> Result<String> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.algorithm().into());
        match by {
            By::Key => header.insert("jwk".to_owned(), serde_json::from_str(&self.jwk).unwrap_or_default()),
            By::Account(url) => header.insert("kid".to_owned(), url.into()),
        };
        if let Some(nonce) = nonce {
            header.insert("nonce".to_owned(), nonce.into());
        }
        header.insert("url".to_owned(), url.into());
        flattened(&header, payload, |input| self.signature(input))
    }

    /// A signed token in compact form (RFC 7519 §3): `header` without `alg`, which is the key's, and these claims.
    #[cfg(feature = "step-ca")]
    pub(crate) fn token(&self, mut header: Map<String, Value>, claims: &Value) -> Result<String> {
        header.insert("alg".to_owned(), self.algorithm().into());
        header.insert("typ".to_owned(), "JWT".into());
        let input = format!(
            "{}.{}",
            base64url(Value::Object(header).to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let signature = base64url(&self.signature(input.as_bytes())?);
        Ok(format!("{input}.{signature}"))
    }

    /// The name of the algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
    fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::P256(_) => "ES256",
            Pair::P384(_) => "ES384",
            Pair::Ed25519(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        }
    }

    fn signature(&self, input: &[u8]) -> Result<Vec<u8>> {
        let failed = |_| Error::new(ErrorKind::Io, "signing failed: the operating system gave no random numbers");
        match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.sign(&self.random, input).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(input).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &self.random, input, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

impl std::fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AccountKey").field(&self.jwk).finish()
    }
}

/// The binding of a new account's key to an account elsewhere, signed with the MAC key given out for it, HS256.
pub(crate) fn binding(kid: &str, mac_key: &SecretBytes, url: &str, jwk: &str) -> Result<Value> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), "HS256".into());
    header.insert("kid".to_owned(), kid.into());
    header.insert("url".to_owned(), url.into());
    let key = hmac::Key::new(hmac::HMAC_SHA256, mac_key.expose());
    let text = flattened(&header, jwk.as_bytes(), |input| Ok(hmac::sign(&key, input).as_ref().to_vec()))?;
    serde_json::from_str(&text)
        .map_err(|source| Error::new(ErrorKind::Bug, "a signature of ours cannot be read").source(source))
}

fn flattened(
    header: &Map<String, Value>,
    payload: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
) -> Result<String> {
    let protected = base64url(Value::Object(header.clone()).to_string().as_bytes());
    let payload = base64url(payload);
    let signature = base64url(&sign(format!("{protected}.{payload}").as_bytes())?);
    Ok(json!({ "protected": protected, "payload": payload, "signature": signature }).to_string())
}

/// The public key with the members that RFC 7638 §3.2 counts and no others, in the order of their names (§3.3), which is
/// the order that they are written in here too.
fn jwk(key: &PrivateKey) -> Option<Map<String, Value>> {
    let mut spki = Reader::new(der::only(key.public_key_der(), SEQUENCE)?);
    spki.expect(SEQUENCE)?;
    let (0, bits) = spki.expect(BIT_STRING)?.split_first().map(|(unused, bits)| (*unused, bits))? else { return None };
    let value = match key.algorithm() {
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => {
            let (_, point) = bits.split_first()?;
            let (x, y) = point.split_at_checked(point.len() / 2)?;
            let curve = if x.len() == 32 { "P-256" } else { "P-384" };
            json!({ "crv": curve, "kty": "EC", "x": base64url(x), "y": base64url(y) })
        }
        KeyAlgorithm::Ed25519 => json!({ "crv": "Ed25519", "kty": "OKP", "x": base64url(bits) }),
        KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
            let mut numbers = Reader::new(der::only(bits, SEQUENCE)?);
            let (n, e) = (numbers.expect(INTEGER)?, numbers.expect(INTEGER)?);
            json!({ "e": base64url(algorithm::magnitude(e)), "kty": "RSA", "n": base64url(algorithm::magnitude(n)) })
        }
    };
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
