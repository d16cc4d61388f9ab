//! Records from a zone file (RFC 1035 §5), read again when the file changes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use certwright::{Error, ErrorKind, Public, Result};
use hickory_proto::rr::{Name, RData};

use crate::dns::kind::RecordKind;
use crate::dns::lines::{self, Line, defect};
use crate::dns::{name, rdata};

/// A record of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) name: Name,
    pub(crate) ttl: u32,
    pub(crate) data: RData,
}

/// Reads a zone file; records without a time to live have this one.
pub(crate) fn read(text: &str, ttl: u32) -> Result<Vec<Read>> {
    let mut state = State { origin: Name::root(), ttl, last: None };
    let mut found = Vec::new();
    for line in lines::cut(text)? {
        found.extend(state.line(&line)?);
    }
    Ok(found)
}

struct State {
    origin: Name,
    ttl: u32,
    last: Option<Name>,
}

impl State {
    fn line(&mut self, line: &Line) -> Result<Option<Read>> {
        let about = |error: Error| error.context("line", line.number);
        let Some((first, rest)) = line.fields.split_first() else { return Ok(None) };
        match (first.text.to_ascii_uppercase().as_str(), rest) {
            ("$ORIGIN", [origin]) => {
                self.origin = name::parse(&origin.text, Some(&self.origin)).map_err(about)?;
                return Ok(None);
            }
            ("$TTL", [ttl]) => {
                self.ttl =
                    rdata::seconds(&ttl.text).ok_or_else(|| defect(line.number, "this is no number of seconds"))?;
                return Ok(None);
            }
            (directive, _) if directive.starts_with('$') => {
                return Err(defect(line.number, "of the directives, `$ORIGIN NAME` and `$TTL SECONDS` are known"));
            }
            _ => {}
        }
        let mut fields = line.fields.as_slice();
        if !line.indented {
            self.last = Some(name::parse(&first.text, Some(&self.origin)).map_err(about)?);
            fields = rest;
        }
        let name = self.last.clone().ok_or_else(|| defect(line.number, "there is no name before this line"))?;
        let mut ttl = self.ttl;
        while let [field, rest @ ..] = fields {
            if let Some(seconds) = rdata::seconds(&field.text) {
                ttl = seconds;
            } else if !field.text.eq_ignore_ascii_case("IN") {
                break;
            }
            fields = rest;
        }
        let [kind, data @ ..] = fields else { return Err(defect(line.number, "there is no type of record")) };
        let kind: RecordKind = kind.text.parse().map_err(about)?;
        let data = rdata::read(kind, data, Some(&self.origin)).map_err(about)?;
        Ok(Some(Read { name, ttl, data }))
    }
}

/// A file to look after.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    seen: Option<Stamp>,
    /// What was read last.
    text: Option<String>,
    /// Why the last version could not be read. What was read before stays.
    pub(crate) trouble: Option<String>,
}

/// What tells one version of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    length: u64,
    inode: u64,
}

/// How coarse the time of a file may be: what is younger than this may change again without a trace.
const SETTLED: Duration = Duration::from_secs(1);

impl Watched {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, seen: None, text: None, trouble: None }
    }

    /// The next look is as the first.
    pub(crate) fn forget(&mut self) {
        (self.seen, self.text) = (None, None);
    }

    /// The records, where the file may have changed since the last call.
    pub(crate) fn changed(&mut self, ttl: u32) -> Option<Result<Vec<Read>>> {
        let stamp = stamp(&self.path);
        if stamp.is_some() && stamp == self.seen {
            return None;
        }
        let young = |stamp: &Stamp| stamp.modified.elapsed().is_ok_and(|age| age < SETTLED);
        self.seen = stamp.filter(|stamp| !young(stamp));
        let text = std::fs::read_to_string(&self.path).map_err(|source| {
            Error::new(ErrorKind::Io, "the file of records cannot be read")
                .context("path", self.path.as_path())
                .source(source)
        });
        if text.as_ref().is_ok_and(|text| Some(text) == self.text.as_ref()) {
            return None;
        }
        self.text = text.as_ref().ok().cloned();
        let read = text
            .and_then(|text| read(&text, ttl))
            .map_err(|error| error.context("file", Public(&self.path.display().to_string())));
        self.trouble = read.as_ref().err().map(|error| format!("{error:#}"));
        Some(read)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp { modified: metadata.modified().ok()?, length: metadata.len(), inode: metadata.ino() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_file_of_rfc_1035_is_read() {
        // RFC 1035 §5.3, with the origin that it speaks of.
        let text = "$ORIGIN ISI.EDU.\n\
            @   IN  SOA     VENERA      Action\\.domains (\n\
                                 20     ; SERIAL\n\
                                 7200   ; REFRESH\n\
                                 600    ; RETRY\n\
                                 3600000; EXPIRE\n\
                                 60)    ; MINIMUM\n\
            \n\
            \x20       NS      A.ISI.EDU.\n\
            \x20       NS      VENERA\n\
            \x20       MX      10      VENERA\n\
            A       A       26.3.0.103\n\
            VENERA  A       10.1.0.52\n\
            \x20       A       128.9.0.32\n";
        let shown: Vec<String> = read(text, 60)
            .unwrap()
            .iter()
            .map(|read| format!("{} {} {}", name::text(&read.name), read.ttl, rdata::text(&read.data)))
            .collect();
        assert_eq!(
            shown,
            [
                "ISI.EDU 60 VENERA.ISI.EDU. Action\\.domains.ISI.EDU. 20 7200 600 3600000 60",
                "ISI.EDU 60 A.ISI.EDU.",
                "ISI.EDU 60 VENERA.ISI.EDU.",
                "ISI.EDU 60 10 VENERA.ISI.EDU.",
                "A.ISI.EDU 60 26.3.0.103",
                "VENERA.ISI.EDU 60 10.1.0.52",
                "VENERA.ISI.EDU 60 128.9.0.32",
            ]
        );
    }

    #[test]
    fn class_and_time_come_in_either_order_and_what_is_wrong_has_its_line() {
        let ttl = |text: &str| read(text, 60).unwrap()[0].ttl;
        assert_eq!([ttl("a A 1.2.3.4"), ttl("a 5 IN A 1.2.3.4"), ttl("a in 1h5m A 1.2.3.4")], [60, 5, 3_900]);
        assert_eq!(ttl("$TTL 2d\na A 1.2.3.4"), 172_800);
        for (text, line) in [
            ("a A 1.2.3.4\nb B 1.2.3.4", "2"),
            ("  A 1.2.3.4", "1"),
            ("a", "1"),
            ("$INCLUDE /etc/passwd", "1"),
            ("\n$TTL x", "2"),
            ("a A 1.2.3", "1"),
            ("a CH TXT x", "1"),
        ] {
            assert_eq!(read(text, 60).unwrap_err().fact("line"), Some(line), "{text}");
        }
    }
}
