//! Connections: TLS, HTTP/1.1, and the faults that an answer meets on its way.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use certwright::Clock as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::acme::front::{Asked, LONGEST};
use crate::acme::route::Route;
use crate::acme::validate::{self, Job};
use crate::acme::world::World;
use crate::faults::{Fault, Faults};
use crate::log::{Heard, Log};
use crate::wire::body::Wire;
use crate::wire::distort::distort;
use crate::wire::reply::Reply;
use crate::wire::tap::{Allowance, Tap};

/// After a connection could not be accepted, for want of file descriptors for instance.
const PAUSE: Duration = Duration::from_millis(10);
/// How many connections there are at a time. A process has 1024 file descriptors, as a rule.
const CONNECTIONS: usize = 768;
/// What a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// How much of a body that is too long is read.
const HEARD_OUT: usize = 8 << 20;
/// How long a connection may say nothing, and how long a body may take.
const IDLE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) faults: Faults,
    world: Mutex<World>,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self { faults: world.script.clone(), world: Mutex::new(world) }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves whoever comes, until it is dropped.
pub(crate) async fn serve(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Whoever comes when there are too many waits in the queue of the system.
                let Ok(permit) = Arc::clone(&seats).acquire_owned().await else { return };
                let talk = connection(stream, peer.ip(), tls.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    talk.await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn connection(stream: TcpStream, from: IpAddr, tls: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    // Whoever does not speak TLS or HTTP is let go.
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else { return };
    let allowance = Allowance::default();
    let io = TokioIo::new(Tap::new(stream, allowance.clone()));
    let service = service_fn(move |request| answer(Arc::clone(&shared), from, allowance.clone(), request));
    let mut http = hyper::server::conn::http1::Builder::new();
    let _ = http.timer(TokioTimer::new()).header_read_timeout(IDLE).serve_connection(io, service).await;
}

async fn answer(
    shared: Arc<Shared>,
    from: IpAddr,
    allowance: Allowance,
    request: Request<Incoming>,
) -> Result<Response<Wire>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or_else(|| head.uri.path().to_owned(), ToString::to_string);
    let route = Route::of(&path);
    let faults = shared.faults.met_by(route.endpoint);
    // As good as any body that is too long.
    let body =
        tokio::time::timeout(IDLE, whole(body)).await.unwrap_or_default().unwrap_or_else(|| vec![0; LONGEST + 1]);
    let field = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();

    for fault in &faults {
        if let Fault::Delay(span) = fault {
            tokio::time::sleep(*span).await;
        }
    }
    let (reply, jobs) = {
        let mut world = shared.world();
        let mut heard = Heard {
            at: world.clock.elapsed(),
            method: head.method.as_str().into(),
            path: path.as_str().into(),
            endpoint: route.endpoint,
            payload: None,
            status: None,
            retry_after: None,
            answer: Box::default(),
        };
        if faults.contains(&Fault::Hang) {
            world.log.add(heard);
            (None, Vec::new())
        } else {
            let url = world.site.at(path.strip_prefix('/').unwrap_or(&path));
            let (content_type, accept) = (field("content-type"), field("accept"));
            let asked = Asked { method: head.method.as_str(), url: &url, content_type, accept, from, body: &body };
            let (reply, payload) = world.answer(&asked, &route, &faults);
            let reply = reply.with("Date", date(world.clock.now().unix()));
            heard.payload = payload.map(Vec::into_boxed_slice);
            heard.status = Some(reply.status);
            heard.retry_after = reply.retry_after();
            heard.answer = Log::beginning(&reply.body);
            world.log.add(heard);
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

/// The body, unless it is too long. What is too much is read for a while and thrown away: who is still speaking does not
/// hear an answer.
async fn whole(mut body: Incoming) -> Option<Vec<u8>> {
    let (mut kept, mut count) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let data = frame.ok()?.into_data().unwrap_or_default();
        count = count.saturating_add(data.len());
        if count > HEARD_OUT {
            break;
        } else if count > LONGEST {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    (count <= LONGEST).then_some(kept)
}

async fn judge(shared: Arc<Shared>, job: Job) {
    let outcome = validate::look(&job).await;
    shared.world().judge(job.place.authorization, job.place.challenge, outcome);
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
