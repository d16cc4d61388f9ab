//! Whether a record can be seen at every authoritative server, as the authority will look.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::exchange::{Unsigned, exchange, question};
use super::lookup::{Authoritative, rcode};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::place::pause::pause;

/// How long one server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Between two rounds: short at first, since most servers know at once, and never long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What one server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sight {
    /// The value.
    Seen,
    /// Something else, in words.
    Missing(String),
    /// Nothing, since this machine has no way to it, as to IPv6 addresses from a machine that has none.
    Unreachable,
}

/// Whether a value is the one that is looked for.
pub(in crate::issue::solve) type Fits<'f> = &'f (dyn Fn(&[u8]) -> bool + Sync);

/// A value that has to be seen somewhere.
pub(in crate::issue::solve) struct Wanted<'a> {
    pub(in crate::issue::solve) name: &'a Name,
    pub(in crate::issue::solve) fits: Fits<'a>,
    /// Whether the servers were named by the operator, and so are believed to be the right ones.
    pub(in crate::issue::solve) named: bool,
}

impl Wanted<'_> {
    /// Return once every server shows the value.
    ///
    /// # Errors
    ///
    /// `Timeout` naming each server that does not show it, with what it says; `Cancelled`.
    pub(in crate::issue::solve) fn seen_by_all(
        &self,
        servers: &[Authoritative],
        end: Instant,
        cancel: &Cancel,
    ) -> Result<()> {
        let mut sights = vec![Sight::Missing("not asked".to_owned()); servers.len()];
        let mut span = FIRST_PAUSE;
        loop {
            self.look(servers, &mut sights, end, cancel);
            cancel.check()?;
            let late: Vec<String> = missing(servers, &sights);
            if late.is_empty() {
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let mut error = Error::new(
                    ErrorKind::Timeout,
                    "the answer to the challenge cannot be seen at every authoritative server",
                )
                .context("record", Public(&self.name.to_ascii()));
                for line in &late {
                    error = error.context("server", Public(line));
                }
                return Err(error.retry(Retry::Now).hint(
                    "see why these servers do not follow the primary, or allow them more time with `propagation`",
                ));
            }
            pause(span.min(left), cancel)?;
            span = (span * 2).min(LONGEST_PAUSE);
        }
    }

    /// Ask all those at once that have not shown it yet.
    fn look(&self, servers: &[Authoritative], sights: &mut [Sight], end: Instant, cancel: &Cancel) {
        std::thread::scope(|scope| {
            for (server, sight) in servers.iter().zip(sights).filter(|(_, sight)| **sight != Sight::Seen) {
                let end = (Instant::now() + PATIENCE).min(end.max(Instant::now() + FIRST_PAUSE));
                let ask = move |sight: &mut Sight| *sight = self.sight(server.address, end, cancel);
                let builder = std::thread::Builder::new().name("certwright-look".to_owned());
                // Without a thread for it a server is asked in the next round.
                let _ = builder.spawn_scoped(scope, move || ask(sight));
            }
        });
    }

    fn sight(&self, server: SocketAddr, end: Instant, cancel: &Cancel) -> Sight {
        let message = question(self.name, RecordType::TXT, false);
        let answer = match exchange(server, &message, &Unsigned, end, cancel) {
            Ok(answer) => answer,
            Err(error) if no_way(&error) => return Sight::Unreachable,
            Err(error) => return Sight::Missing(error.message().to_owned()),
        };
        if answer.response_code != ResponseCode::NoError {
            return Sight::Missing(rcode(answer.response_code));
        }
        if !self.named && !answer.authoritative {
            return Sight::Missing("is not authoritative for the zone".to_owned());
        }
        let mut count = 0_usize;
        for value in texts(&answer) {
            if (self.fits)(&value) {
                return Sight::Seen;
            }
            count += 1;
        }
        Sight::Missing(match count {
            0 => "NOERROR without a TXT record".to_owned(),
            1 => "NOERROR with another TXT record".to_owned(),
            more => format!("NOERROR with {more} other TXT records"),
        })
    }
}

/// The values of the TXT records that a server has at a name: none where there is no such name.
pub(in crate::issue::solve) fn values(
    server: SocketAddr,
    name: &Name,
    end: Instant,
    cancel: &Cancel,
) -> Result<Vec<Vec<u8>>> {
    let answer = exchange(server, &question(name, RecordType::TXT, false), &Unsigned, end, cancel)?;
    match answer.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(texts(&answer).collect()),
        code => Err(Error::new(ErrorKind::Network, "the name server does not say what is there")
            .context("server", server)
            .context("rcode", Public(&rcode(code)))),
    }
}

fn texts(answer: &Message) -> impl Iterator<Item = Vec<u8>> {
    answer.answers.iter().filter_map(|record| match &record.data {
        RData::TXT(text) => Some(text.txt_data.concat()),
        _ => None,
    })
}

/// The servers that keep us waiting, each with what it says. One that has several addresses may have some to which this
/// machine has no way.
fn missing(servers: &[Authoritative], sights: &[Sight]) -> Vec<String> {
    let both = || servers.iter().zip(sights);
    let elsewhere =
        |name: &str| !name.is_empty() && both().any(|(server, sight)| server.name == name && *sight == Sight::Seen);
    let words = |(server, sight): (&Authoritative, &Sight)| {
        let says = match sight {
            Sight::Missing(says) => says.as_str(),
            Sight::Unreachable if !elsewhere(&server.name) => "there is no way to it from this machine",
            Sight::Seen | Sight::Unreachable => return None,
        };
        Some(if server.name.is_empty() {
            format!("{}: {says}", server.address)
        } else {
            format!("{} ({}): {says}", server.name, server.address)
        })
    };
    both().filter_map(words).collect()
}

/// Whether the kernel refused to send: there is no route, or no address of that family.
fn no_way(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| {
        matches!(
            source.kind(),
            std::io::ErrorKind::NetworkUnreachable
                | std::io::ErrorKind::HostUnreachable
                | std::io::ErrorKind::AddrNotAvailable
        )
    })
}

/// Servers that the operator named, by their addresses alone.
pub(in crate::issue::solve) fn named(addresses: &[SocketAddr]) -> Vec<Authoritative> {
    addresses.iter().map(|address| Authoritative { name: String::new(), address: *address }).collect()
}
