//! The account of what was asked of an issuer, kept against its limits: token buckets, as the authorities count. Pure.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::policy::LONGEST_WAIT;
use super::spec::{LimitTable, Rate};
use crate::ground::duration::show;
use crate::ground::name::{DnsName, Identifier, Sans};
use crate::ground::time::Timestamp;
use crate::pki::digest::sha256;

/// What an order is for: authorities let renewals through that they would not let through as something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// A certificate that the issuer does not know a predecessor of.
    New,
    /// The same identifiers again: neither a new order nor a certificate for the domain counts.
    Renewal,
    /// In the place of a certificate that the order names (RFC 9773 §5): nothing counts.
    Replacement,
}

/// What was used, and how long the issuer said to wait.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Ledger {
    pub(crate) buckets: BTreeMap<String, Bucket>,
    pub(crate) waits: BTreeMap<String, Timestamp>,
}

/// One limit of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// When all of it has come back.
    pub(crate) full: Timestamp,
    /// The first moment that nobody was told to come back at: whoever is refused next is told this one.
    pub(crate) queue: Timestamp,
}

/// Why an order is not placed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// When it may be.
    pub(crate) until: Timestamp,
    /// What is used up, in words.
    pub(crate) what: String,
}

/// A limit that an order counts against.
struct Line {
    key: String,
    rate: Rate,
    /// A limit of failures is looked at before an order and used after it failed.
    used: bool,
}

impl Ledger {
    /// Count an order, or say when it may be placed. Whoever is refused is told a moment of its own.
    pub(crate) fn take(
        &mut self,
        table: Option<&LimitTable>,
        errand: Errand,
        identifiers: &Sans,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.may_ask(identifiers, now)?;
        let lines = table.map(|table| lines(table, errand, identifiers)).unwrap_or_default();
        let slots = lines.iter().map(|line| (self.bucket(line, now).free_at(line.rate, now), line));
        let worst = slots.filter(|(slot, _)| *slot > now).max_by_key(|(slot, _)| *slot);
        if let Some((free, line)) = worst {
            let bucket = self.buckets.entry(line.key.clone()).or_insert(Bucket::new(now));
            let horizon = now.saturating_add(line.rate.period);
            // What is farther away than the whole limit was written by a clock that was wrong.
            let queue = Some(bucket.queue).filter(|queue| *queue <= horizon.saturating_add(interval(line.rate)));
            let slot = free.max(queue.unwrap_or(free)).min(horizon);
            bucket.queue = slot.saturating_add(interval(line.rate));
            let what = format!("{}: {} in {}", line.key, line.rate.count, show(line.rate.period));
            return Err(Refusal { until: slot, what });
        }
        for line in lines.iter().filter(|line| line.used) {
            self.spend(line, now);
        }
        Ok(())
    }

    /// Whether the issuer asked to wait with these identifiers.
    pub(crate) fn may_ask(&self, identifiers: &Sans, now: Timestamp) -> Result<(), Refusal> {
        let waits = scopes(identifiers).into_iter().filter_map(|scope| {
            let until = *self.waits.get(&scope)?;
            let wait = until.since(now).filter(|wait| !wait.is_zero() && *wait <= LONGEST_WAIT);
            wait.map(|_| Refusal { until, what: format!("{scope}: the issuer said to wait") })
        });
        waits.max_by_key(|refusal| refusal.until).map_or(Ok(()), Err)
    }

    /// Take back what an order that brought no certificate did not use: certificates, but not the order itself.
    pub(crate) fn give_back(&mut self, table: &LimitTable, errand: Errand, identifiers: &Sans) {
        let kept = |line: &Line| !line.used || line.key == ORDERS;
        for line in lines(table, errand, identifiers).iter().filter(|line| !kept(line)) {
            if let Some(bucket) = self.buckets.get_mut(&line.key) {
                bucket.full = bucket.full.saturating_sub(interval(line.rate));
            }
        }
    }

    /// Count a failed validation of these identifiers.
    pub(crate) fn count_failure<'a>(
        &mut self,
        table: &LimitTable,
        identifiers: impl IntoIterator<Item = &'a Identifier>,
        now: Timestamp,
    ) {
        let Some(rate) = table.failures else { return };
        for identifier in identifiers {
            self.spend(&Line { key: failures_of(identifier), rate, used: true }, now);
        }
    }

    /// Keep in mind that the issuer said to wait. `said` is what it said: a limit that names its domain or its set holds for
    /// that alone, any other for everybody.
    pub(crate) fn wait(&mut self, identifiers: &Sans, said: &str, until: Timestamp) {
        let lower = said.to_ascii_lowercase();
        let mut named: Vec<String> = Vec::new();
        if lower.contains("exact set") {
            named.push(set_of(identifiers));
        } else if !lower.contains("new orders") {
            named.extend(domains(identifiers).into_iter().filter(|domain| mentions(&lower, domain)).map(domain_key));
        }
        if named.is_empty() {
            named.push(EVERYBODY.to_owned());
        }
        for scope in named {
            self.waits.insert(scope, until);
        }
    }

    /// Forget what has come back, so that the account stays as small as what is under way.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        self.buckets.retain(|_, bucket| bucket.full > now || bucket.queue > now);
        self.waits.retain(|_, until| *until > now);
    }

    fn bucket(&self, line: &Line, now: Timestamp) -> Bucket {
        self.buckets.get(&line.key).copied().unwrap_or(Bucket::new(now))
    }

    fn spend(&mut self, line: &Line, now: Timestamp) {
        let bucket = self.buckets.entry(line.key.clone()).or_insert(Bucket::new(now));
        let full = bucket.full.clamp(now, now.saturating_add(line.rate.period));
        bucket.full = full.saturating_add(interval(line.rate)).min(now.saturating_add(line.rate.period));
    }
}

impl Bucket {
    const fn new(now: Timestamp) -> Self {
        Self { full: now, queue: Timestamp::MIN }
    }

    /// When one can be taken: now, or when the next one has come back. A time that is farther away than the whole limit was
    /// written by a clock that was wrong.
    fn free_at(self, rate: Rate, now: Timestamp) -> Timestamp {
        let full = self.full.clamp(now, now.saturating_add(rate.period));
        full.saturating_sub(interval(rate).saturating_mul(rate.count.saturating_sub(1))).max(now)
    }
}

/// How long one takes to come back, in whole seconds, rounded up: we are stricter than the authority.
fn interval(rate: Rate) -> Duration {
    Duration::from_secs(rate.period.as_secs().div_ceil(u64::from(rate.count.max(1))).max(1))
}

const ORDERS: &str = "new orders";
const EVERYBODY: &str = "everything";

fn lines(table: &LimitTable, errand: Errand, identifiers: &Sans) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |key: String, rate: Option<Rate>, used| lines.extend(rate.map(|rate| Line { key, rate, used }));
    if errand == Errand::Replacement {
        return lines;
    }
    add(set_of(identifiers), table.set, true);
    identifiers.iter().for_each(|identifier| add(failures_of(identifier), table.failures, false));
    if errand == Errand::New {
        add(ORDERS.to_owned(), table.orders, true);
        domains(identifiers).into_iter().for_each(|domain| add(domain_key(domain), table.domain, true));
    }
    lines
}

fn scopes(identifiers: &Sans) -> Vec<String> {
    let mut scopes = vec![EVERYBODY.to_owned(), set_of(identifiers)];
    scopes.extend(domains(identifiers).into_iter().map(domain_key));
    scopes
}

/// Whether the text has this name as a word of its own, or as the end of a longer name.
fn mentions(text: &str, domain: &str) -> bool {
    let inside = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '.';
    text.match_indices(domain).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + domain.len()..).unwrap_or_default();
        let after = after.trim_start_matches('.').chars().next();
        before.is_none_or(|before| before == '.' || !inside(before)) && after.is_none_or(|after| !inside(after))
    })
}

fn domain_key(domain: String) -> String {
    format!("certificates for {domain}")
}

fn failures_of(identifier: &Identifier) -> String {
    format!("failed validations of {identifier}")
}

/// The key of a set of identifiers, whatever their order.
fn set_of(identifiers: &Sans) -> String {
    let sorted: BTreeSet<String> = identifiers.iter().map(Identifier::to_string).collect();
    let shown = sorted.first().cloned().unwrap_or_default();
    let text = sorted.into_iter().collect::<Vec<_>>().join(" ");
    let digest = sha256(text.as_bytes()).to_string();
    format!("certificates for this set of names ({shown}, {})", digest.get(..16).unwrap_or_default())
}

/// The registered domains of identifiers; of an address the address itself, and of IPv6 the /64.
fn domains(identifiers: &Sans) -> BTreeSet<String> {
    identifiers
        .iter()
        .map(|identifier| match identifier {
            Identifier::Dns(name) | Identifier::Wildcard(name) => registered(name).to_owned(),
            Identifier::Ip(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Identifier::Ip(address) => address.to_string(),
        })
        .collect()
}

/// The part of a name that was registered, by the public suffix list; a public suffix itself is taken as it is.
#[cfg(feature = "acme")]
fn registered(name: &DnsName) -> &str {
    psl::domain_str(name.as_str()).unwrap_or(name.as_str())
}

/// Without an authority that counts by domain, the list is not carried.
#[cfg(not(feature = "acme"))]
fn registered(name: &DnsName) -> &str {
    name.as_str()
}
