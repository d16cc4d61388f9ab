//! Signed requests: the flattened JWS of RFC 8555 §6.2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::acme::jwk::Jwk;
use crate::acme::problem::{Problem, malformed};
use crate::acme::strict;

/// A JWS whose form is right. Nothing in it is believed before [`Jws::verify`].
#[derive(Clone, Debug)]
pub(crate) struct Jws {
    pub(crate) algorithm: String,
    pub(crate) nonce: Option<String>,
    pub(crate) url: String,
    pub(crate) signer: Signer,
    pub(crate) payload: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// Who says to have signed it: `jwk` or `kid`, never both.
#[derive(Clone, Debug)]
pub(crate) enum Signer {
    Key(Jwk),
    Id(String),
    /// A `kid` of an external account comes with the algorithm HS256 and is no URL.
    Neither,
}

impl Jws {
    /// Reads the body of a request, or a JWS inside another.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Problem> {
        let jws = strict::json(body).map_err(|error| malformed(format!("the body is no JSON: {error}")))?;
        Self::from_value(&jws)
    }

    pub(crate) fn from_value(jws: &Value) -> Result<Self, Problem> {
        if jws.get("signatures").is_some() || jws.get("header").is_some() {
            return Err(malformed("a JWS has one signature and no unprotected header"));
        }
        let part = |name: &str| {
            jws.get(name).and_then(Value::as_str).ok_or_else(|| malformed(format!("the JWS has no `{name}`")))
        };
        let decoded = |name: &str, text: &str| {
            URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed(format!("`{name}` is not base64url without padding")))
        };
        let (protected, payload) = (part("protected")?, part("payload")?);
        let signature = decoded("signature", part("signature")?)?;
        let signed = format!("{protected}.{payload}").into_bytes();
        let header = strict::json(&decoded("protected", protected)?)
            .map_err(|error| malformed(format!("the protected header is no JSON: {error}")))?;
        let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
        if !header.is_object() {
            return Err(malformed("the protected header is no JSON object"));
        }
        if header.get("crit").is_some() {
            return Err(malformed("no extension of the protected header is known"));
        }
        let signer = match (header.get("jwk"), header.get("kid")) {
            (Some(_), Some(_)) => {
                return Err(malformed("the protected header has `jwk` and `kid`: a request is signed by one of them"));
            }
            (Some(jwk), None) => Signer::Key(Jwk::read(jwk)?),
            (None, Some(Value::String(id))) => Signer::Id(id.clone()),
            (None, Some(_)) => return Err(malformed("`kid` of the protected header is no text")),
            (None, None) => Signer::Neither,
        };
        Ok(Self {
            algorithm: text("alg").ok_or_else(|| malformed("the protected header has no `alg`"))?,
            nonce: text("nonce"),
            url: text("url").ok_or_else(|| malformed("the protected header has no `url`"))?,
            signer,
            payload: decoded("payload", payload)?,
            signed,
            signature,
        })
    }

    /// What somebody is taken to have signed, for the fuzzer.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn taken(url: String, payload: Vec<u8>) -> Self {
        let algorithm = "ES256".to_owned();
        Self {
            algorithm,
            nonce: None,
            url,
            signer: Signer::Neither,
            payload,
            signed: Vec::new(),
            signature: Vec::new(),
        }
    }

    /// Whether this key signed it.
    pub(crate) fn verify(&self, key: &Jwk) -> Result<(), Problem> {
        key.verify(&self.algorithm, &self.signed, &self.signature)
    }

    /// Whether it has the MAC of this key (HS256, RFC 7518 §3.2).
    pub(crate) fn verify_mac(&self, key: &[u8]) -> Result<(), Problem> {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        ring::hmac::verify(&key, &self.signed, &self.signature)
            .map_err(|_| crate::acme::problem::unauthorized("the external account binding is not signed by its key"))
    }

    /// The payload as JSON.
    pub(crate) fn json(&self) -> Result<Value, Problem> {
        strict::json(&self.payload).map_err(|error| malformed(format!("the payload is no JSON: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encoded(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn jws(header: &Value) -> Value {
        json!({ "protected": encoded(header), "payload": "", "signature": "AA" })
    }

    #[test]
    fn the_mac_of_rfc_7515_verifies() {
        // Appendix A.1, whose header has no `url`: the parts that count are put together by hand.
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let signed = concat!(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l",
            "eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        );
        let mut jws = Jws::from_value(&jws(&json!({"alg": "HS256", "url": "u", "kid": "k"}))).unwrap();
        jws.signed = signed.as_bytes().to_vec();
        jws.signature = URL_SAFE_NO_PAD.decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        jws.verify_mac(&key).unwrap();
        assert!(jws.verify_mac(b"another").is_err());
    }

    #[test]
    fn every_part_has_to_be_there_and_no_more() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        Jws::from_value(&jws(&json!({"alg": "EdDSA", "url": "u", "jwk": jwk}))).unwrap();
        let both = json!({"alg": "EdDSA", "url": "u", "jwk": jwk, "kid": "k"});
        let odd =
            [json!({"url": "u"}), json!({"alg": "ES256"}), json!({"alg": "ES256", "url": "u", "crit": ["b64"]}), both];
        for header in odd {
            assert!(Jws::from_value(&jws(&header)).is_err(), "{header}");
        }
        let whole = jws(&json!({"alg": "ES256", "url": "u"}));
        for name in ["protected", "payload", "signature"] {
            let mut cut = whole.clone();
            cut.as_object_mut().unwrap().remove(name);
            assert!(Jws::from_value(&cut).is_err(), "{name}");
            cut[name] = json!("a=");
            assert!(Jws::from_value(&cut).is_err(), "{name}");
        }
        for name in ["signatures", "header"] {
            let mut more = whole.clone();
            more[name] = json!({});
            assert!(Jws::from_value(&more).is_err(), "{name}");
        }
        assert!(Jws::read(b"[").is_err() && Jws::read(&[b'['; 100_000]).is_err());
    }
}
