//! Names as text (RFC 1035 §5.1): dots, and `\` before what is meant otherwise.

use certwright::{Error, ErrorKind, Public, Result};
use hickory_proto::rr::Name;

/// Reads a name; one without a final dot is below the origin, or absolute where there is none.
pub(crate) fn parse(text: &str, origin: Option<&Name>) -> Result<Name> {
    let defect = |why: &'static str| {
        Error::new(ErrorKind::InvalidSpec, why)
            .context("name", Public(text))
            .hint("write labels of 1 to 63 bytes with dots between them, 255 bytes in all; `\\046` is a dot in a label")
    };
    if text == "@" {
        return origin.cloned().ok_or_else(|| defect("`@` stands for an origin, and there is none"));
    }
    if text == "." {
        return Ok(Name::root());
    }
    let (labels, absolute) = labels(text).ok_or_else(|| defect("this is no name"))?;
    let mut name = Name::from_labels(labels.iter().map(Vec::as_slice)).map_err(|_| defect("this is no name"))?;
    if let Some(origin) = origin.filter(|_| !absolute) {
        name = name.append_name(origin).map_err(|_| defect("the name is too long below its origin"))?;
    }
    name.set_fqdn(true);
    Ok(name)
}

/// The labels, and whether there is a dot after the last.
fn labels(text: &str) -> Option<(Vec<Vec<u8>>, bool)> {
    let mut labels = vec![Vec::new()];
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'.' => labels.push(Vec::new()),
            b'\\' => {
                let (byte, after) = escaped(rest)?;
                labels.last_mut()?.push(byte);
                rest = after;
            }
            byte => labels.last_mut()?.push(*byte),
        }
    }
    let absolute = labels.len() > 1 && labels.last()?.is_empty();
    if absolute {
        labels.pop();
    }
    labels.iter().all(|label| (1..=63).contains(&label.len())).then_some((labels, absolute))
}

/// What follows a `\`: three decimal digits, or the byte itself.
pub(crate) fn escaped(rest: &[u8]) -> Option<(u8, &[u8])> {
    match rest {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
            let digit = |byte: &u8| u16::from(byte - b'0');
            let value = digit(a) * 100 + digit(b) * 10 + digit(c);
            Some((u8::try_from(value).ok()?, rest))
        }
        [b'0'..=b'9', ..] | [] => None,
        [byte, rest @ ..] => Some((*byte, rest)),
    }
}

/// A name for people: no final dot, except for the root.
pub(crate) fn text(name: &Name) -> String {
    let mut text = absolute(name);
    if text.len() > 1 {
        text.pop();
    }
    text
}

/// A name for a zone file: with its final dot.
pub(crate) fn absolute(name: &Name) -> String {
    use std::fmt::Write as _;

    let mut text = String::new();
    for label in name.iter() {
        for byte in label {
            // Writing to a string does not fail.
            let _ = match byte {
                b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => write!(text, "\\{}", char::from(*byte)),
                b'!'..=b'~' => write!(text, "{}", char::from(*byte)),
                other => write!(text, "\\{other:03}"),
            };
        }
        text.push('.');
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_read_and_written_alike() {
        for (written, shown) in [
            ("a.example", "a.example"),
            ("a.example.", "a.example"),
            ("*.A.Example", "*.A.Example"),
            ("_acme-challenge.a.example", "_acme-challenge.a.example"),
            ("a\\.b.example", "a\\.b.example"),
            ("a\\046b.example", "a\\.b.example"),
            ("\\000\\255.example", "\\000\\255.example"),
            ("a\\032b.example", "a\\032b.example"),
            ("b\u{fc}cher.example", "b\\195\\188cher.example"),
            ("<b>.example", "<b>.example"),
            (".", "."),
        ] {
            let name = parse(written, None).unwrap();
            assert_eq!(text(&name), shown);
            assert_eq!(parse(&absolute(&name), None).unwrap(), name);
        }
        let long = "a".repeat(64);
        for broken in ["", "..", "a..b", ".a", "a\\", "a\\25", "a\\256.b", long.as_str(), "@"] {
            assert!(parse(broken, None).is_err(), "{broken}");
        }
        let whole = format!("{}{}", "a.".repeat(126), "b.");
        assert!(parse(&whole, None).is_ok() && parse(&format!("a.{whole}"), None).is_err());
    }

    #[test]
    fn a_name_without_its_dot_is_below_the_origin() {
        let origin = parse("example.org.", None).unwrap();
        assert_eq!(text(&parse("www", Some(&origin)).unwrap()), "www.example.org");
        assert_eq!(text(&parse("www.", Some(&origin)).unwrap()), "www");
        assert_eq!(parse("@", Some(&origin)).unwrap(), origin);
    }
}
