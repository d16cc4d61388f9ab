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
    /// The body that the server meant to answer with, cut where it is long.
    pub answer: String,
}

#[derive(Debug, Default)]
pub(crate) struct Log(VecDeque<Entry>);

impl Log {
    pub(crate) fn add(&mut self, mut entry: Entry) {
        if entry.answer.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|end| entry.answer.is_char_boundary(*end)).unwrap_or(0);
            entry.answer.truncate(end);
        }
        self.0.push_back(entry);
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut log = Log::default();
        for number in 0..REMEMBERED + 5 {
            log.add(Entry {
                at: Duration::ZERO,
                method: "GET".to_owned(),
                path: format!("/{number}"),
                endpoint: Endpoint::Unknown,
                payload: None,
                status: Some(404),
                answer: "é".repeat(if number == 7 { LONGEST } else { 1 }),
            });
        }
        let entries = log.entries();
        assert_eq!((entries.len(), entries[0].path.as_str()), (REMEMBERED, "/5"));
        assert_eq!(entries[2].answer.len(), LONGEST);
        log.clear();
        assert!(log.entries().is_empty());
    }
}
