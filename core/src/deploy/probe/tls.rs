//! A TLS connection to every address of an endpoint.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};

use super::handshake::{KeyKind, certificates, client};
use super::resolve::resolve;
use super::{Observation, Place, Probe, Seen, at, starttls};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::DnsName;
use crate::pki::key::KeyAlgorithm;
use crate::place::wire::{Wire, deadline};
use crate::plan::spec::{Address, Endpoint, StartTls};

/// What one connection may send. A chain of ten RSA certificates with a thousand names takes less.
const BUDGET: usize = 256 * 1024;

/// Connects to every address of an endpoint at once, to each as often as wished, and takes the certificates that are
/// sent. The time limit is one for the whole observation.
#[derive(Debug)]
pub(super) struct TlsProbe {
    address: Address,
    server_name: Option<DnsName>,
    starttls: Option<StartTls>,
    limit: Duration,
    connections: u32,
    /// What offers the wished kind of key alone, then what offers every kind.
    offers: [Arc<ClientConfig>; 2],
}

impl TlsProbe {
    pub(super) fn new(wish: &Endpoint, key: KeyAlgorithm) -> Result<Self> {
        let offer = |kind| {
            client(kind).map_err(|source| Error::new(ErrorKind::Bug, "the TLS client cannot be made").source(source))
        };
        Ok(Self {
            address: wish.address.clone(),
            server_name: wish.server_name.clone(),
            starttls: wish.starttls,
            limit: wish.limit,
            connections: wish.connections.max(1),
            offers: [offer(key.into())?, offer(KeyKind::Any)?],
        })
    }

    fn addresses(&self, end: Instant, cancel: &Cancel) -> Result<Vec<SocketAddr>> {
        match &self.address {
            Address::Socket(address) => Ok(vec![*address]),
            Address::Host(host, port) => resolve(host, *port, end, cancel),
            Address::File(_) => Err(Error::new(ErrorKind::Bug, "a file cannot be connected to")),
        }
    }

    /// Every address, at once, so that one that does not answer takes no time from the others.
    pub(super) fn visit_all(&self, addresses: &[SocketAddr], end: Instant, cancel: &Cancel) -> Vec<Observation> {
        let visit = |address: SocketAddr| self.visit(address, end, cancel);
        if let [only] = addresses {
            return visit(*only);
        }
        std::thread::scope(|scope| {
            let visits: Vec<_> = addresses
                .iter()
                .map(|address| {
                    let builder = std::thread::Builder::new().name("certwright-probe".to_owned());
                    (*address, builder.spawn_scoped(scope, || visit(*address)))
                })
                .collect();
            let finish = |(address, started): (SocketAddr, io::Result<ScopedJoinHandle<'_, _>>)| match started {
                Ok(running) => running.join().unwrap_or_else(|_| {
                    // An address that was not seen must never be one that nobody misses.
                    let place = Place::Socket(address);
                    let error = at(&place, Error::new(ErrorKind::Bug, "the probe of this address panicked"));
                    vec![Observation::new(place, Err(error))]
                }),
                Err(_) => visit(address),
            };
            visits.into_iter().flat_map(finish).collect::<Vec<_>>()
        })
    }

    /// All connections to one address, one observation for each certificate seen. A connection that fails is the last.
    fn visit(&self, address: SocketAddr, end: Instant, cancel: &Cancel) -> Vec<Observation> {
        let place = Place::Socket(address);
        let mut found: Vec<Observation> = Vec::new();
        for _ in 0..self.connections {
            let seen = self.ask(address, end, cancel).map_err(|error| at(&place, error));
            let known = found.iter_mut().find(|known| matches!((&known.seen, &seen), (Ok(a), Ok(b)) if a == b));
            let failed = seen.is_err();
            match known {
                Some(known) => known.connections += 1,
                None => found.push(Observation::new(place.clone(), seen)),
            }
            if failed {
                break;
            }
        }
        found
    }

    /// One connection. A service with a certificate for each kind of key is asked for the wished kind; one that has no
    /// such certificate hangs up, and is asked again for what it has.
    fn ask(&self, address: SocketAddr, end: Instant, cancel: &Cancel) -> Result<Seen> {
        let mut refused = None;
        for offer in &self.offers {
            let mut wire = self.connect(address, end, cancel)?;
            let name = match &self.server_name {
                Some(name) => ServerName::try_from(name.as_str().to_owned()).map_err(|source| {
                    Error::new(ErrorKind::InvalidSpec, "this name cannot be sent to a server")
                        .context("server_name", Public(name.as_str()))
                        .source(source)
                })?,
                // An address is never sent (RFC 6066 §3).
                None => ServerName::from(address.ip()),
            };
            match certificates(offer.clone(), name, &mut wire) {
                Ok(chain) => return Seen::from_der(chain.iter().map(CertificateDer::as_ref)),
                Err(source) => {
                    let again = source.kind() != io::ErrorKind::TimedOut && cancel.check().is_ok();
                    refused = Some(self.failed(source, cancel));
                    if !again {
                        break;
                    }
                }
            }
        }
        Err(refused.unwrap_or_else(|| Error::new(ErrorKind::Bug, "nothing was offered")))
    }

    fn connect<'a>(&self, address: SocketAddr, end: Instant, cancel: &'a Cancel) -> Result<Wire<'a>> {
        let mut wire = Wire::tcp(address, end, BUDGET, cancel).map_err(|source| {
            Wire::fault("the endpoint cannot be connected to", source, cancel)
                .hint("see with `ss -ltn` whether the service listens there")
        })?;
        if let Some(dialect) = self.starttls {
            let local = wire.local_address();
            starttls::upgrade(dialect, local, &mut wire).map_err(|fault| fault.into_error(dialect, cancel))?;
        }
        Ok(wire)
    }

    fn failed(&self, source: io::Error, cancel: &Cancel) -> Error {
        let error = Wire::fault("the TLS handshake failed", source, cancel)
            .hint("see in the service's log why, and whether this address speaks TLS from the first byte");
        match &self.server_name {
            Some(name) => error.context("server_name", Public(name.as_str())),
            None => error,
        }
    }
}

impl Probe for TlsProbe {
    fn observe(&self, cancel: &Cancel) -> Result<Vec<Observation>> {
        cancel.check()?;
        let end = deadline(self.limit);
        let found = self.visit_all(&self.addresses(end, cancel)?, end, cancel);
        cancel.check()?;
        Ok(found)
    }

    fn describe(&self) -> String {
        let mut words = match &self.address {
            Address::Socket(address) => format!("`{address}`"),
            Address::Host(host, port) => format!("`{host}:{port}`"),
            Address::File(path) => format!("`{}`", path.display()),
        };
        if let Some(name) = &self.server_name {
            words += &format!(" as `{name}`");
        }
        if let Some(dialect) = self.starttls {
            words += &format!(" over {}", starttls::name(dialect));
        }
        words
    }
}
