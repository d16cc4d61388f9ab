//! Distinguished names (RFC 5280 §4.1.2.4), for people and for the lints. Compared as bytes elsewhere, never as text.

use std::fmt::{self, Write as _};

use super::der::{self, OID, Reader, SEQUENCE};

const SET: u8 = 0x31;

/// The name in these DER bytes.
#[derive(Clone, Copy)]
pub(super) struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    pub(super) const fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    pub(super) fn is_empty(self) -> bool {
        der::only(self.0, SEQUENCE).is_none_or(<[u8]>::is_empty)
    }

    /// The values of one attribute, such as `2.5.4.3`.
    pub(super) fn values(self, attribute: &str) -> impl Iterator<Item = String> {
        self.attributes().filter(move |(name, _)| name == attribute).map(|(_, value)| value)
    }

    /// Whether the first attributes are all those of `base`, without regard to case and repeated blanks (RFC 5280 §7.1).
    pub(super) fn is_below(self, base: Self) -> bool {
        let folded = |name: Self| {
            name.attributes()
                .map(|(oid, value)| (oid, value.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")))
        };
        let mut own = folded(self);
        folded(base).all(|wanted| own.next() == Some(wanted))
    }

    /// Attributes by dotted object identifier, with their values as text. Stops at what cannot be read.
    fn attributes(self) -> impl Iterator<Item = (String, String)> {
        let mut sets = Reader::new(der::only(self.0, SEQUENCE).unwrap_or_default());
        let mut pairs = Reader::new(&[]);
        std::iter::from_fn(move || {
            while pairs.is_empty() {
                pairs = Reader::new(sets.expect(SET)?);
            }
            let mut pair = Reader::new(pairs.expect(SEQUENCE)?);
            let name = der::oid_text(pair.expect(OID)?)?;
            let value = pair.element()?;
            Some((name, text(value.tag, value.content)))
        })
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.attributes().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}={}", short(&name), escape(&value))?;
        }
        Ok(())
    }
}

/// The short names of RFC 4519 and its neighbours; others stay numbers.
fn short(oid: &str) -> &str {
    match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.42" => "GN",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        other => other,
    }
}

/// A DirectoryString or IA5String as text; bytes that are no such string in hexadecimal.
fn text(tag: u8, bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8]| {
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| pair.iter().fold(0, |word, b| word << 8 | u16::from(*b))).collect();
        String::from_utf16(&units).ok().filter(|_| bytes.len().is_multiple_of(2))
    };
    let decoded = match tag {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => std::str::from_utf8(bytes).ok().map(str::to_owned),
        // TeletexString, which everybody fills with ISO 8859-1
        0x14 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        // BMPString
        0x1e => utf16(bytes),
        _ => None,
    };
    decoded.unwrap_or_else(|| format!("#{}", hex(bytes)))
}

/// Text from outside for people: a hostile name must not draw on the terminal of the person who reads it.
pub(super) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, char| {
        if char.is_control() {
            shown.extend(char.escape_default())
        } else {
            shown.push(char)
        }
        shown
    })
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::super::der::element;
    use super::*;

    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let sets: Vec<Vec<u8>> = attributes
            .iter()
            .map(|(oid, tag, value)| {
                let pair = element(SEQUENCE, &[&element(OID, &[oid]), &element(*tag, &[value])]);
                element(SET, &[&pair]).to_vec()
            })
            .collect();
        element(SEQUENCE, &[&sets.concat()]).to_vec()
    }

    #[test]
    fn shows_attributes_in_order_and_escapes() {
        let der = name(&[
            (&[0x55, 4, 3], 0x0c, "bücher.example".as_bytes()),
            (&[0x55, 4, 10], 0x13, b"A\x1b[2JB"),
            (&[0x55, 4, 11], 0x1e, &[0, b'x', 0x20, 0xac]),
            (&[0x55, 4, 99], 0x14, &[0xfc]),
            (&[0x55, 4, 7], 0x04, &[1, 0xff]),
        ]);
        assert_eq!(Name::new(&der).to_string(), "CN=bücher.example, O=A\\u{1b}[2JB, OU=x€, 2.5.4.99=ü, L=#01ff");
        assert_eq!(Name::new(&der).values("2.5.4.3").collect::<Vec<_>>(), ["bücher.example"]);
        assert!(!Name::new(&der).is_empty());
    }

    #[test]
    fn nothing_is_lost_on_rubbish() {
        for bytes in [&[][..], &[0x30, 0], &[0x30, 2, 0x31, 0], &[0x30, 3, 0x31, 1, 0x30], &[0xff; 9]] {
            assert_eq!(Name::new(bytes).to_string(), "");
        }
        assert!(Name::new(&[0x30, 0]).is_empty());
    }
}
