//! One question to one server and its answer: over UDP, and over TCP when the answer does not fit (RFC 1035 §4.2, RFC 7766).

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::place::wire::Wire;

/// When a question over UDP is sent again, counted from the first time.
const AGAIN: [Duration; 2] = [Duration::from_millis(1_000), Duration::from_millis(3_000)];

/// How soon a wish to stop is noticed.
const NOTICE: Duration = Duration::from_millis(50);

/// What fits into a packet on every path (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

/// The longest message over TCP.
const LONGEST: usize = u16::MAX as usize;

/// What to do with the bytes of an answer: the message when it is to be believed, an error when it shall be waited on for
/// another one.
pub(super) trait Believe {
    fn believe(&self, answer: &[u8]) -> Result<Message>;
}

/// Answers that are signed by nobody.
pub(super) struct Unsigned;

impl Believe for Unsigned {
    fn believe(&self, answer: &[u8]) -> Result<Message> {
        Message::from_vec(answer).map_err(|source| {
            Error::new(ErrorKind::Protocol, "the answer of the name server is damaged").source(source)
        })
    }
}

/// A question about one type of record of one name.
pub(super) fn question(name: &Name, kind: RecordType, recursion: bool) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = recursion;
    message.add_query(Query::query(name.clone(), kind));
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD);
    message.set_edns(edns);
    message
}

/// Send a message and wait for its answer until `end`.
///
/// # Errors
///
/// `Timeout`, `Network`, `Protocol`, `Cancelled`, and those of `believe`; each names the server.
pub(super) fn exchange(
    server: SocketAddr,
    message: &Message,
    believe: &dyn Believe,
    end: Instant,
    cancel: &Cancel,
) -> Result<Message> {
    let asked = Asked { server, message, believe, end, cancel };
    let answer = asked.over_udp().and_then(|answer| if answer.truncation { asked.over_tcp() } else { Ok(answer) });
    answer.map_err(|error| match error.kind() {
        ErrorKind::Cancelled => error,
        _ => error.context("server", server),
    })
}

struct Asked<'a> {
    server: SocketAddr,
    message: &'a Message,
    believe: &'a dyn Believe,
    end: Instant,
    cancel: &'a Cancel,
}

impl Asked<'_> {
    fn over_udp(&self) -> Result<Message> {
        let bytes = self.bytes()?;
        let local: SocketAddr = match self.server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(local).map_err(|source| self.fault(source))?;
        // A connected socket hears nobody else, and hears that nobody listens there.
        socket.connect(self.server).and_then(|()| socket.set_nonblocking(true)).map_err(|source| self.fault(source))?;
        socket.send(&bytes).map_err(|source| self.fault(source))?;
        let begun = Instant::now();
        let mut again = AGAIN.iter();
        let mut next = again.next();
        let mut doubted = None;
        let mut into = vec![0; LONGEST];
        loop {
            self.cancel.check()?;
            let now = Instant::now();
            if now >= self.end {
                return Err(doubted.unwrap_or_else(|| self.silent()));
            }
            if next.is_some_and(|span| now.duration_since(begun) >= *span) {
                next = again.next();
                socket.send(&bytes).map_err(|source| self.fault(source))?;
            }
            let span = self.end.duration_since(now).min(NOTICE);
            let span = Timespec { tv_sec: 0, tv_nsec: span.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&span)) {
                Ok(0) | Err(Errno::INTR) => continue,
                other => other.map(drop).map_err(|source| self.fault(source.into()))?,
            }
            let taken = match socket.recv(&mut into) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                    continue;
                }
                other => other.map_err(|source| self.fault(source))?,
            };
            match self.judge(into.get(..taken).unwrap_or_default()) {
                Some(Ok(answer)) => return Ok(answer),
                // A forged answer must not keep the right one away; the server's own refusal ends it.
                Some(Err(error)) if error.kind() == ErrorKind::ChallengeFailed => return Err(error),
                Some(Err(error)) => doubted = Some(error),
                None => {}
            }
        }
    }

    fn over_tcp(&self) -> Result<Message> {
        let bytes = self.bytes()?;
        let length = u16::try_from(bytes.len())
            .map_err(|_| Error::new(ErrorKind::Bug, "a message is too long for DNS"))?
            .to_be_bytes();
        let talk = || {
            let mut wire = Wire::tcp(self.server, self.end, 2 + LONGEST, self.cancel)?;
            wire.write_all(&[&length[..], &bytes].concat())?;
            let mut length = [0; 2];
            wire.read_exact(&mut length)?;
            let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
            wire.read_exact(&mut answer)?;
            Ok(answer)
        };
        let answer = talk().map_err(|source: io::Error| {
            Wire::fault("the name server cannot be asked over TCP", source, self.cancel)
                .hint("see with `dig +tcp` whether the server answers over TCP")
        })?;
        self.judge(&answer).unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Protocol, "the name server answered something that was not asked"))
        })
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        self.message.to_vec().map_err(|source| Error::new(ErrorKind::Bug, "a message cannot be written").source(source))
    }

    /// `None` when these bytes are no answer to what was asked.
    fn judge(&self, answer: &[u8]) -> Option<Result<Message>> {
        let [high, low, ..] = answer else { return None };
        if u16::from_be_bytes([*high, *low]) != self.message.id {
            return None;
        }
        let believed = self.believe.believe(answer);
        let fits = |answer: &Message| {
            answer.message_type == MessageType::Response
                && answer.op_code == self.message.op_code
                // The zone section of an update need not come back (RFC 2136 §3.8).
                && (answer.op_code == OpCode::Update || same_question(&answer.queries, &self.message.queries))
        };
        match believed {
            Ok(answer) if !fits(&answer) => None,
            other => Some(other),
        }
    }

    fn fault(&self, source: io::Error) -> Error {
        Wire::fault("the name server cannot be asked", source, self.cancel)
            .hint("see with `dig` whether the server answers, and whether something filters port 53")
    }

    fn silent(&self) -> Error {
        Error::new(ErrorKind::Timeout, "the name server did not answer")
            .hint("see with `dig` whether the server answers, and whether something filters port 53")
    }
}

/// An answer that names no question is to some error that the server could not read it (RFC 1035 §4.1.1).
fn same_question(answered: &[Query], asked: &[Query]) -> bool {
    match (answered, asked) {
        ([], _) => true,
        ([one], [other]) => {
            one.query_type() == other.query_type()
                && one.query_class() == other.query_class()
                && one.name().to_lowercase() == other.name().to_lowercase()
        }
        _ => false,
    }
}
