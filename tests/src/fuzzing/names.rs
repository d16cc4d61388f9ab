//! Names, numbers and moments of our own: they come back from the disk, and some become file names.

use certwright::{Fingerprint, GenerationId, IssuerName, LineageName, Timestamp};

/// One text, read as each of them.
///
/// # Panics
///
/// When something accepted is not the same text again, or is unsafe as a file name.
pub fn names(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(name) = text.parse::<LineageName>() {
        assert_eq!(name.as_str(), text);
        file_name(text);
    }
    if let Ok(name) = text.parse::<IssuerName>() {
        assert_eq!(name.as_str(), text);
        file_name(text);
    }
    if let Ok(id) = text.parse::<GenerationId>() {
        assert_eq!(id.to_string(), text, "a generation has two spellings");
        file_name(text);
    }
    if let Ok(fingerprint) = text.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_string().parse().ok(), Some(fingerprint));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        assert!((Timestamp::MIN..=Timestamp::MAX).contains(&moment));
        assert_eq!(moment.to_string().parse().ok(), Some(moment), "`{text}` is not read back from `{moment}`");
    }
}

fn file_name(text: &str) {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    assert!(!text.starts_with(['.', '-']) && text.len() <= 255 && text.bytes().all(plain), "`{text}` is no file name");
}
