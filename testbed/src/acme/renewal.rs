//! Renewal information (RFC 9773).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certwright::{Certificate, Identifier, Window};
use serde_json::{Value, json};

use crate::acme::problem::{Problem, ProblemKind, malformed};
use crate::acme::world::World;
use crate::settings::RenewalInformation;
use crate::wire::reply::Reply;

/// When to ask again, in seconds, where nobody says otherwise (RFC 9773 §4.3.2 recommends six hours).
const ASK_AGAIN: u32 = 21_600;

impl World {
    pub(crate) fn renewal_info(&self, id: &str) -> Result<Reply, Problem> {
        if self.settings.renewal_info == RenewalInformation::Absent {
            return Err(malformed("there is nothing at this URL").with_status(404));
        }
        let number = self.certificate_with(id)?;
        let window = self.suggestion(number);
        let shown = json!({ "suggestedWindow": { "start": window.start.to_string(), "end": window.end.to_string() } });
        Ok(Reply::json(200, &shown).with("Retry-After", ASK_AGAIN.to_string()))
    }

    /// What a test wishes; at once for what was revoked; else two days, two thirds into the life.
    fn suggestion(&self, number: usize) -> Window {
        let Some(certified) = self.certificates.get(number) else { return Window::new(self.now(), self.now()) };
        let life = certified.leaf.window();
        let start = match certified.revoked {
            Some(_) => life.start,
            None => life.start.saturating_add(life.length() / 3 * 2),
        };
        self.suggested.unwrap_or_else(|| Window::new(start, start.saturating_add(life.length() / 45)))
    }

    /// The certificate that an order is to take the place of.
    pub(crate) fn replaced(
        &self,
        wish: &Value,
        account: usize,
        identifiers: &[Identifier],
    ) -> Result<Option<String>, Problem> {
        let Some(replaces) = wish.get("replaces") else { return Ok(None) };
        if self.settings.renewal_info == RenewalInformation::Absent {
            return Err(malformed("`replaces` is not known here"));
        }
        let id = replaces.as_str().ok_or_else(|| malformed("`replaces` is the id of a certificate"))?;
        let number = self.certificate_with(id).map_err(|problem| problem.with_status(400))?;
        let certified = self.certificates.get(number).filter(|certified| certified.account == account);
        let certified = certified.ok_or_else(|| malformed("the certificate to replace is another account's"))?;
        if !certified.leaf.identifiers().iter().any(|identifier| identifiers.contains(identifier)) {
            return Err(malformed("the certificate to replace has no identifier in common with the order"));
        }
        let orders = self.index.replacing(id).iter();
        let alive =
            |number: &&usize| self.orders.get(**number).is_some_and(|order| self.order_status(order) != "invalid");
        match orders.rev().find(alive) {
            Some(number) => {
                let detail = format!("an order replaces this certificate already: {}", self.site.order(*number));
                Err(Problem::new(ProblemKind::AlreadyReplaced, detail))
            }
            None => Ok(Some(id.to_owned())),
        }
    }

    fn certificate_with(&self, id: &str) -> Result<usize, Problem> {
        let serial = id.split_once('.').and_then(|(_, serial)| URL_SAFE_NO_PAD.decode(serial).ok());
        let serial: Option<String> = serial.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        let number = serial.and_then(|serial| self.index.certificate(&serial));
        let leaf = |number: &usize| self.certificates.get(*number).map(|certified| &certified.leaf);
        let number = number.filter(|number| leaf(number).and_then(certificate_id).as_deref() == Some(id));
        number.ok_or_else(|| malformed(format!("there is no certificate with the id `{id}`")).with_status(404))
    }
}

/// RFC 9773 §4.1: the key identifier of the authority and the serial number, each base64url.
pub(crate) fn certificate_id(leaf: &Certificate) -> Option<String> {
    let authority = URL_SAFE_NO_PAD.encode(leaf.authority_key_id()?);
    let serial = leaf.serial();
    let digits: Option<Vec<u8>> =
        (0..serial.len()).step_by(2).map(|at| u8::from_str_radix(serial.get(at..at + 2)?, 16).ok()).collect();
    Some(format!("{authority}.{}", URL_SAFE_NO_PAD.encode(digits?)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use certwright::{Clock, KeyAlgorithm, PrivateKey, SystemClock};

    use super::*;

    #[test]
    fn the_id_is_key_identifier_and_serial_number() {
        let now = SystemClock.now();
        let ca = crate::ca::Ca::new(0, now).unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let window = Window::new(now, now.saturating_add(Duration::from_secs(60)));
        let leaf = ca.sign(key.public_key_der(), &["a.example".parse().unwrap()], window).unwrap();
        let id = certificate_id(&leaf).unwrap();
        let (authority, serial) = id.split_once('.').unwrap();
        let issuer = ca.intermediate(0).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(authority).unwrap(), issuer.subject_key_id().unwrap());
        let digits: String = URL_SAFE_NO_PAD.decode(serial).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, leaf.serial());
    }
}
