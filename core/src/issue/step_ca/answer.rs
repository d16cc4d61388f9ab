//! What the CA answers, read: JSON with certificates in PEM inside.

use serde_json::Value;

use crate::ground::error::{Error, ErrorKind, Result};
use crate::issue::http::bounded;
use crate::pki::chain::{self, Chain};
use crate::pki::leaf::Certificate;

/// More roots than a CA has while it changes from one to the next.
const MOST_ROOTS: usize = 16;
/// More certificates than a chain has.
const MOST_LINKS: usize = 10;

/// Whether it says that it is well (`/health`).
pub(super) fn is_well(body: &[u8]) -> bool {
    let status = read(body).and_then(|value| value.get("status")?.as_str().map(str::to_owned));
    status.as_deref() == Some("ok")
}

/// What it says of its version (`/version`).
pub(super) fn version(body: &[u8]) -> Option<String> {
    let version = read(body)?.get("version")?.as_str().map(bounded)?;
    (!version.is_empty()).then_some(version)
}

/// The root of a fingerprint (`/root/{fingerprint}`).
pub(super) fn root(body: &[u8]) -> Result<Certificate> {
    let value = read(body).ok_or_else(|| unreadable("a root"))?;
    let pem = value.get("ca").and_then(Value::as_str).ok_or_else(|| unreadable("a root"))?;
    one(pem).ok_or_else(|| unreadable("a root"))
}

/// Every root (`/roots`, `/federation`): at least one, and CAs all of them.
pub(super) fn roots(body: &[u8]) -> Result<Vec<Certificate>> {
    let wrong = || unreadable("a list of roots");
    let value = read(body).ok_or_else(wrong)?;
    let listed = value.get("crts").and_then(Value::as_array).ok_or_else(wrong)?;
    if listed.is_empty() || listed.len() > MOST_ROOTS {
        return Err(wrong().context("roots", listed.len()));
    }
    let mut roots: Vec<Certificate> = Vec::new();
    for pem in listed {
        let root = pem.as_str().and_then(one).filter(Certificate::is_ca).ok_or_else(wrong)?;
        if !roots.iter().any(|known| known.der() == root.der()) {
            roots.push(root);
        }
    }
    Ok(roots)
}

/// What was issued (`/sign`, `/renew`, `/rekey`): `certChain`, or `crt` and `ca` of an old CA.
pub(super) fn chain(body: &[u8]) -> Result<Chain> {
    let wrong = || unreadable("a certificate");
    let value = read(body).ok_or_else(wrong)?;
    let texts: Vec<&str> = match value.get("certChain").and_then(Value::as_array) {
        Some(links) if !links.is_empty() => links.iter().filter_map(Value::as_str).collect(),
        _ => ["crt", "ca"].iter().filter_map(|name| value.get(name)?.as_str()).collect(),
    };
    if texts.is_empty() || texts.len() > MOST_LINKS {
        return Err(wrong());
    }
    let links = texts.into_iter().map(|pem| one(pem).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
    Chain::from_certificates(links).map_err(|source| wrong().source(source))
}

/// The encrypted key of a provisioner (`/provisioners/{kid}/encrypted-key`).
pub(super) fn encrypted_key(body: &[u8]) -> Result<String> {
    let key = read(body).and_then(|value| value.get("key")?.as_str().map(str::to_owned));
    key.filter(|key| !key.is_empty()).ok_or_else(|| unreadable("an encrypted key"))
}

fn read(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().filter(Value::is_object)
}

/// The one certificate in a PEM text.
fn one(pem: &str) -> Option<Certificate> {
    let mut found = chain::certificates(pem.as_bytes()).ok()?;
    found.pop().filter(|_| found.is_empty())
}

pub(super) fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the CA's answer is not {what}"))
        .hint("see with `curl` what answers at the configured `url`: it may be no step-ca, or a proxy in between")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pki::forge::Family;

    fn bytes(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    #[test]
    fn roots_are_all_of_them_and_cas() {
        let (one, other) = (Family::new(&["a.example"]), Family::new(&["a.example"]));
        let listed = json!({ "crts": [one.root.pem(), other.root.pem(), one.root.pem()] });
        assert_eq!(roots(&bytes(&listed)).unwrap(), [one.root.clone(), other.root.clone()]);
        for wrong in [
            json!({}),
            json!([]),
            json!({ "crts": [] }),
            json!({ "crts": {} }),
            json!({ "crts": [1] }),
            json!({ "crts": ["\0"] }),
            json!({ "crts": [one.root.pem(), ""] }),
            json!({ "crts": [one.leaf.pem()] }),
            json!({ "crts": [format!("{}{}", one.root.pem(), other.root.pem())] }),
            json!({ "crts": vec![one.root.pem(); 17] }),
        ] {
            let error = roots(&bytes(&wrong)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{wrong}");
            assert!(error.hint_text().is_some());
        }
    }

    #[test]
    fn a_chain_is_taken_whole_and_in_both_forms() {
        let family = Family::new(&["a.example"]);
        let (leaf, above) = (family.leaf.pem(), family.intermediate.pem());
        let chains = [
            json!({ "crt": leaf, "ca": above, "certChain": [leaf, above] }),
            json!({ "crt": leaf, "ca": above }),
            json!({ "crt": leaf, "ca": above, "certChain": [] }),
        ];
        for one in &chains {
            let chain = chain(&bytes(one)).unwrap();
            assert_eq!((chain.leaf(), chain.intermediates().len()), (&family.leaf, 1));
        }
        for wrong in [json!({}), json!({ "certChain": ["<html>"] }), json!({ "certChain": vec![leaf; 11] }), json!("x")]
        {
            assert_eq!(chain(&bytes(&wrong)).unwrap_err().kind(), ErrorKind::Protocol, "{wrong}");
        }
    }

    #[test]
    fn only_a_well_ca_is_well() {
        assert!(is_well(br#"{"status":"ok"}"#));
        for body in [&b""[..], b"ok", b"{}", br#"{"status":"OK"}"#, br#"{"status":1}"#, b"<html>", b"\0"] {
            assert!(!is_well(body));
        }
    }
}
