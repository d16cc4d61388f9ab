//! `certwright plan`.

use certwright::report::{Outcome, PlannedReport};

use crate::args::{Lineages, Shared};
use crate::failure::Done;
use crate::load;
use crate::render::lineage::FEW;
use crate::render::paint::Tone;
use crate::render::table::Table;
use crate::screen::{Form, Screen};
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Lineages, screen: &mut Screen) -> Done {
    let signals = Signals::watch()?;
    let lifecycle = load::lifecycle(shared, signals.cancel(), screen.watch())?;
    let selection = load::selection(lifecycle.config(), &these.named)?;
    let report = lifecycle.plan(&selection, load::endpoints(these.offline))?;
    if screen.form() == Form::Json {
        screen.json(&report);
    } else {
        show(&report.lineages, screen);
    }
    Ok(report.outcome.exit_status())
}

fn show(lineages: &[PlannedReport], screen: &mut Screen) {
    let width = lineages.iter().map(|lineage| lineage.lineage.len()).max().unwrap_or_default();
    let table = Table::new(screen.colours(), &[("lineage", width), ("plan", 8), ("why", 0)]);
    let many = lineages.len() > FEW;
    let calm = |lineage: &PlannedReport| many && lineage.outcome == Outcome::Well;
    if screen.form() == Form::Table && !lineages.iter().all(calm) {
        screen.line(&table.heading());
    }
    for lineage in lineages.iter().filter(|lineage| !calm(lineage)) {
        let tone = if lineage.outcome == Outcome::Well { Tone::Quiet } else { Tone::Notable };
        let plan = if lineage.error.is_some() { (Tone::Bad, "unknown") } else { (tone, lineage.plan.as_str()) };
        let reasons: Vec<&str> = lineage.reasons.iter().map(|reason| reason.text.as_str()).collect();
        if screen.form() == Form::Table {
            screen.line(&table.row(&[(Tone::Plain, &lineage.lineage), plan, (Tone::Plain, &reasons.join("; "))]));
        } else {
            screen.line(&format!("{}: {}", lineage.lineage, screen.paint(plan.0, plan.1)));
            reasons.iter().for_each(|reason| screen.detail(reason));
        }
        if let Some(error) = &lineage.error {
            screen.lineage_error(&lineage.lineage, error);
        }
    }
    match lineages.iter().filter(|lineage| calm(lineage)).count() {
        0 => {}
        count => screen.line(&format!("{count} lineages need nothing")),
    }
}
