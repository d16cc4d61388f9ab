//! `certwright revoke`.

use crate::args::{Revoke, Shared};
use crate::failure::Done;
use crate::load;
use crate::screen::{Form, Screen};
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Revoke, screen: &mut Screen) -> Done {
    let signals = Signals::watch()?;
    let lifecycle = load::lifecycle(shared, signals.cancel(), screen.watch())?;
    load::known(lifecycle.config(), &these.lineage)?;
    let report = lifecycle.revoke(&these.lineage, these.reason)?;
    if screen.form() == Form::Json {
        screen.json(&report);
    } else {
        screen.line(&format!("{}: revoked at {}; {} stays active", report.lineage, report.issuer, report.generation));
        screen.detail(&format!("serial number: {}", report.serial));
        screen.detail(&format!("reason: {}", these.reason.word()));
    }
    Ok(0)
}
