//! Values that only step-ca has: where it is, the digest of its root, data for a template.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::text;
use crate::ground::id::Fingerprint;
use crate::plan::file::fault::quoted;
use crate::plan::file::read::{Leaf, Wrong};

/// Where a CA is: an https URL without a path.
#[derive(Debug)]
pub(in crate::plan::file) struct CaUrl(pub(in crate::plan::file) String);

impl Leaf for CaUrl {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "a URL as text")?;
        let authority = text.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let plain = |authority: &&str| {
            authority.len() <= 512
                && authority.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'@'))
        };
        match authority.filter(plain) {
            Some(authority) if !authority.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(Wrong::new(format!("`{}` is not the https URL of a CA", quoted(text)))
                .hint("write it without a path, such as `https://ca.internal:9000`")),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^https://[^/@?#]+/?$", "maxLength": 512 })
    }
}

/// The SHA-256 of a certificate in hexadecimal digits, with or without colons, as programs print it.
impl Leaf for Fingerprint {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "a fingerprint as text")?;
        text.replace(':', "").to_ascii_lowercase().parse().map_err(|error| Wrong::text(text, &error))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$" })
    }
}

/// A table of anything, as JSON.
#[derive(Debug)]
pub(in crate::plan::file) struct Data(pub(in crate::plan::file) String);

impl Leaf for Data {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        if !matches!(value, DeValue::Table(_)) {
            return Err(Wrong::kind("a table", value));
        }
        data(value, 0).map(|value| Self(value.to_string()))
    }

    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

fn data(value: &DeValue<'_>, depth: u8) -> Result<Value, Wrong> {
    const DEEPEST: u8 = 16;
    if depth > DEEPEST {
        return Err(Wrong::new("the tables are nested too deeply"));
    }
    Ok(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(word) => Value::from(*word),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| data(value.get_ref(), depth + 1).map(|value| (key.get_ref().to_string(), value)))
            .collect::<Result<serde_json::Map<_, _>, _>>()?
            .into(),
        DeValue::Array(entries) => {
            entries.iter().map(|entry| data(entry.get_ref(), depth + 1)).collect::<Result<Vec<_>, _>>()?.into()
        }
        number => match number.as_integer() {
            Some(number) => {
                number.to_string().parse::<i64>().map(Value::from).map_err(|_| Wrong::new("the number is too large"))?
            }
            None => return Err(Wrong::kind("text, a whole number, `true`, `false`, a list or a table", value)),
        },
    })
}
