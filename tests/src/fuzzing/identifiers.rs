//! DNS names, wildcards and addresses from a configuration, a request or a certificate.

use certwright::{Identifier, Sans};

/// One identifier a line.
///
/// # Panics
///
/// When something accepted is lossy, unsafe in a file name or a certificate, or covers what it must not.
pub fn identifiers(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let accepted: Vec<Identifier> = text.lines().filter_map(one).collect();
    let mut backwards = accepted.clone();
    backwards.reverse();
    if let (Ok(sans), Ok(reversed)) = (Sans::new(accepted.clone()), Sans::new(backwards)) {
        assert_eq!(sans, reversed, "order matters to a set");
        assert!(accepted.iter().all(|identifier| sans.covers(identifier)), "a set does not cover its members");
    }
}

fn one(text: &str) -> Option<Identifier> {
    let identifier: Identifier = text.parse().ok()?;
    let shown = identifier.to_string();
    assert_eq!(
        shown.parse::<Identifier>().ok().as_ref(),
        Some(&identifier),
        "`{text}` is not read back from `{shown}`"
    );
    assert!(shown.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && !b.is_ascii_uppercase()), "`{shown}` is unsafe");
    assert!(identifier.covers(&identifier), "`{shown}` does not cover itself");
    match &identifier {
        Identifier::Dns(name) => {
            let labels_fit = name.as_str().split('.').all(|label| (1..=63).contains(&label.len()));
            assert!(labels_fit && shown.len() <= 253, "`{shown}` is too long for DNS");
            assert!(!text.is_ascii() || shown == text.to_ascii_lowercase(), "`{text}` became `{shown}`");
        }
        Identifier::Wildcard(base) => {
            let inside = |name: String| name.parse().is_ok_and(|name| identifier.covers(&name));
            assert!(!inside(base.to_string()), "`{shown}` covers its own base");
            assert!(!inside(format!("a.b.{base}")), "`{shown}` covers two labels");
            // The longest bases leave no room for a label before them.
            assert!(base.as_str().len() > 251 || inside(format!("a.{base}")), "`{shown}` covers nothing");
        }
        Identifier::Ip(address) => assert_eq!(shown, address.to_string()),
        _ => {}
    }
    Some(identifier)
}
