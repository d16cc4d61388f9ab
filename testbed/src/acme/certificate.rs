//! Certificates: finalized, fetched with their alternates, revoked (RFC 8555 §7.4, §7.6).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certwright::{Certificate, Csr, Identifier, KeyAlgorithm, PrivateKey, Window};
use serde_json::Value;

use crate::acme::front::Signed;
use crate::acme::mint;
use crate::acme::order::Progress;
use crate::acme::problem::{Problem, ProblemKind, internal, malformed, unauthorized};
use crate::acme::route::Route;
use crate::acme::world::World;
use crate::faults::{Fault, Substitute};
use crate::wire::reply::Reply;

#[derive(Clone, Debug)]
pub(crate) struct Certified {
    pub(crate) leaf: Certificate,
    /// DER of the SubjectPublicKeyInfo that it was asked for.
    pub(crate) public_key: Vec<u8>,
    pub(crate) account: usize,
    /// The number of its reason, when it was revoked (RFC 5280 §5.3.1).
    pub(crate) revoked: Option<u64>,
}

impl World {
    pub(crate) fn finalize(&mut self, signed: &Signed, number: usize, faults: &[Fault]) -> Result<Reply, Problem> {
        let order = self.own_order(signed, number)?.clone();
        let status = self.order_status(&order);
        if status != "ready" {
            let detail =
                format!("the order is {status}; its authorizations have to be valid, and it is finalized once");
            return Err(Problem::new(ProblemKind::OrderNotReady, detail));
        }
        let csr = request(&signed.object()?)?;
        let asked: BTreeSet<&Identifier> = csr.identifiers().iter().collect();
        if asked != order.identifiers.iter().collect() || !csr.other_names().is_empty() {
            return Err(bad_csr("the names in the request are not the identifiers of the order"));
        }
        if csr.public_key_der() == signed.key.spki() {
            return Err(bad_csr("the key of an account must not be the key of a certificate"));
        }
        let stuck = faults.iter().find_map(|fault| match fault {
            Fault::Processing => Some(Progress::Processing),
            Fault::Invalid(problem) => Some(Progress::Invalid(problem.clone())),
            _ => None,
        });
        let progress = match stuck {
            Some(progress) => progress,
            None => {
                let lifetime = self.lifetime(order.profile.as_deref());
                let now = self.now();
                let window =
                    Window::new(now.saturating_sub(BACKDATED), now.saturating_add(lifetime).saturating_sub(BACKDATED));
                let leaf = self
                    .ca
                    .sign(csr.public_key_der(), &order.identifiers, window)
                    .map_err(|error| bad_csr(&error.to_string()))?;
                let public_key = csr.public_key_der().to_vec();
                self.certificates.push(Certified { leaf, public_key, account: order.account, revoked: None });
                Progress::Valid(self.certificates.len() - 1)
            }
        };
        if let Some(order) = self.orders.get_mut(number) {
            order.progress = progress;
        }
        let shown = self.show_order(number)?;
        Ok(Reply::json(200, &shown).with("Location", self.site.order(number)))
    }

    fn lifetime(&self, profile: Option<&str>) -> std::time::Duration {
        let named = self.settings.profiles.iter().find(|known| Some(known.name.as_str()) == profile);
        named.map_or(self.settings.lifetime, |profile| profile.lifetime)
    }

    pub(crate) fn certificate(&self, signed: &Signed, route: &Route, faults: &[Fault]) -> Result<Reply, Problem> {
        signed.must_fetch()?;
        let account = Self::signer(signed)?;
        let missing = || malformed("there is no such certificate").with_status(404);
        let certified = self.certificates.get(route.first).ok_or_else(missing)?;
        if certified.account != account {
            return Err(unauthorized("this is another account's certificate"));
        }
        let root = route.second;
        let intermediate = self.ca.intermediate(root).ok_or_else(missing)?;
        let substitute = faults.iter().find_map(|fault| match fault {
            Fault::Certificate(substitute) => Some(substitute),
            _ => None,
        });
        let mut chain = vec![certified.leaf.clone(), intermediate.clone()];
        if let Some(substitute) = substitute {
            chain = self.substitute(substitute, certified, chain, root).map_err(|error| internal(&error))?;
        }
        let pem: String = chain.iter().map(Certificate::pem).collect();
        let mut reply = Reply::of(200, "application/pem-certificate-chain", pem.into_bytes());
        for other in (0..self.ca.roots().len()).filter(|other| *other != root) {
            let url = self.site.certificate(route.first);
            let url = if other == 0 { url } else { format!("{url}/{other}") };
            reply = reply.with("Link", format!("<{url}>;rel=\"alternate\""));
        }
        Ok(reply)
    }

    fn substitute(
        &self,
        substitute: &Substitute,
        certified: &Certified,
        mut chain: Vec<Certificate>,
        root: usize,
    ) -> certwright::Result<Vec<Certificate>> {
        let leaf = &certified.leaf;
        let own = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let key = certified.public_key.as_slice();
        let other = match substitute {
            Substitute::WrongKey => Some(self.ca.sign(own.public_key_der(), leaf.identifiers(), leaf.window())?),
            Substitute::Names(names) => {
                let names = names.iter().map(|name| name.parse()).collect::<certwright::Result<Vec<_>>>()?;
                Some(self.ca.sign(key, &names, leaf.window())?)
            }
            Substitute::Window(window) => Some(self.ca.sign(key, leaf.identifiers(), *window)?),
            Substitute::ForClients => Some(mint::for_clients(leaf, self.ca.key())?),
            Substitute::ShortKey => {
                for intermediate in chain.iter_mut().skip(1) {
                    *intermediate = mint::with_short_key(intermediate, self.ca.key())?;
                }
                None
            }
            Substitute::NoChain => {
                chain.truncate(1);
                None
            }
            Substitute::Reversed => {
                chain.reverse();
                None
            }
            Substitute::WithRoot => {
                chain.extend(self.ca.roots().get(root).cloned());
                None
            }
            Substitute::Stranger => {
                chain.truncate(1);
                chain.push(self.ca.stranger().clone());
                None
            }
        };
        if let (Some(other), Some(first)) = (other, chain.first_mut()) {
            *first = other;
        }
        Ok(chain)
    }

    pub(crate) fn revoke(&mut self, signed: &Signed) -> Result<Reply, Problem> {
        let wish = signed.object()?;
        let der = decoded(&wish, "certificate")?;
        let reason = wish.get("reason").map_or(Some(0), Value::as_u64);
        let reason = reason
            .filter(|reason| matches!(reason, 0 | 1 | 3 | 4 | 5))
            .ok_or_else(|| Problem::new(ProblemKind::BadRevocationReason, "the reason is one of 0, 1, 3, 4 and 5"))?;
        let number = self.certificates.iter().position(|certified| certified.leaf.der() == der);
        let number = number.ok_or_else(|| malformed("this server did not issue this certificate").with_status(404))?;
        let Some(certified) = self.certificates.get(number) else { return Err(malformed("no such certificate")) };
        let allowed = match signed.account {
            None => signed.key.spki() == certified.public_key,
            Some(account) => account == certified.account || self.controls(account, certified.leaf.identifiers()),
        };
        if !allowed {
            let detail = "a certificate is revoked by its account, by one that has authorizations for all its names, or by its key";
            return Err(unauthorized(detail));
        }
        match self.certificates.get_mut(number) {
            Some(certified) if certified.revoked.is_none() => {
                certified.revoked = Some(reason);
                Ok(Reply::empty(200))
            }
            _ => Err(Problem::new(ProblemKind::AlreadyRevoked, "this certificate was revoked before")),
        }
    }

    fn controls(&self, account: usize, identifiers: &[Identifier]) -> bool {
        let valid = |wanted: &Identifier| {
            let wanted = wanted.to_string();
            let bare = wanted.strip_prefix("*.").unwrap_or(&wanted);
            self.authorizations.iter().any(|have| {
                have.account == account
                    && have.identifier.to_string() == bare
                    && have.status_at(self.now()) == crate::acme::authorization::Status::Valid
            })
        };
        identifiers.iter().all(valid)
    }
}

/// Certificates begin a little before they are made, for clients whose clock is slow.
const BACKDATED: std::time::Duration = std::time::Duration::from_secs(60);

fn request(wish: &Value) -> Result<Csr, Problem> {
    Csr::from_der(&decoded(wish, "csr")?).map_err(|error| bad_csr(&error.to_string()))
}

fn decoded(wish: &Value, name: &str) -> Result<Vec<u8>, Problem> {
    let text = wish.get(name).and_then(Value::as_str);
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.ok_or_else(|| malformed(format!("`{name}` is DER in base64url without padding")))
}

fn bad_csr(detail: &str) -> Problem {
    Problem::new(ProblemKind::BadCsr, detail)
}
