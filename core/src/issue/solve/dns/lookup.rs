//! What a resolver knows: where an alias leads, which zone a name is in, which servers are authoritative for it.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::exchange::{Unsigned, exchange, question};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};

/// How many aliases are followed (RFC 1034 §3.6.2 names no number; resolvers stop at some ten).
const ALIASES: usize = 10;

/// How long one resolver may take before the next is asked.
const PATIENCE: Duration = Duration::from_secs(5);

/// More name servers and addresses than any zone has.
const MOST: usize = 32;

/// Where authoritative servers listen.
const PORT: u16 = 53;

/// One server that has to show a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::issue::solve) struct Authoritative {
    /// Its name, or its address where the operator named that.
    pub(super) name: String,
    /// One of its addresses.
    pub(super) address: SocketAddr,
}

/// Resolvers to ask, and until when.
pub(in crate::issue::solve) struct Lookup<'a> {
    pub(in crate::issue::solve) resolvers: &'a [SocketAddr],
    pub(in crate::issue::solve) end: Instant,
    pub(in crate::issue::solve) cancel: &'a Cancel,
}

impl Lookup<'_> {
    /// The name that this one stands for: where its aliases lead, or itself.
    pub(in crate::issue::solve) fn canonical(&self, name: &Name) -> Result<Name> {
        let mut at = name.clone();
        for _ in 0..=ALIASES {
            let answer = self.ask(&at, RecordType::CNAME)?;
            let alias = answer.answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if record.name.to_lowercase() == at.to_lowercase() => Some(target.0.clone()),
                _ => None,
            });
            match alias {
                Some(target) => at = target,
                None => return Ok(at),
            }
        }
        Err(Error::new(ErrorKind::Protocol, "the aliases of the record lead nowhere")
            .context("record", Public(&name.to_ascii()))
            .hint("see with `dig CNAME` where they lead, and correct the one that leads back"))
    }

    /// The zone that a name is in, by the SOA record that its servers show for it.
    pub(in crate::issue::solve) fn zone(&self, name: &Name) -> Result<Name> {
        let mut at = name.clone();
        while !at.is_root() {
            let answer = self.ask(&at, RecordType::SOA)?;
            let records = answer.answers.iter().chain(&answer.authorities);
            let mut zones = records.filter(|record| matches!(record.data, RData::SOA(_))).map(|record| &record.name);
            if let Some(zone) = zones.find(|zone| !zone.is_root() && zone.zone_of(name)) {
                return Ok(zone.clone());
            }
            at = at.base_name();
        }
        Err(Error::new(ErrorKind::NotFound, "no zone is known that the record could be put into")
            .context("record", Public(&name.to_ascii()))
            .hint("see with `dig SOA` whether the resolver knows the zone, or name it with `zone`"))
    }

    /// Every address of every name server of a zone.
    pub(in crate::issue::solve) fn authoritative(&self, zone: &Name) -> Result<Vec<Authoritative>> {
        let answer = self.ask(zone, RecordType::NS)?;
        let names: BTreeSet<Name> = answer
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                RData::NS(server) => Some(server.0.to_lowercase()),
                _ => None,
            })
            .take(MOST)
            .collect();
        let mut servers = BTreeSet::new();
        for name in &names {
            let before = servers.len();
            for kind in [RecordType::A, RecordType::AAAA] {
                let answer = self.ask(name, kind)?;
                servers.extend(answer.answers.iter().filter_map(|record| {
                    let address = match &record.data {
                        RData::A(address) => IpAddr::from(address.0),
                        RData::AAAA(address) => IpAddr::from(address.0),
                        _ => return None,
                    };
                    Some(Authoritative { name: name.to_ascii(), address: SocketAddr::new(address, PORT) })
                }));
            }
            if servers.len() == before {
                return Err(Error::new(ErrorKind::NotFound, "a name server of the zone has no address")
                    .context("zone", Public(&zone.to_ascii()))
                    .context("server", Public(&name.to_ascii()))
                    .hint("correct the NS records of the zone, or name its servers with `authoritative`"));
            }
        }
        if servers.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "no name server of the zone is known")
                .context("zone", Public(&zone.to_ascii()))
                .hint("see with `dig NS` whether the resolver knows them, or name them with `authoritative`"));
        }
        Ok(servers.into_iter().take(MOST).collect())
    }

    /// Ask one resolver after the other until one knows.
    fn ask(&self, name: &Name, kind: RecordType) -> Result<Message> {
        let message = question(name, kind, true);
        let mut refused = Vec::new();
        for resolver in self.resolvers {
            let end = self.end.min(Instant::now() + PATIENCE);
            match exchange(*resolver, &message, &Unsigned, end, self.cancel) {
                Ok(answer) if matches!(answer.response_code, ResponseCode::NoError | ResponseCode::NXDomain) => {
                    return Ok(answer);
                }
                Ok(answer) => refused.push(format!("{resolver}: {}", rcode(answer.response_code))),
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(error) => refused.push(format!("{resolver}: {}", error.message())),
            }
        }
        let mut error = Error::new(ErrorKind::Network, "no resolver could look a name up")
            .context("record", Public(&name.to_ascii()))
            .context("type", Public(&kind.to_string()));
        for refusal in &refused {
            error = error.context("resolver", Public(refusal));
        }
        Err(error.hint("see with `dig` what the resolver answers, or name another one with `resolver`"))
    }
}

/// What people call a response code (IANA, "DNS RCODEs").
pub(super) fn rcode(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::YXDomain => "YXDOMAIN".to_owned(),
        ResponseCode::YXRRSet => "YXRRSET".to_owned(),
        ResponseCode::NXRRSet => "NXRRSET".to_owned(),
        ResponseCode::NotAuth => "NOTAUTH".to_owned(),
        ResponseCode::NotZone => "NOTZONE".to_owned(),
        other => format!("RCODE {}", u16::from(other)),
    }
}
