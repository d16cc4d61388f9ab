//! What a client did, told afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::acme::route::Endpoint;
use crate::acme::world::World;
use crate::dns::faults::Operation;
use crate::dns::log::NameEntry;
use crate::log::Entry;

/// What clients did at a test bed: everything that it remembers, in order.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Story {
    /// The accounts.
    pub accounts: Vec<AccountTold>,
    /// The orders.
    pub orders: Vec<OrderTold>,
    /// The certificates.
    pub certificates: Vec<CertificateTold>,
    /// How often each endpoint was asked, by its name.
    pub requests: BTreeMap<String, usize>,
    /// The problems that were sent.
    pub problems: Vec<ProblemTold>,
    /// What the name server was asked; empty where there is none.
    pub queries: Vec<QueryTold>,
    /// The dynamic updates that the name server was sent.
    pub updates: Vec<QueryTold>,
    /// Requests that a better client does not make.
    pub wasted: Wasted,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountTold {
    /// `valid`, `deactivated` or `revoked`.
    pub status: String,
    /// Its contacts.
    pub contact: Vec<String>,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderTold {
    /// What it is for.
    pub identifiers: Vec<String>,
    /// What became of it (RFC 8555 §7.1.6).
    pub status: String,
    /// The challenges that the client chose.
    pub challenges: Vec<ChallengeTold>,
    /// Why it failed.
    pub error: Option<String>,
}

/// One challenge that a client said it had answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChallengeTold {
    /// What it is about, with its asterisk.
    pub identifier: String,
    /// `http-01`, `dns-01` and so on.
    pub kind: String,
    /// What became of it.
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateTold {
    /// What it is for.
    pub identifiers: Vec<String>,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// From when, RFC 3339.
    pub not_before: String,
    /// Until when, RFC 3339.
    pub not_after: String,
    /// How long that is.
    pub lifetime: Duration,
    /// The number of the reason why it was revoked.
    pub revoked: Option<u64>,
}

/// A problem, and how often it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProblemTold {
    /// The name of the endpoint.
    pub endpoint: String,
    /// Its type, without the lead that all types have.
    pub kind: String,
    /// Its sentence for people.
    pub detail: String,
    /// How often.
    pub count: usize,
}

/// A question to the name server, or a change, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryTold {
    /// The name.
    pub name: String,
    /// The type of the records.
    pub kind: String,
    /// What was answered: a code such as `NOERROR`.
    pub answer: String,
    /// How often.
    pub count: usize,
}

/// Requests that a better client does not make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wasted {
    /// Refused for their nonce.
    pub bad_nonces: usize,
    /// Asked again sooner than the Retry-After of the answer before.
    pub early_polls: usize,
    /// Nonces that were fetched although the answer before had brought one.
    pub needless_nonces: usize,
}

impl Story {
    pub(crate) fn of(world: &World, asked: &[NameEntry]) -> Self {
        let log = world.log.entries();
        Self {
            accounts: (0..world.accounts.len()).filter_map(|number| account(world, number)).collect(),
            orders: (0..world.orders.len()).filter_map(|number| order(world, number)).collect(),
            certificates: (0..world.certificates.len()).filter_map(|number| certificate(world, number)).collect(),
            requests: requests(&log),
            problems: problems(&log),
            queries: names(asked, Operation::Query),
            updates: names(asked, Operation::Update),
            wasted: wasted(&log),
        }
    }

    /// All of it, as one document.
    pub fn document(&self) -> Value {
        let challenge = |told: &ChallengeTold| {
            sparing(json!({
                "identifier": told.identifier, "type": told.kind, "status": told.status, "error": told.error,
            }))
        };
        let order = |told: &OrderTold| {
            sparing(json!({
                "identifiers": told.identifiers, "status": told.status, "error": told.error,
                "challenges": told.challenges.iter().map(challenge).collect::<Vec<_>>(),
            }))
        };
        let certificate = |told: &CertificateTold| {
            sparing(json!({
                "identifiers": told.identifiers, "serial": told.serial, "not_before": told.not_before,
                "not_after": told.not_after, "lifetime_s": told.lifetime.as_secs(), "revoked": told.revoked,
            }))
        };
        let problem = |told: &ProblemTold| json!({ "endpoint": told.endpoint, "type": told.kind, "detail": told.detail, "count": told.count });
        let query = |told: &QueryTold| json!({ "name": told.name, "type": told.kind, "answer": told.answer, "count": told.count });
        let account = |told: &AccountTold| json!({ "status": told.status, "contact": told.contact });
        json!({
            "accounts": self.accounts.iter().map(account).collect::<Vec<_>>(),
            "orders": self.orders.iter().map(order).collect::<Vec<_>>(),
            "certificates": self.certificates.iter().map(certificate).collect::<Vec<_>>(),
            "requests": self.requests,
            "problems": self.problems.iter().map(problem).collect::<Vec<_>>(),
            "dns": {
                "queries": self.queries.iter().map(query).collect::<Vec<_>>(),
                "updates": self.updates.iter().map(query).collect::<Vec<_>>(),
            },
            "wasted": {
                "bad_nonces": self.wasted.bad_nonces,
                "early_polls": self.wasted.early_polls,
                "needless_nonces": self.wasted.needless_nonces,
            },
        })
    }
}

/// Without the fields that say nothing.
fn sparing(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    document
}

fn account(world: &World, number: usize) -> Option<AccountTold> {
    let shown = world.show_account(number).ok()?;
    Some(AccountTold { status: text(&shown, "status"), contact: texts(shown.get("contact")) })
}

fn order(world: &World, number: usize) -> Option<OrderTold> {
    let shown = world.show_order(number).ok()?;
    let urls = texts(shown.get("authorizations"));
    let numbers = urls.iter().filter_map(|url| url.rsplit('/').next()?.parse().ok());
    let challenges = numbers.filter_map(|number| world.show_authorization(number).ok());
    Some(OrderTold {
        identifiers: list(shown.get("identifiers")).map(|identifier| text(identifier, "value")).collect(),
        status: text(&shown, "status"),
        challenges: challenges.flat_map(|authorization| challenged(&authorization)).collect(),
        error: shown.get("error").map(|error| text(error, "detail")),
    })
}

/// The challenges of an authorization that the client did something about.
fn challenged(authorization: &Value) -> Vec<ChallengeTold> {
    let name = authorization.get("identifier").map(|identifier| text(identifier, "value")).unwrap_or_default();
    let lead = if authorization.get("wildcard") == Some(&Value::Bool(true)) { "*." } else { "" };
    let told = |challenge: &Value| ChallengeTold {
        identifier: format!("{lead}{name}"),
        kind: text(challenge, "type"),
        status: text(challenge, "status"),
        error: challenge.get("error").map(|error| text(error, "detail")),
    };
    list(authorization.get("challenges")).map(told).filter(|challenge| challenge.status != "pending").collect()
}

fn certificate(world: &World, number: usize) -> Option<CertificateTold> {
    let certified = world.certificates.get(number)?;
    let (leaf, window) = (&certified.leaf, certified.leaf.window());
    let (from, until) = (window.start, window.end);
    Some(CertificateTold {
        identifiers: leaf.identifiers().iter().map(ToString::to_string).collect(),
        serial: leaf.serial(),
        not_before: from.to_string(),
        not_after: until.to_string(),
        lifetime: window.length(),
        revoked: certified.revoked,
    })
}

fn requests(log: &[Entry]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in log {
        *counts.entry(word(entry.endpoint)).or_default() += 1;
    }
    counts
}

fn problems(log: &[Entry]) -> Vec<ProblemTold> {
    let mut told: Vec<ProblemTold> = Vec::new();
    for entry in log.iter().filter(|entry| entry.status.is_some_and(|status| status >= 400)) {
        let document: Value = serde_json::from_str(&entry.answer).unwrap_or_default();
        let kind = text(&document, "type");
        let kind = kind.strip_prefix("urn:ietf:params:acme:error:").unwrap_or(&kind).to_owned();
        let new = ProblemTold { endpoint: word(entry.endpoint), kind, detail: text(&document, "detail"), count: 1 };
        let same = told
            .iter_mut()
            .find(|old| old.endpoint == new.endpoint && old.kind == new.kind && old.detail == new.detail);
        match same {
            Some(old) => old.count += 1,
            None => told.push(new),
        }
    }
    told
}

/// Equal questions once, with their number; of updates, each record.
fn names(log: &[NameEntry], wanted: Operation) -> Vec<QueryTold> {
    let mut told: Vec<QueryTold> = Vec::new();
    for entry in log.iter().filter(|entry| entry.operation == wanted) {
        let answer = entry.code_name();
        let one = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
        let asked = match wanted {
            Operation::Update => entry.records.iter().map(|record| changed(record)).collect(),
            _ => vec![one(&entry.name, &entry.kind.to_string())],
        };
        for (name, kind) in asked {
            let same = told.iter_mut().find(|old| (&old.name, &old.kind, &old.answer) == (&name, &kind, &answer));
            match same {
                Some(old) => old.count += 1,
                None => told.push(QueryTold { name, kind, answer: answer.clone(), count: 1 }),
            }
        }
    }
    told
}

/// The name of a record, and what is done with which type of it.
fn changed(record: &str) -> (String, String) {
    let words: Vec<&str> = record.split_whitespace().collect();
    let (name, act, kind) = match words.as_slice() {
        ["delete", name, kind, ..] => (*name, "delete", *kind),
        [name, _, kind, ..] => (*name, "add", *kind),
        _ => (record, "change", ""),
    };
    (name.to_owned(), format!("{act} {kind}"))
}

fn wasted(log: &[Entry]) -> Wasted {
    let mut wasted = Wasted::default();
    let mut asked_to_wait: BTreeMap<&str, Duration> = BTreeMap::new();
    let mut posts_before = 0_usize;
    for entry in log {
        if asked_to_wait.get(entry.path.as_str()).is_some_and(|until| entry.at < *until) {
            wasted.early_polls += 1;
        }
        match entry.retry_after {
            Some(span) => drop(asked_to_wait.insert(&entry.path, entry.at.saturating_add(span))),
            None => drop(asked_to_wait.remove(entry.path.as_str())),
        }
        if entry.answer.contains("urn:ietf:params:acme:error:badNonce") {
            wasted.bad_nonces += 1;
        }
        // Every answer to a POST brings a nonce (RFC 8555 §6.5).
        if entry.endpoint == Endpoint::NewNonce {
            wasted.needless_nonces += usize::from(posts_before > 0);
            posts_before = 0;
        } else if entry.method == "POST" {
            posts_before += 1;
        }
    }
    wasted
}

/// The name of an endpoint in words: `NewOrder` is `new-order`.
fn word(endpoint: Endpoint) -> String {
    let mut word = String::new();
    for letter in format!("{endpoint:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

fn text(document: &Value, name: &str) -> String {
    document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    list(value).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64, endpoint: Endpoint, path: &str, status: u16, answer: &str) -> Entry {
        let method = if endpoint == Endpoint::NewNonce { "HEAD" } else { "POST" };
        Entry {
            at: Duration::from_secs(at),
            method: method.to_owned(),
            path: path.to_owned(),
            endpoint,
            payload: None,
            status: Some(status),
            answer: answer.to_owned(),
            retry_after: (path == "/order/1").then_some(Duration::from_secs(3)),
        }
    }

    #[test]
    fn a_poll_before_its_time_is_wasted_and_one_at_its_time_is_not() {
        let polls = |times: &[u64]| {
            let log: Vec<Entry> = times.iter().map(|at| entry(*at, Endpoint::Order, "/order/1", 200, "{}")).collect();
            wasted(&log).early_polls
        };
        assert_eq!(polls(&[1, 4, 7]), 0);
        assert_eq!(polls(&[1, 2, 4, 7]), 2);
        let between =
            [entry(1, Endpoint::Order, "/order/1", 200, "{}"), entry(2, Endpoint::Order, "/order/2", 200, "{}")];
        assert_eq!(wasted(&between).early_polls, 0);
    }

    #[test]
    fn the_first_nonce_is_needed_and_one_after_a_post_is_not() {
        let nonce = || entry(1, Endpoint::NewNonce, "/new-nonce", 200, "");
        let post = || entry(1, Endpoint::NewOrder, "/new-order", 201, "{}");
        assert_eq!(wasted(&[nonce(), post(), post()]).needless_nonces, 0);
        assert_eq!(wasted(&[nonce(), post(), nonce(), post()]).needless_nonces, 1);
    }

    #[test]
    fn equal_problems_are_told_once_with_their_number() {
        let refused = |detail: &str| {
            let answer = json!({"type": "urn:ietf:params:acme:error:badNonce", "detail": detail}).to_string();
            entry(1, Endpoint::NewOrder, "/new-order", 400, &answer)
        };
        let log = [refused("a"), refused("a"), refused("b"), entry(1, Endpoint::Order, "/order/2", 200, "{}")];
        let told: Vec<_> = problems(&log).into_iter().map(|told| (told.kind, told.detail, told.count)).collect();
        let expected = [("badNonce", "a", 2), ("badNonce", "b", 1)];
        assert_eq!(told, expected.map(|(kind, detail, count)| (kind.to_owned(), detail.to_owned(), count)));
        assert_eq!(wasted(&log).bad_nonces, 3);
        assert_eq!(requests(&log), BTreeMap::from([("new-order".to_owned(), 3), ("order".to_owned(), 1)]));
    }
}
