//! The test bed: messages to its name server, calls to its management.

use certwright_testbed::fuzzing;
use serde_json::Value;

/// A datagram to the name server.
///
/// # Panics
///
/// When it is answered by something that is no answer to it, or by more than fits.
pub fn dns_messages(data: &[u8]) {
    for answer in fuzzing::name_messages(data).into_iter().flatten() {
        // RFC 1035 §4.1.1: the same id, and the mark of an answer. An answer was never answered.
        assert!((12..=1_232).contains(&answer.len()), "{} bytes", answer.len());
        assert_eq!(answer.get(..2), data.get(..2));
        let flags = |bytes: &[u8]| bytes.get(2).copied().unwrap_or_default();
        assert!(flags(&answer) & 0x80 != 0 && flags(data) & 0x80 == 0);
        assert_eq!(flags(&answer) & 0x78, flags(data) & 0x78, "another operation");
    }
}

/// A call to the management: method, path and query on the first line, the body after it.
///
/// # Panics
///
/// When what is asked is no fault of the test bed and yet it says so, or when a refusal does not say why.
pub fn management(data: &[u8]) {
    let (line, body) = data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len()));
    let Ok(line) = str::from_utf8(line) else { return };
    let (method, target) = line.split_once(' ').unwrap_or((line, "/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, answer) = fuzzing::management(method, path, query, body);
    assert!(matches!(status, 200 | 400 | 403 | 404 | 405 | 409 | 415), "{line}: {status}");
    if status != 200 {
        let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
        assert!(said.get("error").and_then(Value::as_str).is_some_and(|why| !why.is_empty()), "{line}: {status}");
    }
}
