//! The provisioners that a CA lists, as far as they matter here.

use serde_json::Value;

use super::answer::{encrypted_key, unreadable};
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::issue::http::bounded;
use crate::plan::nearest::nearest;

/// As many as a CA gives at once.
const PAGE: usize = 100;
/// More pages than any CA has.
const MOST_PAGES: usize = 100;

/// One of them. What is unknown of it is passed over, and so are types that are unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Provisioner {
    /// `JWK`, `X5C`, `ACME`, `OIDC` and others.
    pub(super) kind: String,
    pub(super) name: String,
    /// The key's identifier, where it has one.
    pub(super) kid: Option<String>,
    /// The key, encrypted with a password, where the list has it.
    pub(super) encrypted_key: Option<String>,
}

/// A page of the list, and where the next one begins.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) provisioners: Vec<Provisioner>,
    pub(super) next: Option<String>,
}

/// What one answer lists.
pub(super) fn page(body: &[u8]) -> Result<Page> {
    let wrong = || unreadable("a list of provisioners");
    let value: Value = serde_json::from_slice(body).map_err(|source| wrong().source(source))?;
    let listed = match value.get("provisioners") {
        Some(Value::Array(listed)) => listed.as_slice(),
        Some(Value::Null) => &[],
        _ => return Err(wrong()),
    };
    let next = value.get("nextCursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
    if next.is_some_and(|cursor| !plain(cursor)) {
        return Err(wrong());
    }
    Ok(Page { provisioners: listed.iter().filter_map(read).collect(), next: next.map(str::to_owned) })
}

fn read(value: &Value) -> Option<Provisioner> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Some(Provisioner {
        kind: text("/type")?,
        name: text("/name")?,
        kid: text("/key/kid"),
        encrypted_key: text("/encryptedKey").filter(|key| !key.is_empty()),
    })
}

/// Whether it can stand in a URL as it is.
fn plain(text: &str) -> bool {
    text.len() <= 512
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'))
}

/// Every provisioner of the CA.
///
/// # Errors
///
/// As [`Session::get`]; `Protocol` for an answer that is no such list, or does not come to an end.
pub(super) fn list(session: &Session<'_>) -> Result<Vec<Provisioner>> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let path = match &cursor {
            Some(cursor) => format!("/provisioners?limit={PAGE}&cursor={cursor}"),
            None => format!("/provisioners?limit={PAGE}"),
        };
        let page = page(&session.get(&path)?.body)?;
        all.extend(page.provisioners);
        match page.next {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => return Ok(all),
        }
    }
    Err(unreadable("a list of provisioners that comes to an end"))
}

/// Those of this name and type: there may be several, with a key each.
///
/// # Errors
///
/// As [`list`]; `NotFound`, with what there is.
pub(super) fn named(name: &str, kind: &str, session: &Session<'_>) -> Result<Vec<Provisioner>> {
    let all = list(session)?;
    let (found, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.name == name && one.kind == kind);
    if !found.is_empty() {
        return Ok(found);
    }
    let shown: Vec<String> =
        others.iter().take(20).map(|one| bounded(&format!("{} ({})", one.name, one.kind))).collect();
    let error = Error::new(ErrorKind::NotFound, "the CA has no provisioner of this name and type")
        .context("provisioner", Public(name))
        .context("type", Public(kind))
        .context("there_are", Public(&shown.join(", ")))
        .context("url", Public(&session.at("")));
    let hint = match others.iter().find(|one| one.name == name) {
        Some(other) if other.kind == "ACME" => {
            format!(
                "it speaks ACME: write `type = \"acme\"` and `directory = \"{}\"`",
                session.at(&format!("/acme/{name}/directory"))
            )
        }
        Some(other) => format!("its type is {}, which is convinced with something else", bounded(&other.kind)),
        None => match nearest(name, others.iter().filter(|one| one.kind == kind).map(|one| one.name.as_str())) {
            Some(near) => format!("write `{}`, if that was meant", bounded(near)),
            None => "write one that there is, or add it with `step ca provisioner add` at the CA".to_owned(),
        },
    };
    Err(error.hint(hint))
}

/// The encrypted key of a provisioner, from the list or by its identifier.
///
/// # Errors
///
/// As [`Session::get`]; `Unsupported` when the CA does not give it out.
pub(super) fn encrypted(provisioner: &Provisioner, session: &Session<'_>) -> Result<String> {
    if let Some(key) = &provisioner.encrypted_key {
        return Ok(key.clone());
    }
    let withheld = || {
        Error::new(ErrorKind::Unsupported, "the CA does not give out the key of this provisioner")
            .context("provisioner", Public(&bounded(&provisioner.name)))
            .hint("name a file with the key in `key_file`")
    };
    let kid = provisioner.kid.as_deref().filter(|kid| plain(kid)).ok_or_else(withheld)?;
    let answer = session
        .get(&format!("/provisioners/{kid}/encrypted-key"))
        .map_err(|error| if error.fact("status") == Some("404") { withheld().source(error) } else { error })?;
    encrypted_key(&answer.body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_unknown_is_passed_over() {
        let listed = json!({ "provisioners": [
            { "type": "JWK", "name": "a", "key": { "kid": "k", "kty": "EC" }, "encryptedKey": "e", "claims": null },
            { "type": "Quantum", "name": "b", "more": [1, 2] },
            { "type": "JWK" },
            "text",
            { "type": "JWK", "name": "c", "key": {}, "encryptedKey": "" },
        ], "nextCursor": "0abc" });
        let page = page(listed.to_string().as_bytes()).unwrap();
        let names: Vec<&str> = page.provisioners.iter().map(|one| one.name.as_str()).collect();
        assert_eq!((names, page.next.as_deref()), (vec!["a", "b", "c"], Some("0abc")));
        assert_eq!(page.provisioners[0].kid.as_deref(), Some("k"));
        assert_eq!(page.provisioners[2].encrypted_key, None);
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for body in [
            "",
            "[]",
            "{}",
            "<html>",
            "\0",
            r#"{"provisioners":{}}"#,
            r#"{"provisioners":[],"nextCursor":"a&b=c"}"#,
            r#"{"provisioners":[],"nextCursor":"a\r\nHost: x"}"#,
        ] {
            assert_eq!(page(body.as_bytes()).unwrap_err().kind(), ErrorKind::Protocol, "{body:?}");
        }
        assert!(page(br#"{"provisioners":null,"nextCursor":""}"#).unwrap().next.is_none());
    }
}
