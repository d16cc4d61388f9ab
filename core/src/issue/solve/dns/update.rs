//! One value more or less at a name (RFC 2136), whatever other values are there.

use std::net::SocketAddr;
use std::time::Instant;

use hickory_proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::exchange::{Unsigned, exchange};
use super::lookup::rcode;
use super::tsig::Key;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::Timestamp;

/// How long resolvers may keep the record: an authority that looks too early must see it soon after.
const TTL: u32 = 60;

/// What one string of a TXT record can hold; authorities join them (RFC 1035 §3.3).
const STRING: usize = 255;

/// Where a record belongs.
#[derive(Clone, Debug)]
pub(in crate::issue::solve) struct Spot {
    /// Its name, aliases followed.
    pub(in crate::issue::solve) name: Name,
    /// The zone that it is in.
    pub(in crate::issue::solve) zone: Name,
}

/// What to do with a value. Both may be repeated: the first is ignored when it is there, the second when it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::issue::solve) enum Change {
    /// Add it (RFC 2136 §2.5.1).
    Add,
    /// Delete it alone (RFC 2136 §2.5.4).
    Remove,
}

/// Whom an update is sent to, signed by whom, and until when.
pub(in crate::issue::solve) struct Update<'a> {
    pub(in crate::issue::solve) server: SocketAddr,
    pub(in crate::issue::solve) key: Option<&'a Key>,
    pub(in crate::issue::solve) now: Timestamp,
    pub(in crate::issue::solve) end: Instant,
    pub(in crate::issue::solve) cancel: &'a Cancel,
}

impl Update<'_> {
    /// Change one TXT value.
    pub(in crate::issue::solve) fn send(&self, spot: &Spot, value: &[u8], change: Change) -> Result<()> {
        let mut message = message(spot, value, change);
        let answer = match self.key {
            Some(key) => {
                let signed = key.sign(&mut message, self.now)?;
                exchange(self.server, &message, &signed, self.end, self.cancel)
            }
            None => exchange(self.server, &message, &Unsigned, self.end, self.cancel),
        };
        let about = |error: Error| {
            error.context("record", Public(&spot.name.to_ascii())).context("zone", Public(&spot.zone.to_ascii()))
        };
        match answer.map_err(about)?.response_code {
            ResponseCode::NoError => Ok(()),
            code => Err(about(self.refused(code))),
        }
    }

    fn refused(&self, code: ResponseCode) -> Error {
        let hint = match code {
            ResponseCode::Refused if self.key.is_none() => {
                "give the solver a `key` that the server lets update the zone"
            }
            ResponseCode::Refused => {
                "let the key update TXT records there, by `update-policy` or the server's equal of it"
            }
            ResponseCode::NotAuth | ResponseCode::NotZone => {
                "see whether this is the primary server of the zone, and correct `server` or `zone`"
            }
            ResponseCode::NotImp => "name a server that takes dynamic updates",
            _ => "see in the server's log why; a zone that cannot be written is a frequent reason",
        };
        Error::new(ErrorKind::ChallengeFailed, "the name server refused the update")
            .context("server", self.server)
            .context("rcode", Public(&rcode(code)))
            .hint(hint)
    }
}

fn message(spot: &Spot, value: &[u8], change: Change) -> Message {
    let mut zone = Query::query(spot.zone.clone(), RecordType::SOA);
    zone.set_query_class(DNSClass::IN);
    let text = TXT::from_bytes(value.chunks(STRING).collect());
    let mut record = Record::from_rdata(spot.name.clone(), TTL, RData::TXT(text));
    if change == Change::Remove {
        record.dns_class = DNSClass::NONE;
        record.ttl = 0;
    }
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Update;
    message.metadata.recursion_desired = false;
    message.add_query(zone);
    message.add_authority(record);
    message
}
