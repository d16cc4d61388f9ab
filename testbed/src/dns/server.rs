//! The name server, as a test has it in hand.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certwright::{Error, ErrorKind, Result};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};

use crate::dice::Dice;
use crate::dns::answer::{answer, reply_to};
use crate::dns::name;
use crate::dns::records::Records;
use crate::dns::settings::NameSettings;
use crate::dns::store::Store;
use crate::dns::wire::{Reaction, Transport};

/// The name of this server in the records of every zone.
const PRIMARY: &str = "ns.testbed.example.";

/// As much as a datagram may hold without being cut on the way (DNS flag day 2020), and without EDNS.
const DATAGRAM: u16 = 1_232;
const SMALL: u16 = 512;

/// A name server that is authoritative for every name. Clones are the same server.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{RecordKind, Settings, Testbed};
///
/// let bed = Testbed::with(Settings::whole())?;
/// let names = bed.dns().unwrap();
/// names.records().add("a.example", RecordKind::CAA, r#"0 issue "ca.example""#)?;
/// assert!(names.tsig().starts_with("hmac-sha256:certwright:"));
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NameServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    tsig: String,
}

impl NameServer {
    pub(crate) fn new(settings: &NameSettings, address: SocketAddr, seed: u64) -> Result<Self> {
        let zones = settings.zones.iter().map(|zone| name::parse(zone, None)).collect::<Result<_>>()?;
        let ttl = u32::try_from(settings.ttl.as_secs()).ok().filter(|ttl| i32::try_from(*ttl).is_ok());
        let ttl = ttl.ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "records cannot be kept that long").context("ttl", settings.ttl)
        })?;
        let primary = name::parse(PRIMARY, None)?;
        let store = Store::new(settings.every.clone(), zones, primary, address, ttl);
        let tsig = settings.keys.first().cloned().unwrap_or_else(|| made(seed));
        Ok(Self { shared: Arc::new(Shared { store: Mutex::new(store) }), address, tsig })
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Where it listens, by UDP and by TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that updates of any zone are signed with (RFC 2136, RFC 8945), as `ALGORITHM:NAME:BASE64`.
    pub fn tsig(&self) -> &str {
        &self.tsig
    }

    /// Its records.
    pub fn records(&self) -> Records {
        Records(self.shared())
    }
}

/// The key of a seed.
fn made(seed: u64) -> String {
    // Another sequence than that of the authority with the same seed.
    let mut dice = Dice::new(seed ^ 0x0074_7369_675f_6b65);
    let secret: Vec<u8> = (0..4).flat_map(|_| dice.roll().to_be_bytes()).collect();
    format!("hmac-sha256:certwright:{}", STANDARD.encode(secret))
}

/// What every task of the server works on.
#[derive(Debug)]
pub(crate) struct Shared {
    store: Mutex<Store>,
}

impl Shared {
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is sent back for these bytes.
    pub(crate) fn react(&self, bytes: &[u8], transport: Transport, _from: SocketAddr) -> Reaction {
        let Ok(request) = Message::from_vec(bytes) else {
            return Reaction { after: Duration::ZERO, bytes: unreadable(bytes) };
        };
        if request.metadata.message_type == MessageType::Response {
            return Reaction { after: Duration::ZERO, bytes: None };
        }
        let mut reply = match (request.metadata.op_code, request.queries.as_slice()) {
            (OpCode::Query, [query]) => answer(&self.store(), &request, query),
            (OpCode::Query, _) => failed(&request, ResponseCode::FormErr),
            _ => failed(&request, ResponseCode::NotImp),
        };
        if request.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(DATAGRAM);
            reply.set_edns(edns);
        }
        let limit = match transport {
            Transport::Tcp => u16::MAX,
            Transport::Udp if request.edns.is_some() => request.max_payload().clamp(SMALL, DATAGRAM),
            Transport::Udp => SMALL,
        };
        Reaction { after: Duration::ZERO, bytes: fitted(&reply, limit) }
    }
}

/// A message that has this much room, or its beginning with the mark that there is more (RFC 2181 §9).
fn fitted(reply: &Message, limit: u16) -> Option<Vec<u8>> {
    let bytes = reply.to_vec().ok()?;
    if bytes.len() <= limit.into() { Some(bytes) } else { reply.truncate().to_vec().ok() }
}

fn failed(request: &Message, code: ResponseCode) -> Message {
    let mut reply = reply_to(request);
    reply.metadata.response_code = code;
    reply
}

/// FORMERR for what can be told apart from noise and from an answer.
fn unreadable(bytes: &[u8]) -> Option<Vec<u8>> {
    let [first, second, flags, _, _, _, _, _, _, _, _, _, ..] = bytes else { return None };
    // The operation stays, the answer bit is set, the code is 1, and nothing follows.
    (flags & 0x80 == 0).then(|| vec![*first, *second, 0x80 | flags & 0x78, 1, 0, 0, 0, 0, 0, 0, 0, 0])
}
