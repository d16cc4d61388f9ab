//! One call: what it asks for and what it is told.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::management::listener::Bed;
use crate::wire::reply::Reply;

/// A call as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) host: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
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
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, &json!({ "error": refusal.detail }))
    }
}

/// The answer to a call.
pub(crate) fn answer(bed: &Bed, call: &Call<'_>) -> Reply {
    let reply = meant_for(bed.address, call.host).and_then(|()| dispatch(bed, call)).unwrap_or_else(Reply::from);
    reply.with("Cache-Control", "no-store").with("X-Content-Type-Options", "nosniff")
}

fn dispatch(bed: &Bed, call: &Call<'_>) -> Result<Reply, Refusal> {
    match (call.method, call.path) {
        ("GET", "/v1/roots") => {
            let world = bed.shared.world();
            let roots: Vec<Value> = world.ca.roots().iter().map(|root| root.pem().into()).collect();
            Ok(Reply::json(200, &json!({ "roots": roots })))
        }
        _ => Err(Refusal::new(404, format!("there is no `{} {}`", call.method, call.path))),
    }
}

/// Whether this server is meant: a page whose name was made to lead here (DNS rebinding) says its own.
fn meant_for(own: SocketAddr, host: Option<&str>) -> Result<(), Refusal> {
    let host = host.unwrap_or_default();
    let local = format!("localhost:{}", own.port());
    if host == own.to_string() || host.eq_ignore_ascii_case(&local) {
        return Ok(());
    }
    Err(Refusal::new(421, format!("this is `{own}`, and was asked as `{host}`")))
}
