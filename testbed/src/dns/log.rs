//! What the name server was asked, for a test to read.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Record};

use crate::dns::faults::Operation;
use crate::dns::kind::RecordKind;
use crate::dns::wire::Transport;
use crate::dns::{name, rdata};

/// How many messages are remembered.
const REMEMBERED: usize = 10_000;
/// How many records of one message are, and how much of each.
const RECORDS: usize = 32;
const LONGEST: usize = 1_024;

/// One message and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameEntry {
    /// When it came: what had passed on the world's clock since the start.
    pub at: Duration,
    /// Who sent it.
    pub from: SocketAddr,
    /// How it came.
    pub transport: Transport,
    /// What it asked for.
    pub operation: Operation,
    /// The name, as it was written; the zone, of an update.
    pub name: String,
    /// The type of the records that were asked for.
    pub kind: RecordKind,
    /// The name of the key that it was signed with, right or wrong.
    pub key: Option<String>,
    /// The response code; `None` when nothing was sent.
    pub code: Option<u16>,
    /// The records of the answer; of an update, what it was to change. As in a zone file, cut where there are many.
    pub records: Vec<String>,
}

impl NameEntry {
    /// What people call the response code.
    pub fn code_name(&self) -> String {
        self.code.map_or_else(|| "no answer".to_owned(), code_name)
    }
}

/// IANA, "DNS RCODEs".
pub(crate) fn code_name(code: u16) -> String {
    let name = match code {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        16 => "BADVERS",
        other => return format!("RCODE{other}"),
    };
    name.to_owned()
}

/// The lines of a message.
pub(crate) fn records(request: &Message, reply: Option<&Message>, operation: Operation) -> Vec<String> {
    let records = match (operation, reply) {
        (Operation::Update, _) => &request.authorities,
        (_, Some(reply)) => &reply.answers,
        (_, None) => return Vec::new(),
    };
    records.iter().take(RECORDS).map(line).collect()
}

fn line(record: &Record) -> String {
    let (name, kind) = (name::absolute(&record.name), RecordKind::from(record.record_type()));
    let mut line = match record.dns_class {
        DNSClass::ANY => format!("delete {name} {kind}"),
        DNSClass::NONE => format!("delete {name} {kind} {}", rdata::text(&record.data)),
        _ => format!("{name} {} {kind} {}", record.ttl, rdata::text(&record.data)),
    };
    // Everything that is not ASCII is escaped, so any place is between two characters.
    line.truncate(LONGEST);
    line
}

#[derive(Debug, Default)]
pub(crate) struct NameLog {
    entries: VecDeque<NameEntry>,
    /// How many are gone.
    gone: usize,
}

impl NameLog {
    pub(crate) fn add(&mut self, entry: NameEntry) {
        self.entries.push_back(entry);
        if self.entries.len() > REMEMBERED {
            self.entries.pop_front();
            self.gone += 1;
        }
    }

    /// Those after the one of this number, each with its own; the first ever is number 1.
    pub(crate) fn after(&self, number: usize) -> impl DoubleEndedIterator<Item = (usize, &NameEntry)> {
        let gone = self.gone;
        let skipped = number.saturating_sub(gone);
        self.entries.iter().enumerate().skip(skipped).map(move |(at, entry)| (gone + at + 1, entry))
    }

    /// The number of the last one.
    pub(crate) fn last(&self) -> usize {
        self.gone + self.entries.len()
    }

    pub(crate) fn clear(&mut self) {
        self.gone += self.entries.len();
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_numbers_go_on() {
        let entry = |number: usize| NameEntry {
            at: Duration::ZERO,
            from: SocketAddr::from(([127, 0, 0, 1], 1)),
            transport: Transport::Udp,
            operation: Operation::Query,
            name: format!("{number}.example"),
            kind: RecordKind::A,
            key: None,
            code: Some(0),
            records: Vec::new(),
        };
        let mut log = NameLog::default();
        for number in 1..=REMEMBERED + 5 {
            log.add(entry(number));
        }
        let first = log.after(0).next().unwrap();
        assert_eq!((first.0, first.1.name.as_str(), log.after(0).count()), (6, "6.example", REMEMBERED));
        assert_eq!(log.after(10_003).map(|(number, _)| number).collect::<Vec<_>>(), [10_004, 10_005]);
        assert_eq!((log.after(10_005).count(), log.after(99_999).count()), (0, 0));
        log.clear();
        log.add(entry(1));
        assert_eq!(log.after(3).map(|(number, _)| number).collect::<Vec<_>>(), [10_006]);
        assert_eq!(log.last(), 10_006);
    }
}
