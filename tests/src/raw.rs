//! An ACME client with nothing between a test and the wire: what it sends is what the test says, right or wrong.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::http::{Answer, Web};

/// base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A P-256 key that signs as JWS (RFC 7515) has it.
#[derive(Debug)]
pub struct Key(EcdsaKeyPair, Vec<u8>);

impl Key {
    /// A new one.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn new() -> io::Result<Self> {
        let random = SystemRandom::new();
        let failed = |_| io::Error::other("no random numbers");
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        let pair = pair.map_err(|_| io::Error::other("ring made a key that it does not take"))?;
        Ok(Self(pair, pkcs8.as_ref().to_vec()))
    }

    /// The private key, PKCS#8.
    pub fn pkcs8(&self) -> &[u8] {
        &self.1
    }

    /// The public key (RFC 7517).
    pub fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref().get(1..).unwrap_or_default().split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
    }

    /// RFC 7638.
    pub fn thumbprint(&self) -> String {
        // Members in the order of their names, as serde_json writes them.
        encode(digest(&SHA256, self.jwk().to_string().as_bytes()))
    }

    /// A flattened JWS with this protected header.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn sign(&self, header: &[u8], payload: &[u8]) -> io::Result<Value> {
        let (protected, payload) = (encode(header), encode(payload));
        let message = format!("{protected}.{payload}");
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes());
        let signature = signature.map_err(|_| io::Error::other("no random numbers"))?;
        Ok(json!({ "protected": protected, "payload": payload, "signature": encode(signature) }))
    }
}

/// A client of one server.
#[derive(Debug)]
pub struct Raw {
    web: Web,
    directory: Value,
    /// What it signs with.
    pub key: Key,
    /// The URL of its account, once it has one.
    pub account: Option<String>,
}

/// The media type of every signed request (RFC 8555 §6.2).
pub const JOSE: (&str, &str) = ("Content-Type", "application/jose+json");

impl Raw {
    /// One that has read the directory at this URL, of a server that is trusted by these roots (a PEM file).
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn new(directory: &str, trust: &Path) -> io::Result<Self> {
        let rest = directory.strip_prefix("https://").unwrap_or(directory);
        let (address, _) = rest.split_once('/').unwrap_or((rest, ""));
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let web = Web::secure(address, trust)?;
        let directory = serde_json::from_slice(&web.get(path(directory))?.body)?;
        Ok(Self { web, directory, key: Key::new()?, account: None })
    }

    /// Another client of the same server, with a key of its own.
    ///
    /// # Errors
    ///
    /// As [`Key::new`].
    pub fn another(&self) -> io::Result<Self> {
        Ok(Self { web: self.web.clone(), directory: self.directory.clone(), key: Key::new()?, account: None })
    }

    /// A URL of the directory.
    pub fn url(&self, name: &str) -> String {
        self.directory.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A fresh nonce.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn nonce(&self) -> io::Result<String> {
        let answer = self.web.send("HEAD", path(&self.url("newNonce")), &[], b"")?;
        answer.field("Replay-Nonce").map(str::to_owned).ok_or_else(|| io::Error::other(answer.head.clone()))
    }

    /// The protected header of a request as it has to be: with `kid` when there is an account.
    ///
    /// # Errors
    ///
    /// As [`Raw::nonce`].
    pub fn header(&self, url: &str) -> io::Result<Value> {
        let mut header = json!({ "alg": "ES256", "nonce": self.nonce()?, "url": url });
        match &self.account {
            Some(account) => header["kid"] = account.as_str().into(),
            None => header["jwk"] = self.key.jwk(),
        }
        Ok(header)
    }

    /// Whatever a test wishes to send.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub fn send(&self, method: &str, url: &str, fields: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        self.web.send(method, path(url), fields, body)
    }

    /// A signed request as it has to be.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub fn post(&self, url: &str, payload: &str) -> io::Result<Answer> {
        self.post_with(url, &self.header(url)?, payload)
    }

    /// A signed request with another protected header.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub fn post_with(&self, url: &str, header: &Value, payload: &str) -> io::Result<Answer> {
        let body = self.key.sign(header.to_string().as_bytes(), payload.as_bytes())?;
        self.send("POST", url, &[JOSE], body.to_string().as_bytes())
    }

    /// Makes an account.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn register(&mut self) -> io::Result<()> {
        let url = self.url("newAccount");
        let answer = self.post(&url, r#"{"termsOfServiceAgreed":true}"#)?.success(&url)?;
        self.account = answer.field("Location").map(str::to_owned);
        Ok(())
    }

    /// Makes an order for these names: its URL, and what it is.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn order(&self, names: &[&str]) -> io::Result<(String, Value)> {
        let url = self.url("newOrder");
        let answer = self.post(&url, &wish(names).to_string())?.success(&url)?;
        let place = answer.field("Location").unwrap_or_default().to_owned();
        Ok((place, serde_json::from_slice(&answer.body)?))
    }

    /// What is at a URL.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn fetch(&self, url: &str) -> io::Result<Value> {
        Ok(serde_json::from_slice(&self.post(url, "")?.success(url)?.body)?)
    }
}

/// The payload of an order for these names.
pub fn wish(names: &[&str]) -> Value {
    let identifiers: Vec<Value> = names.iter().map(|name| json!({ "type": "dns", "value": name })).collect();
    json!({ "identifiers": identifiers })
}

fn path(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_of_the_members_in_order() {
        let key = Key::new().unwrap();
        let jwk = key.jwk();
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        assert_eq!(key.thumbprint(), encode(digest(&SHA256, text.as_bytes())));
        assert_eq!(path("https://127.0.0.1:1/a/b?c"), "/a/b?c");
    }
}
