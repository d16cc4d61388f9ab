//! Who answers challenges, as it is written: one table or several, each of a kind that its `type` says.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::choice::{Argv, pick};
use super::fault::{Faults, Place};
use super::leaf::{DomainName, Listen, NameServer, SolverType};
use super::read::{At, Item, Read, entries, kind, table};
use crate::plan::spec::{ChallengeKind, Convention, TsigAlgorithm};

table! {
    /// Proof over HTTP: the authority fetches a file below `/.well-known/acme-challenge/` from port 80.
    struct HttpTable {
        /// `http-01`.
        needed "type" _kind: At<SolverType>,
        /// Where certwright itself answers while there is something to answer: port 80, or any port to which a server
        /// passes that path on.
        optional "listen" listen: At<Listen>,
        /// The document root of a server that runs already; in place of `listen`.
        optional "webroot" webroot: At<PathBuf>,
    }
}

table! {
    /// Proof over TLS: the authority connects to port 443 and asks for the protocol `acme-tls/1`.
    struct TlsAlpnTable {
        /// `tls-alpn-01`.
        needed "type" _kind: At<SolverType>,
        /// Where certwright itself answers while there is something to answer: port 443, or any port to which a server
        /// passes that protocol on.
        needed "listen" listen: At<Listen>,
    }
}

table! {
    /// Proof in DNS, by dynamic updates (RFC 2136): the authority reads a TXT record at `_acme-challenge`, or where an
    /// alias (CNAME) leads from there.
    struct DnsTable {
        /// `dns-01`.
        needed "type" _kind: At<SolverType>,
        /// The primary server of the zone, such as `192.0.2.53` or `[2001:db8::53]:5353`.
        needed "server" server: At<NameServer>,
        /// The key that signs updates; unsigned when left out.
        optional "key" key: TsigTable,
        /// The zone that is updated; found by its SOA record when left out.
        optional "zone" zone: At<DomainName>,
        /// How long the record may take to reach every authoritative server; `120s` when left out, `0s` to ask none.
        optional "propagation" propagation: At<Duration>,
        /// Who looks up aliases, zones and their servers; the resolvers of the system when left out.
        optional "resolver" resolver: At<NameServer>,
        /// The servers that must show the record; those that the zone names when left out.
        optional "authoritative" authoritative: Vec<At<NameServer>>,
    }
}

table! {
    /// Proof in DNS by a record that stays: the authority reads a TXT record at `_validation-persist`, or where an alias
    /// (CNAME) leads from there. It is put there by a dynamic update (RFC 2136) when it is missing.
    struct PersistTable {
        /// `dns-persist-01`.
        needed "type" kind: At<SolverType>,
        /// How long the record is good for; for ever when left out. It is written anew when half of that is over.
        optional "lasts" lasts: At<Duration>,
        /// The primary server of the zone, such as `192.0.2.53` or `[2001:db8::53]:5353`.
        needed "server" server: At<NameServer>,
        /// The key that signs updates; unsigned when left out.
        optional "key" key: TsigTable,
        /// The zone that is updated; found by its SOA record when left out.
        optional "zone" zone: At<DomainName>,
        /// How long the record may take to reach every authoritative server; `120s` when left out, `0s` to ask none.
        optional "propagation" propagation: At<Duration>,
        /// Who looks up aliases, zones and their servers; the resolvers of the system when left out.
        optional "resolver" resolver: At<NameServer>,
        /// The servers that must show the record; those that the zone names when left out.
        optional "authoritative" authoritative: Vec<At<NameServer>>,
    }
}

impl PersistTable {
    /// How long a record is to be good for, and what it has in common with `dns-01`.
    pub(super) fn split(self) -> (Option<At<Duration>>, DnsTable) {
        let Self { kind, lasts, server, key, zone, propagation, resolver, authoritative } = self;
        (lasts, DnsTable { _kind: kind, server, key, zone, propagation, resolver, authoritative })
    }
}

table! {
    /// A key for signed updates (TSIG, RFC 8945).
    struct TsigTable {
        /// The name that the server knows it by.
        needed "name" name: At<DomainName>,
        /// The algorithm; `hmac-sha256` when left out.
        optional "algorithm" algorithm: At<TsigAlgorithm>,
        /// File that holds the secret, base64, on one line.
        needed "secret_file" secret_file: At<PathBuf>,
    }
}

table! {
    /// Proof by a script that was written for another client.
    struct CommandTable {
        /// `command`.
        needed "type" _kind: At<SolverType>,
        /// The client that the script was written for.
        needed "convention" convention: At<Convention>,
        /// The script, with arguments that come before those of the convention.
        needed "command" command: Argv,
        /// The script that cleans up, where the convention has one of its own for it: `certbot`.
        optional "cleanup" cleanup: Argv,
        /// The kinds of challenge that the script answers, the preferred one first; may be left out where the convention
        /// has only one.
        optional "kinds" kinds: Vec<At<ChallengeKind>>,
        /// How long one call may take; `30s` when left out.
        optional "limit" limit: At<Duration>,
        /// How long a record may take to reach every authoritative server; `120s` when left out, `0s` to ask none.
        optional "propagation" propagation: At<Duration>,
        /// Who looks up aliases, zones and their servers; the resolvers of the system when left out.
        optional "resolver" resolver: At<NameServer>,
        /// The servers that must show a record; those that the zone names when left out.
        optional "authoritative" authoritative: Vec<At<NameServer>>,
    }
}

/// What to write when nothing is there that could be corrected.
pub(super) const EXAMPLE: &str =
    "write `solver = { type = \"http-01\", listen = \"[::]:80\" }`, or one of another `type`";

/// One who answers.
#[derive(Debug)]
pub(super) enum Solver {
    /// By a listener over HTTP.
    HttpListener(Listen),
    /// By a file in a document root.
    HttpWebroot(PathBuf),
    /// By a listener over TLS.
    TlsAlpn(Listen),
    /// By dynamic updates.
    Dns(DnsTable),
    /// By an update that lasts.
    Persist(PersistTable),
    /// By a script.
    Command(CommandTable),
}

impl Read for Solver {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let entries = entries(item, place, faults)?;
        let Some(written) = entries.get("type") else {
            let hint = match ["webroot", "convention", "server", "listen"]
                .iter()
                .find(|key| entries.contains_key(**key))
            {
                Some(&"webroot") => "write `type = \"http-01\"`",
                Some(&"convention") => "write `type = \"command\"`",
                Some(&"server") => "write `type = \"dns-01\"`",
                _ => {
                    "write `type = \"http-01\"`, `\"tls-alpn-01\"`, `\"dns-01\"`, `\"dns-persist-01\"` or `\"command\"`"
                }
            };
            faults.add(item.span().start, &place.key("type"), "the key `type` is missing", Some(hint.to_owned()));
            return None;
        };
        match At::<SolverType>::read(written, &place.key("type"), faults)?.value {
            SolverType::Http01 => {
                let table = HttpTable::read(item, place, faults)?;
                pick(&["listen", "webroot"], item, place, faults)?;
                let listener = table.listen.map(|listen| Self::HttpListener(listen.value));
                listener.or_else(|| table.webroot.map(|root| Self::HttpWebroot(root.value)))
            }
            SolverType::TlsAlpn01 => {
                TlsAlpnTable::read(item, place, faults).map(|table| Self::TlsAlpn(table.listen.value))
            }
            SolverType::Dns01 => DnsTable::read(item, place, faults).map(Self::Dns),
            SolverType::DnsPersist01 => PersistTable::read(item, place, faults).map(Self::Persist),
            SolverType::Command => CommandTable::read(item, place, faults).map(Self::Command),
        }
    }

    fn schema() -> Value {
        let of_type = |word: SolverType, mut schema: Value| {
            if let Some(kind) = schema.pointer_mut("/properties/type").and_then(Value::as_object_mut) {
                kind.remove("enum");
                kind.insert("const".to_owned(), Value::from(word.word()));
            }
            schema
        };
        let mut http = of_type(SolverType::Http01, HttpTable::schema());
        if let Some(http) = http.as_object_mut() {
            http.insert("oneOf".to_owned(), json!([{ "required": ["listen"] }, { "required": ["webroot"] }]));
        }
        json!({ "anyOf": [
            http,
            of_type(SolverType::TlsAlpn01, TlsAlpnTable::schema()),
            of_type(SolverType::Dns01, DnsTable::schema()),
            of_type(SolverType::DnsPersist01, PersistTable::schema()),
            of_type(SolverType::Command, CommandTable::schema()),
        ] })
    }
}

/// Everyone who answers, the preferred one first: a table, or an array of tables. It is empty when a program brings its own.
#[derive(Debug)]
pub(super) struct Solvers(pub(super) At<Vec<Solver>>);

impl Read for Solvers {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let start = item.span().start;
        let value = match item.get_ref() {
            DeValue::Table(_) => vec![Solver::read(item, place, faults)?],
            DeValue::Array(_) => Vec::read(item, place, faults)?,
            other => {
                let message = format!("expected a table or an array of tables, found {}", kind(other));
                let hint = EXAMPLE;
                faults.add(start, place, message, Some(hint.to_owned()));
                return None;
            }
        };
        Some(Self(At { value, at: faults.base.saturating_add(start) }))
    }

    fn schema() -> Value {
        json!({ "anyOf": [Solver::schema(), { "type": "array", "items": Solver::schema() }] })
    }
}
