//! `certwright plan`.

use certwright::Result;

use crate::args::{Lineages, Shared};
use crate::load;
use crate::screen::{Form, Screen, Tone};

pub(crate) fn run(shared: &Shared, these: &Lineages, screen: &mut Screen) -> Result<u8> {
    let lifecycle = load::lifecycle(shared)?;
    let report = lifecycle.plan(&load::selection(&these.named), load::endpoints(these.offline))?;
    if screen.form() == Form::Json {
        screen.json(&report);
        return Ok(report.outcome.exit_status());
    }
    for lineage in &report.lineages {
        let tone = if lineage.plan == "keep" { Tone::Quiet } else { Tone::Notable };
        screen.line(&format!("{}: {}", lineage.lineage, screen.paint(tone, &lineage.plan)));
        for reason in &lineage.reasons {
            screen.detail(&reason.text);
        }
        if let Some(error) = &lineage.error {
            screen.reported_error(error);
        }
    }
    Ok(report.outcome.exit_status())
}
