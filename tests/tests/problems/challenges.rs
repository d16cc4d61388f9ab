//! Challenges that are not met.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use certwright_tests::until::until;

use super::{Pebbles, Provocation, Side, Told};

pub(super) const CHALLENGES: &[Provocation] = &[
    Provocation {
        what: "http-01 where nobody listens",
        kind: "connection",
        pebbles: Pebbles::Same,
        act: |side| failed(side, "nobody.example", "http-01"),
    },
    Provocation {
        what: "http-01 with another answer",
        kind: "incorrectResponse",
        pebbles: Pebbles::Other("unauthorized", "RFC 8555 §6.7 has a type for an answer that is not the right one"),
        act: |side| {
            let _answers = Answers::start(side.http, |_| "another answer".to_owned())?;
            failed(side, "wrong.example", "http-01")
        },
    },
    Provocation {
        what: "dns-01 without a record",
        kind: "incorrectResponse",
        pebbles: Pebbles::Other("unauthorized", "as above"),
        act: |side| failed(side, "record.example", "dns-01"),
    },
    Provocation {
        what: "dns-01 where the name server fails",
        kind: "dns",
        pebbles: Pebbles::Other("unauthorized", "RFC 8555 §6.7 has a type for what fails in DNS"),
        act: |side| {
            side.names.fail("_acme-challenge.servfail.example.")?;
            failed(side, "servfail.example", "dns-01")
        },
    },
    Provocation {
        what: "tls-alpn-01 where nobody listens",
        kind: "connection",
        pebbles: Pebbles::Other("unauthorized", "RFC 8555 §6.7 has a type for a connection that fails"),
        act: |side| failed(side, "alpn.example", "tls-alpn-01"),
    },
    Provocation {
        what: "tls-alpn-01 where no TLS is spoken",
        kind: "tls",
        pebbles: Pebbles::Other("unauthorized", "RFC 8555 §6.7 has a type for a handshake that fails"),
        act: |side| {
            let _answers = Answers::start(side.tls, |_| String::new())?;
            failed(side, "plain.example", "tls-alpn-01")
        },
    },
];

/// The problem of a challenge that was not met.
fn failed(side: &Side<'_>, name: &str, kind: &str) -> io::Result<Told> {
    side.names.set_addresses(&format!("{name}."), &[&side.http.ip().to_string()])?;
    let (_, order) = side.raw.order(&[name])?;
    let url = side.respond(&order, kind)?;
    until(Duration::from_secs(30), "the authorization is judged", || {
        let shown = side.raw.fetch(&url)?;
        let challenges = shown["challenges"].as_array().into_iter().flatten();
        let error = challenges.filter_map(|one| one.get("error")).next();
        error.map(Told::of).ok_or_else(|| io::Error::other(shown.to_string()))
    })
}

/// A web server that answers for a token.
pub(super) struct Answers {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Answers {
    /// With key authorizations for this thumbprint.
    pub(super) fn right(address: SocketAddr, thumbprint: String) -> io::Result<Self> {
        Self::start(address, move |token| format!("{token}.{thumbprint}"))
    }

    pub(super) fn start(address: SocketAddr, answer: impl Fn(&str) -> String + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let serve = move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Acquire) {
                    break;
                }
                let Ok(mut stream) = stream else { continue };
                let mut asked = [0; 4096];
                let count = stream.read(&mut asked).unwrap_or_default();
                let head = String::from_utf8_lossy(asked.get(..count).unwrap_or_default()).into_owned();
                let token = head.split(' ').nth(1).and_then(|path| path.rsplit('/').next()).unwrap_or_default();
                let body = answer(token);
                let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes());
            }
        };
        Ok(Self { address, over, thread: Some(thread::spawn(serve)) })
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
