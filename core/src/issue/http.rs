//! HTTP/1.1 over TLS to the one host that an authority lives on.
//!
//! The client of the ACME library has no time limit and no limit of size, and panics in a process that links two TLS providers;
//! this one names its provider, and follows nothing: a redirect, plain HTTP or another host is an error.

mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::header;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::ground::time::{Clock, Timestamp};
#[cfg(feature = "step-ca")]
use crate::pki::material::Material;

/// The largest answer that is read: the longest chain fits, and so does an order for a thousand names.
const LARGEST: usize = 1 << 20;
/// How long one request may take: authorities that issue while the client waits need some tens of seconds.
const ONE_REQUEST: Duration = Duration::from_secs(90);
/// How long one address may take to answer when there are others.
const ONE_ADDRESS: Duration = Duration::from_secs(4);

/// Product and version, before those of the library that builds the requests (RFC 8555 §6.1).
const AGENT: &str = concat!("certwright/", env!("CARGO_PKG_VERSION"));

/// The host and port that every URL of an authority has to have.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Origin {
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an `https` URL without user name; `None` for any other text.
    pub(super) fn of(url: &Uri) -> Option<Self> {
        let authority = url.authority().filter(|authority| !authority.as_str().contains('@'))?;
        if url.scheme_str() != Some("https") || authority.host().is_empty() {
            return None;
        }
        // The type's own accessor passes over a port that is out of range.
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => 443,
            rest => rest.strip_prefix(':')?.parse().ok().filter(|port| *port != 0)?,
        };
        Some(Self { host: authority.host().to_ascii_lowercase(), port })
    }

    /// The host as the resolver and TLS take it: an IPv6 address without brackets.
    fn bare_host(&self) -> &str {
        self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&self.host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// What was asked, without the query.
    pub(super) url: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// A header as text; `None` when it is absent or no text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The time by the authority's clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        self.header("date").and_then(header::http_date)
    }

    /// How long the authority says to wait, by its own clock where it shows one.
    pub(super) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        self.header("retry-after").and_then(|value| header::retry_after(value, self.date().unwrap_or(now)))
    }
}

/// A connection that is kept for the next request.
pub(super) type Kept = Option<SendRequest<Full<Bytes>>>;

/// Makes connections to one origin.
pub(super) struct Connector {
    origin: Origin,
    tls: TlsConnector,
}

impl Connector {
    /// To this origin, trusting these roots, at the time that this clock says.
    ///
    /// # Errors
    ///
    /// `Unfit` when none of the roots can be read.
    pub(super) fn new<'r>(
        origin: Origin,
        roots: impl IntoIterator<Item = &'r [u8]>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let config = tls::trusting(roots, None, clock)?;
        Ok(Self { origin, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// The same, showing that the key of a certificate is held (mutual TLS, RFC 8446 §4.4.2).
    ///
    /// # Errors
    ///
    /// As [`Connector::new`], and `Unfit` when certificate and key cannot be used.
    #[cfg(feature = "step-ca")]
    pub(super) fn presenting<'r>(
        origin: Origin,
        roots: impl IntoIterator<Item = &'r [u8]>,
        held: &Material,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let config = tls::trusting(roots, Some(held), clock)?;
        Ok(Self { origin, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// To this origin, whoever answers there: for an answer that is known by its digest, and for nothing else.
    ///
    /// # Errors
    ///
    /// `Bug` when TLS cannot be set up.
    #[cfg(feature = "step-ca")]
    pub(super) fn believing_nobody(origin: Origin, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self { origin, tls: TlsConnector::from(Arc::new(tls::unverified(clock)?)) })
    }

    /// Send a request and read the answer whole, over the connection that was kept if it still works.
    ///
    /// # Errors
    ///
    /// `Protocol` for a URL elsewhere, a redirect and an answer that is too large; `Untrusted` when TLS is not trusted;
    /// `Network` and `Timeout`.
    pub(super) async fn exchange(&self, kept: &mut Kept, request: Request<Bytes>) -> Result<Answer> {
        let url = request.uri().to_string();
        if Origin::of(request.uri()).as_ref() != Some(&self.origin) {
            return Err(Error::new(ErrorKind::Protocol, "the authority names a URL that is not its own")
                .context("url", Public(&bounded(&url)))
                .context("expected", Public(&format!("https://{}", self.origin)))
                .hint("check the configured URL; if it is right, report this to the authority"));
        }
        let request = self.prepared(request);
        let answer = timeout(ONE_REQUEST, self.send(kept, request)).await.map_err(|_| {
            Error::new(ErrorKind::Network, "the authority did not answer in time").context("limit", ONE_REQUEST)
        });
        let answer = answer.and_then(|answer| answer);
        let (parts, body) =
            answer.map_err(|error| error.context("url", Public(&bounded(&url))).retry(Retry::Now))?.into_parts();
        if parts.status.is_redirection() || parts.status.is_informational() {
            let to = parts.headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            return Err(Error::new(ErrorKind::Protocol, "the authority redirects, which is not followed")
                .context("url", Public(&bounded(&url)))
                .context("to", Public(&bounded(to)))
                .hint("configure the URL as the authority publishes it"));
        }
        Ok(Answer { url, status: parts.status, headers: parts.headers, body })
    }

    /// What goes over the wire: the path alone in the first line, the host beside, our name first.
    fn prepared(&self, request: Request<Bytes>) -> Request<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let host = if self.origin.port == 443 { self.origin.host.clone() } else { self.origin.to_string() };
        if let Ok(host) = HeaderValue::try_from(host) {
            parts.headers.insert(HOST, host);
        }
        let library = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let agent = library.map_or_else(|| AGENT.to_owned(), |library| format!("{AGENT} {library}"));
        parts.headers.insert(USER_AGENT, HeaderValue::try_from(agent).unwrap_or(HeaderValue::from_static(AGENT)));
        parts.headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        let path = parts.uri.path_and_query().cloned();
        parts.uri = path.map_or_else(Uri::default, Uri::from);
        Request::from_parts(parts, Full::new(body))
    }

    async fn send(&self, kept: &mut Kept, request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
        if let Some(mut sender) = kept.take()
            && sender.ready().await.is_ok()
            // The other side may close a connection at the very moment when it is used again. Then nothing was answered, and
            // the request goes out once more: a nonce that was used up after all is refused and replaced.
            && let Ok(response) = sender.send_request(request.clone()).await
        {
            let response = whole(response).await?;
            *kept = Some(sender);
            return Ok(response);
        }
        let mut sender = self.connect().await?;
        let broke = |source| tls::with_alert(broken(&self.origin), &source).source(source);
        let response = sender.send_request(request).await.map_err(broke)?;
        let response = whole(response).await?;
        *kept = Some(sender);
        Ok(response)
    }

    /// A new connection to the first address that answers.
    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = self.reach().await?;
        let name = ServerName::try_from(self.origin.bare_host().to_owned()).map_err(|source| {
            Error::new(ErrorKind::InvalidSpec, "the authority's host is no name and no address").source(source)
        })?;
        let stream = self.tls.connect(name, stream).await.map_err(|source| self.distrusted(source))?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|source| broken(&self.origin).source(source))?;
        // It ends with the sender, or with the runtime. Its errors reach whoever waits for an answer.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn reach(&self) -> Result<TcpStream> {
        let unreached = |message: &'static str, source: std::io::Error| {
            Error::new(ErrorKind::Network, message)
                .context("authority", Public(&self.origin.to_string()))
                .hint("check DNS, firewall and proxy between this machine and the authority")
                .retry(Retry::Now)
                .source(source)
        };
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((self.origin.bare_host(), self.origin.port))
            .await
            .map_err(|source| unreached("the authority's host cannot be resolved", source))?
            .collect();
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for (at, address) in addresses.iter().enumerate() {
            let patience = if at + 1 == addresses.len() { ONE_REQUEST } else { ONE_ADDRESS };
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Requests are small and wait for their answers.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = std::io::ErrorKind::TimedOut.into(),
            }
        }
        Err(unreached("the authority cannot be reached", last))
    }

    /// What a failed handshake means.
    fn distrusted(&self, source: std::io::Error) -> Error {
        tls::fault(source).context("authority", Public(&self.origin.to_string()))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The body, as far as the limit.
async fn whole(response: Response<Incoming>) -> Result<Response<Bytes>> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, LARGEST).collect().await.map_err(|source| {
        if source.is::<LengthLimitError>() {
            return Error::new(ErrorKind::Protocol, "the authority's answer is too large").context("at_most", LARGEST);
        }
        Error::new(ErrorKind::Network, "the authority's answer ended early").retry(Retry::Now).source(source)
    })?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

fn broken(origin: &Origin) -> Error {
    Error::new(ErrorKind::Network, "the connection to the authority broke")
        .context("authority", Public(&origin.to_string()))
        .retry(Retry::Now)
}

/// Text from outside, short enough for an error.
pub(super) fn bounded(text: &str) -> String {
    const MOST: usize = 1000;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Option<String> {
        Origin::of(&url.parse().ok()?).map(|origin| origin.to_string())
    }

    #[test]
    fn only_https_has_an_origin() {
        for (url, wanted) in [
            ("https://CA.example/directory", Some("ca.example:443")),
            ("https://ca.example:14000/dir", Some("ca.example:14000")),
            ("https://[::1]:14000/dir", Some("[::1]:14000")),
            ("http://ca.example/directory", None),
            ("https://user@ca.example/", None),
            ("https://ca.example:0/", None),
            ("https://ca.example:99999/", None),
            ("/directory", None),
            ("ca.example", None),
        ] {
            assert_eq!(origin(url).as_deref(), wanted, "{url}");
        }
    }

    #[test]
    fn our_name_comes_before_the_librarys() {
        let clock = Arc::new(crate::ground::time::ManualClock::at(Timestamp::from_unix(0)));
        let family = crate::pki::forge::Family::new(&["ca.example"]);
        let origin = Origin::of(&"https://ca.example:8443/d".parse().unwrap()).unwrap();
        let connector = Connector::new(origin, [family.root.der()], clock).unwrap();
        let request = Request::builder().uri("https://ca.example:8443/d?x=1").header(USER_AGENT, "library/1");
        let sent = connector.prepared(request.body(Bytes::new()).unwrap());
        assert_eq!(
            (sent.uri().to_string().as_str(), &sent.headers()[HOST]),
            ("/d?x=1", &"ca.example:8443".parse().unwrap())
        );
        let agent = sent.headers()[USER_AGENT].to_str().unwrap();
        assert!(agent.starts_with("certwright/") && agent.ends_with(" library/1"), "{agent}");
    }

    #[test]
    fn long_text_from_outside_is_cut() {
        assert_eq!(bounded("short"), "short");
        assert_eq!(bounded(&"é".repeat(5000)).chars().count(), 1001);
    }
}
