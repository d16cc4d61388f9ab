//! The requests of one call: one connection to the CA, another one where a certificate is shown, one deadline.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use serde_json::Value;

use super::problem::{Asked, refusal};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::{Clock, Timestamp};
use crate::issue::call::Call;
use crate::issue::http::{Answer, Connector, Kept, Origin, bounded};
use crate::pki::leaf::Certificate;
use crate::pki::material::Material;

/// How often something is asked again after trouble on the way or on the other side.
const TROUBLES: u32 = 4;

/// The requests of one call.
pub(super) struct Session<'s> {
    call: Call<'s>,
    clock: Arc<dyn Clock>,
    /// Where the CA is, without a slash at the end.
    base: String,
    origin: Origin,
    trusted: RefCell<Vec<Certificate>>,
    kept: RefCell<Option<(Arc<Connector>, Kept)>>,
    /// What our clock and the CA's said at the same moment.
    clocks: Cell<Option<(Timestamp, Timestamp)>>,
}

impl<'s> Session<'s> {
    /// A session with the CA at this URL, that ends after `limit`.
    ///
    /// # Errors
    ///
    /// `InvalidSpec` when that is no `https` URL; `Io` when the operating system gives no more handles.
    pub(super) fn new(url: &str, clock: Arc<dyn Clock>, limit: Duration, cancel: &'s Cancel) -> Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        let plain = base.parse().ok().filter(|url: &http::Uri| url.query().is_none() && url.path() == "/");
        let origin = plain.as_ref().and_then(Origin::of).ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "`url` is not the https URL of a CA")
                .context("url", Public(&bounded(url)))
                .hint("write it without a path, such as `https://ca.internal:9000`")
        })?;
        let call = Call::new(Arc::clone(&clock), limit, ("url", &base), cancel)?;
        Ok(Self {
            call,
            clock,
            base,
            origin,
            trusted: RefCell::default(),
            kept: RefCell::default(),
            clocks: Cell::default(),
        })
    }

    /// Where a path of the CA is.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The wish to stop that this call looks at.
    pub(super) fn cancel(&self) -> &'s Cancel {
        self.call.cancel()
    }

    /// The time by our own clock.
    pub(super) fn now(&self) -> Timestamp {
        self.call.now()
    }

    /// What our clock and the CA's said at the same moment, once it has answered.
    pub(super) fn clocks(&self) -> Option<(Timestamp, Timestamp)> {
        self.clocks.get()
    }

    /// The time by the CA's clock, or by ours where it does not tell.
    pub(super) fn there(&self) -> Timestamp {
        let now = self.now();
        match self.clocks.get() {
            Some((here, there)) => there.saturating_add(now.since(here).unwrap_or_default()),
            None => now,
        }
    }

    /// From now on these roots are trusted, and no others.
    pub(super) fn trust(&self, roots: &[Certificate]) {
        *self.trusted.borrow_mut() = roots.to_vec();
        *self.kept.borrow_mut() = None;
    }

    /// A plain GET of whoever answers. Its answer is known by its digest, or not at all.
    ///
    /// # Errors
    ///
    /// `Network`, `Timeout`, `Cancelled`, and what the other side said.
    pub(super) fn ask_whoever_answers(&self, path: &str) -> Result<Answer> {
        self.again(|| {
            let connector = Connector::believing_nobody(self.origin.clone(), Arc::clone(&self.clock))?;
            let request = self.request(Method::GET, path, None, None)?;
            let answer = self.call.drive(connector.exchange(&mut None, request))??;
            self.judged(Asked::Reading, answer)
        })
    }

    /// A plain GET, again after a while when the connection breaks or the CA has trouble.
    ///
    /// # Errors
    ///
    /// As [`Session::ask_whoever_answers`]; `Untrusted` when TLS does not lead to the roots.
    pub(super) fn get(&self, path: &str) -> Result<Answer> {
        self.again(|| {
            let answer = self.exchange(self.request(Method::GET, path, None, None)?)?;
            self.clocks.set(answer.date().map(|there| (self.now(), there)).or(self.clocks.get()));
            self.judged(Asked::Reading, answer)
        })
    }

    /// A request with a body, made anew for each try: a token counts once.
    ///
    /// # Errors
    ///
    /// As [`Session::get`], and those of `body`.
    pub(super) fn post(&self, asked: Asked, path: &str, body: impl Fn() -> Result<Value>) -> Result<Answer> {
        self.again(|| {
            let request = self.request(Method::POST, path, Some(&body()?), None)?;
            self.judged(asked, self.exchange(request)?)
        })
    }

    /// A request without a body whose bearer is believed, the token made anew for each try.
    ///
    /// # Errors
    ///
    /// As [`Session::post`].
    pub(super) fn post_as_bearer(
        &self,
        asked: Asked,
        path: &str,
        token: impl Fn() -> Result<String>,
    ) -> Result<Answer> {
        self.again(|| {
            let request = self.request(Method::POST, path, None, Some(&token()?))?;
            self.judged(asked, self.exchange(request)?)
        })
    }

    /// A request over a connection of its own, in which a certificate is shown.
    ///
    /// # Errors
    ///
    /// As [`Session::get`]; `Refused` when the CA breaks TLS off.
    pub(super) fn post_showing(
        &self,
        asked: Asked,
        path: &str,
        held: &Material,
        body: Option<&Value>,
    ) -> Result<Answer> {
        self.again(|| {
            let connector = {
                let trusted = self.trusted.borrow();
                let roots = trusted.iter().map(Certificate::der);
                Connector::presenting(self.origin.clone(), roots, held, Arc::clone(&self.clock))?
            };
            let request = self.request(Method::POST, path, body, None)?;
            let answer = self.call.drive(connector.exchange(&mut None, request))?.map_err(shown_in_vain)?;
            self.judged(asked, answer)
        })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        bearer: Option<&str>,
    ) -> Result<Request<Bytes>> {
        let bug = |source| Error::new(ErrorKind::Bug, "a request to the CA cannot be made").source(source);
        let mut request = Request::builder().method(method).uri(self.at(path));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = bearer {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|source| bug(source.into()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        request.body(body).map_err(bug)
    }

    /// One exchange over the connection that is kept.
    fn exchange(&self, request: Request<Bytes>) -> Result<Answer> {
        let taken = self.kept.borrow_mut().take();
        let (connector, mut kept) = match taken {
            Some(kept) => kept,
            None => {
                let trusted = self.trusted.borrow();
                let roots = trusted.iter().map(Certificate::der);
                (Arc::new(Connector::new(self.origin.clone(), roots, Arc::clone(&self.clock))?), None)
            }
        };
        let answer = self.call.drive(connector.exchange(&mut kept, request))?.map_err(other_roots)?;
        *self.kept.borrow_mut() = Some((connector, kept));
        Ok(answer)
    }

    fn judged(&self, asked: Asked, answer: Answer) -> Result<Answer> {
        if answer.status.is_success() { Ok(answer) } else { Err(refusal(asked, &answer, self.now())) }
    }

    /// Do it, again after a while when it failed for a reason that passes.
    fn again<T>(&self, mut act: impl FnMut() -> Result<T>) -> Result<T> {
        let mut troubles = 0;
        loop {
            let error = match act() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let wait = Duration::from_millis(250 << troubles);
            if error.kind() != ErrorKind::Network || troubles >= TROUBLES || wait >= self.call.left() {
                return Err(error);
            }
            troubles += 1;
            self.call.sleep(wait)?;
        }
    }
}

/// The CA did not like the certificate that was shown: it ends TLS, and that is all that it says.
fn shown_in_vain(error: Error) -> Error {
    match error.fact("alert").map(str::to_owned) {
        Some(alert) => Error::new(ErrorKind::Refused, "the CA does not accept the certificate in TLS")
            .context("alert", Public(&alert))
            .hint("it may have expired, or be from before the CA changed its keys; configure a `provisioner`")
            .source(error),
        None => other_roots(error),
    }
}

/// What helps when TLS does not lead to the roots of the CA. What is wrong with the clock is said already.
fn other_roots(error: Error) -> Error {
    if error.kind() != ErrorKind::Untrusted || error.fact("here").is_some() {
        return error;
    }
    error.hint(
        "something else may answer at `url`; if the CA has got another root, compare it at the CA and write its \
         `fingerprint` (`step certificate fingerprint root_ca.crt`)",
    )
}
