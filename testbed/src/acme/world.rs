//! Everything that the server knows. One concept a file: each adds what it does to the world.

use std::sync::Arc;

use certwright::{Clock, Result, Timestamp, Window};
use serde_json::{Value, json};

use crate::acme::account::Account;
use crate::acme::authorization::Authorization;
use crate::acme::certificate::Certified;
use crate::acme::front::{Asked, Signed};
use crate::acme::index::Index;
use crate::acme::limit::Buckets;
use crate::acme::nonce::Nonces;
use crate::acme::order::Order;
use crate::acme::problem::{Problem, malformed};
use crate::acme::route::{Endpoint, Route, Site};
use crate::acme::validate::Job;
use crate::ca::Ca;
use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::faults::{Fault, Faults};
use crate::log::Log;
use crate::settings::{RenewalInformation, Settings};
use crate::wire::reply::Reply;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) site: Site,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) dice: Dice,
    pub(crate) nonces: Nonces,
    pub(crate) ca: Ca,
    pub(crate) log: Log,
    pub(crate) accounts: Vec<Account>,
    pub(crate) orders: Vec<Order>,
    pub(crate) authorizations: Vec<Authorization>,
    pub(crate) certificates: Vec<Certified>,
    /// What a test wants to be suggested for every certificate.
    pub(crate) suggested: Option<Window>,
    /// Challenges to look at, once the lock is open.
    pub(crate) jobs: Vec<Job>,
    pub(crate) index: Index,
    pub(crate) buckets: Buckets,
    /// What goes wrong.
    pub(crate) script: Faults,
    /// Whether something happened that is worth keeping since somebody looked last.
    pub(crate) changed: bool,
}

impl World {
    pub(crate) fn new(settings: Settings, site: Site, clock: Arc<VirtualClock>) -> Result<Self> {
        let ca = Ca::new(settings.alternates, clock.now())?;
        Ok(Self {
            dice: Dice::new(settings.seed),
            script: Faults::new(settings.seed),
            settings,
            site,
            clock,
            nonces: Nonces::default(),
            ca,
            log: Log::default(),
            accounts: Vec::new(),
            orders: Vec::new(),
            authorizations: Vec::new(),
            certificates: Vec::new(),
            suggested: None,
            jobs: Vec::new(),
            index: Index::default(),
            changed: true,
            buckets: Buckets::default(),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What is answered, with the fields that every answer has.
    pub(crate) fn answer(&mut self, asked: &Asked<'_>, route: &Route, faults: &[Fault]) -> (Reply, Option<Vec<u8>>) {
        let mut payload = None;
        let outcome = self.dispatch(asked, route, faults, &mut payload);
        let mut reply = outcome.unwrap_or_else(Reply::from).with("Cache-Control", "public, max-age=0, no-cache");
        if route.endpoint != Endpoint::Directory {
            reply = reply.with("Link", format!("<{}>;rel=\"index\"", self.site.at("directory")));
        }
        self.changed |= asked.method == "POST";
        if asked.method == "POST" || route.endpoint == Endpoint::NewNonce {
            let nonce = self.nonces.give(&mut self.dice);
            reply = reply.with("Replay-Nonce", nonce);
        }
        (reply, payload)
    }

    fn dispatch(
        &mut self,
        asked: &Asked<'_>,
        route: &Route,
        faults: &[Fault],
        payload: &mut Option<Vec<u8>>,
    ) -> std::result::Result<Reply, Problem> {
        let refusal = faults.iter().find_map(|fault| match fault {
            Fault::Refuse(problem) => Some(problem.clone()),
            _ => None,
        });
        if let Some(refusal) = refusal.clone().filter(|_| asked.method != "POST") {
            return Err(refusal);
        }
        match (route.endpoint, asked.method) {
            (Endpoint::Unknown, _) => return Err(malformed("there is nothing at this URL").with_status(404)),
            // hyper leaves the body of an answer to HEAD out (RFC 9110 §9.3.2).
            (Endpoint::Directory, "GET" | "HEAD") => return Ok(self.directory()),
            (Endpoint::NewNonce, "HEAD") => return Ok(Reply::empty(200)),
            (Endpoint::NewNonce, "GET") => return Ok(Reply::empty(204)),
            (Endpoint::RenewalInfo, "GET" | "HEAD") => return self.renewal_info(&route.text),
            (Endpoint::Directory | Endpoint::NewNonce | Endpoint::RenewalInfo, _) => return Err(method("GET, HEAD")),
            (_, "POST") => {}
            _ => return Err(method("POST")),
        }
        let signed = self.open(asked, route.endpoint, faults)?;
        *payload = Some(signed.jws.payload.clone());
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        self.perform(&signed, asked, route, faults)
    }

    /// Does what somebody has asked for with a good signature.
    pub(crate) fn perform(
        &mut self,
        signed: &Signed,
        asked: &Asked<'_>,
        route: &Route,
        faults: &[Fault],
    ) -> std::result::Result<Reply, Problem> {
        match route.endpoint {
            Endpoint::NewAccount => self.new_account(signed, asked.from),
            Endpoint::Account => self.account(signed, route.first),
            Endpoint::Orders => self.orders_of(signed, route.first, route.second),
            Endpoint::KeyChange => self.key_change(signed),
            Endpoint::NewOrder => self.new_order(signed),
            Endpoint::NewAuthorization => self.new_authorization(signed),
            Endpoint::Order => self.order(signed, route.first),
            Endpoint::Finalize => self.finalize(signed, route.first, faults),
            Endpoint::Authorization => self.authorization(signed, route.first),
            Endpoint::Challenge => self.challenge(signed, route.first, route.second),
            Endpoint::Certificate => self.certificate(signed, asked, route, faults),
            Endpoint::RevokeCertificate => self.revoke(signed),
            Endpoint::Directory | Endpoint::NewNonce | Endpoint::RenewalInfo | Endpoint::Unknown => {
                Err(malformed("there is nothing at this URL").with_status(404))
            }
        }
    }

    fn directory(&self) -> Reply {
        let mut directory = json!({
            "newNonce": self.site.at("new-nonce"),
            "newAccount": self.site.at("new-account"),
            "newOrder": self.site.at("new-order"),
            "newAuthz": self.site.at("new-authorization"),
            "revokeCert": self.site.at("revoke-certificate"),
            "keyChange": self.site.at("key-change"),
            "meta": { "externalAccountRequired": !self.settings.external_accounts.is_empty() },
        });
        if self.settings.renewal_info == RenewalInformation::Offered {
            directory["renewalInfo"] = self.site.at("renewal-info").into();
        }
        if let Some(terms) = &self.settings.terms {
            directory["meta"]["termsOfService"] = terms.as_str().into();
        }
        if let Some(name) = &self.settings.caa {
            directory["meta"]["caaIdentities"] = json!([name.as_str()]);
        }
        if !self.settings.profiles.is_empty() {
            let profiles = self.settings.profiles.iter();
            directory["meta"]["profiles"] =
                profiles.map(|profile| (profile.name.clone(), Value::from(profile.description.clone()))).collect();
        }
        Reply::json(200, &directory)
    }
}

fn method(right: &str) -> Problem {
    malformed(format!("this is asked for with {right}")).with_status(405).with_header("Allow", right)
}

#[cfg(test)]
mod tests;
