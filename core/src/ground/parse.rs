//! Reading names, numbers and moments that somebody wrote. It stands apart because every refusal is an [`Error`], and an
//! error itself names generations and moments.

use std::str::FromStr;

use super::error::{Error, ErrorKind, Public, Result};
use super::id::{Fingerprint, GenerationId, IssuerName, LineageName};
use super::time::{EPOCH, Timestamp};

/// `[a-z0-9][a-z0-9._-]{0,63}`: safe as a file name, never hidden, never `..`.
fn is_plain_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=64).contains(&bytes.len())
        && bytes.first().is_some_and(plain)
        && bytes.iter().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
}

fn plain_name(text: &str, fault: &'static str) -> Result<Box<str>> {
    if is_plain_name(text) {
        return Ok(text.into());
    }
    Err(Error::new(ErrorKind::InvalidSpec, fault)
        .context("name", Public(text))
        .hint("use 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit"))
}

impl FromStr for LineageName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        plain_name(text, "this cannot be the name of a lineage").map(Self)
    }
}

impl FromStr for IssuerName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        plain_name(text, "this cannot be the name of an issuer").map(Self)
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// From 64 hexadecimal digits in either case; colons between bytes are accepted.
    fn from_str(text: &str) -> Result<Self> {
        sha256_digits(text).map(Self::from_bytes).ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "this is not a SHA-256 fingerprint")
                .context("value", Public(text))
                .hint("write the 64 hexadecimal digits of the SHA-256")
        })
    }
}

fn sha256_digits(text: &str) -> Option<[u8; 32]> {
    let mut digits = text.bytes().filter(|b| *b != b':').map(|b| char::from(b).to_digit(16));
    let mut bytes = [0; 32];
    for byte in &mut bytes {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(bytes)
}

impl FromStr for GenerationId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fault = || {
            Error::new(ErrorKind::InvalidSpec, "this is not a generation")
                .context("value", Public(text))
                .hint("write it as `status` shows it, such as `0008-1f3a9c20`")
        };
        let (sequence, short) = text.split_once('-').ok_or_else(fault)?;
        // One spelling only: what is read back is exactly what is on disk.
        let decimal = sequence.bytes().all(|byte| byte.is_ascii_digit());
        let padded = sequence.len() == 4 || (sequence.len() > 4 && !sequence.starts_with('0'));
        let lower = short.len() == 8 && short.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !(decimal && padded && lower) {
            return Err(fault());
        }
        Ok(Self {
            sequence: sequence.parse().map_err(|_| fault())?,
            short: u32::from_str_radix(short, 16).map_err(|_| fault())?.to_be_bytes(),
        })
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// From RFC 3339 text with any offset; fractions of a second are dropped.
    fn from_str(text: &str) -> Result<Self> {
        let seconds = match text.strip_suffix('Z') {
            Some(civil) if civil.contains('T') => {
                civil.parse::<jiff::civil::DateTime>().map(|time| time.duration_since(EPOCH).as_secs())
            }
            _ => text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second),
        };
        seconds.map(Self::from_unix).map_err(|source| {
            Error::new(ErrorKind::InvalidSpec, "this is not a time")
                .context("value", Public(text))
                .hint("write it as in RFC 3339, such as `2026-11-24T08:00:00Z`")
                .source(source)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_file_names() {
        for name in ["a", "www.example.org", "0", "a_b-c.d", &"x".repeat(64)] {
            assert!(name.parse::<LineageName>().is_ok(), "{name}");
        }
        for name in ["", ".", "..", ".a", "-a", "_a", "A", "a/b", "a b", "ä", "a\0", "a\n", &"x".repeat(65)] {
            assert!(name.parse::<LineageName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_generation_has_one_spelling() {
        for text in ["0001-00000000", "0008-1f3a9c20", "12345-ffffffff"] {
            assert_eq!(text.parse::<GenerationId>().map(|id| id.to_string()).ok().as_deref(), Some(text));
        }
        for text in [
            "8-1f3a9c20",
            "0008-1F3A9C20",
            "0008",
            "0008-",
            "0008-1f3a9c2",
            "+008-1f3a9c20",
            "0008-+f3a9c20",
            "0008-1f3a9c20 ",
            "00008-1f3a9c20",
            "0008-1f3a9c200",
            "0008--1f3a9c20",
            "99999999999999999999-1f3a9c20",
        ] {
            assert!(text.parse::<GenerationId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_is_64_digits() {
        let text = "ab".repeat(32);
        assert_eq!(text.parse::<Fingerprint>().map(|f| f.to_string()).ok(), Some(text.clone()));
        assert_eq!(text.to_uppercase().parse::<Fingerprint>().ok(), text.parse().ok());
        assert!("ab:".repeat(32).parse::<Fingerprint>().is_ok());
        for wrong in ["", "ab", &"+1".repeat(32), &"é".repeat(32), &text[1..]] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
