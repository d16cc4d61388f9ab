//! Whether the CA can be used: one finding after the other, up to the first that makes the next impossible.

use super::client::StepCaClient;
use super::credential::{self, Signer};
use super::session::Session;
use super::{answer, provisioner, token};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::issue::call::apart;
use crate::issue::issuer::{Examined, clocks};
use crate::plan::spec::StepCredential;

impl StepCaClient {
    /// Look at trust, health, clock and provisioner, in this order.
    pub(super) fn look(&self, cancel: &Cancel) -> Vec<Examined> {
        let looked = apart("certwright-step-ca", || {
            let mut found = Vec::new();
            self.look_on(cancel, &mut found);
            Ok(found)
        });
        looked.unwrap_or_else(|error| vec![Examined::new("trust", Err(error))])
    }

    fn look_on(&self, cancel: &Cancel, found: &mut Vec<Examined>) {
        let mut note = |what: &'static str, finding: Result<String>| {
            let good = finding.is_ok();
            found.push(Examined::new(what, finding.map_err(|error| self.own(error))));
            good
        };
        let session = match self.session(cancel) {
            Ok(session) => session,
            Err(error) => {
                note("trust", Err(error));
                return;
            }
        };
        let trusted = self.trusted(&session).map(|roots| match roots.as_slice() {
            [only] => format!("one root, {}", only.fingerprint()),
            several => format!("{} roots while the CA changes from one to another", several.len()),
        });
        if !note("trust", trusted) || !note("health", health(&session)) {
            return;
        }
        note("clock", clocks(session.clocks()));
        note("provisioner", self.provisioner(&session));
    }

    fn provisioner(&self, session: &Session<'_>) -> Result<String> {
        let (name, kind) = match &self.wish.credential {
            None => return Ok("none is configured: certificates are renewed, and no first one is signed".to_owned()),
            Some(StepCredential::Jwk(wish)) => (&wish.provisioner, "JWK"),
            Some(StepCredential::X5c(wish)) => (&wish.provisioner, "X5C"),
            Some(StepCredential::Token(_)) => {
                let Some(Signer::Ready(ready)) = credential::ready(self, session)? else {
                    return Err(Error::new(ErrorKind::Bug, "a token was read, and is none"));
                };
                let said = token::read(&ready).ok_or_else(|| {
                    Error::new(ErrorKind::Unfit, "what was brought as a one-time token is none")
                        .hint("make one with `step ca token NAME`")
                })?;
                return Ok(format!("a one-time token for {}", said.names.join(", ")));
            }
        };
        let found = provisioner::named(name, kind, session)?;
        let kid = match credential::ready(self, session)? {
            Some(Signer::Jwk { kid, .. }) => Some(kid),
            _ => None,
        };
        match kid {
            Some(kid) if !found.iter().any(|one| one.kid.as_ref() == Some(&kid)) => {
                Err(Error::new(ErrorKind::Refused, "the CA knows this provisioner with another key")
                    .context("key", crate::ground::error::Public(&kid))
                    .hint("name the file with the key that the CA has, or leave `key_file` out to have it fetched"))
            }
            Some(_) => Ok(format!("`{name}` ({kind}), and its key is opened")),
            None => Ok(format!("`{name}` ({kind})")),
        }
    }
}

fn health(session: &Session<'_>) -> Result<String> {
    if !answer::is_well(&session.get("/health")?.body) {
        return Err(answer::unreadable("that it is well"));
    }
    // An old or a small CA may not tell its version.
    let version = session.get("/version").ok().and_then(|answer| answer::version(&answer.body));
    Ok(version.map_or_else(|| "it is well".to_owned(), |version| format!("it is well, version {version}")))
}
