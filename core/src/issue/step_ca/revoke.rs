//! The end of a certificate before its time: `/revoke`, by whoever holds it or by a one-time token.
//!
//! step-ca calls what it does passive: the certificate is not renewed any more, and is in the CRL where there is one.

use serde_json::{Value, json};

use super::client::StepCaClient;
use super::problem::Asked;
use super::session::Session;
use super::{credential, token};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::issue::issuer::{Held, RevocationReason};
use crate::pki::leaf::Certificate;

/// Revoke by a token.
///
/// # Errors
///
/// `Unsupported` when there is nothing that signs tokens for this; what the CA says.
pub(super) fn by_token(
    client: &StepCaClient,
    leaf: &Certificate,
    reason: RevocationReason,
    session: &Session<'_>,
) -> Result<()> {
    let signer = match credential::ready(client, session)? {
        None | Some(credential::Signer::Ready(_)) => {
            return Err(Error::new(ErrorKind::Unsupported, "nobody here can make a token to revoke with")
                .context("issuer", &client.name)
                .context("certificate", leaf.fingerprint())
                .hint("configure `provisioner` with its password, or run `step ca revoke` at the CA"));
        }
        Some(signer) => signer,
    };
    let serial = decimal(leaf.serial_bytes());
    let body = || {
        let mut body = wish(&serial, reason);
        body["ott"] = token::to_revoke(&signer, &serial, &client.wish.fingerprint, session)?.into();
        Ok(body)
    };
    settled(session.post(Asked::Revocation, "/revoke", body).map(drop))
}

/// Revoke by showing the very certificate.
///
/// # Errors
///
/// As [`by_token`].
pub(super) fn by_holder(held: Held<'_>, reason: RevocationReason, session: &Session<'_>) -> Result<()> {
    let serial = decimal(held.chain().leaf().serial_bytes());
    let body = wish(&serial, reason);
    settled(session.post_showing(Asked::Revocation, "/revoke", held.material(), Some(&body)).map(drop))
}

fn wish(serial: &str, reason: RevocationReason) -> Value {
    json!({ "serial": serial, "reasonCode": reason.number(), "reason": reason.word(), "passive": true })
}

/// One that is revoked already is as wished.
fn settled(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if error.fact("said").is_some_and(|said| said.contains("already revoked")) => Ok(()),
        done => done,
    }
}

/// A serial number as the CA counts.
fn decimal(bytes: &[u8]) -> String {
    // Long division, digit by digit: the number has up to 160 bits.
    let mut digits: Vec<u8> = vec![0];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(value % 10).unwrap_or_default();
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_counted_in_tens() {
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[0, 255]), "255");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&u64::MAX.to_be_bytes()), u64::MAX.to_string());
        assert_eq!(decimal(&u128::MAX.to_be_bytes()), u128::MAX.to_string());
    }
}
