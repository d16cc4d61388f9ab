//! Encrypted JSON web keys as step-ca keeps those of its provisioners: a JWE (RFC 7516) whose key is wrapped with a password
//! (`PBES2-HS256+A128KW`, RFC 7518 §4.8) and whose content is AES-GCM.

use std::num::NonZeroU32;

use aes_kw::{KeyInit, KwAes128};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::pbkdf2;
use serde_json::Value;
use zeroize::Zeroizing;

use super::jws::from_base64url;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::secret::SecretBytes;

const PASSWORD_BASED: &str = "PBES2-HS256+A128KW";
/// RFC 7518 §4.8.1.2 recommends no fewer. A key that is wrapped with less is as good as lost with its first copy.
const LEAST: u64 = 1_000;
/// Some seconds of work. step-ca takes 100,000, and 600,000 since 2023; who asks for more wants to keep this machine busy.
const MOST: u64 = 10_000_000;
/// RFC 7518 §4.8.1.1 asks for 8 bytes at least.
const SALT: std::ops::RangeInclusive<usize> = 8..=1_024;
/// More than any key.
const LARGEST: usize = 64 * 1_024;

/// What is inside an encrypted key, opened with `password`. `text` is the compact form, or the flattened JSON that the
/// `step` command writes (RFC 7516 §7.1, §7.2.2).
///
/// # Errors
///
/// `Refused` when the password is not the right one; `Unsupported` for other algorithms and for a number of rounds that
/// nobody means; `Unfit` when it is damaged.
pub(crate) fn open(text: &str, password: &[u8]) -> Result<SecretBytes> {
    open_within(text, password, MOST)
}

/// The same with at most so many rounds: who opens many has less time for each.
pub(crate) fn open_within(text: &str, password: &[u8], most: u64) -> Result<SecretBytes> {
    let parts = Parts::read(text).ok_or_else(damaged)?;
    let header: Value = parts.protected().and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(damaged)?;
    let word = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
    if word("alg") != PASSWORD_BASED {
        return Err(unsupported("alg", word("alg")));
    }
    let gcm = match word("enc") {
        "A256GCM" => &AES_256_GCM,
        "A128GCM" => &AES_128_GCM,
        other => return Err(unsupported("enc", other)),
    };
    if header.get("zip").is_some() || header.get("crit").is_some() {
        return Err(unsupported("header", "zip or crit"));
    }
    let rounds = header.get("p2c").and_then(Value::as_u64).ok_or_else(damaged)?;
    if !(LEAST..=most).contains(&rounds) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the encrypted key asks for a number of rounds that nobody means",
        )
        .context("p2c", rounds)
        .context("expected", Public(&format!("{LEAST} to {most}")))
        .hint("make the key of the provisioner again with a current `step`"));
    }
    let rounds = u32::try_from(rounds).ok().and_then(NonZeroU32::new).ok_or_else(damaged)?;
    let salt = from_base64url(word("p2s")).filter(|salt| SALT.contains(&salt.len())).ok_or_else(damaged)?;
    let salt = [PASSWORD_BASED.as_bytes(), &[0], &salt].concat();

    let mut wrapping = Zeroizing::new([0; 16]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password, &mut *wrapping);
    let mut content_key = Zeroizing::new([0; 32]);
    let content_key = content_key.get_mut(..gcm.key_len()).ok_or_else(damaged)?;
    if parts.key.len() != content_key.len() + 8 {
        return Err(damaged());
    }
    // The wrapping has a check of its own (RFC 3394 §2.2.3): with another password it does not hold.
    KwAes128::new(&(*wrapping).into()).unwrap_key(&parts.key, content_key).map_err(|_| wrong_password())?;

    let key = UnboundKey::new(gcm, content_key).map(LessSafeKey::new).map_err(|_| damaged())?;
    let nonce = Nonce::try_assume_unique_for_key(&parts.iv).map_err(|_| damaged())?;
    let mut content = Zeroizing::new([parts.ciphertext, parts.tag].concat());
    let length = key.open_in_place(nonce, Aad::from(parts.text.as_bytes()), &mut content).map_err(|_| damaged())?.len();
    content.truncate(length);
    Ok(content.into())
}

/// The five parts (RFC 7516 §3.1).
struct Parts {
    /// The protected header as it stands there: what is authenticated.
    text: String,
    key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        let text = Some(text.trim()).filter(|text| text.len() <= LARGEST)?;
        let parts: [String; 5] = if text.starts_with('{') {
            let value: Value = serde_json::from_str(text).ok()?;
            let member = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
            // With one recipient alone the key may stand in a list of one.
            let key = member("encrypted_key")
                .or_else(|| Some(value.pointer("/recipients/0/encrypted_key")?.as_str()?.to_owned()))?;
            [member("protected")?, key, member("iv")?, member("ciphertext")?, member("tag")?]
        } else {
            let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
            parts.try_into().ok()?
        };
        let [text, key, iv, ciphertext, tag] = parts;
        let bytes = |text: &str| from_base64url(text);
        Some(Self { key: bytes(&key)?, iv: bytes(&iv)?, ciphertext: bytes(&ciphertext)?, tag: bytes(&tag)?, text })
    }

    fn protected(&self) -> Option<Vec<u8>> {
        from_base64url(&self.text)
    }
}

fn wrong_password() -> Error {
    Error::new(ErrorKind::Refused, "the password does not open the provisioner's key")
        .hint("compare it with the one that the provisioner was made with: `step ca provisioner add` asked for it")
}

fn damaged() -> Error {
    Error::new(ErrorKind::Unfit, "the provisioner's encrypted key is damaged")
        .hint("compare it with `encryptedKey` of the provisioner in the CA's own configuration, `ca.json`")
}

fn unsupported(part: &'static str, value: &str) -> Error {
    let value: String = value.chars().take(100).collect();
    Error::new(ErrorKind::Unsupported, "the provisioner's key is encrypted in a way that is not read here")
        .context(part, Public(&value))
        .hint("make the key again with `step ca provisioner add --create`, which takes `PBES2-HS256+A128KW` and `A256GCM`")
}

#[cfg(test)]
mod tests;
