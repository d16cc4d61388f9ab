//! How long a suite runs, and what it says of it: a few cases in the ordinary run, as many as one likes in a campaign.
//!
//! The names are those of `docs/campaign.md`. A suite that is told nothing does what `cargo test` needs.

use std::io::{self, Write};
use std::str::FromStr;

/// The file that suites add their figures to, one line each: what was tried, cases, violations, separated by tabs.
const TALLY: &str = "CERTWRIGHT_TALLY";

/// The value of an environment variable, or `usual` when it is not set.
///
/// # Panics
///
/// When it is set to something that is not such a number: a campaign that is shorter than it seems is worse than none.
pub fn knob<T: FromStr>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Err(_) => usual,
        Ok(text) => text.parse().unwrap_or_else(|_| unreadable(name, &text)),
    }
}

#[expect(clippy::panic, reason = "a test that is told nonsense fails")]
fn unreadable<T>(name: &str, text: &str) -> T {
    panic!("`{name}` is `{text}`, which is not a number")
}

/// Say what was tried: on standard output, and to a campaign that wants to add it up.
///
/// # Errors
///
/// When there is a campaign and it cannot be told.
pub fn tell(tried: &str, cases: u64, violations: u64) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{tried}: {cases} cases, {violations} violations")?;
    let Some(path) = std::env::var_os(TALLY) else { return Ok(()) };
    // One write of one line: suites append side by side.
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{tried}\t{cases}\t{violations}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::knob;

    #[test]
    fn what_is_not_set_is_as_usual() {
        assert_eq!(knob("CERTWRIGHT_NO_SUCH_KNOB", 7_u64), 7);
    }
}
