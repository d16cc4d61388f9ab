//! The little of DER (X.690) that keys, names and times need: one-byte tags, definite lengths, nothing redundant.

use zeroize::Zeroizing;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag of `[number]` around another element (EXPLICIT) or a constructed one.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element: its tag, its content, and all its bytes.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Reads elements one after the other. `None` is "this is not DER"; nothing here can panic.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of what comes next.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    pub(super) fn element(&mut self) -> Option<Element<'a>> {
        let (&tag, after_tag) = self.0.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = after_tag.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            if !(1..=4).contains(&count) {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            rest = after;
            if length < 0x80 || digits.first() == Some(&0) {
                return None;
            }
        }
        let (content, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, content, whole })
    }

    /// The content of the next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.element().filter(|element| element.tag == tag).map(|element| element.content)
    }

    /// The content of the next element when it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.peek() == Some(tag) { self.expect(tag) } else { None }
    }
}

/// The content of the one element that `bytes` are, with nothing after it.
pub(super) fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    reader.expect(tag).filter(|_| reader.is_empty())
}

/// An element made of these parts. The buffer has its final size from the start, so that no copy of a secret is left
/// behind by a reallocation.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let digits = length.to_be_bytes();
    let skip = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = digits.get(skip..).unwrap_or_default();
    let mut out = Zeroizing::new(Vec::with_capacity(2 + digits.len() + length));
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            // A length of more than 127 bytes of digits does not fit a usize.
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7f));
            out.extend_from_slice(digits);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Dotted text of an encoded object identifier (X.690 §8.19); `None` when it is malformed.
pub(super) fn oid_text(content: &[u8]) -> Option<String> {
    let (last, _) = content.split_last()?;
    if last & 0x80 != 0 {
        return None;
    }
    let mut text = String::new();
    let mut arc: u128 = 0;
    for byte in content {
        arc = arc.checked_mul(128)? | u128::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let top = (arc / 40).min(2);
            text = format!("{top}.{}", arc - top * 40);
        } else {
            text = format!("{text}.{arc}");
        }
        arc = 0;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minimal_both_ways() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let bytes = element(OCTET_STRING, &[&content]);
            assert!(bytes.capacity() <= bytes.len() + 8, "{length}");
            assert_eq!(only(&bytes, OCTET_STRING), Some(content.as_slice()));
        }
        assert_eq!(*element(SEQUENCE, &[&[5, 0]]), [0x30, 2, 5, 0]);
    }

    #[test]
    fn what_is_not_der_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 1, 0],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x85, 1, 0, 0, 0, 0],
            &[0x30, 0xff],
            &[0x1f, 0x81, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(Reader::new(bytes).element().is_none(), "{bytes:x?}");
        }
        assert!(only(&[5, 0, 0], NULL).is_none());
    }

    #[test]
    fn object_identifiers_read_as_the_registries_write_them() {
        // X.690 §8.19.5 gives 2.999.3 as {0x88, 0x37, 0x03}.
        assert_eq!(oid_text(&[0x88, 0x37, 0x03]).as_deref(), Some("2.999.3"));
        assert_eq!(oid_text(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]).as_deref(), Some("1.2.840.113549"));
        assert_eq!(oid_text(&[0x55, 0x1d, 0x11]).as_deref(), Some("2.5.29.17"));
        assert_eq!(oid_text(&[]), None);
        assert_eq!(oid_text(&[0x55, 0x9d]), None);
        assert_eq!(oid_text(&[0xff; 40]), None);
    }
}
