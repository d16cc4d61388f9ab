//! `certwright issuer`.

use certwright::Trial;

use crate::args::{Issuer, IssuerVerb, Shared};
use crate::failure::Done;
use crate::load;
use crate::screen::{Form, Screen};
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Issuer, screen: &mut Screen) -> Done {
    let IssuerVerb::Test { issuer, name, no_certificate } = &these.verb;
    let signals = Signals::watch()?;
    let lifecycle = load::lifecycle(shared, signals.cancel(), screen.watch())?;
    let trial = match name {
        _ if *no_certificate => Trial::Nothing,
        Some(name) => Trial::Name(name.clone()),
        None => Trial::Usual,
    };
    let report = lifecycle.test_issuer(issuer, &trial)?;
    if screen.form() == Form::Json {
        screen.json(&report);
        return Ok(report.outcome.exit_status());
    }
    for one in &report.findings {
        match (&one.found, &one.error) {
            (Some(found), _) => screen.line(&format!("{}: {found}", one.what)),
            (None, Some(error)) => {
                screen.line(&format!("{}: wrong: {}", one.what, error.message));
                if let Some(hint) = &error.hint {
                    screen.detail(hint);
                }
            }
            (None, None) => {}
        }
    }
    Ok(report.outcome.exit_status())
}
