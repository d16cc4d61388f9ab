//! Text armour (RFC 7468), read leniently around the sections and strictly inside, written in one canonical way.

use zeroize::Zeroizing;

use crate::ground::error::{Error, ErrorKind, Public, Result};

const COLUMNS: usize = 64;

/// One `-----BEGIN …-----` to `-----END …-----`, not yet decoded.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) label: &'a str,
    /// Line of the `BEGIN`, counted from 1.
    pub(super) line: usize,
    body: &'a [u8],
}

impl Section<'_> {
    /// Whether the body is encrypted by the old scheme of RFC 1421 (`Proc-Type: 4,ENCRYPTED`).
    pub(super) fn has_encryption_header(&self) -> bool {
        lines(self.body).any(|(_, line)| line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED"))
    }

    /// The bytes inside.
    pub(super) fn decode(&self) -> Result<Zeroizing<Vec<u8>>> {
        decode_base64(self.body).filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
            Error::new(ErrorKind::Unfit, "a PEM section is empty or damaged")
                .context("section", Public(self.label))
                .context("line", self.line)
                .hint("fetch or copy the file again, byte for byte")
        })
    }
}

/// Every section of a text. What stands between sections, line ends of any kind, blanks around lines and a byte order mark
/// are ignored; a section that is cut off or ends with another label is an error.
pub(super) fn sections(text: &[u8]) -> Result<Vec<Section<'_>>> {
    let broken = |message: &'static str, line: usize| {
        Error::new(ErrorKind::Unfit, message).context("line", line).hint("fetch or copy the file again, byte for byte")
    };
    let mut found = Vec::new();
    let mut open: Option<(&str, usize, usize)> = None;
    for (at, (start, line)) in lines(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)).enumerate() {
        let number = at + 1;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if line.starts_with(b"-----BEGIN ") {
            if let Some((_, opened, _)) = open {
                return Err(broken("a PEM section has no end", opened));
            }
            let label = label(line, b"-----BEGIN ").ok_or_else(|| broken("a PEM section begins badly", number))?;
            open = Some((label, number, start + line.len()));
        } else if line.starts_with(b"-----END ") {
            let (label, opened, body) = open.take().ok_or_else(|| broken("a PEM section has no beginning", number))?;
            if self::label(line, b"-----END ") != Some(label) {
                return Err(broken("a PEM section ends with another label", number));
            }
            found.push(Section { label, line: opened, body: text.get(body..start).unwrap_or_default() });
        }
    }
    match open {
        Some((_, opened, _)) => Err(broken("a PEM section has no end", opened)),
        None => Ok(found),
    }
}

/// The error for bytes in which no wanted section was found, naming what they are instead when that can be told.
pub(super) fn nothing_found(bytes: &[u8], wanted: &'static str) -> Error {
    let text = bytes.trim_ascii();
    let (message, hint) = if text.is_empty() {
        ("the file is empty", "fetch or copy the file again")
    } else if text.starts_with(b"<") {
        ("this is HTML or XML, not PEM", "look at the file: it is probably an error page that was saved")
    } else if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        ("this is UTF-16 text, not PEM", "save the file as plain ASCII")
    } else if text.starts_with(&[super::der::SEQUENCE]) && std::str::from_utf8(text).is_err() {
        ("this is DER, not PEM", "convert it with `openssl x509 -inform DER` or `openssl pkey -inform DER`")
    } else {
        ("this holds nothing of the wanted kind", "name a PEM file with the right `-----BEGIN …-----` line")
    };
    Error::new(ErrorKind::Unfit, message).context("wanted", wanted).hint(hint)
}

/// One section in canonical form: 64 columns, LF.
pub(super) fn encode(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let digits = bytes.len().div_ceil(3) * 4;
    let room = digits + digits.div_ceil(COLUMNS) + 2 * label.len() + 32;
    // The size is known, so that no copy of a secret is left behind by a reallocation.
    let mut out = Zeroizing::new(String::with_capacity(room));
    for part in ["-----BEGIN ", label, "-----\n"] {
        out.push_str(part);
    }
    for row in bytes.chunks(COLUMNS / 4 * 3) {
        for group in row.chunks(3) {
            let [a, b, c] = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or(0)));
            let word = a << 16 | b << 8 | c;
            for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
                out.push(if at > group.len() { '=' } else { digit(word >> shift & 63) });
            }
        }
        out.push('\n');
    }
    for part in ["-----END ", label, "-----\n"] {
        out.push_str(part);
    }
    out
}

/// Lines with the offset of their first byte, without blanks around them. LF, CRLF and CR end a line.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut offset = 0;
    text.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')).filter_map(move |line| {
        let start = offset;
        offset += line.len();
        // The LF of a CRLF is a line of its own here; it must not count.
        if line == b"\n" && start > 0 && text.get(start - 1) == Some(&b'\r') {
            return None;
        }
        let trimmed = line.trim_ascii_start();
        Some((start + line.len() - trimmed.len(), trimmed.trim_ascii_end()))
    })
}

fn label<'a>(line: &'a [u8], lead: &[u8]) -> Option<&'a str> {
    let label = std::str::from_utf8(line.strip_prefix(lead)?.strip_suffix(b"-----")?).ok()?;
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b' ' | b'#');
    (!label.is_empty() && label.bytes().all(plain)).then_some(label)
}

/// RFC 4648 §4 with padding; white space between digits is skipped, anything else is an error.
fn decode_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    let (mut word, mut digits, mut padding) = (0_u32, 0_usize, 0_usize);
    for byte in text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            padding += 1;
        } else if padding > 0 {
            return None;
        }
        word = word << 6 | if byte == b'=' { 0 } else { value(byte)? };
        digits += 1;
        if digits == 4 {
            let [_, bytes @ ..] = word.to_be_bytes();
            let kept = 3_usize.checked_sub(padding).filter(|kept| *kept > 0)?;
            if bytes.iter().skip(kept).any(|byte| *byte != 0) {
                return None;
            }
            out.extend_from_slice(bytes.get(..kept)?);
            (word, digits) = (0, 0);
        }
    }
    (digits == 0).then_some(out)
}

/// All ones when `low <= value <= high`, else zero. Digits are told apart by arithmetic alone: a table indexed by a secret
/// would leave traces in the cache.
const fn within(value: i32, low: i32, high: i32) -> i32 {
    !((value - low) | (high - value)) >> 31
}

/// The digit of six bits.
fn digit(bits: u32) -> char {
    let bits = (bits & 63).cast_signed();
    let code = within(bits, 0, 25) & (bits + 65)
        | within(bits, 26, 51) & (bits + 71)
        | within(bits, 52, 61) & (bits - 4)
        | within(bits, 62, 62) & 43
        | within(bits, 63, 63) & 47;
    char::from(u8::try_from(code).unwrap_or_default())
}

/// The six bits of a digit.
fn value(byte: u8) -> Option<u32> {
    let byte = i32::from(byte);
    let within = |low: u8, high: u8| within(byte, i32::from(low), i32::from(high));
    let value = within(b'A', b'Z') & (byte - 64)
        | within(b'a', b'z') & (byte - 70)
        | within(b'0', b'9') & (byte + 5)
        | within(b'+', b'+') & 63
        | within(b'/', b'/') & 64;
    u32::try_from(value - 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    fn bodies(text: &[u8]) -> Vec<Vec<u8>> {
        sections(text).unwrap().iter().map(|section| section.decode().unwrap().to_vec()).collect()
    }

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (plain, text) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(decode_base64(text.as_bytes()).as_deref().map(Vec::as_slice), Some(plain.as_bytes()));
            assert!(encode("X", plain.as_bytes()).contains(&format!("\n{text}\n")));
        }
        for wrong in ["Zg=", "Zg", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Z-9v", "Zm9v\0", "Zm9é"] {
            assert!(decode_base64(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn every_byte_has_the_value_of_its_place_in_the_alphabet() {
        for byte in 0..=u8::MAX {
            let place = ALPHABET.iter().position(|digit| *digit == byte);
            assert_eq!(value(byte).map(|value| value as usize), place, "{byte}");
        }
        for (place, byte) in ALPHABET.iter().enumerate() {
            assert_eq!(digit(place as u32), char::from(*byte), "{place}");
        }
    }

    #[test]
    fn writes_without_reallocation_what_it_reads() {
        for length in [1, 2, 3, 47, 48, 49, 200, 1000] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7) as u8).collect();
            let text = encode("CERTIFICATE", &bytes);
            assert!(text.lines().all(|line| line.len() <= 64));
            assert!(text.len() <= text.capacity() && text.capacity() < text.len() + 16, "{length}");
            assert_eq!(bodies(text.as_bytes()), [bytes]);
        }
    }

    #[test]
    fn tolerates_what_stands_around() {
        let text = "\u{feff}-----BEGIN A-----\r\nZm9v\r\nYmFy\r\n-----END A-----\r\nsubject=ä\n  -----BEGIN B-----  \n \
                    Zg==\n-----END B-----";
        assert_eq!(bodies(text.as_bytes()), [b"foobar".to_vec(), b"f".to_vec()]);
        assert_eq!(bodies(text.replace("\r\n", "\r").as_bytes()).len(), 2);
        assert_eq!(sections(text.as_bytes()).unwrap()[1].line, 6);
        assert!(sections(b"no section").unwrap().is_empty());
    }

    #[test]
    fn refuses_what_is_cut_or_mixed() {
        for text in [
            "-----BEGIN A-----\nZm9v\n",
            "-----BEGIN A-----\nZm9v\n-----BEGIN A-----\nZm9v\n-----END A-----\n",
            "-----BEGIN A-----\nZm9v\n-----END B-----\n",
            "Zm9v\n-----END A-----\n",
            "-----BEGIN A----\nZm9v\n-----END A-----\n",
            "-----BEGIN -----\nZm9v\n-----END -----\n",
        ] {
            assert!(sections(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["-----BEGIN A-----\n-----END A-----\n", "-----BEGIN A-----\nZm9v!\n-----END A-----\n"] {
            assert!(sections(text.as_bytes()).unwrap()[0].decode().is_err(), "{text}");
        }
    }

    #[test]
    fn says_what_the_bytes_are_instead() {
        for (bytes, word) in [
            (&b" \n"[..], "empty"),
            (b"<!DOCTYPE html>", "HTML"),
            (b"\xff\xfe-\0-\0", "UTF-16"),
            (b"\x30\x82\x01\xff\xff", "DER"),
            (b"hello", "nothing"),
        ] {
            assert!(nothing_found(bytes, "a certificate").to_string().contains(word), "{word}");
        }
    }
}
