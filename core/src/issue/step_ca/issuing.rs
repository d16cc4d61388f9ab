//! The client as an issuer.

use std::time::Duration;

use super::client::StepCaClient;
use super::{renew, revoke, sign};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::ground::id::IssuerName;
use crate::ground::time::Window;
use crate::issue::issuer::{Examined, Held, Issued, Issuer, RenewalInfo, Request, RevocationReason};
use crate::pki::check;
use crate::pki::leaf::Certificate;
use crate::pki::trust::Roots;
use crate::place::input;

impl Issuer for StepCaClient {
    fn id(&self) -> &IssuerName {
        &self.name
    }

    /// # Effects
    ///
    /// Network; disk: keeps the CA's roots, and reads what the credential and `roots` name; runs the command that tells a
    /// password or a token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Untrusted`] when the CA's TLS, or the chain that it issued, does not lead to its roots, or its root has
    /// another fingerprint; [`ErrorKind::Refused`] when it does not believe the token, does not allow the names or the
    /// lifetime, or the password does not open the key; [`ErrorKind::NotFound`] when it has no such provisioner;
    /// [`ErrorKind::Network`], [`ErrorKind::Timeout`], [`ErrorKind::Cancelled`]; [`ErrorKind::Protocol`] when an answer cannot
    /// be used; [`ErrorKind::Unsupported`] when the clock is wrong.
    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        let issued = self.with_session(cancel, |session, trusted| {
            check::clock(session.now(), None)?;
            let roots = match &self.wish.roots {
                Some(path) => {
                    let bytes = input::read(&*self.files, path, Roots::MAX_INPUT)?;
                    Roots::from_pem(&bytes).map_err(|error| error.context("path", path.as_path()))?
                }
                None => Roots::from_pem(trusted.iter().map(Certificate::pem).collect::<String>().as_bytes())?,
            };
            let renewed = renew::renewable(request).map(|held| renew::renew(held, request, session));
            let issued = match renewed {
                Some(Err(error)) if may_sign_instead(&error) && self.wish.credential.is_some() => {
                    sign::sign(self, request, session).map(Issued::new).map_err(|signing| after(signing, error))?
                }
                Some(renewed) => renewed?,
                None => Issued::new(sign::sign(self, request, session)?),
            };
            roots.check(&issued.chain, session.there())?;
            Ok(match session.clocks() {
                Some(_) => issued.at(session.there()),
                None => issued,
            })
        });
        issued.map_err(|error| error.in_phase(Phase::Issue))
    }

    fn suggests_renewals(&self) -> bool {
        true
    }

    /// Two thirds into the life, and up to a twentieth of it later: as step-ca's own clients do, since lives of a day and less
    /// are the rule. Where a lifetime is configured, what the CA dates back is no part of the life. Asks nobody.
    fn renewal_info(&self, leaf: &Certificate, cancel: &Cancel) -> Result<Option<RenewalInfo>> {
        cancel.check()?;
        let validity = leaf.window();
        let life = self.wish.lifetime.map_or(validity.length(), |wished| wished.min(validity.length()));
        let start = validity.end.saturating_sub(life / 3);
        // One that has no twentieth in whole seconds has a second.
        let spread = (life / 20).max(Duration::from_secs(1));
        let window = Window::new(start, start.saturating_add(spread));
        Ok(Some(RenewalInfo::new(window, validity.end)))
    }

    /// # Effects
    ///
    /// Network; disk: as for a certificate.
    fn examine(&self, cancel: &Cancel) -> Vec<Examined> {
        self.look(cancel)
    }

    /// # Effects
    ///
    /// Network. A certificate that is revoked already is no error.
    fn revoke(&self, leaf: &Certificate, reason: RevocationReason, cancel: &Cancel) -> Result<()> {
        self.with_session(cancel, |session, _| revoke::by_token(self, leaf, reason, session))
    }

    /// # Effects
    ///
    /// As [`StepCaClient::revoke`]: by a token where one can be made, else by showing the certificate.
    fn revoke_held(&self, held: Held<'_>, reason: RevocationReason, cancel: &Cancel) -> Result<()> {
        self.with_session(cancel, |session, _| match revoke::by_token(self, held.chain().leaf(), reason, session) {
            Err(error) if error.kind() == ErrorKind::Unsupported => revoke::by_holder(held, reason, session),
            done => done,
        })
    }
}

/// Whether a certificate may be signed though it was not renewed: the CA said no, and not that something is wrong.
fn may_sign_instead(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unsupported)
}

/// The error of signing, with why it came to that.
fn after(signing: Error, renewing: Error) -> Error {
    match signing.fact("renewal") {
        Some(_) => signing,
        None => signing.context("renewal", crate::ground::error::Public(&renewing.to_string())),
    }
}
