//! The requests of one call: one connection, one nonce after the other, one deadline.
//!
//! Nothing of it outlives the call: no thread, no socket. What is worth keeping between calls (the directory, a nonce) is
//! handed back to the issuer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use serde_json::Value;
use tokio::time::timeout;

use super::directory::Directory;
use super::problem::{Again, Fault};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::{Clock, Timestamp};
use crate::issue::call::Call;
use crate::issue::http::{Answer, Connector, Kept};
use crate::pki::jws::{AccountKey, By, from_base64url};

/// How often a call goes on with a fresh nonce. The client library tries three times for each: with half of all nonces
/// refused it is called off once in 8^200 times.
const NONCES: u32 = 200;
/// So many fresh nonces are used without a pause.
const AT_ONCE: u32 = 5;
/// How often a call is tried again after trouble on the way or on the other side.
const TROUBLES: u32 = 4;

const NONCE: &str = "replay-nonce";
const JOSE: &str = "application/jose+json";

/// What is handed from one call of the issuer to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    /// The directory as it was sent.
    pub(super) directory: Option<Bytes>,
    /// A nonce that was not used.
    pub(super) nonce: Option<String>,
}

/// The requests of one call.
pub(super) struct Session<'s> {
    wire: Arc<Wire>,
    call: Call<'s>,
}

/// What the client library and we send requests over.
struct Wire {
    connector: Arc<Connector>,
    directory: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Kept,
    carried: Carried,
    new_nonce: Option<String>,
    last: Option<Answer>,
}

impl<'s> Session<'s> {
    /// A session with the authority whose directory is at this URL, that ends after `limit`.
    ///
    /// # Errors
    ///
    /// `Io` when the operating system gives no more handles.
    pub(super) fn new(
        connector: Arc<Connector>,
        directory: &str,
        carried: Carried,
        clock: Arc<dyn Clock>,
        limit: Duration,
        cancel: &'s Cancel,
    ) -> Result<Self> {
        let call = Call::new(clock, limit, ("directory", directory), cancel)?;
        let state = Mutex::new(State { carried, ..State::default() });
        let wire = Arc::new(Wire { connector, directory: directory.to_owned(), state });
        Ok(Self { wire, call })
    }

    /// What the next call can use.
    pub(super) fn carried(&self) -> Carried {
        self.wire.state().carried.clone()
    }

    /// The wish to stop that this call looks at.
    pub(super) fn cancel(&self) -> &'s Cancel {
        self.call.cancel()
    }

    /// The time by our own clock.
    pub(super) fn now(&self) -> Timestamp {
        self.call.now()
    }

    /// What was answered last.
    pub(super) fn last(&self) -> Option<Answer> {
        self.wire.state().last.clone()
    }

    /// How long the last answer says to wait.
    pub(super) fn told(&self) -> Option<Duration> {
        self.wire.state().last.as_ref().and_then(|answer| answer.retry_after(self.now()))
    }

    /// A client for the library to send its requests with.
    pub(super) fn client(&self) -> Box<dyn HttpClient> {
        Box::new(Client(Arc::clone(&self.wire)))
    }

    /// The directory, fetched once.
    ///
    /// # Errors
    ///
    /// As [`Session::call`], and `Protocol` when it is none.
    pub(super) fn directory(&self) -> Result<Directory> {
        let known = self.wire.state().carried.directory.clone();
        let body = match known {
            Some(body) => body,
            None => {
                let url = self.wire.directory.clone();
                let answer = self.call("directory", async || self.wire.ask(Method::GET, &url, None).await)?;
                self.wire.state().carried.directory = Some(answer.body.clone());
                answer.body
            }
        };
        let directory = Directory::read(&body, &self.wire.directory)
            // It may be another one next time.
            .inspect_err(|_| self.wire.state().carried.directory = None)?;
        self.wire.state().new_nonce = Some(directory.new_nonce.clone());
        Ok(directory)
    }

    /// A plain GET.
    ///
    /// # Errors
    ///
    /// As [`Session::call`].
    pub(super) fn get(&self, call: &'static str, url: &str) -> Result<Answer> {
        self.call(call, async || self.wire.ask(Method::GET, url, None).await)
    }

    /// A request signed by ourselves. The directory has to be known. A payload of no bytes is POST-as-GET.
    ///
    /// # Errors
    ///
    /// As [`Session::call`].
    pub(super) fn post(
        &self,
        call: &'static str,
        key: &AccountKey,
        by: By<'_>,
        url: &str,
        payload: &[u8],
    ) -> Result<Answer> {
        self.call(call, async || {
            let nonce = self.wire.nonce().await?;
            let body = key.sign(by, Some(&nonce), url, payload)?;
            self.wire.ask(Method::POST, url, Some(body.into())).await
        })
    }

    /// Do it, again with a fresh nonce when the authority refuses the one that was used, and again after a while when the
    /// connection breaks or the authority has trouble, for as long as there is time.
    ///
    /// # Errors
    ///
    /// What the authority said; `Timeout`; `Cancelled`.
    pub(super) fn call<T>(
        &self,
        call: &'static str,
        mut act: impl AsyncFnMut() -> std::result::Result<T, Fault>,
    ) -> Result<T> {
        let (mut nonces, mut troubles) = (0, 0);
        loop {
            self.wire.state().last = None;
            let fault = match self.call.drive(act()).map_err(|error| error.context("call", call))? {
                Ok(done) => return Ok(done),
                Err(fault) => fault,
            };
            let last = self.last();
            let wait = match fault.again(last.as_ref()) {
                Again::Nonce if nonces < NONCES => {
                    nonces += 1;
                    Duration::from_millis(u64::from(nonces.saturating_sub(AT_ONCE)) * 5)
                }
                Again::Later if troubles < TROUBLES => {
                    let own = Duration::from_millis(250 << troubles);
                    troubles += 1;
                    self.told().map_or(own, |told| told.max(own))
                }
                _ => return Err(fault.explain(call, last.as_ref(), self.now())),
            };
            if wait >= self.call.left() {
                return Err(fault.explain(call, last.as_ref(), self.now()));
            }
            self.sleep(wait)?;
        }
    }

    /// Wait that long.
    ///
    /// # Errors
    ///
    /// As [`Call::sleep`].
    pub(super) fn sleep(&self, span: Duration) -> Result<()> {
        self.call.sleep(span)
    }

    /// The addresses that a name has, as seen from here; none when that takes more than a moment.
    pub(super) fn addresses(&self, name: &str) -> Vec<std::net::IpAddr> {
        const MOMENT: Duration = Duration::from_secs(2);
        let found = self.call.drive(async { timeout(MOMENT, tokio::net::lookup_host((name, 0))).await });
        let Ok(Ok(Ok(found))) = found else { return Vec::new() };
        found.map(|address| address.ip()).collect()
    }
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("directory", &self.wire.directory).finish_non_exhaustive()
    }
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Send a request; anything but success is a fault.
    async fn ask(&self, method: Method, url: &str, body: Option<Bytes>) -> std::result::Result<Answer, Fault> {
        let mut request = Request::builder().method(method).uri(url);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, JOSE);
        }
        let request = request.body(body.unwrap_or_default()).map_err(|source| {
            Error::new(ErrorKind::Protocol, "the authority names something that is no URL")
                .context("url", Public(&crate::issue::http::bounded(url)))
                .source(source)
        })?;
        let answer = self.transmit(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(Fault::Answered) }
    }

    /// The nonce that came with the last answer, or a fresh one.
    async fn nonce(&self) -> std::result::Result<String, Fault> {
        if let Some(nonce) = self.state().carried.nonce.take() {
            return Ok(nonce);
        }
        let url = self.state().new_nonce.clone().unwrap_or_default();
        self.ask(Method::HEAD, &url, None).await?;
        self.state().carried.nonce.take().ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the authority gives no nonce").context("url", Public(&url)).into()
        })
    }

    /// One exchange, and what is to be remembered of it.
    async fn transmit(&self, request: Request<Bytes>) -> Result<Answer> {
        let mut kept = {
            let mut state = self.state();
            if used_nonce(request.body()).is_some_and(|used| Some(used) == state.carried.nonce) {
                state.carried.nonce = None;
            }
            state.last = None;
            state.kept.take()
        };
        let answer = self.connector.exchange(&mut kept, request).await;
        let mut state = self.state();
        state.kept = kept;
        let answer = answer?;
        if let Some(nonce) = answer.header(NONCE).filter(|nonce| from_base64url(nonce).is_some()) {
            state.carried.nonce = Some(nonce.to_owned());
        }
        state.last = Some(answer.clone());
        Ok(answer)
    }

    /// What the library asks for and we know: the directory, and a nonce that nothing holds.
    fn known(&self, request: &Request<Bytes>) -> Option<Answer> {
        let mut state = self.state();
        let url = request.uri().to_string();
        let mut headers = HeaderMap::new();
        let body = if *request.method() == Method::HEAD && state.new_nonce.as_ref() == Some(&url) {
            let nonce = state.carried.nonce.take()?;
            headers.insert(NONCE, HeaderValue::try_from(nonce).ok()?);
            Bytes::new()
        } else if *request.method() == Method::GET && url == self.directory {
            state.carried.directory.clone()?
        } else {
            return None;
        };
        Some(Answer { url, status: StatusCode::OK, headers, body })
    }
}

/// The nonce in the protected header of a signed request.
fn used_nonce(body: &[u8]) -> Option<String> {
    let member = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let protected = member(&serde_json::from_slice(body).ok()?, "protected")?;
    member(&serde_json::from_slice(&from_base64url(&protected)?).ok()?, "nonce")
}

/// The wire in the shape that the client library asks for.
struct Client(Arc<Wire>);

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<BytesResponse, instant_acme::Error>> + Send>> {
        let wire = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            };
            let request = Request::from_parts(parts, body);
            let head = *request.method() == Method::HEAD;
            let mut answer = match wire.known(&request) {
                Some(known) => known,
                None => {
                    let boxed = |error: Error| instant_acme::Error::Other(Box::new(error));
                    wire.transmit(request).await.map_err(boxed)?
                }
            };
            if head && answer.status.is_success() {
                // The library takes 200 alone, and 204 is success too.
                answer.status = StatusCode::OK;
                // The nonce is the library's now.
                wire.state().carried.nonce = None;
            }
            let mut response = Response::new(());
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            let (parts, ()) = response.into_parts();
            Ok(BytesResponse { parts, body: Box::new(answer.body) })
        })
    }
}
