//! A certificate in the place of another one, for whoever holds that one's key.

use serde_json::json;

use super::problem::Asked;
use super::session::Session;
use super::{answer, token};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::issue::issuer::{Held, Issued, Request};
use crate::pki::chain::Chain;
use crate::pki::leaf::Certificate;
use crate::pki::material::Material;

/// The certificate that can be renewed for this request: it is for the same names, and its key is here.
pub(super) fn renewable<'a>(request: &Request<'a>) -> Option<Held<'a>> {
    let held = request.held()?;
    let leaf = held.chain().leaf();
    let same = leaf.identifiers().len() == request.identifiers().len()
        && request.identifiers().iter().all(|wanted| leaf.identifiers().contains(wanted));
    (same && leaf.other_names().is_empty()).then_some(held)
}

/// Renew it, or rekey it when the request has another key.
///
/// # Errors
///
/// `Refused` when the CA does not renew it, and what is wrong on the way.
pub(super) fn renew(held: Held<'_>, request: &Request<'_>, session: &Session<'_>) -> Result<Issued> {
    let held = held.material();
    let keeps = held.chain().leaf().public_key_der() == request.public_key_der();
    if !has_ended(held.chain().leaf(), session) {
        let shown = if keeps { renew_showing(held, session) } else { rekey(held, request, session) };
        match shown {
            Err(error) if not_seen(&error) => {}
            shown => return shown.map(Issued::new),
        }
    }
    // The token is believed by itself: what has ended would break TLS, and what a proxy does not pass on is not seen.
    let answer = session.post_as_bearer(Asked::Renewal, "/renew", || token::to_renew(held, session))?;
    let chain = answer::chain(&answer.body)?;
    if keeps {
        return Ok(Issued::new(chain));
    }
    let renewed = Material::new(held.key().clone(), chain)?;
    match rekey(&renewed, request, session) {
        Ok(chain) => Ok(Issued::new(chain)),
        Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
        // A certificate for the old key is better than none.
        Err(_) => Ok(Issued::with_key(renewed.chain().clone(), renewed.key().clone())),
    }
}

fn renew_showing(held: &Material, session: &Session<'_>) -> Result<Chain> {
    answer::chain(&session.post_showing(Asked::Renewal, "/renew", held, None)?.body)
}

fn rekey(held: &Material, request: &Request<'_>, session: &Session<'_>) -> Result<Chain> {
    let body = json!({ "csr": request.csr()?.pem() });
    answer::chain(&session.post_showing(Asked::Renewal, "/rekey", held, Some(&body))?.body)
}

/// By the CA's clock, or by ours: what either takes for ended is not shown.
fn has_ended(leaf: &Certificate, session: &Session<'_>) -> bool {
    let end = leaf.window().end;
    end < session.there() || end < session.now()
}

/// Whether the CA did not get to see the certificate, because something in between ends TLS.
fn not_seen(error: &Error) -> bool {
    error.fact("said").is_some_and(|said| said.contains("missing client certificate"))
}
