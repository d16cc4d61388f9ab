//! Names and numbers of our own things, each a type of its own so that they cannot be swapped.

use std::fmt;
use std::str::FromStr;

use super::error::{Error, ErrorKind, Public, Result};

/// `[a-z0-9][a-z0-9._-]{0,63}`: safe as a file name, never hidden, never `..`.
fn is_plain_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=64).contains(&bytes.len())
        && bytes.first().is_some_and(plain)
        && bytes.iter().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
}

macro_rules! plain_name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                if is_plain_name(text) {
                    return Ok(Self(text.into()));
                }
                Err(Error::new(ErrorKind::InvalidSpec, concat!("this cannot be the name of ", $what))
                    .context("name", Public(text))
                    .hint("use 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

plain_name! {
    /// The name of a lineage: the managed identity over time, one spec and many generations.
    ///
    /// # Examples
    ///
    /// ```
    /// use certwright::LineageName;
    ///
    /// assert!("www.example.org".parse::<LineageName>().is_ok());
    /// assert!("../etc".parse::<LineageName>().is_err());
    /// ```
    LineageName, "a lineage"
}

plain_name! {
    /// The name of a configured issuer.
    IssuerName, "an issuer"
}

/// A SHA-256 fingerprint: of a certificate's DER, or of a public key's SubjectPublicKeyInfo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// From the 32 bytes of the digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// From 64 hexadecimal digits in either case; colons between bytes are accepted.
    fn from_str(text: &str) -> Result<Self> {
        let digits: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
        let fault = || {
            Error::new(ErrorKind::InvalidSpec, "this is not a SHA-256 fingerprint")
                .context("value", Public(text))
                .hint("write the 64 hexadecimal digits of the SHA-256")
        };
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(fault());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = str::from_utf8(pair).map_err(|_| fault())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| fault())?;
        }
        Ok(Self(bytes))
    }
}

/// One immutable numbered set of files of a lineage: `0008-1f3a9c20`, the sequence number and the first four bytes of the
/// leaf's fingerprint.
///
/// Order is by sequence number, never by time. Numbers are never reused.
///
/// # Examples
///
/// ```
/// use certwright::GenerationId;
///
/// let id: GenerationId = "0008-1f3a9c20".parse()?;
/// assert_eq!(id.sequence(), 8);
/// assert_eq!(id.to_string(), "0008-1f3a9c20");
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId {
    sequence: u64,
    short: [u8; 4],
}

impl GenerationId {
    /// The generation with this number and leaf.
    pub fn new(sequence: u64, leaf: &Fingerprint) -> Self {
        let [a, b, c, d, ..] = *leaf.as_bytes();
        Self { sequence, short: [a, b, c, d] }
    }

    /// The number: 1 for the first, one more for each later one.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether its leaf may be the one with this fingerprint.
    pub fn matches(&self, leaf: &Fingerprint) -> bool {
        leaf.as_bytes().starts_with(&self.short)
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.short;
        write!(f, "{:04}-{a:02x}{b:02x}{c:02x}{d:02x}", self.sequence)
    }
}

impl fmt::Debug for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
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
        let id = Self {
            sequence: sequence.parse().map_err(|_| fault())?,
            short: u32::from_str_radix(short, 16).map_err(|_| fault())?.to_be_bytes(),
        };
        // One spelling only: what is read back is exactly what is on disk.
        if id.to_string() == text { Ok(id) } else { Err(fault()) }
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
