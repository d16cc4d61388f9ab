//! Principals, owners, groups and raw ACL entries as they are written.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::fault::quoted;
use super::leaf::text;
use super::read::{Leaf, Wrong};
use crate::plan::spec::{AclWish, Principal};

/// A user or group, as a name or a number. Names are not looked up here; what no system allows is refused, and so is a
/// number that the kernel takes for "no change".
fn name(text: &str) -> Result<String, Wrong> {
    let wrong = |message: &str| Wrong::new(format!("`{}` {message}", quoted(text)));
    let number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if number {
        return match text.parse::<u32>() {
            Ok(u32::MAX) | Err(_) => Err(wrong("is no user or group number")),
            Ok(id) if id.to_string() != text => Err(wrong("is a number with leading zeros")),
            Ok(_) => Ok(text.to_owned()),
        };
    }
    let odd = |c: char| c.is_control() || matches!(c, ':' | '/' | ',');
    if text.is_empty()
        || text.len() > 256
        || text.trim() != text
        || text.starts_with(['-', '+', '~'])
        || text.contains(odd)
    {
        return Err(wrong("cannot be the name of a user or group"));
    }
    Ok(text.to_owned())
}

fn principal(written: &str) -> Result<Principal, Wrong> {
    match written.split_once(':') {
        Some(("user", who)) => name(who).map(Principal::User),
        Some(("group", who)) => name(who).map(Principal::Group),
        _ => {
            let hint = match name(written) {
                Ok(plain) => format!("write `user:{plain}` or `group:{plain}`"),
                Err(_) => "write `user:NAME` or `group:NAME`".to_owned(),
            };
            Err(Wrong::new(format!("`{}` does not say whether it is a user or a group", quoted(written))).hint(hint))
        }
    }
}

impl Leaf for Principal {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        principal(text(value, "a reader as text")?)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^(user|group):[^:/,]+$" })
    }
}

/// The owner of a file: a user, by its bare name.
#[derive(Debug)]
pub(super) struct Owner(pub(super) Principal);

/// The group of a file, by its bare name.
#[derive(Debug)]
pub(super) struct Group(pub(super) Principal);

/// A bare name where the key already says what it is.
fn bare(value: &DeValue<'_>, wanted: &str) -> Result<String, Wrong> {
    if let Some(number) = value.as_integer() {
        return Err(Wrong::kind(wanted, value).hint(format!("write `\"{number}\"`")));
    }
    let text = text(value, wanted)?;
    match text.split_once(':') {
        Some(("user" | "group", who)) => {
            Err(Wrong::new(format!("`{}`: the key already says what it is", quoted(text)))
                .hint(format!("write `{}`", quoted(who))))
        }
        _ => name(text),
    }
}

impl Leaf for Owner {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        bare(value, "the name of a user").map(|name| Self(Principal::User(name)))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[^:/,]+$" })
    }
}

impl Leaf for Group {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        bare(value, "the name of a group").map(|name| Self(Principal::Group(name)))
    }

    fn schema() -> Value {
        Owner::schema()
    }
}

/// acl(5), short text form, with a named user or group: the entries that the mode bits cannot say.
impl Leaf for AclWish {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "an ACL entry as text")?;
        let wrong = || {
            Wrong::new(format!("`{}` is not an ACL entry", quoted(text)))
                .hint("write it as `user:NAME:r--` or `group:NAME:r--`, with all three letters")
        };
        let (who, letters) = text.rsplit_once(':').ok_or_else(wrong)?;
        let &[read, write, search] = letters.as_bytes() else { return Err(wrong()) };
        let mut permissions = 0;
        for (letter, granted, bit) in [(read, b'r', 4), (write, b'w', 2), (search, b'x', 1)] {
            match letter {
                b'-' => {}
                letter if letter == granted => permissions |= bit,
                _ => return Err(wrong()),
            }
        }
        Ok(Self::new(principal(who)?, permissions))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^(user|group):[^:/,]+:[r-][w-][x-]$" })
    }
}
