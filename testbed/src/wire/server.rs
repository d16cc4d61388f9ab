//! Connections: TLS, HTTP/1.1, and the faults that an answer meets on its way.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use certwright::Clock as _;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::acme::front::{Asked, LONGEST};
use crate::acme::route::Route;
use crate::acme::validate::{self, Job};
use crate::acme::world::World;
use crate::faults::{Fault, Faults};
use crate::log::Entry;
use crate::wire::body::Wire;
use crate::wire::distort::distort;
use crate::wire::reply::Reply;
use crate::wire::tap::{Allowance, Tap};

/// After a connection could not be accepted, for want of file descriptors for instance.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) faults: Faults,
    world: Mutex<World>,
}

impl Shared {
    pub(crate) const fn new(world: World, faults: Faults) -> Self {
        Self { faults, world: Mutex::new(world) }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves whoever comes, until it is dropped.
pub(crate) async fn serve(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, tls.clone(), Arc::clone(&shared)))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    // Whoever does not speak TLS or HTTP is let go.
    let Ok(stream) = tls.accept(stream).await else { return };
    let allowance = Allowance::default();
    let io = TokioIo::new(Tap::new(stream, allowance.clone()));
    let service = service_fn(move |request| answer(Arc::clone(&shared), allowance.clone(), request));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
}

async fn answer(
    shared: Arc<Shared>,
    allowance: Allowance,
    request: Request<Incoming>,
) -> Result<Response<Wire>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or_else(|| head.uri.path().to_owned(), ToString::to_string);
    let route = Route::of(&path);
    let faults = shared.faults.met_by(route.endpoint);
    let body = match Limited::new(body, LONGEST).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        // As good as any body that is too long.
        Err(_) => vec![0; LONGEST + 1],
    };
    let content_type = head.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();

    for fault in &faults {
        if let Fault::Delay(span) = fault {
            tokio::time::sleep(*span).await;
        }
    }
    let (reply, jobs) = {
        let mut world = shared.world();
        let mut entry = Entry {
            at: world.clock.elapsed(),
            method: head.method.to_string(),
            path: path.clone(),
            endpoint: route.endpoint,
            payload: None,
            status: None,
            answer: String::new(),
        };
        if faults.contains(&Fault::Hang) {
            world.log.add(entry);
            (None, Vec::new())
        } else {
            let url = world.site.at(path.strip_prefix('/').unwrap_or(&path));
            let asked = Asked { method: head.method.as_str(), url: &url, content_type, body: &body };
            let (reply, payload) = world.answer(&asked, &route, &faults);
            let reply = reply.with("Date", date(world.clock.now().unix()));
            entry.payload = payload;
            entry.status = Some(reply.status);
            entry.answer = String::from_utf8_lossy(&reply.body).into_owned();
            world.log.add(entry);
            (Some(reply), std::mem::take(&mut world.jobs))
        }
    };
    for job in jobs {
        tokio::spawn(judge(Arc::clone(&shared), job));
    }
    let Some(reply) = reply else { return std::future::pending().await };
    let (reply, wire) = distort(reply, &faults);
    for fault in &faults {
        if let Fault::CutAfter(bytes) = fault {
            allowance.set(*bytes);
        }
    }
    Ok(response(reply, wire))
}

async fn judge(shared: Arc<Shared>, job: Job) {
    let outcome = validate::look(&job).await;
    shared.world().judge(job.authorization, job.challenge, outcome);
}

pub(crate) fn response(reply: Reply, wire: Wire) -> Response<Wire> {
    let mut response = Response::new(wire);
    if let Ok(status) = http::StatusCode::from_u16(reply.status) {
        *response.status_mut() = status;
    }
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::from_bytes(name.as_bytes()), http::HeaderValue::from_bytes(value.as_bytes()))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The Date of this world (RFC 9110 §6.6.1).
pub(crate) fn date(unix: i64) -> String {
    let since = Duration::from_secs(u64::try_from(unix).unwrap_or_default());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}
