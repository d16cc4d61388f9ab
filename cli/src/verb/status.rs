//! `certwright status`.

use certwright::Result;
use certwright::report::LineageStatus;

use crate::args::{Named, Shared};
use crate::load;
use crate::screen::{Form, Screen, Tone};

pub(crate) fn run(shared: &Shared, these: &Named, screen: &mut Screen) -> Result<u8> {
    let lifecycle = load::lifecycle(shared)?;
    let report = lifecycle.status(&load::selection(these))?;
    if screen.form() == Form::Json {
        screen.json(&report);
    } else if let [one] = report.lineages.as_slice() {
        show(one, screen);
    } else {
        table(&report.lineages, screen);
    }
    Ok(report.outcome.exit_status())
}

fn table(lineages: &[LineageStatus], screen: &mut Screen) {
    let width = lineages.iter().map(|lineage| lineage.lineage.len()).max().unwrap_or(0).max(7);
    screen.line(&format!("{:width$}  {:13}  {:20}  {:20}  unsettled", "lineage", "active", "valid until", "renewal"));
    for lineage in lineages {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let unsettled = lineage.unsettled.first().map_or("", String::as_str);
        screen.line(&format!(
            "{:width$}  {:13}  {:20}  {:20}  {unsettled}",
            lineage.lineage,
            text(&lineage.generation),
            text(&lineage.not_after),
            text(&lineage.renewal)
        ));
    }
}

fn show(lineage: &LineageStatus, screen: &mut Screen) {
    let active = lineage.generation.as_deref().unwrap_or("nothing");
    screen.line(&format!("{}: {active} is active", lineage.lineage));
    let facts = [
        ("identifiers", (!lineage.identifiers.is_empty()).then(|| lineage.identifiers.join(", "))),
        ("issuer", lineage.issuer.clone()),
        ("fingerprint", lineage.fingerprint.clone()),
        ("valid from", lineage.not_before.clone()),
        ("valid until", lineage.not_after.clone()),
        ("renewal", lineage.renewal.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            screen.detail(&format!("{name:12} {value}"));
        }
    }
    for text in &lineage.unsettled {
        let word = screen.paint(Tone::Notable, "unsettled");
        screen.detail(&format!("{word}    {text}"));
    }
    for generation in &lineage.generations {
        let until = generation.not_after.as_deref().unwrap_or("-");
        screen.detail(&format!("{}  {:9}  valid until {until}", generation.generation, generation.role));
    }
    if let Some(error) = &lineage.error {
        screen.reported_error(error);
    }
}
