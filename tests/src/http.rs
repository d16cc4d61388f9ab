//! A web client for the fixtures: one request a connection, over TCP or TLS, answered whole or not at all.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

/// For one answer; it takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A web server, and how to speak to it.
#[derive(Clone, Debug)]
pub struct Web {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

/// What it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The number of its status.
    pub status: u16,
    /// Status line and header fields, as they were sent.
    pub head: String,
    /// What followed.
    pub body: Vec<u8>,
}

impl Web {
    /// In clear.
    pub const fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// Over TLS, as the address itself, trusting these roots (a PEM file).
    ///
    /// # Errors
    ///
    /// When the roots cannot be read.
    pub fn secure(address: SocketAddr, roots: &Path) -> io::Result<Self> {
        Ok(Self { address, tls: Some(Arc::new(trusting(&fs::read(roots)?)?)) })
    }

    /// Asks for a page.
    ///
    /// # Errors
    ///
    /// When there is no whole answer in time, or it is not one of success.
    pub fn get(&self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], b"")?.success(path)
    }

    /// Posts a JSON text.
    ///
    /// # Errors
    ///
    /// As [`Web::get`].
    pub fn post(&self, path: &str, json: &str) -> io::Result<Answer> {
        self.send("POST", path, &[("Content-Type", "application/json")], json.as_bytes())?.success(path)
    }

    /// The answer, whatever its status. HTTP/1.0, so that it ends with the connection and is not cut into pieces.
    ///
    /// # Errors
    ///
    /// When there is no whole answer in time.
    pub fn send(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let mut tcp = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{fields}Content-Length: {}\r\n\r\n",
            self.address,
            body.len(),
        );
        let request = [head.as_bytes(), body].concat();
        match &self.tls {
            None => exchange(&mut tcp, &request),
            Some(config) => {
                let name = ServerName::IpAddress(self.address.ip().into());
                let mut tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
                exchange(&mut Stream::new(&mut tls, &mut tcp), &request)
            }
        }
    }
}

impl Answer {
    /// A field of the head, the first of its name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// The answer of somebody who was successful.
    ///
    /// # Errors
    ///
    /// When it is another one.
    pub fn success(self, path: &str) -> io::Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.body);
        Err(io::Error::other(format!("{path} was answered with {}: {said}", self.status)))
    }
}

fn exchange(stream: &mut (impl Read + Write), request: &[u8]) -> io::Result<Answer> {
    // Who is asked too much may answer and end before everything was said.
    let said = stream.write_all(request).and_then(|()| stream.flush());
    let mut answer = Vec::new();
    let heard = stream.read_to_end(&mut answer);
    if answer.is_empty() {
        said?;
        heard?;
    }
    split(&answer).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("no answer of HTTP: {}", String::from_utf8_lossy(&answer)))
    })
}

fn split(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = (std::str::from_utf8(answer.get(..end)?).ok()?, answer.get(end + 4..)?);
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_vec() })
}

pub(crate) fn trusting(roots: &[u8]) -> io::Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots) {
        store.add(root.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn answering(answer: &'static str) -> io::Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let web = Web::plain(listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let count = stream.read(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked[..count].to_vec()).unwrap()
        });
        let answer = web.get("/page");
        assert!(server.join().unwrap().starts_with("GET /page HTTP/1.0\r\n"));
        answer
    }

    #[test]
    fn tells_status_head_and_body_apart() {
        let answer = answering("HTTP/1.1 201 Created\r\nX: y\r\n\r\nbody\r\n\r\nmore").unwrap();
        let head = "HTTP/1.1 201 Created\r\nX: y".to_owned();
        assert_eq!(answer, Answer { status: 201, head, body: b"body\r\n\r\nmore".to_vec() });
    }

    #[test]
    fn a_refusal_and_nonsense_are_errors() {
        let refused = answering("HTTP/1.0 403 Forbidden\r\n\r\nno such luck").unwrap_err();
        assert!(refused.to_string().contains("403: no such luck"), "{refused}");
        assert_eq!(answering("SMTP").unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
