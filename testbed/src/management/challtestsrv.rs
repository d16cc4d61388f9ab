//! The calls of pebble-challtestsrv that are about names, so that scripts that make them need not be changed. Whatever the
//! media type: those scripts use curl(1), which says that it sends a form.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::dns::faults::{NameFault, Operation, Questions};
use crate::dns::kind::RecordKind;
use crate::dns::rdata::quoted;
use crate::dns::server::NameServer;
use crate::faults::Occurrence;
use crate::management::ask::{Call, Refusal};
use crate::management::fields::Fields;
use crate::management::listener::Bed;
use crate::management::names::missing;
use crate::wire::reply::Reply;

/// What belongs to its own responders, which are not here.
const ELSEWHERE: &[&str] = &[
    "/add-http01",
    "/del-http01",
    "/add-redirect",
    "/del-redirect",
    "/add-https01",
    "/del-https01",
    "/add-tlsalpn01",
    "/del-tlsalpn01",
    "/http-request-history",
    "/tlsalpn01-request-history",
];

/// The answer to such a call; `None` when it is none.
pub(crate) fn call(bed: &Bed, call: &Call<'_>) -> Option<Result<Reply, Refusal>> {
    let known = call.method == "POST" && !call.path.starts_with("/v1");
    if !known {
        return None;
    }
    if ELSEWHERE.contains(&call.path) {
        let detail = format!("`{}` is about answers to challenges; who answers them here is the client", call.path);
        return Some(Err(Refusal::new(404, detail)));
    }
    let told = bed.dns.as_ref().ok_or_else(missing).and_then(|names| tell(names, call.path, call.body));
    match told {
        Ok(Told::Unknown) => None,
        Ok(Told::Done) => Some(Ok(Reply::empty(200))),
        Ok(Told::Shown(value)) => Some(Ok(Reply::json(200, &value))),
        Err(refusal) => Some(Err(refusal)),
    }
}

enum Told {
    Unknown,
    Done,
    Shown(Value),
}

fn tell(names: &NameServer, path: &str, body: &[u8]) -> Result<Told, Refusal> {
    let records = names.records();
    let mut fields = Fields::read(body)?;
    if let Some(path) = path.strip_prefix("/set-default-ipv") {
        let ip = fields.text("ip")?;
        fields.done()?;
        return every(names, path, &ip);
    }
    if path == "/dns-request-history" {
        let host = fields.text("host")?;
        fields.done()?;
        return Ok(Told::Shown(history(names, &host)));
    }
    if path == "/clear-request-history" {
        names.clear_log();
        return Ok(Told::Done);
    }
    let verbs: &[&str] = &[
        "/add-a",
        "/clear-a",
        "/add-aaaa",
        "/clear-aaaa",
        "/add-caa",
        "/clear-caa",
        "/set-txt",
        "/clear-txt",
        "/set-cname",
        "/clear-cname",
        "/set-servfail",
        "/clear-servfail",
    ];
    if !verbs.contains(&path) {
        return Ok(Told::Unknown);
    }
    let host = fields.text("host")?;
    let failing = || Questions::all().about(&host);
    match path {
        "/add-a" | "/add-aaaa" => {
            let kind = if path == "/add-a" { RecordKind::A } else { RecordKind::AAAA };
            for address in fields.texts("addresses")? {
                records.add(&host, kind, &address)?;
            }
        }
        "/add-caa" => {
            let Some(Value::Array(policies)) = fields.value("policies") else {
                return Err(Refusal::bad("`policies` is a list"));
            };
            for policy in policies {
                let mut policy = Fields::from(policy, "a policy")?;
                let (tag, value) = (policy.text("tag")?, policy.text("value")?);
                policy.done()?;
                records.add(&host, RecordKind::CAA, &format!("0 {tag} {}", quoted(value.as_bytes())))?;
            }
        }
        "/set-txt" => records.add_text(&host, &fields.text("value")?)?,
        "/set-cname" => {
            let target = fields.text("target")?;
            records.remove(&host, Some(RecordKind::CNAME))?;
            records.add(&host, RecordKind::CNAME, &target)?;
        }
        "/set-servfail" => names.faults().on(failing(), Occurrence::Every, NameFault::SERVFAIL),
        "/clear-servfail" => names.faults().lift(&failing(), &NameFault::SERVFAIL),
        other => {
            let kind: RecordKind = other.trim_start_matches("/clear-").parse()?;
            records.remove(&host, Some(kind))?;
        }
    }
    fields.done()?;
    Ok(Told::Done)
}

/// The address of every name, of one family; none when it is empty.
fn every(names: &NameServer, family: &str, ip: &str) -> Result<Told, Refusal> {
    let wrong = || Refusal::bad(format!("`{ip}` is no address of IPv{family}"));
    let mut addresses = names.every();
    match family {
        "4" => {
            addresses.retain(|address| !address.is_ipv4());
            if !ip.is_empty() {
                addresses.push(ip.parse::<Ipv4Addr>().map_err(|_| wrong())?.into());
            }
        }
        "6" => {
            addresses.retain(|address| !address.is_ipv6());
            if !ip.is_empty() {
                addresses.push(ip.parse::<Ipv6Addr>().map_err(|_| wrong())?.into());
            }
        }
        _ => return Ok(Told::Unknown),
    }
    names.set_every(addresses);
    Ok(Told::Done)
}

/// The questions about a name, as that program shows them.
fn history(names: &NameServer, host: &str) -> Value {
    let host = host.trim_end_matches('.');
    let asked = names
        .log()
        .into_iter()
        .filter(|entry| entry.operation == Operation::Query && entry.name.eq_ignore_ascii_case(host));
    let shown = asked.map(|entry| {
        json!({ "Question": { "Name": format!("{}.", entry.name), "Qtype": entry.kind.number(), "Qclass": 1 } })
    });
    shown.collect()
}
