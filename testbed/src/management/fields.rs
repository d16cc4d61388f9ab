//! The fields of a call: each is taken once, and what is left over was not known.

use std::collections::BTreeSet;
use std::time::Duration;

use certwright::{Timestamp, Window};
use serde_json::{Map, Value};

use crate::management::ask::Refusal;

/// A JSON object that is read field by field.
#[derive(Debug)]
pub(crate) struct Fields {
    fields: Map<String, Value>,
    known: BTreeSet<&'static str>,
}

impl Fields {
    /// Reads a body; an empty one is an empty object.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::of(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self::of(fields)),
            Ok(_) => Err(Refusal::bad("the body is no JSON object")),
            Err(error) => Err(Refusal::bad(format!("the body is no JSON: {error}"))),
        }
    }

    pub(crate) const fn of(fields: Map<String, Value>) -> Self {
        Self { fields, known: BTreeSet::new() }
    }

    pub(crate) fn from(value: Value, what: &str) -> Result<Self, Refusal> {
        match value {
            Value::Object(fields) => Ok(Self::of(fields)),
            _ => Err(Refusal::bad(format!("{what} is an object"))),
        }
    }

    pub(crate) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.insert(name);
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        what: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| Refusal::bad(format!("`{name}` is {what}")))
    }

    pub(crate) fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, Refusal> {
        self.optional(name, "a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, Refusal> {
        self.optional_text(name)?.ok_or_else(|| Refusal::bad(format!("`{name}` is missing")))
    }

    pub(crate) fn optional_number(&mut self, name: &'static str) -> Result<Option<u64>, Refusal> {
        self.optional(name, "a whole number of 0 and more", |value| value.as_u64())
    }

    pub(crate) fn number<N: TryFrom<u64>>(&mut self, name: &'static str) -> Result<N, Refusal> {
        let number = self.optional_number(name)?.ok_or_else(|| Refusal::bad(format!("`{name}` is missing")))?;
        N::try_from(number).map_err(|_| Refusal::bad(format!("`{name}` is too large")))
    }

    pub(crate) fn optional_texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Refusal> {
        self.optional(name, "a list of strings", |value| {
            let Value::Array(values) = value else { return None };
            values.into_iter().map(|value| if let Value::String(text) = value { Some(text) } else { None }).collect()
        })
    }

    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, Refusal> {
        self.optional_texts(name)?.ok_or_else(|| Refusal::bad(format!("`{name}` is missing")))
    }

    /// `start` and `end`, as in RFC 3339.
    pub(crate) fn window(&mut self) -> Result<Window, Refusal> {
        let (start, end) = (time(&self.text("start")?)?, time(&self.text("end")?)?);
        if start >= end {
            return Err(Refusal::bad("`end` is after `start`"));
        }
        Ok(Window::new(start, end))
    }

    /// Whether everything was known.
    pub(crate) fn done(self) -> Result<(), Refusal> {
        let Some(unknown) = self.fields.keys().next() else { return Ok(()) };
        Err(Refusal::bad(match nearest(unknown, self.known.iter().copied()) {
            Some(nearest) => format!("there is no `{unknown}` here; is `{nearest}` meant?"),
            None => format!("there is no `{unknown}` here"),
        }))
    }
}

pub(crate) fn time(text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|_| Refusal::bad(format!("`{text}` is no time as `2030-01-31T12:00:00Z`")))
}

/// Whole milliseconds.
pub(crate) fn milliseconds(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_millis)
}

/// The name that is written most alike.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Whoever writes so much knows no name.
    let wrong: Vec<char> = wrong.chars().take(64).collect();
    names.min_by_key(|name| distance(&wrong, name))
}

/// Levenshtein's: how many letters have to be put in, taken out or replaced.
fn distance(one: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (line, letter) in other.chars().enumerate() {
        let mut corner = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (own, above) in one.iter().zip(row.iter().skip(1)) {
            left = (corner + usize::from(*own != letter)).min(above + 1).min(left + 1);
            corner = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_nearest() {
        let mut one = fields(r#"{"occurence": "every", "fault": "hang"}"#);
        assert_eq!((one.optional_text("occurrence"), one.text("fault")), (Ok(None), Ok("hang".to_owned())));
        let _ = one.value("endpoint");
        assert_eq!(one.done().unwrap_err().detail, "there is no `occurence` here; is `occurrence` meant?");
        assert_eq!(fields(r#"{"a": null}"#).text("a").unwrap_err().detail, "`a` is missing");
        assert_eq!(fields(r#"{"a": -1}"#).number::<u32>("a").unwrap_err().status, 400);
        assert!(fields(r#"{"a": 4294967296}"#).number::<u32>("a").is_err());
        for broken in ["[]", "{", "1", "{} {}", "\u{0}"] {
            assert_eq!(Fields::read(broken.as_bytes()).unwrap_err().status, 400, "{broken}");
        }
        assert!(Fields::read(b" \n").unwrap().done().is_ok());
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        let of = |one: &str, other| distance(&one.chars().collect::<Vec<_>>(), other);
        assert_eq!([of("kitten", "sitting"), of("", "abc"), of("abc", ""), of("abc", "abc")], [3, 3, 3, 0]);
    }
}
