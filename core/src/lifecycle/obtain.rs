//! `issue`: a key, a request, and what the issuer makes of it. The private key stays in this process, and on this disk while
//! an order is in flight.

use super::Lifecycle;
use crate::deploy::attempt::Attempt;
use crate::deploy::prepare::read_material;
use crate::ground::error::{Error, ErrorKind, Phase, Result, Retry};
use crate::ground::id::{Fingerprint, IssuerName};
use crate::ground::time::Timestamp;
use crate::issue::issuer::{Issuer, OrderInFlight, Request};
use crate::pki::key::PrivateKey;
use crate::pki::material::Material;
use crate::place::lineage::LineageDirectory;
use crate::place::order::Order;
use crate::place::schedule::Schedule;
use crate::plan::policy;
use crate::plan::spec::{KeyChange, Spec};

/// Key and chain, and who issued them.
#[derive(Debug)]
pub(super) struct Obtained {
    pub(super) material: Material,
    pub(super) issuer: IssuerName,
}

/// Obtain what the spec wishes for.
pub(super) fn issue(lifecycle: &Lifecycle, attempt: &Attempt<'_>) -> Result<Obtained> {
    attempt.begin(Phase::Issue);
    let spec = attempt.spec;
    let missing =
        || Error::new(ErrorKind::Bug, "a lineage without issuer was to be issued").context("lineage", &spec.name);
    let issuer = spec.issuer.as_ref().and_then(|name| lifecycle.issuers.get(name)).ok_or_else(missing)?;
    let made = obtain(attempt, &**issuer);
    let made = made.map_err(|error| error.in_phase(Phase::Issue).context("lineage", &spec.name));
    remember(attempt, &made)?;
    Ok(Obtained { material: made?, issuer: issuer.id().clone() })
}

fn obtain(attempt: &Attempt<'_>, issuer: &dyn Issuer) -> Result<Material> {
    let kept = kept_key(attempt)?;
    let open = in_flight(attempt, kept.as_ref(), issuer.id())?;
    let resumed = open.is_some();
    let made = ask(attempt, issuer, kept.clone(), open)?;
    let leaf = made.chain().leaf().fingerprint();
    if resumed && attempt.directory.ids()?.iter().any(|id| id.matches(&leaf)) {
        // The order was settled long ago, by a run that died before it could forget it.
        attempt.directory.forget_order()?;
        return ask(attempt, issuer, kept, None);
    }
    Ok(made)
}

/// Ask once, for the key of the order that is open, the one that is kept, or a fresh one.
fn ask(attempt: &Attempt<'_>, issuer: &dyn Issuer, kept: Option<PrivateKey>, open: Option<Order>) -> Result<Material> {
    let spec = attempt.spec;
    let (key, url) = match (open, kept) {
        (Some(order), _) => (order.key, Some(order.url)),
        (None, Some(key)) => (key, None),
        (None, None) => (PrivateKey::generate(spec.key)?, None),
    };
    let orders = Orders { directory: attempt.directory, spec, key: &key, issuer: issuer.id(), url };
    let request = Request::new(&spec.name, &spec.identifiers, &key).kept_in(&orders);
    let issued =
        issuer.issue(&request, &attempt.tools.cancel).inspect_err(|error| close_order(attempt, Some(error)))?;
    Material::new(issued.key.unwrap_or(key), issued.chain)
}

/// The active key, when a renewal shall not bring a fresh one.
fn kept_key(attempt: &Attempt<'_>) -> Result<Option<PrivateKey>> {
    let Some(active) = attempt
        .active
        .as_ref()
        .filter(|active| attempt.spec.key_change == KeyChange::Renew && active.key == attempt.spec.key)
    else {
        return Ok(None);
    };
    let Some(node) = attempt.directory.generation(active.generation)? else { return Ok(None) };
    read_material(attempt, &node, active).map(|material| Some(material.key().clone()))
}

/// The order that an earlier run left with this issuer, when it is for what is wished now. One that nobody wishes for is
/// forgotten; one with another issuer stays until that one is asked, or another order is kept.
fn in_flight(attempt: &Attempt<'_>, kept: Option<&PrivateKey>, issuer: &IssuerName) -> Result<Option<Order>> {
    let Some(order) = attempt.directory.order()? else { return Ok(None) };
    let spec = attempt.spec;
    let key_fits = match kept {
        Some(kept) => kept.public_key_der() == order.key.public_key_der(),
        None => order.key.algorithm() == spec.key,
    };
    if !key_fits || order.identifiers != spec.identifiers || spec.issuer.as_ref() != Some(&order.issuer) {
        attempt.directory.forget_order()?;
        return Ok(None);
    }
    Ok(Some(order).filter(|order| order.issuer == *issuer))
}

/// Where an issuer keeps the order that it works on.
#[derive(Debug)]
struct Orders<'a> {
    directory: &'a LineageDirectory,
    spec: &'a Spec,
    key: &'a PrivateKey,
    issuer: &'a IssuerName,
    /// Of the order that was open before.
    url: Option<String>,
}

impl OrderInFlight for Orders<'_> {
    fn open(&self, issuer: &IssuerName) -> Option<String> {
        self.url.clone().filter(|_| issuer == self.issuer)
    }

    fn keep(&self, issuer: &IssuerName, url: &str) -> Result<()> {
        self.directory.keep_order(&Order {
            issuer: issuer.clone(),
            identifiers: self.spec.identifiers.clone(),
            url: url.to_owned(),
            key: self.key.clone(),
        })
    }
}

/// The order has come to its end, unless it failed for a reason that passes. What cannot be forgotten now is noticed when
/// it is taken up again.
pub(super) fn close_order(attempt: &Attempt<'_>, failed: Option<&Error>) {
    let passes = failed.is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::Network
                | ErrorKind::Timeout
                | ErrorKind::RateLimited
                | ErrorKind::Cancelled
                | ErrorKind::Conflict
                | ErrorKind::Io
                | ErrorKind::Permission
        )
    });
    if !passes {
        let _ = attempt.directory.forget_order();
    }
}

/// Forget the order that this key was for: its certificate is in a generation.
pub(super) fn settle_order(attempt: &Attempt<'_>, key: Fingerprint) {
    if let Ok(Some(order)) = attempt.directory.order()
        && order.key.fingerprint() == key
    {
        close_order(attempt, None);
    }
}

/// A failed issuance makes the next one wait, longer each time; a good one forgets that.
fn remember(attempt: &Attempt<'_>, made: &Result<Material>) -> Result<()> {
    let before = attempt.directory.schedule()?;
    let schedule = match made {
        Ok(_) => Schedule::default(),
        Err(error) if error.kind() == ErrorKind::Cancelled => return Ok(()),
        Err(error) => {
            let failures = before.failures.saturating_add(1);
            let left = attempt.active.as_ref().and_then(|active| active.window.end.since(attempt.now()));
            let own = attempt.now().saturating_add(policy::backoff(failures, left));
            let told = match error.retry_when() {
                Retry::After(time) => time,
                _ => Timestamp::MIN,
            };
            attempt.record("issue_failed", None, Some(error.to_string()));
            Schedule { failures, not_before: Some(own.max(told)) }
        }
    };
    if schedule == before { Ok(()) } else { attempt.directory.write_schedule(&schedule) }
}
