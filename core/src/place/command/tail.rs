//! The end of what a program printed: 64 KiB of it, safe to show.

use std::fmt::{self, Write as _};
use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use zeroize::Zeroizing;

/// How much is kept.
pub(super) const KEPT: usize = 64 * 1024;

/// How much is taken from the pipe at once.
const CHUNK: usize = 16 * 1024;

/// The last [`KEPT`] bytes of a stream. Its size never changes, and it is wiped when dropped: a program may print a key.
pub(super) struct Ring {
    kept: Zeroizing<Vec<u8>>,
    chunk: Zeroizing<Vec<u8>>,
    total: u64,
}

impl Ring {
    pub(super) fn new() -> Self {
        Self { kept: Zeroizing::new(vec![0; KEPT]), chunk: Zeroizing::new(vec![0; CHUNK]), total: 0 }
    }

    /// Read once, at most `limit` bytes; 0 means that the stream has ended.
    pub(super) fn fill(&mut self, from: BorrowedFd<'_>, limit: usize) -> Result<usize, Errno> {
        let mut chunk = std::mem::take(&mut self.chunk);
        let room = chunk.len().min(limit);
        let taken = rustix::io::read(from, chunk.get_mut(..room).unwrap_or_default());
        if let Ok(taken) = taken {
            self.push(chunk.get(..taken).unwrap_or_default());
        }
        self.chunk = chunk;
        taken
    }

    fn push(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(KEPT) {
            let at = self.position();
            let (to_end, from_start) = part.split_at(part.len().min(KEPT - at));
            if let Some(place) = self.kept.get_mut(at..at + to_end.len()) {
                place.copy_from_slice(to_end);
            }
            if let Some(place) = self.kept.get_mut(..from_start.len()) {
                place.copy_from_slice(from_start);
            }
            self.total = self.total.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        }
    }

    /// Where the next byte goes, which is where the oldest kept one is.
    fn position(&self) -> usize {
        usize::try_from(self.total % KEPT as u64).unwrap_or(0)
    }

    pub(super) fn into_tail(self) -> Tail {
        let left_out = self.total.saturating_sub(KEPT as u64);
        Tail { text: shown(&self.into_bytes()), left_out }
    }

    /// What is kept, as it was printed.
    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        let (newer, older) = self.kept.split_at(self.position());
        let left_out = self.total.saturating_sub(KEPT as u64);
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEPT));
        if left_out > 0 || newer.is_empty() && self.total > 0 {
            bytes.extend_from_slice(older);
        }
        bytes.extend_from_slice(newer);
        bytes
    }
}

/// The end of what a program printed, as text that is safe to show: private keys in PEM are left out, control
/// characters and bytes that are no text are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    text: String,
    left_out: u64,
}

impl Tail {
    /// The text, with line feeds between lines.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// How many bytes came before it and were not kept.
    #[cfg(test)]
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The last lines that are not blank, joined into one by ` | ` and cut to a length that fits into an error.
    pub(crate) fn last_lines(&self, count: usize) -> String {
        let lines: Vec<&str> = self.text.lines().rev().filter(|line| !line.trim().is_empty()).take(count).collect();
        let mut joined = String::new();
        for line in lines.into_iter().rev() {
            let lead = if joined.is_empty() { "" } else { " | " };
            let _ = write!(joined, "{lead}{}", line.trim());
        }
        match joined.char_indices().rev().nth(LINES_LENGTH) {
            Some((at, _)) => format!("… {}", joined.get(at..).unwrap_or_default()),
            None => joined,
        }
    }
}

/// How many characters of the last lines go into an error.
const LINES_LENGTH: usize = 1000;

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn shown(bytes: &[u8]) -> String {
    let whole = Zeroizing::new(lossy(bytes));
    let mut text = String::new();
    let mut rest: &str = &whole;
    while let Some((before, after)) = next_key(rest) {
        escape(before, &mut text);
        text.push_str("[private key left out]");
        rest = after;
    }
    escape(rest, &mut text);
    text
}

/// Bytes that are no UTF-8 become `\xNN`.
fn lossy(bytes: &[u8]) -> String {
    // Room for the worst case, so that no unwiped copy is left behind by growing.
    let mut text = String::with_capacity(bytes.len() * 4);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The text before the next private key and the text after it. A key whose beginning or end is missing, because it fell
/// out of what was kept or was never printed, reaches to the beginning or the end of the text.
fn next_key(text: &str) -> Option<(&str, &str)> {
    let begin = boundary(text, "-----BEGIN ");
    let end = boundary(text, "-----END ");
    match (begin, end) {
        (None, None) => None,
        (Some((begin, _)), Some((end, after))) if begin < end => Some((text.get(..begin)?, text.get(after..)?)),
        (_, Some((_, after))) => Some(("", text.get(after..)?)),
        (Some((begin, _)), None) => Some((text.get(..begin)?, "")),
    }
}

/// The first encapsulation boundary (RFC 7468 §3) of a private key that begins like this: where it begins and ends.
fn boundary(text: &str, lead: &str) -> Option<(usize, usize)> {
    text.match_indices(lead).find_map(|(at, _)| {
        let label = text.get(at + lead.len()..)?;
        let length = label.find("-----")?;
        let is_key = length <= 64 && label.get(..length)?.ends_with("PRIVATE KEY");
        is_key.then_some((at, at + lead.len() + length + 5))
    })
}

/// Nothing that draws on a terminal or turns the direction of writing gets through; tabs and line feeds do.
fn escape(text: &str, out: &mut String) {
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.extend(c.escape_unicode());
            }
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(parts: &[&[u8]]) -> Tail {
        let mut ring = Ring::new();
        parts.iter().for_each(|part| ring.push(part));
        ring.into_tail()
    }

    #[test]
    fn keeps_exactly_the_end() {
        let all: Vec<u8> = (0..200_000_u32).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
        for length in [0, 1, KEPT - 1, KEPT, KEPT + 1, 2 * KEPT, 2 * KEPT + 1, all.len()] {
            for step in [1, 7, 1000, KEPT, KEPT + 5, all.len()] {
                let printed = &all[..length];
                let parts: Vec<&[u8]> = printed.chunks(step).collect();
                let tail = tail(&parts);
                let start = length.saturating_sub(KEPT);
                assert!(tail.text().as_bytes() == &printed[start..], "{length} in steps of {step}");
                assert_eq!(tail.left_out(), start as u64);
            }
        }
    }

    #[test]
    fn escapes_what_draws_and_what_is_no_text() {
        let tail = tail(&[b"ok\r\n\x1b[2Jred\rover\x07\xff\xc3\x28 t\tend \xe2\x80\xae.\0"]);
        assert_eq!(tail.text(), "ok\n\\u{1b}[2Jred\\rover\\u{7}\\xff\\xc3( t\tend \\u{202e}.\\u{0}");
    }

    #[test]
    fn leaves_private_keys_out() {
        for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let block = format!("-----BEGIN {label}-----\nQ0FOQVJZ\n-----END {label}-----");
            let headless = format!("BEGIN {label}-----\nQ0FOQVJZ\n-----END {label}-----");
            let endless = format!("-----BEGIN {label}-----\nQ0FOQVJZ");
            for (printed, left) in [
                (format!("a\n{block}\nb"), "a\n[private key left out]\nb"),
                (format!("x {block}{block} y"), "x [private key left out][private key left out] y"),
                (format!("{headless}\nb"), "[private key left out]\nb"),
                (format!("a\n{endless}"), "a\n[private key left out]"),
                (format!("{headless}\nmid\n{endless}"), "[private key left out]\nmid\n[private key left out]"),
            ] {
                assert_eq!(tail(&[printed.as_bytes()]).text(), left);
            }
        }
        let public = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
        assert_eq!(tail(&[public.as_bytes()]).text(), public);
    }

    #[test]
    fn a_key_that_lost_its_beginning_is_left_out() {
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", "CANARY".repeat(100));
        let filler = "x".repeat(KEPT - key.len() / 2);
        let tail = tail(&[key.as_bytes(), filler.as_bytes()]);
        assert!(tail.left_out() > 0);
        assert!(!tail.text().contains("CANARY"), "{}", &tail.text()[..700]);
    }

    #[test]
    fn the_last_lines_fit_into_an_error() {
        assert_eq!(tail(&[b"one\ntwo\n\n  three  \n\n"]).last_lines(2), "two | three");
        assert_eq!(tail(&[b""]).last_lines(5), "");
        let long = tail(&["ä".repeat(5000).as_bytes()]).last_lines(5);
        assert_eq!(long.chars().count(), LINES_LENGTH + 3);
    }
}
