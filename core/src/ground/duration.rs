//! Durations as people write them in a configuration: `90s`, `15m`, `12h`, `30d`, `2w`.

use std::time::Duration;

use super::error::{Error, ErrorKind, Public, Result};

const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Parse a whole number followed by one unit: `s`, `m`, `h`, `d` (86,400 s) or `w`.
///
/// # Errors
///
/// [`ErrorKind::InvalidSpec`] when there is no number, no unit, or the value does not fit.
pub fn parse(text: &str) -> Result<Duration> {
    let fault = || {
        Error::new(ErrorKind::InvalidSpec, "this is not a duration")
            .context("value", Public(text))
            .hint("write a whole number and a unit, such as `90s`, `15m`, `12h`, `30d` or `2w`")
    };
    let (unit, seconds) = UNITS.iter().find(|(unit, _)| text.ends_with(unit)).ok_or_else(fault)?;
    let number =
        text.strip_suffix(unit).filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let number: u64 = number.and_then(|digits| digits.parse().ok()).ok_or_else(fault)?;
    number.checked_mul(*seconds).map(Duration::from_secs).ok_or_else(fault)
}

/// The shortest exact form that [`parse`] reads back. Fractions of a second are dropped.
pub(crate) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (unit, size) =
        UNITS.iter().find(|(_, size)| seconds != 0 && seconds.is_multiple_of(*size)).unwrap_or(&("s", 1));
    format!("{}{unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_shows() {
        for (text, seconds) in
            [("0s", 0), ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("1w", 604_800)]
        {
            assert_eq!(parse(text).ok(), Some(Duration::from_secs(seconds)), "{text}");
            assert_eq!(show(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        for text in ["", "d", "5", "-5d", "1.5h", "5 d", "5D", "99999999999999999999s", "18446744073709551615w", "５d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
