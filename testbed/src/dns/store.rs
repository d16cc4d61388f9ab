//! Every record that there is, and what is said of names that have none.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::rdata::{A, AAAA, NS, SOA};
use hickory_proto::rr::{Name, RData};

use crate::clock::VirtualClock;
use crate::dns::apex;
use crate::dns::faults::NameFault;
use crate::dns::file::Read;
use crate::dns::kind::RecordKind;

/// More records than any test has: what one more update would exceed.
pub(crate) const MOST: usize = 100_000;

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A call or an update.
    Told,
    /// The file of records.
    File,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) ttl: u32,
    pub(crate) data: RData,
    pub(crate) source: Source,
}

type Node = BTreeMap<RecordKind, Vec<Entry>>;

#[derive(Debug)]
pub(crate) struct Store {
    /// In canonical order (RFC 4034 §6.1), so that what is below a name follows it.
    nodes: BTreeMap<Name, Node>,
    count: usize,
    pub(crate) every: Vec<IpAddr>,
    zones: Vec<Name>,
    /// The name of this server in the records of every zone.
    primary: Name,
    address: SocketAddr,
    pub(crate) ttl: u32,
    serial: u32,
    clock: Arc<VirtualClock>,
    /// What was there before the last change, for who is to see it late.
    before: BTreeMap<(Name, RecordKind), Before>,
}

/// Records before they were changed.
#[derive(Clone, Debug)]
struct Before {
    set: Vec<Entry>,
    /// When they were changed.
    at: Duration,
    /// How many questions came since, that were to be answered late.
    asked: u32,
}

/// How many changes are remembered.
const CHANGES: usize = 10_000;

/// What there is at a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// Records of the type, or of every type.
    Records(Vec<(u32, RData)>),
    /// It stands for another name.
    Alias(u32, Name),
    /// The name is there, without a record of this type.
    NoData,
    /// There is no such name, and none below it.
    NoName,
}

impl Store {
    pub(crate) const fn new(primary: Name, address: SocketAddr, ttl: u32, clock: Arc<VirtualClock>) -> Self {
        Self {
            nodes: BTreeMap::new(),
            count: 0,
            every: Vec::new(),
            zones: Vec::new(),
            primary,
            address,
            ttl,
            serial: 1,
            clock,
            before: BTreeMap::new(),
        }
    }

    /// How many records were set.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// What there is at a name, or was there before the last change.
    pub(crate) fn find_late(&mut self, name: &Name, kind: RecordKind, faults: &[NameFault]) -> Found {
        let mut swapped = Vec::new();
        for kind in [kind, RecordKind::CNAME] {
            if let Some(set) = self.before(name, kind, faults) {
                swapped.push((kind, self.swap(name, kind, set)));
            }
        }
        let found = self.find(name, kind);
        for (kind, set) in swapped.into_iter().rev() {
            self.swap(name, kind, set);
        }
        found
    }

    fn before(&mut self, name: &Name, kind: RecordKind, faults: &[NameFault]) -> Option<Vec<Entry>> {
        let before = self.before.get_mut(&(name.to_lowercase(), kind))?;
        let passed = self.clock.elapsed().saturating_sub(before.at);
        let late = faults.iter().any(|fault| match fault {
            NameFault::Late(questions) => before.asked < *questions,
            NameFault::LateFor(span) => passed < *span,
            _ => false,
        });
        before.asked = before.asked.saturating_add(1);
        late.then(|| before.set.clone())
    }

    fn swap(&mut self, name: &Name, kind: RecordKind, set: Vec<Entry>) -> Vec<Entry> {
        let node = self.nodes.entry(name.to_lowercase()).or_default();
        let old = if set.is_empty() { node.remove(&kind) } else { node.insert(kind, set) };
        if node.is_empty() {
            self.nodes.remove(name);
        }
        old.unwrap_or_default()
    }

    /// Remembers what is there, before it is changed.
    fn remember(&mut self, name: &Name, kind: RecordKind) {
        let key = (name.to_lowercase(), kind);
        let at = self.clock.elapsed();
        // Of changes that nobody asked about in between, the first counts: nobody saw what was there after it.
        if let Some(before) = self.before.get_mut(&key).filter(|before| before.asked == 0) {
            before.at = at;
            return;
        }
        if self.before.len() >= CHANGES {
            self.before.clear();
        }
        let set = self.set(name, kind).to_vec();
        self.before.insert(key, Before { set, at, asked: 0 });
    }

    /// Sets where zones begin.
    pub(crate) fn set_zones(&mut self, zones: Vec<Name>) {
        self.zones = zones;
    }

    /// Whether there are records at a name (RFC 2136 §2.4.4). What every name has does not count.
    pub(crate) fn is_used(&self, name: &Name) -> bool {
        self.nodes.contains_key(name) || self.zone(name) == *name
    }

    /// Whether there are records of a type at a name.
    pub(crate) fn has(&self, name: &Name, kind: RecordKind) -> bool {
        let made_up = matches!(kind, RecordKind::SOA | RecordKind::NS) && self.zone(name) == *name;
        made_up || !self.set(name, kind).is_empty()
    }

    /// Whether an alias would be beside other records.
    pub(crate) fn has_other_than_alias(&self, name: &Name) -> bool {
        let kinds = self.nodes.get(name).map(|node| node.keys().any(|kind| *kind != RecordKind::CNAME));
        kinds.unwrap_or_default() || self.zone(name) == *name
    }

    /// What there is at a name (RFC 1034 §4.3.2 step 3, RFC 4592 for wildcards).
    pub(crate) fn find(&self, name: &Name, kind: RecordKind) -> Found {
        let own = self.nodes.get(name).or_else(|| self.wildcard(name));
        let mut records: Vec<(u32, RData)> = Vec::new();
        if let Some(node) = own {
            let of = |kind: RecordKind| node.get(&kind).into_iter().flatten();
            if kind != RecordKind::CNAME
                && kind != RecordKind::ANY
                && let Some(Entry { ttl, data: RData::CNAME(target), .. }) = of(RecordKind::CNAME).next()
            {
                return Found::Alias(*ttl, target.0.clone());
            }
            let wanted = node.iter().filter(|(have, _)| kind == RecordKind::ANY || **have == kind);
            records.extend(wanted.flat_map(|(_, set)| set).map(|entry| (entry.ttl, entry.data.clone())));
        }
        let has = |kind: RecordKind| own.is_some_and(|node| node.contains_key(&kind));
        let asked = |wanted: RecordKind| kind == wanted || kind == RecordKind::ANY;
        if !has(RecordKind::A) && !has(RecordKind::AAAA) && !has(RecordKind::CNAME) {
            records.extend(self.addresses(name).filter(|(kind, _)| asked(*kind)).map(|(_, data)| (self.ttl, data)));
        }
        let is_apex = self.zone(name) == *name;
        if is_apex && asked(RecordKind::SOA) && !has(RecordKind::SOA) {
            records.push((self.ttl, RData::SOA(self.soa(name))));
        }
        if is_apex && asked(RecordKind::NS) && !has(RecordKind::NS) {
            records.push((self.ttl, RData::NS(NS(self.primary.clone()))));
        }
        if !records.is_empty() {
            Found::Records(records)
        } else if own.is_some() || is_apex || !self.every.is_empty() || *name == self.primary || self.is_above(name) {
            Found::NoData
        } else {
            Found::NoName
        }
    }

    /// The addresses of a name that was given none.
    fn addresses(&self, name: &Name) -> impl Iterator<Item = (RecordKind, RData)> {
        let own = if *name == self.primary { vec![self.address.ip()] } else { self.every.clone() };
        own.into_iter().map(|address| match address {
            IpAddr::V4(address) => (RecordKind::A, RData::A(A(address))),
            IpAddr::V6(address) => (RecordKind::AAAA, RData::AAAA(AAAA(address))),
        })
    }

    /// The records of the wildcard just below the closest name that exists (RFC 4592 §3.3.1).
    fn wildcard(&self, name: &Name) -> Option<&Node> {
        if self.is_above(name) {
            return None;
        }
        let mut at = name.clone();
        while !at.is_root() {
            at = at.base_name();
            let asterisk = at.prepend_label("*").ok()?;
            if let Some(node) = self.nodes.get(&asterisk) {
                return Some(node);
            }
            if self.nodes.contains_key(&at) || self.is_above(&at) {
                return None;
            }
        }
        None
    }

    /// Whether there are records below a name.
    fn is_above(&self, name: &Name) -> bool {
        let mut after = self.nodes.range((Bound::Excluded(name), Bound::Unbounded));
        after.next().is_some_and(|(next, _)| name.zone_of(next))
    }

    /// The apex of the zone that a name is in: the deepest that was said to be one or has a SOA or NS record, or else the
    /// registered domain.
    pub(crate) fn zone(&self, name: &Name) -> Name {
        let mut at = name.clone();
        loop {
            let node = self.nodes.get(&at);
            let has = |kind: RecordKind| node.is_some_and(|node| node.contains_key(&kind));
            if has(RecordKind::SOA) || has(RecordKind::NS) || self.zones.contains(&at) {
                return at;
            }
            if at.is_root() {
                return apex::registered(name);
            }
            at = at.base_name();
        }
    }

    /// The SOA record that was set for a zone, or one that is made up.
    pub(crate) fn soa_of(&self, zone: &Name) -> (u32, RData) {
        let set = self.nodes.get(zone).and_then(|node| node.get(&RecordKind::SOA)).and_then(|set| set.first());
        set.map_or_else(|| (self.ttl, RData::SOA(self.soa(zone))), |entry| (entry.ttl, entry.data.clone()))
    }

    fn soa(&self, zone: &Name) -> SOA {
        let mail = zone.prepend_label("hostmaster").unwrap_or_else(|_| self.primary.clone());
        // What is not there is not to be remembered: the last number is how long (RFC 2308 §4).
        SOA::new(self.primary.clone(), mail, self.serial, 3_600, 600, 604_800, 0)
    }

    /// The address records of the name server, for the additional section.
    pub(crate) fn glue(&self) -> (Name, Vec<(u32, RData)>) {
        let mut found = Vec::new();
        for kind in [RecordKind::A, RecordKind::AAAA] {
            if let Found::Records(records) = self.find(&self.primary, kind) {
                found.extend(records);
            }
        }
        (self.primary.clone(), found)
    }

    /// Adds a record beside those that are there. One with the same data takes its new time to live.
    pub(crate) fn add(&mut self, name: &Name, entry: Entry) -> Change {
        let kind = RecordKind::from(entry.data.record_type());
        match self.set(name, kind).iter().find(|have| have.data == entry.data) {
            Some(have) if have.ttl == entry.ttl => return Change::None,
            None if self.count >= MOST => return Change::Full,
            _ => {}
        }
        self.remember(name, kind);
        let set = self.nodes.entry(name.to_lowercase()).or_default().entry(kind).or_default();
        match set.iter_mut().find(|have| have.data == entry.data) {
            Some(have) => *have = entry,
            None => {
                set.push(entry);
                self.count += 1;
            }
        }
        self.serial = self.serial.wrapping_add(1);
        Change::Made
    }

    /// Takes those records away that are meant; says how many.
    pub(crate) fn remove(&mut self, name: &Name, kind: Option<RecordKind>, meant: impl Fn(&Entry) -> bool) -> usize {
        let Some(node) = self.nodes.get(name) else { return 0 };
        let touched =
            node.iter().filter(|(have, set)| kind.is_none_or(|kind| kind == **have) && set.iter().any(&meant));
        for kind in touched.map(|(kind, _)| *kind).collect::<Vec<_>>() {
            self.remember(name, kind);
        }
        let Some(node) = self.nodes.get_mut(name) else { return 0 };
        let mut removed = 0;
        for (_, set) in node.iter_mut().filter(|(have, _)| kind.is_none_or(|kind| kind == **have)) {
            let before = set.len();
            set.retain(|entry| !meant(entry));
            removed += before - set.len();
        }
        node.retain(|_, set| !set.is_empty());
        if node.is_empty() {
            self.nodes.remove(name);
        }
        self.count -= removed;
        if removed > 0 {
            self.serial = self.serial.wrapping_add(1);
        }
        removed
    }

    /// The records of a name and a type, as they were set.
    pub(crate) fn set(&self, name: &Name, kind: RecordKind) -> &[Entry] {
        self.nodes.get(name).and_then(|node| node.get(&kind)).map_or(&[], Vec::as_slice)
    }

    /// Every record that was set, in canonical order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Name, &Entry)> {
        self.nodes.iter().flat_map(|(name, node)| node.values().flatten().map(move |entry| (name, entry)))
    }

    /// Takes every record away, and what is remembered of changes.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.before.clear();
        self.count = 0;
        self.serial = self.serial.wrapping_add(1);
    }

    /// Takes what came from the file away and sets this in its place.
    pub(crate) fn replace_file(&mut self, read: Vec<Read>) {
        let names: Vec<Name> = self.nodes.keys().cloned().collect();
        for name in names {
            self.remove(&name, None, |entry| entry.source == Source::File);
        }
        for Read { name, ttl, data } in read {
            self.add(&name, Entry { ttl, data, source: Source::File });
        }
    }
}

/// What came of adding a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Made,
    /// It was there.
    None,
    /// There are too many.
    Full,
}
