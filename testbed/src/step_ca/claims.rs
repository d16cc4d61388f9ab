//! What a provisioner allows, in the words of step-ca's configuration.

use std::time::Duration;

use certwright::{Error, ErrorKind, Result};
use serde_json::Value;

const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Clone, Debug)]
pub(super) struct Claims {
    pub(super) least: Duration,
    pub(super) most: Duration,
    pub(super) usual: Duration,
    pub(super) after_expiry: bool,
    pub(super) no_renewal: bool,
}

impl Claims {
    /// From `claims` of the configuration.
    pub(super) fn read(value: &Value) -> Result<Self> {
        let wrong = |name: &str| {
            Error::new(ErrorKind::InvalidSpec, "a claim of the stand-in cannot be read")
                .hint(format!("write `{name}` as step-ca has it, such as \"5m\" or true"))
        };
        let span = |name: &str, usual: Duration| match value.get(name) {
            None => Ok(usual),
            Some(span) => span.as_str().and_then(go).and_then(Result::ok).ok_or_else(|| wrong(name)),
        };
        let word = |name: &str| value.get(name).map_or(Ok(false), |word| word.as_bool().ok_or_else(|| wrong(name)));
        Ok(Self {
            least: span("minTLSCertDuration", Duration::from_secs(300))?,
            most: span("maxTLSCertDuration", 24 * HOUR)?,
            usual: span("defaultTLSCertDuration", 24 * HOUR)?,
            after_expiry: word("allowRenewalAfterExpiry")?,
            no_renewal: word("disableRenewal")?,
        })
    }
}

/// A span as Go writes it, such as `1h30m`; the error is that it is negative, by this much.
pub(super) fn go(text: &str) -> Option<std::result::Result<Duration, Duration>> {
    let (negative, mut rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|digit: char| !digit.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|one: char| one.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let seconds = match unit {
            "h" => 3_600,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        total = total.checked_add(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))?;
        rest = after;
    }
    Some(if negative { Err(total) } else { Ok(total) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_writes_them() {
        let seconds = |text: &str| go(text).map(|span| span.map(|span| span.as_secs()).map_err(|span| span.as_secs()));
        assert_eq!(seconds("1h30m"), Some(Ok(5_400)));
        assert_eq!(seconds("90s"), Some(Ok(90)));
        assert_eq!(seconds("-120s"), Some(Err(120)));
        for text in ["", "-", "5", "m", "5d", "1.5h"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
