//! Declaring a certificate invalid before its time (RFC 8555 §7.6).

use serde_json::json;

use super::account::Account;
use super::directory::Directory;
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::issue::issuer::RevocationReason;
use crate::pki::jws::{By, base64url};
use crate::pki::leaf::Certificate;

/// Revoke, signed by the account that ordered it. What is revoked already stays so.
pub(super) fn revoke(
    leaf: &Certificate,
    reason: RevocationReason,
    session: &Session<'_>,
    account: &Account,
    directory: &Directory,
) -> Result<()> {
    let Some(url) = &directory.revoke else {
        return Err(Error::new(ErrorKind::Unsupported, "the authority does not revoke certificates")
            .context("certificate", leaf.fingerprint())
            .hint("replace the certificate and its key with `certwright apply`"));
    };
    let mut payload = json!({ "certificate": base64url(leaf.der()) });
    // Without a reason the revocation has none: "unspecified" is better left out (RFC 5280 §5.3.1).
    if let (Some(members), number @ 1..) = (payload.as_object_mut(), reason.number()) {
        members.insert("reason".to_owned(), number.into());
    }
    let by = By::Account(&account.facts.url);
    match session.post("revocation", &account.key, by, url, payload.to_string().as_bytes()) {
        Ok(_) => Ok(()),
        Err(error) if error.fact("problem") == Some("alreadyRevoked") => Ok(()),
        Err(error) => Err(error.context("certificate", leaf.fingerprint())),
    }
}
