//! One call: whether it is let in, and where it goes.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::management::fields::Fields;
use crate::management::listener::Bed;
use crate::management::{challtestsrv, names, page, set, show};
use crate::wire::reply::Reply;

/// A call as it came.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) host: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    /// Whether a browser says that a page of somebody else's calls.
    pub(crate) foreign: bool,
    pub(crate) body: &'a [u8],
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) detail: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(400, detail)
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, &json!({ "error": refusal.detail }))
    }
}

impl From<certwright::Error> for Refusal {
    fn from(error: certwright::Error) -> Self {
        Self::bad(format!("{error:#}"))
    }
}

/// Every call, for who asks what there is, and for the answer to what there is not.
pub(crate) const CALLS: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/v1"),
    ("GET", "/v1/accounts"),
    ("GET", "/v1/orders"),
    ("GET", "/v1/authorizations"),
    ("GET", "/v1/certificates"),
    ("GET", "/v1/requests"),
    ("GET", "/v1/queries"),
    ("GET", "/v1/roots"),
    ("GET", "/v1/clock"),
    ("GET", "/v1/dns/records"),
    ("POST", "/v1/faults"),
    ("DELETE", "/v1/faults"),
    ("POST", "/v1/verdicts"),
    ("POST", "/v1/clock"),
    ("POST", "/v1/limits"),
    ("POST", "/v1/terms"),
    ("POST", "/v1/window"),
    ("DELETE", "/v1/window"),
    ("POST", "/v1/revoke"),
    ("POST", "/v1/reset"),
    ("POST", "/v1/dns/records"),
    ("DELETE", "/v1/dns/records"),
    ("POST", "/v1/dns/every"),
    ("POST", "/v1/dns/faults"),
    ("DELETE", "/v1/dns/faults"),
];

/// The answer to a call.
pub(crate) fn answer(bed: &Bed, call: &Call<'_>) -> Reply {
    let reply = meant_for(bed.address, call.host).and_then(|()| dispatch(bed, call)).unwrap_or_else(Reply::from);
    reply.with("Cache-Control", "no-store").with("X-Content-Type-Options", "nosniff")
}

fn dispatch(bed: &Bed, call: &Call<'_>) -> Result<Reply, Refusal> {
    let method = if call.method == "HEAD" { "GET" } else { call.method };
    if method == "GET" {
        return match call.path {
            "/" => Ok(page::page(bed, call.query)),
            "/v1" => Ok(Reply::json(200, &index(bed))),
            path => {
                show::show(bed, path, call.query)?.map(|shown| Reply::json(200, &shown)).ok_or_else(|| missing(call))
            }
        };
    }
    // A form or an image of a page can be sent anywhere by whoever looks at it, but not with this type, nor without its
    // origin (Fetch §3.2).
    if call.foreign {
        return Err(Refusal::new(403, "this is not for pages of other origins"));
    }
    if let Some(told) = challtestsrv::call(bed, call) {
        return told;
    }
    if !CALLS.contains(&(method, call.path)) {
        return Err(missing(call));
    }
    let media = call.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(415, "what is set is said with `Content-Type: application/json`"));
    }
    let fields = Fields::read(call.body)?;
    let told = match call.path.strip_prefix("/v1/dns/") {
        Some(what) => names::set(bed, method, what, fields)?,
        None => set::set(bed, method, call.path, fields)?,
    };
    told.map(|told| Reply::json(200, &told)).ok_or_else(|| missing(call))
}

fn index(bed: &Bed) -> Value {
    let calls: Vec<String> = CALLS.iter().map(|(method, path)| format!("{method} {path}")).collect();
    json!({ "directory": bed.shared.world().site.at("directory"), "calls": calls })
}

fn missing(call: &Call<'_>) -> Refusal {
    let others: Vec<&str> = CALLS.iter().filter(|(_, path)| *path == call.path).map(|(method, _)| *method).collect();
    if others.is_empty() {
        return Refusal::new(
            404,
            format!("there is no `{} {}`; `GET /v1` lists what there is", call.method, call.path),
        );
    }
    Refusal::new(405, format!("`{}` is asked for with {}", call.path, others.join(", ")))
}

/// Whether this server is meant: a page whose name was made to lead here (DNS rebinding) says its own.
fn meant_for(own: SocketAddr, host: Option<&str>) -> Result<(), Refusal> {
    let host = host.unwrap_or_default();
    let port = own.port();
    let (name, right) = match host.rsplit_once(':').filter(|(name, _)| !name.contains(':') || name.ends_with(']')) {
        Some((name, other)) => (name, other.parse() == Ok(port)),
        None => (host, port == 80),
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    if right && (name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())) {
        return Ok(());
    }
    Err(Refusal::new(421, format!("this is `{own}`, and was asked as `{host}`")))
}

/// What a call is answered, for the fuzzer: in a world that lasts, without the faults of the call before.
#[cfg(feature = "fuzzing")]
pub(crate) fn seen(method: &str, path: &str, query: &str, body: &[u8]) -> (u16, Vec<u8>) {
    static BED: std::sync::OnceLock<Option<Bed>> = std::sync::OnceLock::new();
    let Some(bed) = BED.get_or_init(|| Bed::alone().ok()) else { return (500, Vec::new()) };
    bed.shared.faults.clear();
    if let Some(names) = &bed.dns {
        names.faults().clear();
        names.records().clear();
    }
    let host = Some("127.0.0.1:1");
    let call = Call { method, path, query, host, content_type: Some("application/json"), foreign: false, body };
    let reply = answer(bed, &call);
    (reply.status, reply.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_that_is_listed_is_there_and_refuses_what_it_does_not_know() {
        let bed = Bed::alone().unwrap();
        for (method, path) in CALLS {
            let call = Call {
                method,
                path,
                host: Some("localhost:1"),
                content_type: Some("application/json"),
                ..Call::default()
            };
            assert!(matches!(answer(&bed, &call).status, 200 | 400), "{method} {path}");
            let odd = match *method {
                "GET" => Call { query: "odd=1", ..call },
                _ => Call { body: b"{\"odd\": 1}", ..call },
            };
            let open = matches!(*path, "/" | "/v1" | "/v1/roots" | "/v1/clock");
            assert_eq!(answer(&bed, &odd).status == 400, !(open && *method == "GET"), "{method} {path}");
        }
    }

    #[test]
    fn a_name_of_somebody_else_is_not_ours() {
        let own = SocketAddr::from(([127, 0, 0, 1], 8055));
        for host in ["127.0.0.1:8055", "localhost:8055", "LOCALHOST:8055", "[::1]:8055", "127.0.0.2:8055"] {
            assert_eq!(meant_for(own, Some(host)), Ok(()), "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "evil.example:8055",
            "localhost:80",
            "127.0.0.1.evil.example:8055",
            "192.0.2.1:8055",
            "::1:8055",
        ] {
            assert_eq!(meant_for(own, Some(host)).unwrap_err().status, 421, "{host}");
        }
        assert!(meant_for(own, None).is_err());
        assert!(meant_for(SocketAddr::from(([127, 0, 0, 1], 80)), Some("localhost")).is_ok());
    }
}
