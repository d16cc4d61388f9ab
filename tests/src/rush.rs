//! An ACME client for loads: one connection and one account, nothing but the requests that an order takes, no waiting that
//! the server does not ask for.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use certwright::{Csr, KeyAlgorithm, PrivateKey, Sans};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use serde_json::{Value, json};

use crate::http::trusting;
use crate::raw::{Key, encode, wish};

/// For one answer, and for everything that an order waits for: a server that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at an order that is not so far.
const POLL: Duration = Duration::from_millis(2);

/// Where an authority is, and how it is trusted.
#[derive(Clone, Debug)]
pub struct Target {
    directory: String,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
}

impl Target {
    /// The one with this directory, trusted by these roots (a PEM file).
    ///
    /// # Errors
    ///
    /// When the roots cannot be read, or the URL has no address.
    pub fn new(directory: &str, roots: &Path) -> io::Result<Self> {
        let host = directory.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let address = host.parse().map_err(io::Error::other)?;
        let tls = Arc::new(trusting(&std::fs::read(roots)?)?);
        Ok(Self { directory: directory.to_owned(), address, tls })
    }
}

/// One client.
#[derive(Debug)]
pub struct Worker {
    target: Target,
    stream: StreamOwned<ClientConnection, TcpStream>,
    read: Vec<u8>,
    key: Key,
    account: String,
    nonce: String,
    new_nonce: String,
    new_order: String,
}

/// What an answer was.
struct Heard {
    status: u16,
    location: Option<String>,
    body: Vec<u8>,
}

impl Worker {
    /// Connects, and makes an account.
    ///
    /// # Errors
    ///
    /// When the server does not let it.
    pub fn new(target: &Target) -> io::Result<Self> {
        let mut worker = Self {
            target: target.clone(),
            stream: connect(target)?,
            read: Vec::new(),
            key: Key::new()?,
            account: String::new(),
            nonce: String::new(),
            new_nonce: String::new(),
            new_order: String::new(),
        };
        let directory = worker.talk("GET", path(&target.directory), b"")?;
        let directory: Value = serde_json::from_slice(&directory.body)?;
        let url = |name: &str| directory[name].as_str().unwrap_or_default().to_owned();
        (worker.new_nonce, worker.new_order) = (url("newNonce"), url("newOrder"));
        worker.fresh()?;
        let made = worker.post(&url("newAccount"), r#"{"termsOfServiceAgreed":true}"#)?;
        worker.account = made.location.ok_or_else(|| io::Error::other("an account without a URL"))?;
        Ok(worker)
    }

    /// A whole order: the chain, PEM. The server believes every answer to a challenge.
    ///
    /// # Errors
    ///
    /// When it comes to nothing.
    pub fn order(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let url = self.begin(name)?;
        let order = self.until(&url, "ready")?;
        self.finish(&url, &order, name)
    }

    /// The first half: an order whose challenge was answered. Its URL.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn begin(&mut self, name: &str) -> io::Result<String> {
        let made = self.post(&self.new_order.clone(), &wish(&[name]).to_string())?;
        let order: Value = serde_json::from_slice(&made.body)?;
        let url = made.location.ok_or_else(|| io::Error::other("an order without a URL"))?;
        let authorization = self.post(text(&order["authorizations"][0])?, "")?;
        let authorization: Value = serde_json::from_slice(&authorization.body)?;
        self.post(text(&authorization["challenges"][0]["url"])?, "{}")?;
        Ok(url)
    }

    /// The second half, for an order that is ready: the chain.
    ///
    /// # Errors
    ///
    /// As [`Worker::order`].
    pub fn finish(&mut self, url: &str, order: &Value, name: &str) -> io::Result<Vec<u8>> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).map_err(io::Error::other)?;
        let names = Sans::new(vec![name.parse().map_err(io::Error::other)?]).map_err(io::Error::other)?;
        let csr = Csr::new(&key, &names).map_err(io::Error::other)?;
        let payload = json!({ "csr": encode(csr.der()) }).to_string();
        let done = self.post(text(&order["finalize"])?, &payload)?;
        let mut done: Value = serde_json::from_slice(&done.body)?;
        if done["status"] != "valid" {
            done = self.until(url, "valid")?;
        }
        Ok(self.post(text(&done["certificate"])?, "")?.body)
    }

    /// Looks at an order until it is so far.
    ///
    /// # Errors
    ///
    /// When it never is.
    pub fn until(&mut self, url: &str, status: &str) -> io::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let order: Value = serde_json::from_slice(&self.post(url, "")?.body)?;
            if order["status"] == status {
                return Ok(order);
            }
            if order["status"] == "invalid" || Instant::now() >= deadline {
                return Err(io::Error::other(format!("the order is not {status}: {order}")));
            }
            thread::park_timeout(POLL);
        }
    }

    /// A signed request; a nonce that was refused is no failure.
    fn post(&mut self, url: &str, payload: &str) -> io::Result<Heard> {
        for _ in 0..5 {
            let nonce = std::mem::take(&mut self.nonce);
            let mut header = json!({ "alg": "ES256", "nonce": nonce, "url": url });
            match self.account.is_empty() {
                true => header["jwk"] = self.key.jwk(),
                false => header["kid"] = self.account.as_str().into(),
            }
            let body = self.key.sign(header.to_string().as_bytes(), payload.as_bytes())?.to_string();
            let heard = self.talk("POST", path(url), body.as_bytes())?;
            if heard.status < 300 {
                return Ok(heard);
            }
            let said = String::from_utf8_lossy(&heard.body).into_owned();
            if !said.contains("badNonce") {
                return Err(io::Error::other(format!("{url}: {} {said}", heard.status)));
            }
            if self.nonce.is_empty() {
                self.fresh()?;
            }
        }
        Err(io::Error::other("no nonce is good"))
    }

    fn fresh(&mut self) -> io::Result<()> {
        let url = self.new_nonce.clone();
        self.talk("HEAD", path(&url), b"").map(drop)
    }

    /// One request and its answer over the connection that there is.
    fn talk(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<Heard> {
        let host = self.target.address;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/jose+json\r\n" };
        let length = body.len();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{kind}Content-Length: {length}\r\n\r\n");
        request.push_str(&String::from_utf8_lossy(body));
        self.stream.write_all(request.as_bytes())?;
        self.stream.flush()?;
        let end = loop {
            match self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.more()?,
            }
        };
        let rest = self.read.split_off(end);
        let head = String::from_utf8_lossy(&std::mem::replace(&mut self.read, rest)).into_owned();
        let field = |wanted: &str| {
            let fields = head.lines().filter_map(|line| line.split_once(':'));
            fields
                .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.trim().to_owned())
                .next()
        };
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no answer of HTTP: {head}")))?;
        if let Some(nonce) = field("Replay-Nonce") {
            self.nonce = nonce;
        }
        let body = match (field("Content-Length"), field("Transfer-Encoding")) {
            _ if method == "HEAD" || status == 204 => Vec::new(),
            (Some(length), _) => self.exactly(length.parse().map_err(io::Error::other)?)?,
            (None, Some(_)) => self.chunks()?,
            (None, None) => Vec::new(),
        };
        Ok(Heard { status, location: field("Location"), body })
    }

    fn more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8192];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.read.extend_from_slice(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.read.len() < length {
            self.more()?;
        }
        let rest = self.read.split_off(length);
        Ok(std::mem::replace(&mut self.read, rest))
    }

    /// RFC 9112 §7.1.
    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match self.read.windows(2).position(|bytes| bytes == b"\r\n") {
                    Some(end) => break end + 2,
                    None => self.more()?,
                }
            };
            let line = self.exactly(end)?;
            let length = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).map_err(io::Error::other)?;
            let chunk = self.exactly(length + 2)?;
            body.extend_from_slice(chunk.get(..length).unwrap_or_default());
            if length == 0 {
                return Ok(body);
            }
        }
    }
}

fn connect(target: &Target) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let tcp = TcpStream::connect(target.address)?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    let name = ServerName::IpAddress(target.address.ip().into());
    let tls = ClientConnection::new(Arc::clone(&target.tls), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(tls, tcp))
}

fn text(value: &Value) -> io::Result<&str> {
    value.as_str().ok_or_else(|| io::Error::other(format!("no URL: {value}")))
}

fn path(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}
