//! Connections of those who manage: plain HTTP/1.1.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clock::VirtualClock;
use crate::dns::server::NameServer;
use crate::management::ask::{Call, Refusal, answer};
use crate::settings::Settings;
use crate::wire::body::Wire;
use crate::wire::reply::Reply;
use crate::wire::server::{Shared, response};

/// The longest body that is read: a zone file, or a script of faults.
const LONGEST: usize = 1024 * 1024;
/// How many connections there are at once; more wait to be accepted.
const CONNECTIONS: usize = 64;
const PAUSE: Duration = Duration::from_millis(10);

/// Everything that can be managed.
#[derive(Debug)]
pub(crate) struct Bed {
    /// Where management listens.
    pub(crate) address: SocketAddr,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) dns: Option<NameServer>,
    /// How this world began.
    pub(crate) settings: Settings,
    /// The root of the TLS of the authority, PEM.
    pub(crate) tls_root: String,
}

#[cfg(any(test, feature = "fuzzing"))]
impl Bed {
    /// One that nobody listens for.
    pub(crate) fn alone() -> certwright::Result<Self> {
        use crate::acme::route::Site;
        use crate::acme::world::World;

        let (settings, address) = (Settings::whole(), SocketAddr::from(([127, 0, 0, 1], 1)));
        let clock = Arc::new(VirtualClock::new());
        let world = World::new(settings.clone(), Site(format!("https://{address}")), Arc::clone(&clock))?;
        let wish = settings.dns.clone().unwrap_or_default();
        let dns = Some(NameServer::new(&wish, address, settings.seed, Arc::clone(&clock))?);
        Ok(Self { address, shared: Arc::new(Shared::new(world)), clock, dns, settings, tls_root: String::new() })
    }
}

/// Serves whoever comes, until it is dropped.
pub(crate) async fn serve(listener: std::net::TcpListener, bed: Arc<Bed>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let bed = Arc::clone(&bed);
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    let service = service_fn(move |request| told(Arc::clone(&bed), request));
                    // Whoever does not speak HTTP is let go.
                    let builder = hyper::server::conn::http1::Builder::new();
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether a page of another origin calls, as browsers say it. Nothing but a browser says so.
fn is_foreign(head: &http::request::Parts) -> bool {
    let field = |name: &str| head.headers.get(name).map(http::HeaderValue::as_bytes);
    let own = field("host").map(|host| [b"http://", host].concat());
    field("origin").is_some_and(|origin| Some(origin) != own.as_deref())
        || field("sec-fetch-site").is_some_and(|site| site != b"same-origin" && site != b"none")
}

async fn told(bed: Arc<Bed>, request: Request<Incoming>) -> Result<Response<Wire>, Infallible> {
    let (head, body) = request.into_parts();
    let field = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let reply = match Limited::new(body, LONGEST).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            let call = Call {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                host: field("host"),
                content_type: field("content-type"),
                foreign: is_foreign(&head),
                body: &body,
            };
            answer(&bed, &call)
        }
        Err(_) => Refusal::new(413, format!("the body is longer than {LONGEST} bytes")).into(),
    };
    let reply: Reply = reply;
    let body = Wire::whole(reply.body.clone());
    Ok(response(reply, body))
}
