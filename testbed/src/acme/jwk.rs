//! Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037), and the signatures that they check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::agreement::{self, EphemeralPrivateKey};
use ring::digest::{SHA256, digest};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::acme::der::{BIT_STRING, SEQUENCE, element, unsigned};
use crate::acme::problem::{Problem, ProblemKind};

/// The signature algorithms that are accepted (RFC 8555 §6.2 asks for ES256 at least).
pub(crate) const ALGORITHMS: [&str; 4] = ["ES256", "ES384", "RS256", "EdDSA"];

/// The AlgorithmIdentifiers (RFC 5480, RFC 8017, RFC 8410).
const P256: &[u8] =
    &[0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x22];
const RSA: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
const ED25519: &[u8] = &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70];

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Jwk {
    key: Key,
    thumbprint: String,
    spki: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    P256(Vec<u8>),
    P384(Vec<u8>),
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ed25519(Vec<u8>),
}

impl Jwk {
    /// Reads one. Private members are refused: whoever sends them has given the key away.
    pub(crate) fn read(jwk: &Value) -> Result<Self, Problem> {
        if jwk.get("d").is_some() {
            return Err(bad("the JWK holds a private key"));
        }
        let kind = jwk.get("kty").and_then(Value::as_str).unwrap_or_default();
        let curve = jwk.get("crv").and_then(Value::as_str).unwrap_or_default();
        let (key, members, algorithm) = match (kind, curve) {
            ("EC", "P-256") => (Key::P256(point(jwk, 32)?), ["crv", "kty", "x", "y"].as_slice(), P256),
            ("EC", "P-384") => (Key::P384(point(jwk, 48)?), ["crv", "kty", "x", "y"].as_slice(), P384),
            ("OKP", "Ed25519") => (Key::Ed25519(sized(jwk, "x", 32)?), ["crv", "kty", "x"].as_slice(), ED25519),
            ("RSA", _) => {
                let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
                if !(256..=1024).contains(&n.len()) {
                    return Err(bad(format!("the RSA key has {} bits; 2048 to 8192 are accepted", 8 * n.len())));
                }
                if e.len() > 4 || e.last().is_none_or(|last| last % 2 == 0) || (e.len() < 3 && e != [3]) {
                    return Err(bad("the exponent of the RSA key is odd, and 3 or 65537 to 2^32"));
                }
                (Key::Rsa { n, e }, ["e", "kty", "n"].as_slice(), RSA)
            }
            _ => return Err(bad(format!("a key of the kind `{kind}` `{curve}` is not accepted"))),
        };
        let bits = match &key {
            Key::P256(bytes) | Key::P384(bytes) | Key::Ed25519(bytes) => bytes.clone(),
            Key::Rsa { n, e } => element(SEQUENCE, &[&unsigned(n), &unsigned(e)]),
        };
        let spki = element(SEQUENCE, &[algorithm, &element(BIT_STRING, &[&[0], &bits])]);
        Ok(Self { key, thumbprint: thumbprint(jwk, members), spki })
    }

    /// RFC 7638, SHA-256, base64url.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// DER of its SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether this is its signature (RFC 7518 §3, RFC 8037 §3.1).
    pub(crate) fn verify(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), Problem> {
        let outcome = match (&self.key, algorithm) {
            (Key::P256(point), "ES256") => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Key::P384(point), "ES384") => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            (Key::Ed25519(key), "EdDSA") => UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature),
            (Key::Rsa { n, e }, "RS256") => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            _ => {
                let detail = format!("`{algorithm}` does not go with this key, or is not accepted");
                return Err(
                    Problem::new(ProblemKind::BadSignatureAlgorithm, detail).with("algorithms", json!(ALGORITHMS))
                );
            }
        };
        outcome.map_err(|_| match self.is_a_key() {
            true => crate::acme::problem::malformed("the JWS is not signed by this key"),
            false => bad("the coordinates of the JWK are not those of a point of its curve"),
        })
    }

    /// Whether nothing but the signature can be wrong. An agreement with a key made for it looks at the point.
    fn is_a_key(&self) -> bool {
        let (curve, point): (&agreement::Algorithm, _) = match &self.key {
            Key::P256(point) => (&agreement::ECDH_P256, point),
            Key::P384(point) => (&agreement::ECDH_P384, point),
            Key::Rsa { .. } | Key::Ed25519(_) => return true,
        };
        let own = EphemeralPrivateKey::generate(curve, &ring::rand::SystemRandom::new());
        let peer = agreement::UnparsedPublicKey::new(curve, point);
        own.is_ok_and(|own| agreement::agree_ephemeral(own, &peer, |_| ()).is_ok())
    }

    /// As it is written (RFC 7517), with the members that the thumbprint has.
    pub(crate) fn value(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let curve = |name: &str, point: &[u8]| {
            let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
            json!({ "kty": "EC", "crv": name, "x": encode(x), "y": encode(y) })
        };
        match &self.key {
            Key::P256(point) => curve("P-256", point),
            Key::P384(point) => curve("P-384", point),
            Key::Ed25519(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key) }),
            Key::Rsa { n, e } => json!({ "kty": "RSA", "n": encode(n), "e": encode(e) }),
        }
    }
}

fn thumbprint(jwk: &Value, members: &[&str]) -> String {
    let member = |name: &&str| format!("{}:{}", json!(name), jwk.get(*name).unwrap_or(&Value::Null));
    let canonical = format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","));
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

fn point(jwk: &Value, length: usize) -> Result<Vec<u8>, Problem> {
    Ok([vec![4], sized(jwk, "x", length)?, sized(jwk, "y", length)?].concat())
}

fn sized(jwk: &Value, name: &str, length: usize) -> Result<Vec<u8>, Problem> {
    let bytes = member(jwk, name)?;
    if bytes.len() == length { Ok(bytes) } else { Err(bad(format!("`{name}` of the JWK has {length} bytes"))) }
}

/// RFC 7518 §2: the shortest form, and zero is one byte.
fn number(jwk: &Value, name: &str) -> Result<Vec<u8>, Problem> {
    let bytes = member(jwk, name)?;
    match bytes.first() {
        None | Some(0) => Err(bad(format!("`{name}` of the JWK does not begin with a digit that counts"))),
        Some(_) => Ok(bytes),
    }
}

fn member(jwk: &Value, name: &str) -> Result<Vec<u8>, Problem> {
    let text = jwk.get(name).and_then(Value::as_str);
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.ok_or_else(|| bad(format!("`{name}` of the JWK is not base64url without padding")))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::BadPublicKey, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 §3.1.
    const RSA_EXAMPLE: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        let jwk = Jwk::read(&serde_json::from_str(RSA_EXAMPLE).unwrap()).unwrap();
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(Jwk::read(&jwk.value()).unwrap(), jwk);
    }

    #[test]
    fn the_example_of_rfc_8037_verifies() {
        // Appendix A.1, A.4 and A.5.
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let jwk = Jwk::read(&jwk).unwrap();
        let signature = URL_SAFE_NO_PAD
            .decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
            .unwrap();
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        jwk.verify("EdDSA", message, &signature).unwrap();
        assert!(jwk.verify("EdDSA", b"another", &signature).is_err());
        assert_eq!(jwk.verify("ES256", message, &signature).unwrap_err().kind, ProblemKind::BadSignatureAlgorithm);
        assert_eq!(jwk.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_example_of_rfc_7515_verifies() {
        // Appendix A.3.
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        let message = concat!(
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        );
        let signature = URL_SAFE_NO_PAD
            .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
            .unwrap();
        let key = Jwk::read(&jwk).unwrap();
        key.verify("ES256", message.as_bytes(), &signature).unwrap();
        assert_eq!(key.value(), jwk);
        assert_eq!(key.verify("ES256", b"another", &signature).unwrap_err().kind, ProblemKind::Malformed);
        // The same point with its coordinates exchanged is on no curve.
        let off = json!({ "kty": "EC", "crv": "P-256", "x": jwk["y"], "y": jwk["x"] });
        let off = Jwk::read(&off).unwrap().verify("ES256", message.as_bytes(), &signature);
        assert_eq!(off.unwrap_err().kind, ProblemKind::BadPublicKey);
    }

    #[test]
    fn odd_keys_are_refused() {
        let odd = [
            json!({}),
            json!({"kty": "oct", "k": "AA"}),
            json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}),
            json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "e": "AQ"}),
            json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "e": "AQAA"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "AA"}),
        ];
        for jwk in odd {
            assert_eq!(Jwk::read(&jwk).unwrap_err().kind, ProblemKind::BadPublicKey, "{jwk}");
        }
    }
}
