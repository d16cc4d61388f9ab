//! Updates of records (RFC 2136): prerequisites, then every change or none.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use crate::dns::kind::RecordKind;
use crate::dns::store::{Entry, MOST, Source, Store};

/// Why nothing was changed: a code, and a sentence for people where the code says too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) ResponseCode, pub(crate) String);

fn refused(code: ResponseCode, why: impl Into<String>) -> Refused {
    Refused(code, why.into())
}

/// Does what a message asks for.
pub(crate) fn update(store: &mut Store, request: &Message) -> Result<(), Refused> {
    let zone = zone(store, request)?;
    for record in &request.answers {
        in_zone(store, &zone, record)?;
        prerequisite(store, record, &request.answers)?;
    }
    // RFC 2136 §3.4.1: everything is looked at before anything is changed.
    for record in &request.authorities {
        in_zone(store, &zone, record)?;
        well_formed(record)?;
    }
    if store.count() + request.authorities.len() > MOST {
        return Err(refused(ResponseCode::Refused, format!("there would be more than {MOST} records")));
    }
    for record in &request.authorities {
        change(store, &zone, record);
    }
    Ok(())
}

/// The zone that is meant (RFC 2136 §3.1).
fn zone(store: &Store, request: &Message) -> Result<Name, Refused> {
    let [zone] = request.queries.as_slice() else {
        return Err(refused(ResponseCode::FormErr, "an update names one zone"));
    };
    if zone.query_type() != RecordType::SOA {
        return Err(refused(ResponseCode::FormErr, "the zone of an update is asked for with the type SOA"));
    }
    let (name, right) = (zone.name(), store.zone(zone.name()));
    if zone.query_class() != DNSClass::IN || *name != right {
        let shown = crate::dns::name::text;
        return Err(refused(ResponseCode::NotAuth, format!("{} is in the zone {}", shown(name), shown(&right))));
    }
    Ok(name.clone())
}

fn in_zone(store: &Store, zone: &Name, record: &Record) -> Result<(), Refused> {
    let right = store.zone(&record.name);
    if right == *zone {
        return Ok(());
    }
    let shown = crate::dns::name::text;
    Err(refused(ResponseCode::NotZone, format!("{} is in the zone {}", shown(&record.name), shown(&right))))
}

/// RFC 2136 §3.2.
fn prerequisite(store: &Store, record: &Record, all: &[Record]) -> Result<(), Refused> {
    let kind = RecordKind::from(record.record_type());
    let empty = is_empty(&record.data);
    let malformed = |why: &str| Err(refused(ResponseCode::FormErr, why));
    if record.ttl != 0 {
        return malformed("a prerequisite has the time to live 0");
    }
    if kind != RecordKind::ANY && !kind.is_data() {
        return malformed("a prerequisite is about a type of records, or about every type");
    }
    let unmet = |code| Err(refused(code, "a prerequisite is not met"));
    match (record.dns_class, kind) {
        (DNSClass::ANY | DNSClass::NONE, _) if !empty => malformed("this prerequisite has no data"),
        (DNSClass::ANY, RecordKind::ANY) if !store.is_used(&record.name) => unmet(ResponseCode::NXDomain),
        (DNSClass::NONE, RecordKind::ANY) if store.is_used(&record.name) => unmet(ResponseCode::YXDomain),
        (DNSClass::ANY, kind) if kind != RecordKind::ANY && !store.has(&record.name, kind) => {
            unmet(ResponseCode::NXRRSet)
        }
        (DNSClass::NONE, kind) if kind != RecordKind::ANY && store.has(&record.name, kind) => {
            unmet(ResponseCode::YXRRSet)
        }
        (DNSClass::ANY | DNSClass::NONE, _) => Ok(()),
        (DNSClass::IN, RecordKind::ANY) => malformed("a prerequisite with data is about one type"),
        (DNSClass::IN, _) if empty => malformed("this prerequisite has data"),
        // The records are these and no others, whatever their time to live.
        (DNSClass::IN, kind) => {
            let wanted: Vec<&RData> = all
                .iter()
                .filter(|other| {
                    other.dns_class == DNSClass::IN
                        && other.name == record.name
                        && RecordKind::from(other.record_type()) == kind
                })
                .map(|other| &other.data)
                .collect();
            let have = store.set(&record.name, kind);
            let same = have.iter().all(|entry| wanted.contains(&&entry.data))
                && wanted.iter().all(|data| have.iter().any(|entry| entry.data == **data));
            if same { Ok(()) } else { unmet(ResponseCode::NXRRSet) }
        }
        _ => malformed("a prerequisite has the class IN, ANY or NONE"),
    }
}

/// RFC 2136 §3.4.1.3.
fn well_formed(record: &Record) -> Result<(), Refused> {
    let kind = RecordKind::from(record.record_type());
    let empty = is_empty(&record.data);
    let right = match record.dns_class {
        DNSClass::IN => kind.is_data() && !empty && i32::try_from(record.ttl).is_ok(),
        DNSClass::ANY => record.ttl == 0 && empty && (kind.is_data() || kind == RecordKind::ANY),
        DNSClass::NONE => record.ttl == 0 && kind.is_data() && !empty,
        _ => false,
    };
    if right { Ok(()) } else { Err(refused(ResponseCode::FormErr, "a change is none of those of RFC 2136 §2.5")) }
}

/// RFC 2136 §3.4.2.
fn change(store: &mut Store, zone: &Name, record: &Record) {
    let (name, kind) = (&record.name, RecordKind::from(record.record_type()));
    match record.dns_class {
        DNSClass::IN => add(store, zone, record),
        DNSClass::ANY => {
            let kind = Some(kind).filter(|kind| *kind != RecordKind::ANY);
            store.remove(name, kind, |_| true);
        }
        _ => {
            store.remove(name, Some(kind), |entry| entry.data == record.data);
        }
    }
}

fn add(store: &mut Store, zone: &Name, record: &Record) {
    let (name, kind) = (&record.name, RecordKind::from(record.record_type()));
    match (&record.data, kind) {
        // An alias has nothing beside it, and the one there is makes way for the new one.
        (_, RecordKind::CNAME) if store.has_other_than_alias(name) => return,
        (_, RecordKind::CNAME) => {
            store.remove(name, Some(RecordKind::CNAME), |entry| entry.data != record.data);
        }
        (RData::SOA(new), RecordKind::SOA) => {
            let newer = match store.soa_of(zone).1 {
                RData::SOA(old) => new.serial.wrapping_sub(old.serial) < 1 << 31,
                _ => true,
            };
            if name != zone || !newer {
                return;
            }
            store.remove(name, Some(RecordKind::SOA), |_| true);
        }
        _ if store.has(name, RecordKind::CNAME) => return,
        _ => {}
    }
    store.add(name, Entry { ttl: record.ttl, data: record.data.clone(), source: Source::Told });
}

/// Whether a record has no data, as those have that stand for no record.
fn is_empty(data: &RData) -> bool {
    matches!(data, RData::Update0(_))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hickory_proto::op::{OpCode, Query};

    use super::*;
    use crate::clock::VirtualClock;
    use crate::dns::name::parse;
    use crate::dns::rdata;

    fn store() -> Store {
        let address = ([127, 0, 0, 1], 53).into();
        Store::new(parse("ns.testbed.example", None).unwrap(), address, 60, Arc::new(VirtualClock::new()))
    }

    fn record(name: &str, class: DNSClass, ttl: u32, kind: RecordKind, data: Option<&str>) -> Record {
        let data = data.map_or(RData::Update0(kind.wire()), |data| rdata::parse(kind, data).unwrap());
        let mut record = Record::from_rdata(parse(name, None).unwrap(), ttl, data);
        record.dns_class = class;
        record
    }

    fn message(zone: &str, prerequisites: Vec<Record>, changes: Vec<Record>) -> Message {
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.add_query(Query::query(parse(zone, None).unwrap(), RecordType::SOA));
        message.answers = prerequisites;
        message.authorities = changes;
        message
    }

    /// RFC 2136 §3.4.1.3 and §3.2.5: what is malformed, and that nothing of the message is done then.
    #[test]
    fn what_no_update_says_is_a_format_error_and_nothing_is_done() {
        let (txt, any) = (RecordKind::TXT, RecordKind::ANY);
        let good = || record("t.a.example", DNSClass::IN, 60, txt, Some("x"));
        for bad in [
            record("t.a.example", DNSClass::IN, 60, any, None),
            record("t.a.example", DNSClass::IN, 60, txt, None),
            record("t.a.example", DNSClass::IN, 1 << 31, txt, Some("x")),
            record("t.a.example", DNSClass::ANY, 1, txt, None),
            record("t.a.example", DNSClass::ANY, 0, txt, Some("x")),
            record("t.a.example", DNSClass::ANY, 0, RecordKind::new(252), None),
            record("t.a.example", DNSClass::NONE, 1, txt, Some("x")),
            record("t.a.example", DNSClass::NONE, 0, any, None),
            record("t.a.example", DNSClass::CH, 0, txt, Some("x")),
        ] {
            let mut store = store();
            let shown = format!("{bad:?}");
            let refused = update(&mut store, &message("a.example", vec![], vec![good(), bad])).unwrap_err();
            assert_eq!((refused.0, store.count()), (ResponseCode::FormErr, 0), "{shown}");
        }
        for bad in [
            record("t.a.example", DNSClass::ANY, 1, txt, None),
            record("t.a.example", DNSClass::ANY, 0, txt, Some("x")),
            record("t.a.example", DNSClass::NONE, 0, txt, Some("x")),
            record("t.a.example", DNSClass::IN, 0, any, None),
            record("t.a.example", DNSClass::IN, 0, txt, None),
            record("t.a.example", DNSClass::CH, 0, txt, Some("x")),
        ] {
            let shown = format!("{bad:?}");
            let refused = update(&mut store(), &message("a.example", vec![bad], vec![good()])).unwrap_err();
            assert_eq!(refused.0, ResponseCode::FormErr, "{shown}");
        }
        let mut none = message("a.example", vec![], vec![good()]);
        none.queries.clear();
        assert_eq!(update(&mut store(), &none).unwrap_err().0, ResponseCode::FormErr);
        let far = record("t.b.example", DNSClass::IN, 60, txt, Some("x"));
        let mut store = store();
        let refused = update(&mut store, &message("a.example", vec![], vec![good(), far])).unwrap_err();
        assert_eq!((refused.0, store.count()), (ResponseCode::NotZone, 0));
    }

    #[test]
    fn a_whole_set_is_compared_whatever_its_order() {
        let mut store = store();
        let of = |data| record("t.a.example", DNSClass::IN, 0, RecordKind::TXT, Some(data));
        update(&mut store, &message("a.example", vec![], vec![of("one"), of("two")])).unwrap();
        for (prerequisites, met) in [
            (vec![of("two"), of("one")], true),
            (vec![of("one")], false),
            (vec![of("one"), of("two"), of("three")], false),
        ] {
            let met_now = update(&mut store, &message("a.example", prerequisites, vec![]));
            assert_eq!(met_now.map_err(|refused| refused.0), if met { Ok(()) } else { Err(ResponseCode::NXRRSet) });
        }
    }

    #[test]
    fn the_serial_number_of_a_zone_grows_with_its_changes() {
        let mut store = store();
        let serial = |store: &Store| match store.soa_of(&parse("a.example", None).unwrap()).1 {
            RData::SOA(soa) => soa.serial,
            other => panic!("{other:?}"),
        };
        let before = serial(&store);
        let add =
            message("a.example", vec![], vec![record("t.a.example", DNSClass::IN, 60, RecordKind::TXT, Some("x"))]);
        update(&mut store, &add).unwrap();
        let after = serial(&store);
        update(&mut store, &add).unwrap();
        assert!(after > before && serial(&store) == after, "nothing was changed by the second");
    }
}
