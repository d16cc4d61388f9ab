//! What is wrong with a configuration: every fault with its place, gathered, told in one error.

use std::fmt;
use std::path::Path;

use crate::ground::error::{ContextValue as _, Error, ErrorKind, Phase, Public};

/// More faults than this are counted, not told: nobody reads further.
const TOLD: usize = 20;

/// Text from the file longer than this is cut in messages.
const QUOTED: usize = 64;

/// Where in the document something stands: a chain of keys and indices that lives on the stack of the reader.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Top,
    Key(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// The document itself.
    pub(super) const TOP: Place<'static> = Place { parent: None, step: Step::Top };

    /// The value of `key` in this table.
    pub(super) fn key(&'p self, key: &'p str) -> Place<'p> {
        Place { parent: Some(self), step: Step::Key(key) }
    }

    /// The element of this array, counted from zero.
    pub(super) fn index(&'p self, at: usize) -> Place<'p> {
        Place { parent: Some(self), step: Step::Index(at) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lead = match self.parent {
            Some(Place { step: Step::Top, .. }) | None => "",
            Some(parent) => {
                parent.fmt(f)?;
                "."
            }
        };
        match self.step {
            Step::Top => Ok(()),
            Step::Index(at) => write!(f, "[{at}]"),
            Step::Key(key) => {
                let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
                f.write_str(lead)?;
                if !key.is_empty() && key.chars().all(bare) {
                    f.write_str(key)
                } else {
                    write!(f, "\"{}\"", quoted(key))
                }
            }
        }
    }
}

/// Text from the file as it may be shown: no control characters, not endless.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", Public(text.get(..end).unwrap_or_default()).shown()),
        None => Public(text).shown(),
    }
}

/// One fault.
#[derive(Debug)]
pub(super) struct Fault {
    at: usize,
    key: String,
    message: String,
    hint: Option<String>,
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Where in the whole text the piece that is being read begins.
    pub(super) base: usize,
    found: Vec<Fault>,
}

impl Faults {
    /// Note a fault at an offset in the piece that is being read.
    #[cold]
    pub(super) fn add(&mut self, offset: usize, place: &Place<'_>, message: impl Into<String>, hint: Option<String>) {
        self.add_at(self.base.saturating_add(offset), place, message, hint);
    }

    /// Note a fault at an offset in the whole text.
    #[cold]
    pub(super) fn add_at(&mut self, at: usize, place: &Place<'_>, message: impl Into<String>, hint: Option<String>) {
        self.found.push(Fault { at, key: place.to_string(), message: message.into(), hint });
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// The one error that tells them all, in the order of the file; `None` when there are none.
    ///
    /// One fault is told with `file`, `line`, `column` and `key` as facts and its own hint. Several are told as facts
    /// named `fault`, one each, place first and hint last.
    pub(super) fn into_error(mut self, text: &str, name: &Path) -> Option<Error> {
        self.found.sort_by_key(|fault| fault.at);
        let error = match self.found.as_slice() {
            [] => return None,
            [only] => {
                let (line, column) = position(text, only.at);
                let mut error = Error::new(ErrorKind::InvalidSpec, only.message.clone())
                    .context("file", name)
                    .context("line", line)
                    .context("column", column);
                if !only.key.is_empty() {
                    error = error.context("key", Public(&only.key));
                }
                match &only.hint {
                    Some(hint) => error.hint(hint.clone()),
                    None => error,
                }
            }
            several => {
                let message = format!("the configuration has {} faults", several.len());
                let mut error = Error::new(ErrorKind::InvalidSpec, message).context("file", name);
                for fault in several.iter().take(TOLD) {
                    let (line, column) = position(text, fault.at);
                    let colon = if fault.key.is_empty() { "" } else { ": " };
                    let mut told = format!("line {line}, column {column}: {}{colon}{}", fault.key, fault.message);
                    if let Some(hint) = &fault.hint {
                        told.push_str("; ");
                        told.push_str(hint);
                    }
                    error = error.context("fault", Public(&told));
                }
                match several.len().checked_sub(TOLD) {
                    None | Some(0) => error,
                    Some(more) => error.context("more", more),
                }
            }
        };
        Some(error.in_phase(Phase::Plan))
    }
}

/// The line of any offset, found quickly: a long file may have as many faults as lines.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line of an offset, from one.
    pub(super) fn of(&self, at: usize) -> usize {
        self.0.partition_point(|end| *end < at) + 1
    }
}

/// Line and column of an offset, both from one, the column in characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    (line + 1, column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_would_be_written() {
        let lineage = Place::TOP.key("lineage");
        let www = lineage.key("www.example");
        let output = www.key("output");
        let second = output.index(1);
        assert_eq!(second.key("path").to_string(), "lineage.\"www.example\".output[1].path");
        assert_eq!(Place::TOP.to_string(), "");
        assert_eq!(Place::TOP.key("a\u{1b}[2J").to_string(), "\"a\\u{1b}[2J\"");
    }

    #[test]
    fn positions_count_from_one_and_in_characters() {
        let text = "a\nbü€c\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 2), (2, 1));
        assert_eq!(position(text, 8), (2, 4));
        assert_eq!(position(text, text.len()), (3, 1));
        assert_eq!(position(text, 4), (3, 1), "an offset inside a character is the end");
        for at in [0, 1, 2, 8, text.len()] {
            assert_eq!(Lines::new(text).of(at), position(text, at).0, "{at}");
        }
    }

    #[test]
    fn tells_one_fault_in_facts_and_many_in_order() {
        let text = "x\ny\n";
        let mut faults = Faults::default();
        faults.add(2, &Place::TOP.key("y"), "no such key", Some("write `z`".to_owned()));
        let error = faults.into_error(text, Path::new("f")).unwrap();
        assert_eq!(error.to_string(), "plan: no such key (file `f`, line `2`, column `1`, key `y`)");
        assert_eq!(error.hint_text(), Some("write `z`"));

        let mut faults = Faults::default();
        for at in (0..30).rev() {
            faults.add_at(at, &Place::TOP.key("k"), format!("fault {at}"), None);
        }
        let error = faults.into_error(&"\n".repeat(40), Path::new("f")).unwrap();
        assert_eq!(error.message(), "the configuration has 30 faults");
        let told: Vec<_> = error.facts().filter(|(name, _)| *name == "fault").map(|(_, value)| value).collect();
        assert_eq!(told.len(), TOLD);
        assert_eq!(told[0], "line 1, column 1: k: fault 0");
        assert_eq!(told[19], "line 20, column 1: k: fault 19");
        assert_eq!(error.fact("more"), Some("10"));
        assert!(Faults::default().into_error(text, Path::new("f")).is_none());
    }
}
