//! One-time tokens, judged as step-ca judges them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use certwright::{Certificate, Timestamp};
use ring::signature;
use serde_json::Value;

use super::provisioner::{JWK, Provisioners, X5C};
use crate::acme::jwk::Jwk;

/// How late and how early a token may come.
const LEEWAY: i64 = 60;

/// A token in three parts. Nothing in it is believed.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) header: Value,
    pub(super) claims: Value,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Token {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        Some(Self {
            header: part(header)?,
            claims: part(claims)?,
            signed: signed.as_bytes().to_vec(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    pub(super) fn claim(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The names that it lets be signed.
    pub(super) fn names(&self) -> Vec<String> {
        let listed = self.claims.get("sans").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let names: Vec<String> = listed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if names.is_empty() { vec![self.claim("sub").to_owned()] } else { names }
    }

    /// Whether it is by one of the provisioners, for this call, now, and since the start.
    pub(super) fn judge(
        &self,
        provisioners: &Provisioners,
        call: &str,
        host: &str,
        now: Timestamp,
        started: Timestamp,
    ) -> Result<(), &'static str> {
        let by_key = self.header.get("kid").and_then(Value::as_str) == Some(&provisioners.kid);
        let (name, fragment) = if by_key { (JWK, String::new()) } else { (X5C, format!("#x5c/{X5C}")) };
        if by_key {
            self.signed_by(&provisioners.key)?;
        } else {
            let chain = self.chain("x5c");
            let leaf = chain.first().ok_or("provisioner not found or invalid audience")?;
            if leaf.der() != provisioners.holder.chain().leaf().der() {
                return Err("error verifying x5c certificate chain in token");
            }
            self.signed_by_holder(leaf)?;
        }
        if self.claims.get("iat").and_then(Value::as_i64).is_none_or(|issued| issued < started.unix()) {
            return Err("token issued before the bootstrap of certificate authority");
        }
        let audience = self.claim("aud");
        let fits = ["", "/1.0"].iter().any(|prefix| {
            let rest = audience.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
            rest.is_some_and(|(at, path)| {
                at.rsplit_once(':').map_or(at, |(name, _)| name) == host
                    && format!("/{path}") == format!("{prefix}/{call}{fragment}")
            })
        });
        if self.claim("iss") != name || !fits || self.claim("sub").is_empty() {
            return Err("provisioner not found or invalid audience");
        }
        self.is_of_now(now)
    }

    pub(super) fn is_of_now(&self, now: Timestamp) -> Result<(), &'static str> {
        let at = |name: &str| self.claims.get(name).and_then(Value::as_i64);
        if at("nbf").is_some_and(|begin| now.unix() + LEEWAY < begin)
            || at("iat").is_some_and(|made| now.unix() + LEEWAY < made)
        {
            return Err("token not valid yet (nbf)");
        }
        if at("exp").is_none_or(|end| now.unix() - LEEWAY > end) {
            return Err("token is expired (exp)");
        }
        Ok(())
    }

    /// The certificates in the header, leaf first.
    pub(super) fn chain(&self, name: &str) -> Vec<Certificate> {
        let listed = self.header.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        listed.iter().filter_map(|one| Certificate::from_der(&STANDARD.decode(one.as_str()?).ok()?).ok()).collect()
    }

    fn signed_by(&self, key: &Jwk) -> Result<(), &'static str> {
        let algorithm = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        key.verify(algorithm, &self.signed, &self.signature).map_err(|_| "error parsing jwk claims")
    }

    pub(super) fn signed_by_holder(&self, leaf: &Certificate) -> Result<(), &'static str> {
        // Keys on P-256 and P-384 are what clients of this stand-in have; the point is the end of what stands there.
        let spki = leaf.public_key_der();
        let (algorithm, length): (&dyn signature::VerificationAlgorithm, usize) =
            match self.header.get("alg").and_then(Value::as_str) {
                Some("ES256") => (&signature::ECDSA_P256_SHA256_FIXED, 65),
                Some("ES384") => (&signature::ECDSA_P384_SHA384_FIXED, 97),
                _ => return Err("error validating renew token"),
            };
        let point =
            spki.len().checked_sub(length).and_then(|at| spki.get(at..)).ok_or("error validating renew token")?;
        signature::UnparsedPublicKey::new(algorithm, point)
            .verify(&self.signed, &self.signature)
            .map_err(|_| "error validating renew token")
    }
}
