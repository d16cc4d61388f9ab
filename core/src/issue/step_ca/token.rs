//! One-time tokens: JSON web tokens (RFC 7519) that say what may be signed, once and within five minutes.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::credential::Signer;
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::Fingerprint;
use crate::ground::name::{Identifier, Sans};
use crate::ground::time::Timestamp;
use crate::issue::http::bounded;
use crate::pki::csr::Csr;
use crate::pki::digest::sha256;
use crate::pki::jws::{AccountKey, base64, base64url, from_base64url, random};
use crate::pki::material::Material;

/// As long as a token counts.
const LIFE: Duration = Duration::from_secs(300);
/// Who a token of a renewal is by.
const CLIENT: &str = "step-ca-client/1.0";

/// A token by which these names may be signed for this request.
pub(super) fn to_sign(
    signer: &Signer,
    names: &Sans,
    csr: &Csr,
    root: &Fingerprint,
    session: &Session<'_>,
) -> Result<String> {
    let names: Vec<String> = names.iter().map(Identifier::to_string).collect();
    let digest = base64url(sha256(csr.der()).as_bytes());
    let subject = names.first().cloned().unwrap_or_default();
    let claims = json!({ "sub": subject, "sans": names, "cnf": { "x5rt#S256": digest } });
    made(signer, "/1.0/sign", claims, root, session)
}

/// A token by which the certificate with this serial number, in decimal, may be revoked.
pub(super) fn to_revoke(signer: &Signer, serial: &str, root: &Fingerprint, session: &Session<'_>) -> Result<String> {
    made(signer, "/1.0/revoke", json!({ "sub": serial }), root, session)
}

fn made(signer: &Signer, path: &str, mut claims: Value, root: &Fingerprint, session: &Session<'_>) -> Result<String> {
    let mut header = Map::new();
    let audience = session.at(path);
    let (issuer, audience, key) = match signer {
        Signer::Jwk { provisioner, kid, key } => {
            header.insert("kid".to_owned(), kid.as_str().into());
            (provisioner, audience, key)
        }
        Signer::X5c { provisioner, chain, key } => {
            header.insert("x5c".to_owned(), chain.iter().map(|der| base64(der)).collect());
            // Which of several provisioners of a type is meant stands behind the audience.
            (provisioner, format!("{audience}#x5c/{provisioner}"), key)
        }
        Signer::Ready(token) => return Ok(token.clone()),
    };
    claims["iss"] = issuer.as_str().into();
    claims["aud"] = audience.into();
    claims["sha"] = root.to_string().into();
    timed(&mut claims, session.there())?;
    key.token(header, &claims)
}

/// A token by which whoever holds a certificate has it renewed without showing it in TLS.
pub(super) fn to_renew(held: &Material, session: &Session<'_>) -> Result<String> {
    let chain: Value = held.chain().certificates().map(|one| base64(one.der())).collect();
    let header = Map::from_iter([("x5cInsecure".to_owned(), chain)]);
    let mut claims = json!({
        "iss": CLIENT,
        "aud": session.at("/1.0/renew"),
        "sub": held.chain().leaf().common_name().unwrap_or_default(),
    });
    timed(&mut claims, session.there())?;
    AccountKey::new(held.key())?.token(header, &claims)
}

/// From now on, once.
fn timed(claims: &mut Value, now: Timestamp) -> Result<()> {
    let id: String = random::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    claims["jti"] = id.into();
    claims["iat"] = now.unix().into();
    claims["nbf"] = now.unix().into();
    claims["exp"] = now.saturating_add(LIFE).unix().into();
    Ok(())
}

/// What a token says that somebody else has made. Whether it is signed well is for the CA to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The names that may be signed.
    pub(super) names: Vec<String>,
    /// When it ends.
    pub(super) expires: Option<Timestamp>,
    /// The root of the CA that it is for.
    pub(super) root: Option<String>,
}

/// Read a token; `None` when it is none.
pub(super) fn read(token: &str) -> Option<Said> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let claims: Value = serde_json::from_slice(&from_base64url(claims)?).ok()?;
    let subject = claims.get("sub")?.as_str()?.to_owned();
    let names: Vec<String> = match claims.get("sans").and_then(Value::as_array) {
        Some(names) if !names.is_empty() => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => vec![subject],
    };
    let expires = claims.get("exp").and_then(Value::as_i64).map(Timestamp::from_unix);
    Some(Said { names, expires, root: claims.get("sha").and_then(Value::as_str).map(str::to_ascii_lowercase) })
}

/// Whether a token that was brought can be used for these names now: the CA would only say that it does not believe it.
pub(super) fn check(token: &str, names: &Sans, root: &Fingerprint, now: Timestamp) -> Result<()> {
    let unfit = |message: &'static str| Error::new(ErrorKind::Refused, message);
    let said = read(token).ok_or_else(|| {
        unfit("what was brought as a one-time token is none")
            .hint("make one with `step ca token NAME`, and put it into the file with nothing else")
    })?;
    let (mut may, mut want): (Vec<String>, Vec<String>) =
        (said.names, names.iter().map(Identifier::to_string).collect());
    may.sort_unstable();
    want.sort_unstable();
    if may != want {
        return Err(unfit("the one-time token is for other names")
            .context("token", Public(&bounded(&may.join(", "))))
            .context("wanted", Public(&want.join(", ")))
            .hint("make one for these names, with `--san` for each"));
    }
    if said.root.is_some_and(|said| said != root.to_string()) {
        return Err(unfit("the one-time token is for a CA with another root").hint("make one at the configured CA"));
    }
    match said.expires {
        Some(end) if end < now => Err(unfit("the one-time token has expired")
            .context("expired", end)
            .context("there", now)
            .hint("make a fresh one: it counts for five minutes; a key or a command makes one each time")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value) -> String {
        format!("e30.{}.c2ln", base64url(claims.to_string().as_bytes()))
    }

    #[test]
    fn what_cannot_be_used_is_told_before_the_ca_is_asked() {
        let names = Sans::new(vec!["a.example".parse().unwrap(), "b.example".parse().unwrap()]).unwrap();
        let (root, now) = (sha256(b"root"), Timestamp::from_unix(1_795_507_200));
        let good = json!({ "sub": "a.example", "sans": ["b.example", "a.example"], "exp": now.unix() + 1 });
        check(&token(&good), &names, &root, now).unwrap();
        let changed = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            token(&claims)
        };
        for (token, words) in [
            (changed("sans", json!(["a.example"])), "for other names"),
            (changed("sans", json!([])), "for other names"),
            (changed("exp", json!(now.unix() - 1)), "has expired"),
            (changed("sha", json!("00")), "another root"),
            (changed("sub", json!(1)), "is none"),
            ("a.b".to_owned(), "is none"),
            ("a.b.c.d".to_owned(), "is none"),
            (String::new(), "is none"),
        ] {
            let error = check(&token, &names, &root, now).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint_text().is_some());
            assert!(token.is_empty() || !format!("{error:#} {error:?}").contains(&token));
        }
    }
}
