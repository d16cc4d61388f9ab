//! A certificate that replaces none: `/sign`, for a one-time token.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::StepCaClient;
use super::credential::{self, Signer};
use super::problem::Asked;
use super::session::Session;
use super::{answer, token};
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::Identifier;
use crate::issue::issuer::Request;
use crate::pki::chain::Chain;

/// Have the request signed.
///
/// # Errors
///
/// `InvalidSpec` when there is nothing to convince the CA with, and what the CA says.
pub(super) fn sign(client: &StepCaClient, request: &Request<'_>, session: &Session<'_>) -> Result<Chain> {
    let signer = credential::ready(client, session)?.ok_or_else(|| {
        Error::new(ErrorKind::InvalidSpec, "there is nothing to convince the CA with")
            .hint("write `provisioner` with `password_file`, a certificate, or `token_file`")
    })?;
    let csr = request.csr()?;
    let root = &client.wish.fingerprint;
    if let Signer::Ready(ready) = &signer {
        token::check(ready, request.identifiers(), root, session.there())?;
    }
    let template = template_data(client)?;
    let body = || {
        let mut body = json!({
            "csr": csr.pem(),
            "ott": token::to_sign(&signer, request.identifiers(), csr, root, session)?,
        });
        if let Some(lifetime) = client.wish.lifetime {
            body["notAfter"] = go(lifetime).into();
        }
        if let Some(backdate) = client.wish.backdate {
            body["notBefore"] = format!("-{}", go(backdate)).into();
        }
        if let Some(data) = &template {
            body["templateData"] = data.clone();
        }
        Ok(body)
    };
    let names = || request.identifiers().iter().map(Identifier::to_string).collect::<Vec<_>>().join(", ");
    let answer = session.post(Asked::Sign, "/sign", body).map_err(|error| {
        if error.kind() == ErrorKind::Refused { error.context("identifiers", Public(&names())) } else { error }
    })?;
    answer::chain(&answer.body)
}

fn template_data(client: &StepCaClient) -> Result<Option<Value>> {
    let Some(text) = &client.wish.template_data else { return Ok(None) };
    let value: Option<Value> = serde_json::from_str(text).ok();
    value.filter(Value::is_object).map(Some).ok_or_else(|| {
        Error::new(ErrorKind::InvalidSpec, "`template_data` is no JSON object")
            .hint("write it as `'{ \"name\": \"value\" }'`")
    })
}

/// A span as Go reads it.
fn go(span: Duration) -> String {
    format!("{}s", span.as_secs())
}
