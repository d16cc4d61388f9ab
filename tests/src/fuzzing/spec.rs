//! `certwright.toml`, as somebody wrote it.

use std::path::Path;

use certwright::{Config, ErrorKind};

/// One file.
///
/// # Panics
///
/// When something accepted is unsafe, or a fault is not shown where it is.
pub fn spec(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let name = Path::new("certwright.toml");
    match Config::parse(text, name) {
        Ok(config) => {
            assert!(config.root.is_absolute(), "a relative root");
            for (name, spec) in &config.lineages {
                assert_eq!(name, &spec.name);
                assert!(spec.outputs.iter().all(|output| output.path.is_absolute()), "a relative output");
                let issued = spec.issuers.iter().all(|issuer| config.issuers.contains_key(issuer));
                assert!(issued, "an issuer that is not there");
            }
            let same = |other: &str| {
                let again = Config::parse(other, name).map(|again| format!("{again:?}"));
                assert_eq!(again.ok(), Some(format!("{config:?}")), "a comment changes the meaning");
            };
            same(&format!("{text}\n# the end\n"));
            same(&format!("# the beginning\n{}", text.trim_start_matches('\u{feff}')));
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidSpec);
            let place = |fact: &str| error.fact(fact).and_then(|number| number.parse::<usize>().ok());
            if let Some(line) = place("line") {
                assert!((1..=text.lines().count() + 1).contains(&line), "line {line} is not in the file: {error}");
            }
            assert!(!error.to_string().chars().any(char::is_control), "{error:?} could draw on a terminal");
        }
    }
}
