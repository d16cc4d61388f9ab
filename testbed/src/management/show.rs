//! What there is, as JSON.

use std::time::Duration;

use certwright::{Certificate, Clock as _};
use serde_json::{Value, json};

use crate::acme::authorization::Span;
use crate::acme::order::Progress;
use crate::acme::world::World;
use crate::dns::faults::Operation;
use crate::dns::log::NameEntry;
use crate::dns::wire::Transport;
use crate::log::Entry;
use crate::management::ask::Refusal;
use crate::management::fields::nearest;
use crate::management::listener::Bed;
use crate::management::names::{missing, records};
use crate::management::script::endpoint_word;

/// How many entries one answer has, where nothing else is said, and at most.
const SOME: usize = 100;
const MOST: usize = 1_000;

/// Which entries are asked for: those after a number, so many, and those with these values.
struct Filter<'a> {
    after: usize,
    limit: usize,
    wanted: Vec<(&'a str, String)>,
}

impl<'a> Filter<'a> {
    fn read(query: &'a str, known: &[&str]) -> Result<Self, Refusal> {
        let mut filter = Self { after: 0, limit: SOME, wanted: Vec::new() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value).ok_or_else(|| Refusal::bad(format!("`{name}` is not encoded as in a URL")))?;
            let number = || value.parse().map_err(|_| Refusal::bad(format!("`{name}` is a number")));
            match name {
                "after" => filter.after = number()?,
                "limit" => filter.limit = number()?.min(MOST),
                name if known.contains(&name) => filter.wanted.push((name, value)),
                other => {
                    let all = ["after", "limit"].into_iter().chain(known.iter().copied());
                    let nearest = nearest(other, all).unwrap_or_default();
                    return Err(Refusal::bad(format!("there is no `{other}` here; is `{nearest}` meant?")));
                }
            }
        }
        Ok(filter)
    }

    fn accepts(&self, entry: &Value) -> bool {
        self.wanted.iter().all(|(name, value)| match entry.get(*name) {
            Some(Value::String(text)) => text.eq_ignore_ascii_case(value),
            Some(other) => serde_json::from_str::<Value>(value).is_ok_and(|wanted| wanted == *other),
            None => false,
        })
    }

    /// One page of a list, and where the next one begins.
    fn page(&self, name: &str, last: usize, all: impl Iterator<Item = (usize, Value)>) -> Value {
        let mut found: Vec<Value> = Vec::new();
        let (mut reached, mut more) = (self.after.max(last), false);
        for (number, entry) in all.filter(|(number, entry)| *number > self.after && self.accepts(entry)) {
            if found.len() == self.limit {
                more = true;
                break;
            }
            reached = number;
            found.push(entry);
        }
        json!({ name: found, "after": if more { reached } else { self.after.max(last) }, "more": more })
    }
}

/// What a part of a URL stands for (RFC 3986 §2.1).
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match (first, rest) {
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                let digits = [*high, *low];
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            (b'%', _) => return None,
            (byte, _) => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The answer to a question about this path; `None` when there is nothing.
pub(crate) fn show(bed: &Bed, path: &str, query: &str) -> Result<Option<Value>, Refusal> {
    let world = bed.shared.world();
    Ok(Some(match path {
        "/v1/accounts" => {
            let filter = Filter::read(query, &["status"])?;
            let all = (0..world.accounts.len()).map(|number| (number + 1, account(&world, number)));
            filter.page("accounts", world.accounts.len(), all)
        }
        "/v1/orders" => {
            let filter = Filter::read(query, &["status", "account"])?;
            let all = (0..world.orders.len()).map(|number| (number + 1, order(&world, number)));
            filter.page("orders", world.orders.len(), all)
        }
        "/v1/authorizations" => {
            let filter = Filter::read(query, &["status", "account", "name"])?;
            let all = (0..world.authorizations.len()).map(|number| (number + 1, authorization(&world, number)));
            filter.page("authorizations", world.authorizations.len(), all)
        }
        "/v1/certificates" => {
            let filter = Filter::read(query, &["account", "serial", "status"])?;
            let all = (0..world.certificates.len()).map(|number| (number + 1, certificate(&world, number)));
            filter.page("certificates", world.certificates.len(), all)
        }
        "/v1/requests" => {
            let filter = Filter::read(query, &["endpoint", "method", "status", "path"])?;
            let all = world.log.after(filter.after).map(|(number, entry)| (number, request(number, &entry)));
            filter.page("requests", world.log.last(), all)
        }
        "/v1/roots" => json!({
            "tls_root": bed.tls_root,
            "roots": (0..world.ca.roots().len()).map(|number| json!({
                "root": world.ca.roots().get(number).map(Certificate::pem),
                "intermediate": world.ca.intermediate(number).map(Certificate::pem),
            })).collect::<Vec<_>>(),
        }),
        "/v1/clock" => clock(bed),
        "/v1/queries" => {
            drop(world);
            let shared = bed.dns.as_ref().ok_or_else(missing)?.shared();
            let filter = Filter::read(query, &["name", "type", "operation", "code"])?;
            let log = shared.log();
            let all = log.after(filter.after).map(|(number, entry)| (number, message(number, entry)));
            filter.page("queries", log.last(), all)
        }
        "/v1/dns/records" => {
            drop(world);
            records(bed, Filter::read(query, &["name", "type"])?.wanted)?
        }
        _ => return Ok(None),
    }))
}

pub(crate) fn clock(bed: &Bed) -> Value {
    json!({ "now": bed.clock.now().to_string(), "elapsed_ms": milliseconds(bed.clock.elapsed()) })
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn account(world: &World, number: usize) -> Value {
    let Some(account) = world.accounts.get(number) else { return Value::Null };
    json!({
        "id": number,
        "url": world.site.account(number),
        "status": account.standing.word(),
        "contact": account.contact,
        "key_thumbprint": account.key.thumbprint(),
        "external_account": account.bound_to,
        "orders": account.orders,
    })
}

pub(crate) fn order(world: &World, number: usize) -> Value {
    let (Some(order), Ok(mut shown)) = (world.orders.get(number), world.show_order(number)) else { return Value::Null };
    shown["id"] = number.into();
    shown["url"] = world.site.order(number).into();
    shown["account"] = order.account.into();
    shown["authorization_ids"] = order.authorizations.clone().into();
    if let Progress::Valid(certificate) = order.progress {
        shown["certificate_id"] = certificate.into();
    }
    shown
}

pub(crate) fn authorization(world: &World, number: usize) -> Value {
    let (Some(authorization), Ok(mut shown)) = (world.authorizations.get(number), world.show_authorization(number))
    else {
        return Value::Null;
    };
    shown["id"] = number.into();
    shown["url"] = world.site.authorization(number).into();
    shown["account"] = authorization.account.into();
    let asterisk = if authorization.span == Span::Wildcard { "*." } else { "" };
    shown["name"] = format!("{asterisk}{}", authorization.identifier).into();
    shown
}

pub(crate) fn certificate(world: &World, number: usize) -> Value {
    let Some(certified) = world.certificates.get(number) else { return Value::Null };
    let window = certified.leaf.window();
    json!({
        "id": number,
        "account": certified.account,
        "serial": certified.leaf.serial().to_string(),
        "names": certified.leaf.identifiers().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "not_before": window.start.to_string(),
        "not_after": window.end.to_string(),
        "status": if certified.revoked.is_some() { "revoked" } else { "valid" },
        "revocation_reason": certified.revoked,
        "pem": certified.leaf.pem(),
    })
}

pub(crate) fn request(number: usize, entry: &Entry) -> Value {
    json!({
        "number": number,
        "at_ms": milliseconds(entry.at),
        "method": entry.method,
        "path": entry.path,
        "endpoint": endpoint_word(entry.endpoint),
        "payload": entry.payload,
        "status": entry.status,
        "answer": entry.answer,
    })
}

pub(crate) fn message(number: usize, entry: &NameEntry) -> Value {
    json!({
        "number": number,
        "at_ms": milliseconds(entry.at),
        "from": entry.from.to_string(),
        "transport": match entry.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        },
        "operation": match entry.operation {
            Operation::Query => "query",
            Operation::Update => "update",
            Operation::Other => "other",
        },
        "name": entry.name,
        "type": entry.kind.to_string(),
        "key": entry.key,
        "code": entry.code_name(),
        "records": entry.records,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_where_the_next_begins() {
        let all = || (1..=5).map(|number| (number, json!({"number": number, "odd": number % 2 == 1})));
        let of = |query: &str| Filter::read(query, &["odd"]).unwrap().page("list", 5, all());
        assert_eq!(
            of("after=1&limit=2"),
            json!({"list": [
            {"number": 2, "odd": false}, {"number": 3, "odd": true}], "after": 3, "more": true})
        );
        assert_eq!(of("after=3&odd=true"), json!({"list": [{"number": 5, "odd": true}], "after": 5, "more": false}));
        assert_eq!(of("after=9"), json!({"list": [], "after": 9, "more": false}));
        let wrong = Filter::read("afetr=1", &["odd"]).err().unwrap();
        assert_eq!(wrong.detail, "there is no `afetr` here; is `after` meant?");
        assert_eq!(
            (decoded("a%2eb"), decoded("%"), decoded("%zz"), decoded("%ff")),
            (Some("a.b".to_owned()), None, None, None)
        );
    }
}
