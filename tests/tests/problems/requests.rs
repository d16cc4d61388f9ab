//! Requests that are not in order, and requests for certificates.

use std::io;

use certwright_tests::openssl::printed;
use certwright_tests::raw::{JOSE, Key, encode, wish};
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::pebble::BLOCKED;
use serde_json::{Value, json};

use super::{Pebbles, Provocation, Side, Told, csr};

const ACCOUNT: &str = r#"{"termsOfServiceAgreed":true}"#;

pub(super) const REQUESTS: &[Provocation] = &[
    Provocation {
        what: "an account that was never made",
        kind: "accountDoesNotExist",
        pebbles: Pebbles::Same,
        act: |side| new_account(side, r#"{"onlyReturnExisting":true}"#),
    },
    Provocation {
        what: "a `kid` that is no account",
        kind: "accountDoesNotExist",
        pebbles: Pebbles::Same,
        act: |side| {
            header(side, |header| header["kid"] = format!("{}77", header["kid"].as_str().unwrap_or_default()).into())
        },
    },
    Provocation {
        what: "a nonce that was made up",
        kind: "badNonce",
        pebbles: Pebbles::Same,
        act: |side| header(side, |header| header["nonce"] = "bWFkZSB1cA".into()),
    },
    Provocation {
        what: "a nonce that was used before",
        kind: "badNonce",
        pebbles: Pebbles::Same,
        act: |side| {
            let url = side.raw.url("newOrder");
            let header = side.raw.header(&url)?;
            side.raw.post_with(&url, &header, &wish(&["a.example"]).to_string())?.success(&url)?;
            Ok(Told::heard(&side.raw.post_with(&url, &header, &wish(&["a.example"]).to_string())?))
        },
    },
    Provocation {
        what: "an account key of 1024 bits",
        kind: "badPublicKey",
        pebbles: Pebbles::Other(
            "malformed",
            "Pebble looks at the signature first; no signature is worth anything with such a key",
        ),
        act: |side| {
            let modulus = [&[0xc5; 127][..], &[0x4b]].concat();
            let jwk = json!({ "kty": "RSA", "n": encode(modulus), "e": "AQAB" });
            odd_key(side, &jwk, "RS256")
        },
    },
    Provocation {
        what: "an account key that is no point of its curve",
        kind: "badPublicKey",
        pebbles: Pebbles::Other("malformed", "the key cannot be any client's: RFC 8555 §6.7 has a type for it"),
        act: |side| {
            let jwk = Key::new()?.jwk();
            let off = json!({ "kty": "EC", "crv": "P-256", "x": jwk["y"], "y": jwk["x"] });
            odd_key(side, &off, "ES256")
        },
    },
    Provocation {
        what: "a signature by a shared secret",
        kind: "badSignatureAlgorithm",
        pebbles: Pebbles::Other("malformed", "RFC 8555 §6.2: `badSignatureAlgorithm`, with the list of algorithms"),
        act: |side| header(side, |header| header["alg"] = "HS256".into()),
    },
    Provocation {
        what: "no signature",
        kind: "badSignatureAlgorithm",
        pebbles: Pebbles::Other("malformed", "as above"),
        act: |side| header(side, |header| header["alg"] = "none".into()),
    },
    Provocation {
        what: "a contact of two mail addresses",
        kind: "invalidContact",
        pebbles: Pebbles::Same,
        act: |side| new_account(side, r#"{"termsOfServiceAgreed":true,"contact":["mailto:a@b.example,c@d.example"]}"#),
    },
    Provocation {
        what: "a contact that is a telephone",
        kind: "unsupportedContact",
        pebbles: Pebbles::Same,
        act: |side| new_account(side, r#"{"termsOfServiceAgreed":true,"contact":["tel:+12025551212"]}"#),
    },
    Provocation {
        what: "a body that is no JSON",
        kind: "malformed",
        pebbles: Pebbles::Same,
        act: |side| Ok(Told::heard(&side.raw.send("POST", &side.raw.url("newOrder"), &[JOSE], b"{")?)),
    },
    Provocation {
        what: "another media type",
        kind: "malformed",
        pebbles: Pebbles::Same,
        act: |side| {
            let url = side.raw.url("newOrder");
            let body = side.raw.key.sign(side.raw.header(&url)?.to_string().as_bytes(), b"{}")?.to_string();
            Ok(Told::heard(&side.raw.send("POST", &url, &[("Content-Type", "application/json")], body.as_bytes())?))
        },
    },
    Provocation {
        what: "GET where POST is meant",
        kind: "malformed",
        pebbles: Pebbles::Same,
        act: |side| Ok(Told::heard(&side.raw.send("GET", &side.raw.url("newOrder"), &[], b"")?)),
    },
    Provocation {
        what: "`jwk` and `kid` at a time",
        kind: "malformed",
        pebbles: Pebbles::Same,
        act: |side| {
            let jwk = side.raw.key.jwk();
            header(side, |header| header["jwk"] = jwk.clone())
        },
    },
    Provocation {
        what: "a signature of somebody else",
        kind: "malformed",
        pebbles: Pebbles::Same,
        act: |side| {
            let url = side.raw.url("newOrder");
            let body = Key::new()?.sign(side.raw.header(&url)?.to_string().as_bytes(), b"{}")?.to_string();
            Ok(Told::heard(&side.raw.send("POST", &url, &[JOSE], body.as_bytes())?))
        },
    },
    Provocation {
        what: "`url` of another request",
        kind: "unauthorized",
        pebbles: Pebbles::Other("malformed", "RFC 8555 §6.4: the request is rejected as unauthorized"),
        act: |side| {
            let other = side.raw.url("revokeCert");
            header(side, |header| header["url"] = other.clone().into())
        },
    },
    Provocation {
        what: "an order of another account",
        kind: "unauthorized",
        pebbles: Pebbles::Same,
        act: |side| {
            let (url, _) = side.raw.order(&["a.example"])?;
            let mut other = side.raw.another()?;
            other.register()?;
            Ok(Told::heard(&other.post(&url, "")?))
        },
    },
    Provocation {
        what: "an order by an account that was deactivated",
        kind: "unauthorized",
        pebbles: Pebbles::Same,
        act: |side| {
            let mut other = side.raw.another()?;
            other.register()?;
            let account = other.account.clone().unwrap_or_default();
            other.post(&account, r#"{"status":"deactivated"}"#)?.success(&account)?;
            Ok(Told::heard(&other.post(&other.url("newOrder"), &wish(&["a.example"]).to_string())?))
        },
    },
    Provocation {
        what: "an identifier that is refused by policy",
        kind: "rejectedIdentifier",
        pebbles: Pebbles::Same,
        act: |side| order(side, &wish(&[BLOCKED])),
    },
    Provocation {
        what: "an identifier of another type",
        kind: "unsupportedIdentifier",
        pebbles: Pebbles::Other("malformed", "RFC 8555 §6.7 has a type for it"),
        act: |side| order(side, &json!({ "identifiers": [{ "type": "email", "value": "a@b.example" }] })),
    },
    Provocation {
        what: "an order without identifiers",
        kind: "malformed",
        pebbles: Pebbles::Same,
        act: |side| order(side, &json!({ "identifiers": [] })),
    },
    Provocation {
        what: "finalizing before the authorizations are valid",
        kind: "orderNotReady",
        pebbles: Pebbles::Same,
        act: |side| {
            let (_, order) = side.raw.order(&["a.example"])?;
            side.finalize(&order, &csr(&["a.example"]))
        },
    },
];

pub(super) const CERTIFICATES: &[Provocation] = &[
    Provocation {
        what: "a CSR with another name",
        kind: "badCSR",
        pebbles: Pebbles::Other("unauthorized", "RFC 8555 §7.4: a CSR that does not fit the order is a bad CSR"),
        act: |side| {
            let (_, order) = side.ready("csr1.example")?;
            side.finalize(&order, &csr(&["other.example"]))
        },
    },
    Provocation {
        what: "a CSR with one more name",
        kind: "badCSR",
        pebbles: Pebbles::Other("unauthorized", "as above"),
        act: |side| {
            let (_, order) = side.ready("csr2.example")?;
            side.finalize(&order, &csr(&["csr2.example", "other.example"]))
        },
    },
    Provocation {
        what: "a CSR that is no DER",
        kind: "badCSR",
        pebbles: Pebbles::Other("malformed", "what is sent as a CSR and is none is a bad one"),
        act: |side| {
            let (_, order) = side.ready("csr3.example")?;
            side.finalize(&order, b"no DER")
        },
    },
    Provocation {
        what: "a CSR with a signature of another key",
        kind: "badCSR",
        pebbles: Pebbles::Other("no problem", "Pebble issues: it does not check who holds the key"),
        act: |side| {
            let (_, order) = side.ready("csr4.example")?;
            let mut forged = csr(&["csr4.example"]);
            if let Some(last) = forged.last_mut() {
                *last ^= 1;
            }
            side.finalize(&order, &forged)
        },
    },
    Provocation {
        what: "a CSR for an RSA key of 1024 bits",
        kind: "badCSR",
        pebbles: Pebbles::Other("no problem", "Pebble issues: no public authority does (BR §6.1.5)"),
        act: |side| {
            let (_, order) = side.ready("csr5.example")?;
            side.finalize(&order, &by_openssl(&["rsa:1024"], "/", "csr5.example")?)
        },
    },
    Provocation {
        what: "a CSR for the key of the account",
        kind: "badCSR",
        pebbles: Pebbles::Same,
        act: |side| {
            let (_, order) = side.ready("csr6.example")?;
            let key = certwright::PrivateKey::from_der(side.raw.key.pkcs8()).map_err(io::Error::other)?;
            let names = certwright::Sans::new(vec!["csr6.example".parse().map_err(io::Error::other)?]);
            let csr = names.and_then(|names| certwright::Csr::new(&key, &names)).map_err(io::Error::other)?;
            side.finalize(&order, csr.der())
        },
    },
    Provocation {
        what: "a CSR whose common name is not in the order",
        kind: "badCSR",
        pebbles: Pebbles::Other("no problem", "Pebble issues, and leaves the name out"),
        act: |side| {
            let (_, order) = side.ready("csr7.example")?;
            side.finalize(&order, &by_openssl(&["rsa:2048"], "/CN=other.example", "csr7.example")?)
        },
    },
    Provocation {
        what: "a revocation for a reason that there is not",
        kind: "badRevocationReason",
        pebbles: Pebbles::Same,
        act: |side| revoked(side, "revoked1.example", &[7]),
    },
    Provocation {
        what: "a second revocation",
        kind: "alreadyRevoked",
        pebbles: Pebbles::Same,
        act: |side| revoked(side, "revoked2.example", &[1, 1]),
    },
    Provocation {
        what: "a revocation by a stranger",
        kind: "unauthorized",
        pebbles: Pebbles::Same,
        act: |side| {
            let leaf = issued(side, "revoked3.example")?;
            let mut other = side.raw.another()?;
            other.register()?;
            let wish = json!({ "certificate": encode(leaf) }).to_string();
            Ok(Told::heard(&other.post(&other.url("revokeCert"), &wish)?))
        },
    },
];

fn new_account(side: &Side<'_>, payload: &str) -> io::Result<Told> {
    let other = side.raw.another()?;
    Ok(Told::heard(&other.post(&other.url("newAccount"), payload)?))
}

/// An order with another protected header.
fn header(side: &Side<'_>, change: impl Fn(&mut Value)) -> io::Result<Told> {
    let url = side.raw.url("newOrder");
    let mut header = side.raw.header(&url)?;
    change(&mut header);
    Ok(Told::heard(&side.raw.post_with(&url, &header, &wish(&["a.example"]).to_string())?))
}

/// An account for a key that nobody can sign with.
fn odd_key(side: &Side<'_>, jwk: &Value, algorithm: &str) -> io::Result<Told> {
    let url = side.raw.url("newAccount");
    let header = json!({ "alg": algorithm, "jwk": jwk, "nonce": side.raw.nonce()?, "url": url });
    Ok(Told::heard(&side.raw.post_with(&url, &header, ACCOUNT)?))
}

fn order(side: &Side<'_>, wish: &Value) -> io::Result<Told> {
    Ok(Told::heard(&side.raw.post(&side.raw.url("newOrder"), &wish.to_string())?))
}

/// The DER of a CSR that we would not make.
fn by_openssl(key: &[&str], subject: &str, name: &str) -> io::Result<Vec<u8>> {
    let folder = Scratch::in_memory()?;
    let (out, own) = (folder.join("csr"), folder.join("key"));
    let names = format!("subjectAltName=DNS:{name}");
    let mut words = vec!["req", "-new", "-nodes", "-newkey"];
    words.extend(key);
    words.extend(["-subj", subject, "-addext", &names, "-outform", "DER"]);
    let (out_text, own_text) = (out.display().to_string(), own.display().to_string());
    words.extend(["-out", &out_text, "-keyout", &own_text]);
    printed(words)?;
    std::fs::read(out)
}

/// The DER of a new leaf.
fn issued(side: &Side<'_>, name: &str) -> io::Result<Vec<u8>> {
    let (url, order) = side.ready(name)?;
    side.finalize(&order, &csr(&[name]))?;
    let certificate = certwright_tests::until::until(std::time::Duration::from_secs(30), "a certificate", || {
        let order = side.raw.fetch(&url)?;
        order["certificate"].as_str().map(str::to_owned).ok_or_else(|| io::Error::other(order.to_string()))
    })?;
    let pem = side.raw.post(&certificate, "")?.success(&certificate)?.body;
    let chain = certwright::Chain::from_pem(&pem).map_err(io::Error::other)?;
    Ok(chain.leaf().der().to_vec())
}

/// What the last of these revocations is answered.
fn revoked(side: &Side<'_>, name: &str, reasons: &[u64]) -> io::Result<Told> {
    let leaf = encode(issued(side, name)?);
    let mut told = Told { status: 0, kind: String::new(), detail: String::new() };
    for reason in reasons {
        let wish = json!({ "certificate": leaf, "reason": reason }).to_string();
        told = Told::heard(&side.raw.post(&side.raw.url("revokeCert"), &wish)?);
    }
    Ok(told)
}
