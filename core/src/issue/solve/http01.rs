//! `http-01` (RFC 8555 §8.3): a file in somebody else's document root, or an HTTP server that knows nothing but its answers.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use super::desk::{Answer, Board, Desks, Protocol, Seat};
use super::listener::Serve;
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;
use crate::ground::secret::SecretBytes;
use crate::issue::solver::{Afterlife, Challenge, Solver};
use crate::place::webroot::Webroot;
use crate::place::wire::Wire;
use crate::plan::spec::ChallengeKind;

/// Where answers are asked for.
const PREFIX: &str = "/.well-known/acme-challenge/";

/// The longest request head that is read; authorities send some hundred bytes.
const HEAD: usize = 8 * 1024;

/// Answers by files in a document root.
#[derive(Debug)]
pub(super) struct ByWebroot(Webroot);

impl ByWebroot {
    pub(super) fn new(webroot: Webroot) -> Self {
        Self(webroot)
    }
}

impl Solver for ByWebroot {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        super::expect_kind(self.kinds(), challenge)?;
        self.0
            .put(challenge.token(), challenge.key_authorization().expose())
            .map_err(|error| error.context("identifier", challenge.identifier()))
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        self.0.remove(challenge.token()).map_err(|error| error.context("identifier", challenge.identifier()))
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Http01]
    }
}

/// Answers by a listener of our own, which is there as long as there is something to answer.
#[derive(Debug)]
pub(super) struct ByListener(Seat<Http>);

impl ByListener {
    pub(super) fn at(address: SocketAddr) -> Self {
        Self(Seat::at(address))
    }
}

impl Solver for ByListener {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        super::expect_kind(self.kinds(), challenge)?;
        let answer = Answer {
            name: challenge.token().to_owned(),
            token: challenge.token().to_owned(),
            value: challenge.key_authorization().clone(),
        };
        self.0.put(&answer, cancel).map_err(|error| error.context("identifier", challenge.identifier()))
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        self.0.remove(Some(challenge.token()));
        Ok(())
    }

    fn afterlife(&self) -> Afterlife {
        Afterlife::Ends
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Http01]
    }
}

/// HTTP/1.1, as much as an authority speaks.
struct Http(Arc<Board<SecretBytes>>);

impl Protocol for Http {
    type Value = SecretBytes;

    fn server(board: Arc<Board<SecretBytes>>) -> Result<Arc<dyn Serve>> {
        Ok(Arc::new(Self(board)))
    }

    fn desks() -> &'static Desks<SecretBytes> {
        static DESKS: Desks<SecretBytes> = Desks::new();
        &DESKS
    }
}

impl Serve for Http {
    fn serve(&self, wire: &mut Wire<'_>) -> io::Result<()> {
        let mut head = Vec::with_capacity(512);
        let mut part = [0; 1024];
        let ask = loop {
            let taken = wire.read(&mut part)?;
            head.extend_from_slice(part.get(..taken).unwrap_or_default());
            if ends(&head) {
                break read(&head);
            }
            if taken == 0 {
                return Ok(());
            }
            if head.len() > HEAD {
                break Ask::Oversized;
            }
        };
        let (status, body) = match &ask {
            Ask::Get(token) | Ask::Head(token) => match self.0.answer(token) {
                Some(answer) => ("200 OK", answer),
                None => ("404 Not Found", b"no such answer\n".to_vec().into()),
            },
            Ask::Elsewhere => ("404 Not Found", b"no such answer\n".to_vec().into()),
            Ask::Other => ("405 Method Not Allowed", SecretBytes::from(Vec::new())),
            Ask::Oversized => ("431 Request Header Fields Too Large", SecretBytes::from(Vec::new())),
            Ask::Nonsense => ("400 Bad Request", SecretBytes::from(Vec::new())),
        };
        let length = body.expose().len();
        let allow = if matches!(ask, Ask::Other) { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\
             X-Content-Type-Options: nosniff\r\n{allow}Connection: close\r\n\r\n"
        );
        let mut answer = head.into_bytes();
        if !matches!(ask, Ask::Head(_)) {
            answer.extend_from_slice(body.expose());
        }
        wire.write_all(&answer)?;
        wire.finish()?;
        // What is unread when a socket is closed makes the kernel take the answer back (RFC 9112 §9.6).
        while wire.read(&mut part)? > 0 {}
        Ok(())
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Ask {
    /// The answer to this token.
    Get(String),
    /// Whether there is one.
    Head(String),
    /// Another path.
    Elsewhere,
    /// Another method.
    Other,
    /// More than is read.
    Oversized,
    /// No HTTP/1.
    Nonsense,
}

/// Whether the head of a request is complete. A bare line feed ends a line as well (RFC 9112 §2.2).
fn ends(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n") || head.windows(2).any(|two| two == b"\n\n")
}

fn read(head: &[u8]) -> Ask {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(line) = str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) else { return Ask::Nonsense };
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Ask::Nonsense;
    };
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Ask::Nonsense;
    }
    // The absolute form has to be understood by every server (RFC 9112 §3.2.2).
    let path = match target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        Some(_) => target.get(7..).and_then(|rest| rest.find('/').and_then(|at| rest.get(at..))).unwrap_or("/"),
        None => target,
    };
    let token = path.strip_prefix(PREFIX).filter(|token| !token.is_empty());
    match (method, token) {
        ("GET", Some(token)) => Ask::Get(token.to_owned()),
        ("HEAD", Some(token)) => Ask::Head(token.to_owned()),
        ("GET" | "HEAD", None) => Ask::Elsewhere,
        _ => Ask::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_asked() {
        let get = |token: &str| Ask::Get(token.to_owned());
        for (line, ask) in [
            ("GET /.well-known/acme-challenge/abc HTTP/1.1", get("abc")),
            ("GET /.well-known/acme-challenge/abc HTTP/1.0", get("abc")),
            ("GET http://a.example:80/.well-known/acme-challenge/abc HTTP/1.1", get("abc")),
            ("GET HTTP://a.example/.well-known/acme-challenge/abc HTTP/1.1", get("abc")),
            ("HEAD /.well-known/acme-challenge/abc HTTP/1.1", Ask::Head("abc".to_owned())),
            ("GET /.well-known/acme-challenge/ HTTP/1.1", Ask::Elsewhere),
            ("GET /.well-known/acme-challenge HTTP/1.1", Ask::Elsewhere),
            ("GET /.Well-Known/acme-challenge/abc HTTP/1.1", Ask::Elsewhere),
            ("GET / HTTP/1.1", Ask::Elsewhere),
            ("GET http://a.example HTTP/1.1", Ask::Elsewhere),
            ("GET * HTTP/1.1", Ask::Elsewhere),
            ("POST /.well-known/acme-challenge/abc HTTP/1.1", Ask::Other),
            ("get /.well-known/acme-challenge/abc HTTP/1.1", Ask::Other),
            ("GET /.well-known/acme-challenge/abc HTTP/2.0", Ask::Nonsense),
            ("GET /.well-known/acme-challenge/abc", Ask::Nonsense),
            ("GET  /.well-known/acme-challenge/abc HTTP/1.1", Ask::Nonsense),
            ("", Ask::Nonsense),
            ("\u{16}\u{3}\u{1}", Ask::Nonsense),
        ] {
            assert_eq!(read(format!("{line}\r\nHost: a.example\r\n\r\n").as_bytes()), ask, "{line}");
        }
        assert_eq!(read(b"GET /\xff HTTP/1.1\r\n\r\n"), Ask::Nonsense);
        assert!(ends(b"GET / HTTP/1.1\n\n") && !ends(b"GET / HTTP/1.1\r\nHost: a\r\n"));
    }
}
