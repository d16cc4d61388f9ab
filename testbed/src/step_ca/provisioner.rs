//! The two provisioners: a key that is encrypted with a password, and a root whose holders are believed.

use aes_kw::{KeyInit, KwAes128};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certwright::{Authority, Chain, Error, ErrorKind, KeyAlgorithm, Material, PrivateKey, Result, Sans, Timestamp};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::acme::jwk::Jwk;
use crate::ca::era;

pub(super) const JWK: &str = "deploy";
pub(super) const X5C: &str = "machines";

/// As old CAs have it, and enough for a test.
const ROUNDS: u32 = 100_000;

pub(super) struct Provisioners {
    pair: EcdsaKeyPair,
    pub(super) public: Value,
    pub(super) kid: String,
    pub(super) key: Jwk,
    pub(super) encrypted: String,
    pub(super) holder: Material,
}

impl std::fmt::Debug for Provisioners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provisioners").field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn bug(what: &'static str) -> Error {
    Error::new(ErrorKind::Bug, what)
}

impl Provisioners {
    pub(super) fn new(password: &str, now: Timestamp) -> Result<Self> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let pkcs8 = key.to_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.expose(), &SystemRandom::new())
            .map_err(|_| bug("a key was made and cannot be used"))?;
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        let mut public =
            json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "use": "sig", "alg": "ES256" });
        let key = Jwk::read(&public).map_err(|_| bug("a key was made and cannot be read"))?;
        let kid = key.thumbprint().to_owned();
        public["kid"] = kid.as_str().into();
        // SEC 1 inside PKCS#8: the scalar stands at a fixed place for this curve.
        let scalar = pkcs8.expose().get(36..68).ok_or_else(|| bug("a key was made and is too short"))?;
        let mut private = public.clone();
        private["d"] = encode(scalar).into();
        let encrypted = encrypted(private.to_string().as_bytes(), password)?;

        let (root_key, holder_key) =
            (PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
        let holders = Authority::load(Authority::root(&root_key, "certwright test bed", &[], era(now))?, &root_key)?;
        let names = Sans::new(vec!["machine.test".parse()?])?;
        let leaf = holders.sign_leaf(holder_key.public_key_der(), &names, era(now))?;
        let holder = Material::new(holder_key, Chain::from_certificates(vec![leaf])?)?;
        Ok(Self { pair, public, kid, key, encrypted, holder })
    }

    /// As `/provisioners` lists them; what no client needs to understand stands between.
    pub(super) fn listed(&self) -> Vec<Value> {
        vec![
            json!({ "type": "JWK", "name": JWK, "key": self.public, "encryptedKey": self.encrypted }),
            json!({ "type": "Unheard-Of", "name": "of-tomorrow", "more": { "is": ["there"] } }),
            json!({ "type": "X5C", "name": X5C, "roots": "" }),
            json!({ "type": "ACME", "name": "acme" }),
        ]
    }

    /// A token that somebody else has made with the key.
    pub(super) fn token(&self, claims: &Value) -> Result<String> {
        let header = json!({ "alg": "ES256", "kid": self.kid, "typ": "JWT" });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).map_err(|_| bug("nothing is signed"))?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The encrypted key as `step` writes it into a file.
    pub(super) fn key_file(&self) -> String {
        let names = ["protected", "encrypted_key", "iv", "ciphertext", "tag"];
        let members: serde_json::Map<String, Value> =
            names.iter().zip(self.encrypted.split('.')).map(|(name, part)| ((*name).to_owned(), part.into())).collect();
        Value::Object(members).to_string()
    }
}

/// RFC 7516 with a password (RFC 7518 §4.8) and AES-GCM.
fn encrypted(content: &[u8], password: &str) -> Result<String> {
    const ALGORITHM: &str = "PBES2-HS256+A128KW";
    let random = SystemRandom::new();
    let (mut salt, mut key, mut iv) = ([0; 16], [0; 32], [0; 12]);
    for bytes in [&mut salt[..], &mut key, &mut iv] {
        random.fill(bytes).map_err(|_| bug("the operating system gave no random numbers"))?;
    }
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({ "alg": ALGORITHM, "cty": "jwk+json", "enc": "A256GCM", "p2c": ROUNDS, "p2s": encode(&salt) });
    let header = encode(header.to_string().as_bytes());
    let mut wrapping = [0; 16];
    let rounds = std::num::NonZeroU32::new(ROUNDS).unwrap_or(std::num::NonZeroU32::MIN);
    let salt = [ALGORITHM.as_bytes(), &[0], &salt].concat();
    ring::pbkdf2::derive(ring::pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut wrapping);
    let mut wrapped = [0; 40];
    KwAes128::new(&wrapping.into()).wrap_key(&key, &mut wrapped).map_err(|_| bug("a key cannot be wrapped"))?;
    let sealing =
        UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new).map_err(|_| bug("a key has a wrong size"))?;
    let mut sealed = content.to_vec();
    let aad = Aad::from(header.as_bytes());
    let tag = sealing
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), aad, &mut sealed)
        .map_err(|_| bug("nothing is sealed"))?;
    let parts = [header, encode(&wrapped), encode(&iv), encode(&sealed), encode(tag.as_ref())];
    Ok(parts.join("."))
}
