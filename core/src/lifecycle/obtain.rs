//! `issue`: a key, a request, and what an issuer makes of it. The private key stays in this process, and on this disk while
//! an order is in flight.

use std::time::Duration;

use super::Lifecycle;
use super::budget::Budget;
use super::left_answers;
use crate::deploy::attempt::Attempt;
use crate::deploy::prepare::read_material;
use crate::ground::error::{Error, ErrorKind, Phase, Public, Result, Retry};
use crate::ground::id::{Fingerprint, IssuerName};
use crate::ground::time::Timestamp;
use crate::issue::issuer::{Held, Issuer, OrderInFlight, Request};
use crate::issue::solver::Challenge;
use crate::pki::chain::Chain;
use crate::pki::key::PrivateKey;
use crate::pki::leaf::Certificate;
use crate::pki::material::Material;
use crate::place::lineage::LineageDirectory;
use crate::place::order::Order;
use crate::place::schedule::Schedule;
use crate::plan::policy;
use crate::plan::renewal::{ClockCheck, Seed};
use crate::plan::spec::{Form, KeyChange, Spec};

/// Key and chain, and who issued them.
#[derive(Debug)]
pub(super) struct Obtained {
    pub(super) material: Material,
    pub(super) issuer: IssuerName,
    /// Why others, who are wished for more, did not: one sentence each.
    pub(super) passed_over: Vec<String>,
    clock: Option<ClockCheck>,
}

/// Obtain what the spec wishes for, from the first issuer of its list that brings it.
pub(super) fn issue(lifecycle: &Lifecycle, attempt: &Attempt<'_>) -> Result<Obtained> {
    attempt.begin(Phase::Issue);
    let spec = attempt.spec;
    let mut failed: Vec<(&IssuerName, Error)> = Vec::new();
    let mut asked = Asked::Nobody;
    for name in &spec.issuers {
        let issuer = lifecycle.issuers.get(name).ok_or_else(|| without_issuer(spec))?;
        match within_limits(lifecycle, attempt, &**issuer, &mut asked) {
            Ok((material, clock)) => {
                let passed_over =
                    failed.iter().map(|(name, error)| format!("{name} was asked first: {error:#}")).collect();
                return Ok(Obtained { material, issuer: name.clone(), passed_over, clock });
            }
            Err(error) => {
                let goes_on = another_may_not_share(&error);
                failed.push((name, error));
                if !goes_on {
                    break;
                }
            }
        }
    }
    let error = all_of(failed).unwrap_or_else(|| without_issuer(spec));
    let error = error.in_phase(Phase::Issue).context("lineage", &spec.name);
    match asked {
        Asked::Somebody => remember_failure(attempt, &error, policy::backoff, None)?,
        Asked::Nobody => remember_wait(attempt, &error)?,
    }
    Err(error)
}

/// Whether any issuer was asked at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Somebody,
    /// What they let through is used up.
    Nobody,
}

/// Ask, unless the issuer's limits are used up.
fn within_limits(lifecycle: &Lifecycle, attempt: &Attempt<'_>, issuer: &dyn Issuer, asked: &mut Asked) -> Result<Made> {
    let open = attempt.directory.order()?.is_some_and(|order| order.issuer == *issuer.id());
    // An order that is in flight was counted when it was placed.
    let budget = if open { None } else { Some(Budget::take(lifecycle, attempt, issuer)?) };
    *asked = Asked::Somebody;
    obtain(attempt, issuer).map_err(|error| match budget.map(|budget| budget.settle(&error)) {
        Some(Err(fault)) => fault.source(error),
        _ => error,
    })
}

fn without_issuer(spec: &Spec) -> Error {
    Error::new(ErrorKind::Bug, "a lineage without issuer was to be issued").context("lineage", &spec.name)
}

/// Whether another issuer may do what this one did not: it said no or not now, could not be reached, did not see the answer
/// to its challenge, or brought something that cannot be used. What is wrong on this machine is wrong for every issuer.
fn another_may_not_share(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Refused
            | ErrorKind::RateLimited
            | ErrorKind::ChallengeFailed
            | ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::Protocol
            | ErrorKind::Untrusted
            | ErrorKind::Unsupported
            | ErrorKind::Unfit
    )
}

/// One error of all. It may be tried again as soon as one of them may.
fn all_of(mut failed: Vec<(&IssuerName, Error)>) -> Option<Error> {
    let (_, last) = failed.pop()?;
    if failed.is_empty() {
        return Some(last);
    }
    let mut error = Error::new(last.kind(), "no issuer of the list brought a certificate");
    for (name, one) in &failed {
        error = error.context("before", Public(&format!("{name}: {one:#}")));
    }
    let when = |one: &Error| match one.retry_when() {
        Retry::After(time) => time,
        _ => Timestamp::MIN,
    };
    let earliest = failed.iter().map(|(_, one)| when(one)).fold(when(&last), Timestamp::min);
    if earliest > Timestamp::MIN {
        error = error.retry(Retry::After(earliest));
    }
    match last.hint_text().map(str::to_owned) {
        Some(hint) => Some(error.hint(hint).source(last)),
        None => Some(error.source(last)),
    }
}

type Made = (Material, Option<ClockCheck>);

fn obtain(attempt: &Attempt<'_>, issuer: &dyn Issuer) -> Result<Made> {
    let kept = kept_key(attempt)?;
    let open = in_flight(attempt, kept.as_ref(), issuer.id())?;
    let resumed = open.is_some();
    let made = ask(attempt, issuer, kept.clone(), open)?;
    let leaf = made.0.chain().leaf().fingerprint();
    if resumed && attempt.directory.ids()?.iter().any(|id| id.matches(&leaf)) {
        // The order was settled long ago, by a run that died before it could forget it.
        attempt.directory.forget_order()?;
        return ask(attempt, issuer, kept, None);
    }
    Ok(made)
}

/// Ask once, for the key of the order that is open, the one that is kept, or a fresh one.
fn ask(attempt: &Attempt<'_>, issuer: &dyn Issuer, kept: Option<PrivateKey>, open: Option<Order>) -> Result<Made> {
    let spec = attempt.spec;
    let (key, url) = match (open, kept) {
        (Some(order), _) => (order.key, Some(order.url)),
        (None, Some(key)) => (key, None),
        (None, None) => (PrivateKey::generate(spec.key)?, None),
    };
    let replaced = replaced(attempt, issuer.id());
    let orders = Orders { directory: attempt.directory, spec, key: &key, issuer: issuer.id(), url };
    let mut request = Request::new(&spec.name, &spec.identifiers, &key).kept_in(&orders);
    request = match &replaced {
        Some(Replaced::Held(material)) => request.replacing_held(Held::new(material)),
        Some(Replaced::Leaf(leaf)) => request.replacing(leaf),
        None => request,
    };
    let issued =
        issuer.issue(&request, &attempt.tools.cancel).inspect_err(|error| close_order(attempt, Some(error)))?;
    let clock = issued.authority_time.map(|there| ClockCheck { here: attempt.now(), there });
    Ok((Material::new(issued.key.unwrap_or(key), issued.chain)?, clock))
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

/// What is to be replaced.
enum Replaced {
    /// With its key.
    Held(Material),
    /// The certificate alone: its key cannot be read.
    Leaf(Certificate),
}

/// What is active, when this issuer issued it for something that is wished still (RFC 9773 §5). Without it nothing is lost
/// but an exemption, and a renewal that is asked for as if it were a first certificate.
fn replaced(attempt: &Attempt<'_>, issuer: &IssuerName) -> Option<Replaced> {
    let active = attempt.active.as_ref().filter(|active| active.issuer.as_ref() == Some(issuer))?;
    let shared = active.identifiers.iter().any(|one| attempt.spec.identifiers.iter().any(|wished| wished == one));
    let node = attempt.directory.generation(active.generation).ok()?.filter(|_| shared)?;
    match read_material(attempt, &node, active) {
        Ok(material) => Some(Replaced::Held(material)),
        Err(_) => leaf_of(attempt.directory, &node).map(Replaced::Leaf),
    }
}

/// The leaf in a generation.
pub(super) fn leaf_of(
    directory: &LineageDirectory,
    generation: &crate::place::filesystem::Node,
) -> Option<Certificate> {
    let bytes = directory.read(generation, Form::Leaf.file_name()).ok()??;
    Chain::from_pem(&bytes).ok().map(|chain| chain.leaf().clone())
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
    if !key_fits || order.identifiers != spec.identifiers || !spec.issuers.contains(&order.issuer) {
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

    fn giving(&self, issuer: &IssuerName, answers: &[Challenge]) -> Result<()> {
        left_answers::given(self.directory, issuer, answers)
    }

    fn taken(&self, issuer: &IssuerName, answers: &[Challenge], errors: &[(Challenge, Error)]) -> Result<()> {
        left_answers::taken(self.directory, issuer, answers, errors)
    }
}

/// The order has come to its end, unless it failed for a reason that passes. What cannot be forgotten now is noticed when
/// it is taken up again.
fn close_order(attempt: &Attempt<'_>, failed: Option<&Error>) {
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
pub(super) fn forget_order_of(attempt: &Attempt<'_>, key: Fingerprint) {
    if let Ok(Some(order)) = attempt.directory.order()
        && order.key.fingerprint() == key
    {
        close_order(attempt, None);
    }
}

/// What was obtained is in a generation, or failed the proof: the order is over either way. An issuer that brings what
/// cannot be used is not asked again at once.
pub(super) fn settle(attempt: &Attempt<'_>, obtained: &Obtained, failed: Option<&Error>) -> Result<()> {
    close_order(attempt, failed);
    if let Some(error) = failed {
        return remember_failure(attempt, error, policy::costly_backoff, obtained.clock);
    }
    let before = attempt.directory.schedule()?;
    let after = before.after_issuance(attempt.now(), obtained.clock);
    if after == before { Ok(()) } else { attempt.directory.write_schedule(&after) }
}

/// Nobody was asked: the next try is when a limit lets it through.
fn remember_wait(attempt: &Attempt<'_>, error: &Error) -> Result<()> {
    let Retry::After(until) = error.retry_when() else {
        return remember_failure(attempt, error, policy::backoff, None);
    };
    let before = attempt.directory.schedule()?;
    let why = Some(format!("{error:#}"));
    attempt.directory.write_schedule(&Schedule { not_before: Some(until), why, ..before })
}

/// A failed issuance makes the next one wait, longer each time.
fn remember_failure(
    attempt: &Attempt<'_>,
    error: &Error,
    backoff: fn(u32, Option<Duration>) -> Duration,
    clock: Option<ClockCheck>,
) -> Result<()> {
    if error.kind() == ErrorKind::Cancelled {
        return Ok(());
    }
    let before = attempt.directory.schedule()?;
    let failures = before.failures.saturating_add(1);
    let left = attempt.active.as_ref().and_then(|active| active.window.end.since(attempt.now()));
    let seed = Seed::new(attempt.tools.machine, &attempt.spec.name);
    let own = attempt.now().saturating_add(policy::scattered(backoff(failures, left), seed, failures));
    let told = match error.retry_when() {
        Retry::After(time) => time,
        _ => Timestamp::MIN,
    };
    attempt.record("issue_failed", None, Some(error.to_string()));
    let why = Some(format!("{error:#}"));
    let clock = clock.or(before.clock);
    attempt.directory.write_schedule(&Schedule { failures, not_before: Some(own.max(told)), why, clock, ..before })
}
