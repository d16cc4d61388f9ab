//! What was asked and answered, for a test to read.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::acme::route::Endpoint;

/// How many requests are remembered.
const REMEMBERED: usize = 10_000;
/// How much of an answer is remembered.
const LONGEST: usize = 16 * 1024;

/// One request and what it was answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// When it came: what had passed on the world's clock since the start.
    pub at: Duration,
    /// Its method.
    pub method: String,
    /// Its path, with a query where it has one.
    pub path: String,
    /// What it was about.
    pub endpoint: Endpoint,
    /// What was signed, where it was JSON.
    pub payload: Option<Value>,
    /// The status that the server meant to answer with; `None` when it was to hang.
    pub status: Option<u16>,
    /// The Retry-After that the server meant to answer with, where it was in seconds (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
    /// The body that the server meant to answer with, cut where it is long.
    pub answer: String,
}

/// One request as it is kept: small, and read when somebody wants to know.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) at: Duration,
    pub(crate) method: Box<str>,
    pub(crate) path: Box<str>,
    pub(crate) endpoint: Endpoint,
    pub(crate) payload: Option<Box<[u8]>>,
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) answer: Box<[u8]>,
}

impl Heard {
    fn entry(&self) -> Entry {
        let cut = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // A character that was cut in two is left out.
        let answer = match str::from_utf8(&self.answer) {
            Err(error) if error.error_len().is_none() => {
                cut(self.answer.get(..error.valid_up_to()).unwrap_or_default())
            }
            _ => cut(&self.answer),
        };
        Entry {
            at: self.at,
            method: self.method.to_string(),
            path: self.path.to_string(),
            endpoint: self.endpoint,
            payload: self.payload.as_ref().and_then(|payload| serde_json::from_slice(payload).ok()),
            status: self.status,
            retry_after: self.retry_after,
            answer,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    heard: VecDeque<Heard>,
    /// How many are gone.
    gone: usize,
}

impl Log {
    pub(crate) fn add(&mut self, heard: Heard) {
        self.heard.push_back(heard);
        if self.heard.len() > REMEMBERED {
            self.heard.pop_front();
            self.gone += 1;
        }
    }

    /// What is kept of an answer.
    pub(crate) fn beginning(answer: &[u8]) -> Box<[u8]> {
        answer.get(..LONGEST).unwrap_or(answer).into()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.heard.iter().map(Heard::entry).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.gone += self.heard.len();
        self.heard.clear();
    }

    /// Those after the one of this number, each with its own; the first ever is number 1.
    pub(crate) fn after(&self, number: usize) -> impl Iterator<Item = (usize, Entry)> {
        let gone = self.gone;
        let heard = self.heard.iter().enumerate().skip(number.saturating_sub(gone));
        heard.map(move |(at, heard)| (gone + at + 1, heard.entry()))
    }

    /// The number of the last one.
    pub(crate) fn last(&self) -> usize {
        self.gone + self.heard.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut log = Log::default();
        for number in 0..REMEMBERED + 5 {
            log.add(Heard {
                at: Duration::ZERO,
                method: "GET".into(),
                path: format!("/{number}").into(),
                endpoint: Endpoint::Unknown,
                payload: None,
                status: Some(404),
                retry_after: None,
                answer: Log::beginning(format!("x{}", "é".repeat(if number == 7 { LONGEST } else { 1 })).as_bytes()),
            });
        }
        let entries = log.entries();
        assert_eq!((entries.len(), entries[0].path.as_str()), (REMEMBERED, "/5"));
        assert_eq!(entries[2].answer.len(), LONGEST - 1);
        assert_eq!(
            log.after(10_004).map(|(number, entry)| (number, entry.path)).collect::<Vec<_>>(),
            [(10_005, "/10004".to_owned())]
        );
        log.clear();
        assert!(log.entries().is_empty() && log.last() == REMEMBERED + 5);
    }
}
