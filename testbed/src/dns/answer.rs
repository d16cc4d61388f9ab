//! From a question to its answer (RFC 1034 §4.3.2).

use std::collections::BTreeSet;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record};

use crate::dns::faults::NameFault;
use crate::dns::kind::RecordKind;
use crate::dns::store::{Found, Store};

/// How many aliases are followed.
const ALIASES: usize = 16;

/// The answer to a question.
pub(crate) fn answer(store: &mut Store, request: &Message, query: &Query, faults: &[NameFault]) -> Message {
    let mut reply = reply_to(request);
    reply.metadata.authoritative = true;
    // Who asks for recursion gets what a resolver would find: every zone is here.
    reply.metadata.recursion_available = request.metadata.recursion_desired;
    let kind = RecordKind::from(query.query_type());
    if query.query_class() != DNSClass::IN {
        reply.metadata.authoritative = false;
        reply.metadata.response_code = ResponseCode::Refused;
        return reply;
    }
    let (mut at, mut seen) = (query.name().clone(), BTreeSet::new());
    loop {
        match store.find_late(&at, kind, faults) {
            Found::Records(records) => {
                reply.add_answers(records.into_iter().map(|(ttl, data)| Record::from_rdata(at.clone(), ttl, data)));
                break;
            }
            Found::Alias(ttl, target) => {
                let alias = RData::CNAME(hickory_proto::rr::rdata::CNAME(target.clone()));
                reply.add_answer(Record::from_rdata(at.clone(), ttl, alias));
                seen.insert(at);
                at = target;
                if seen.len() > ALIASES || seen.contains(&at) {
                    // Where aliases lead in a circle, a resolver finds nothing.
                    reply.answers.clear();
                    reply.metadata.response_code = ResponseCode::ServFail;
                    break;
                }
            }
            Found::NoData => {
                reply.add_authority(soa(store, &at));
                break;
            }
            Found::NoName => {
                reply.metadata.response_code = ResponseCode::NXDomain;
                reply.add_authority(soa(store, &at));
                break;
            }
        }
    }
    if matches!(kind, RecordKind::NS) && !reply.answers.is_empty() {
        let (name, glue) = store.glue();
        reply.add_additionals(glue.into_iter().map(|(ttl, data)| Record::from_rdata(name.clone(), ttl, data)));
    }
    reply
}

/// The record that says whose word it is that there is nothing (RFC 2308 §3).
pub(crate) fn soa(store: &Store, name: &Name) -> Record {
    let zone = store.zone(name);
    let (ttl, data) = store.soa_of(&zone);
    // RFC 2308 §5: it lives as long as what is not there may be remembered.
    let minimum = match &data {
        RData::SOA(soa) => soa.minimum,
        _ => 0,
    };
    Record::from_rdata(zone, ttl.min(minimum), data)
}

/// An answer that says nothing yet.
pub(crate) fn reply_to(request: &Message) -> Message {
    let mut reply = Message::new(request.metadata.id, MessageType::Response, request.metadata.op_code);
    reply.metadata.recursion_desired = request.metadata.recursion_desired && request.metadata.op_code == OpCode::Query;
    reply.add_queries(request.queries.iter().cloned());
    reply
}
