//! From the bytes of a message to the bytes of its answer: who signed, what goes wrong, what is said, what is remembered.

use std::net::SocketAddr;
use std::time::Duration;

use certwright::SystemClock;
use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{Name, RecordType};

use crate::dns::answer::{answer, reply_to, soa};
use crate::dns::faults::{NameFault, Operation};
use crate::dns::kind::RecordKind;
use crate::dns::log::{NameEntry, records};
use crate::dns::name;
use crate::dns::server::Shared;
use crate::dns::settings::UnsignedUpdates;
use crate::dns::tsig::{ROOM, Signed};
use crate::dns::update::update;
use crate::dns::wire::{Reaction, Transport};

/// As much as a datagram may hold without being cut on the way (DNS flag day 2020), and without EDNS.
const DATAGRAM: u16 = 1_232;
const SMALL: u16 = 512;

const SILENCE: Reaction = Reaction { after: Duration::ZERO, bytes: None };

/// An answer, and a sentence about it where its code says too little (RFC 8914).
struct Said {
    reply: Message,
    why: Option<String>,
}

impl Shared {
    /// What is sent back for these bytes.
    pub(crate) fn react(&self, bytes: &[u8], transport: Transport, from: SocketAddr) -> Reaction {
        let at = self.clock.elapsed();
        let entry = |request: &Message, operation, reply: Option<&Message>, sent: bool| {
            let query = request.queries.first();
            NameEntry {
                at,
                from,
                transport,
                operation,
                name: query.map(|query| name::text(query.name())).unwrap_or_default(),
                kind: query.map_or(RecordKind::new(0), |query| query.query_type().into()),
                key: request.signature.as_ref().map(|record| name::text(&record.name)),
                code: reply.filter(|_| sent).map(|reply| reply.metadata.response_code.into()),
                records: records(request, reply, operation),
            }
        };
        let Ok(request) = Message::from_vec(bytes) else {
            let refusal = unreadable(bytes);
            if refusal.is_some() {
                let nothing = Message::query();
                let reply = Message::error_msg(0, OpCode::Query, ResponseCode::FormErr);
                self.log().add(entry(&nothing, Operation::Other, Some(&reply), true));
            }
            return Reaction { after: Duration::ZERO, bytes: refusal };
        };
        // An answer to an answer would have no end.
        if request.metadata.message_type == MessageType::Response {
            return SILENCE;
        }
        let operation = match request.metadata.op_code {
            OpCode::Query => Operation::Query,
            OpCode::Update => Operation::Update,
            _ => Operation::Other,
        };
        let (asked, kind) = request.queries.first().map_or_else(
            || (String::new(), RecordKind::new(0)),
            |query| (name::text(query.name()), query.query_type().into()),
        );
        let faults = self.faults.met_by(operation, &asked, kind);
        let now = seconds(&SystemClock);
        let signed = self.keys.check(&request, bytes, &[now, seconds(&*self.clock)], &faults);
        let said = self.say(&request, &signed, &faults);
        let silent = faults.contains(&NameFault::Silent);
        let sent = self.write(&request, said.reply.clone(), said.why, transport, &signed, &faults, now);
        self.log().add(entry(&request, operation, Some(&said.reply), sent.is_some() && !silent));
        let after = faults.iter().map(|fault| if let NameFault::Delay(span) = fault { *span } else { Duration::ZERO });
        Reaction { after: after.sum(), bytes: sent.filter(|_| !silent) }
    }

    /// The answer, before it is written.
    fn say(&self, request: &Message, signed: &Signed, faults: &[NameFault]) -> Said {
        let plain = |reply| Said { reply, why: None };
        let wrong = |code, why: &str| Said { reply: failed(request, code), why: Some(why.to_owned()) };
        if request.edns.as_ref().is_some_and(|edns| edns.version() != 0) {
            return plain(failed(request, ResponseCode::BADVERS));
        }
        match signed {
            Signed::Malformed => return wrong(ResponseCode::FormErr, "the signature is none (RFC 8945 §5.2)"),
            Signed::Refused { .. } | Signed::Doubted { .. } => return plain(failed(request, ResponseCode::NotAuth)),
            Signed::Not | Signed::By { .. } => {}
        }
        // Faults that take the place of an answer. An update that meets one changes nothing.
        let mut store = self.store();
        for fault in faults {
            match fault {
                NameFault::Code(code) => {
                    let mut said = wrong(ResponseCode::from_low(*code), "as the test wishes");
                    if *code == 3
                        && let Some(query) = request.queries.first()
                    {
                        said.reply.metadata.authoritative = true;
                        said.reply.add_authority(soa(&store, query.name()));
                    }
                    return said;
                }
                NameFault::NoData => {
                    let mut reply = reply_to(request);
                    reply.metadata.authoritative = true;
                    if let Some(query) = request.queries.first() {
                        reply.add_authority(soa(&store, query.name()));
                    }
                    return plain(reply);
                }
                NameFault::Silent if request.metadata.op_code == OpCode::Update => return plain(reply_to(request)),
                _ => {}
            }
        }
        match (request.metadata.op_code, request.queries.as_slice()) {
            (OpCode::Query, [query]) if matches!(query.query_type(), RecordType::AXFR | RecordType::IXFR) => {
                wrong(ResponseCode::Refused, "zones are not transferred here; ask for records by name")
            }
            (OpCode::Query, [query]) => plain(answer(&mut store, request, query, faults)),
            (OpCode::Query, _) => wrong(ResponseCode::FormErr, "a query asks one question"),
            (OpCode::Update, _) if *signed == Signed::Not && self.unsigned == UnsignedUpdates::Refused => {
                wrong(ResponseCode::Refused, "updates are signed with the key of the test bed")
            }
            (OpCode::Update, _) => match update(&mut store, request) {
                Ok(()) => plain(reply_to(request)),
                Err(refused) => Said { reply: failed(request, refused.0), why: Some(refused.1) },
            },
            _ => wrong(ResponseCode::NotImp, "queries and updates are answered here, and nothing else"),
        }
    }

    /// The bytes of an answer, spoilt as the faults say.
    #[expect(clippy::too_many_arguments, reason = "each is another side of one exchange")]
    fn write(
        &self,
        request: &Message,
        mut reply: Message,
        why: Option<String>,
        transport: Transport,
        signed: &Signed,
        faults: &[NameFault],
        now: u64,
    ) -> Option<Vec<u8>> {
        if faults.contains(&NameFault::NotAuthoritative) {
            reply.metadata.authoritative = false;
        }
        if faults.contains(&NameFault::WrongQuestion) {
            let other = Name::from_ascii("another.example.").ok()?;
            for query in &mut reply.queries {
                query.set_name(other.clone());
            }
        }
        if request.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(DATAGRAM);
            if let Some(why) = why {
                // "Other Error", and what it is (RFC 8914 §4.1).
                edns.options_mut().insert(EdnsOption::Unknown(15, [&[0, 0], why.as_bytes()].concat()));
            }
            reply.set_edns(edns);
        }
        let limit = match transport {
            Transport::Tcp => u16::MAX,
            Transport::Udp if request.edns.is_some() => request.max_payload().clamp(SMALL, DATAGRAM),
            Transport::Udp => SMALL,
        };
        let limit = if *signed == Signed::Not { limit } else { limit - ROOM };
        let cut = transport == Transport::Udp && faults.contains(&NameFault::Truncated);
        if cut || reply.to_vec().ok()?.len() > limit.into() {
            reply = reply.truncate();
        }
        let reply = self.keys.sign(reply, request, signed, now)?;
        let mut bytes = reply.to_vec().ok()?;
        for fault in faults {
            match fault {
                NameFault::WrongId => bytes.first_mut().map(|first| *first ^= 0xff).unwrap_or_default(),
                NameFault::Malformed => bytes.truncate(bytes.len() / 2),
                // The last byte of the MAC is before the id (2), the error (2) and the length of the rest (2).
                NameFault::Forged if matches!(signed, Signed::By { .. }) => {
                    let place = bytes.len().checked_sub(7)?;
                    bytes.get_mut(place).map(|byte| *byte ^= 1).unwrap_or_default();
                }
                _ => {}
            }
        }
        Some(bytes)
    }
}

fn failed(request: &Message, code: ResponseCode) -> Message {
    let mut reply = reply_to(request);
    reply.metadata.response_code = code;
    reply
}

fn seconds(clock: &dyn certwright::Clock) -> u64 {
    u64::try_from(clock.now().unix()).unwrap_or_default()
}

/// FORMERR for what can be told apart from noise and from an answer.
fn unreadable(bytes: &[u8]) -> Option<Vec<u8>> {
    let [first, second, flags, _, _, _, _, _, _, _, _, _, ..] = bytes else { return None };
    // The operation stays, the answer bit is set, the code is 1, and nothing follows.
    (flags & 0x80 == 0).then(|| vec![*first, *second, 0x80 | flags & 0x78, 1, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// What a server that takes unsigned updates answers to two datagrams of the same bytes, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn seen(bytes: &[u8]) -> [Option<Vec<u8>>; 2] {
    use crate::clock::VirtualClock;
    use crate::dns::server::NameServer;
    use crate::dns::settings::NameSettings;

    let address = SocketAddr::from(([127, 0, 0, 1], 53));
    let settings = NameSettings { unsigned: UnsignedUpdates::Taken, ..NameSettings::default() };
    let Ok(server) = NameServer::new(&settings, address, 1, std::sync::Arc::new(VirtualClock::new())) else {
        return [None, None];
    };
    [0, 1].map(|_| server.shared().react(bytes, Transport::Udp, address).bytes)
}
