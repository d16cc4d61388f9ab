//! Certificates: finalized, fetched with their alternates, revoked (RFC 8555 §7.4, §7.6).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certwright::{Certificate, Identifier, KeyAlgorithm, PrivateKey, Window};
use serde_json::Value;

use crate::acme::authorization::Span;
use crate::acme::csr;
use crate::acme::front::{Asked, Signed};
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
            let why = match status {
                "pending" => "every authorization has to be valid first",
                "invalid" => "it failed or expired: make a new one",
                _ => "an order is finalized once",
            };
            return Err(Problem::new(ProblemKind::OrderNotReady, format!("the order is {status}: {why}")));
        }
        let csr = csr::fit(&decoded(&signed.object()?, "csr")?, &order, &signed.key)?;
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
                let start = order.begin.unwrap_or_else(|| now.saturating_sub(BACKDATED));
                let window = Window::new(start, order.end.unwrap_or_else(|| start.saturating_add(lifetime)));
                let leaf = self
                    .ca
                    .sign(csr.public_key_der(), &order.identifiers, window)
                    .map_err(|error| Problem::new(ProblemKind::BadCsr, error.to_string()))?;
                self.count_certificate(&order.identifiers, order.replaces.as_deref());
                let number = self.certificates.len();
                self.index.add_certificate(&leaf, number);
                let public_key = csr.public_key_der().to_vec();
                self.certificates.push(Certified { leaf, public_key, account: order.account, revoked: None });
                Progress::Valid(number)
            }
        };
        let waits = progress == Progress::Processing;
        if let Some(order) = self.orders.get_mut(number) {
            order.progress = progress;
        }
        let shown = self.show_order(number)?;
        let reply = Reply::json(200, &shown).with("Location", self.site.order(number));
        Ok(if waits { self.patient(reply) } else { reply })
    }

    pub(crate) fn lifetime(&self, profile: Option<&str>) -> std::time::Duration {
        let named = self.settings.profiles.iter().find(|known| Some(known.name.as_str()) == profile);
        named.map_or(self.settings.lifetime, |profile| profile.lifetime)
    }

    pub(crate) fn certificate(
        &self,
        signed: &Signed,
        asked: &Asked<'_>,
        route: &Route,
        faults: &[Fault],
    ) -> Result<Reply, Problem> {
        signed.must_fetch()?;
        let account = signed.account()?;
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
        let mut reply = match form(asked.accept) {
            Some(Form::Chain) => Reply::of(200, CHAIN, pem.into_bytes()),
            Some(Form::Leaf) => {
                let leaf = chain.first().map(|leaf| leaf.der().to_vec()).unwrap_or_default();
                Reply::of(200, LEAF, leaf)
            }
            None => {
                let detail = format!("a certificate comes as {CHAIN} or {LEAF}, not as {:?}", asked.accept);
                return Err(malformed(detail).with_status(406));
            }
        }
        .with("Vary", "Accept");
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
            .ok_or_else(|| {
                let detail = "the reason is one of 0, 1, 3, 4 and 5 (unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation)";
                Problem::new(ProblemKind::BadRevocationReason, detail)
            })?;
        let number = self.certificate_of(&der);
        let number = number.ok_or_else(|| malformed("this server did not issue this certificate").with_status(404))?;
        let Some(certified) = self.certificates.get(number) else { return Err(malformed("no such certificate")) };
        let (owner, own_key) = (certified.account, signed.key.spki() == certified.public_key);
        let allowed = match signed.account {
            None => own_key,
            Some(account) if account == owner => true,
            Some(account) => {
                let identifiers = certified.leaf.identifiers().to_vec();
                self.controls(account, &identifiers)
            }
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

    /// Whether an account has a valid authorization for each of these (RFC 8555 §7.6).
    fn controls(&mut self, account: usize, identifiers: &[Identifier]) -> bool {
        identifiers.iter().all(|wanted| {
            let (identifier, span) = match wanted {
                Identifier::Wildcard(name) => (Identifier::Dns(name.clone()), Span::Wildcard),
                other => (other.clone(), Span::Exact),
            };
            self.valid_authorization(account, &identifier, span, |_| true).is_some()
        })
    }
}

/// RFC 8555 §9.1.
const CHAIN: &str = "application/pem-certificate-chain";
/// RFC 2585 §3: the leaf alone, DER.
const LEAF: &str = "application/pkix-cert";

enum Form {
    Chain,
    Leaf,
}

/// The form that a client likes best of those that there are (RFC 9110 §12.5.1). Of those that it likes as much, the chain.
fn form(accept: &str) -> Option<Form> {
    if accept.trim().is_empty() {
        return Some(Form::Chain);
    }
    let quality = |kind: &str| {
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next()?;
            let closeness = match named {
                "*/*" => 0,
                "application/*" => 1,
                _ if named.eq_ignore_ascii_case(kind) => 2,
                _ => return None,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse::<f32>().ok());
            Some((closeness, quality.unwrap_or_default()))
        });
        ranges.max_by_key(|(closeness, _)| *closeness).map_or(0.0, |(_, quality)| quality)
    };
    let (chain, leaf) = (quality(CHAIN), quality(LEAF));
    match chain >= leaf {
        true if chain > 0.0 => Some(Form::Chain),
        false => Some(Form::Leaf),
        true => None,
    }
}

/// Certificates begin a little before they are made, for clients whose clock is slow.
const BACKDATED: std::time::Duration = std::time::Duration::from_secs(60);

fn decoded(wish: &Value, name: &str) -> Result<Vec<u8>, Problem> {
    let text = wish.get(name).and_then(Value::as_str);
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.ok_or_else(|| malformed(format!("`{name}` is DER in base64url without padding")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_that_is_liked_best() {
        let chosen = |accept: &str| form(accept).map(|form| matches!(form, Form::Chain));
        for chain in
            ["", "*/*", CHAIN, "application/*;q=0.1", "text/html, */*;q=0.5", "application/pkix-cert;q=0.5, */*"]
        {
            assert_eq!(chosen(chain), Some(true), "{chain}");
        }
        for leaf in
            [LEAF, "application/pkix-cert, application/pem-certificate-chain;q=0.9", "*/*;q=0.1, application/pkix-cert"]
        {
            assert_eq!(chosen(leaf), Some(false), "{leaf}");
        }
        for neither in ["text/html", "application/pem-certificate-chain;q=0", "*/*;q=x"] {
            assert_eq!(chosen(neither), None, "{neither}");
        }
    }
}
