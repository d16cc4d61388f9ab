//! What became of lineages, as `apply`, `deploy` and `rollback` show it.

use certwright::LineageName;
use certwright::report::{LineageReport, Outcome, ProofReport, RunReport};

use super::paint::{self, Tone};
use super::table::{GENERATION, MOMENT, Table};
use crate::screen::{Form, Screen};

/// Lineages with which nothing was done are named one by one up to this many; beyond, they are counted.
pub(crate) const FEW: usize = 20;

/// Reports as they come. None is kept.
#[derive(Debug)]
pub(crate) struct Shown {
    table: Table,
    many: bool,
    heading: bool,
    calm: usize,
}

impl Shown {
    /// For the lineages with these names.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a LineageName>, screen: &Screen) -> Self {
        let (count, width) = names.fold((0, 0), |(count, width), name| (count + 1, name.as_str().len().max(width)));
        let columns = [("lineage", width), ("result", 9), ("active", GENERATION), ("valid until", MOMENT), ("why", 0)];
        Self { table: Table::new(screen.colours(), &columns), many: count > FEW, heading: false, calm: 0 }
    }

    /// One more.
    pub(crate) fn show(&mut self, report: &LineageReport, screen: &mut Screen) {
        let calm = report.outcome == Outcome::Well && !report.changed && report.notes.is_empty();
        if calm && self.many {
            self.calm += 1;
            return;
        }
        match screen.form() {
            Form::Table => {
                if !std::mem::replace(&mut self.heading, true) {
                    screen.line(&self.table.heading());
                }
                screen.line(&self.row(report));
            }
            _ => screen.line(&sentence(report, screen)),
        }
        details(report, screen);
        if let Some(error) = &report.error {
            screen.lineage_error(&report.lineage, error);
        }
        // Whoever waits at the other end of a pipe sees what is done, too.
        screen.flush();
    }

    /// How many were left out.
    pub(crate) fn finish(&self, screen: &mut Screen) {
        if self.calm > 0 {
            screen.line(&format!("{} lineages unchanged", self.calm));
        }
    }

    fn row(&self, report: &LineageReport) -> String {
        let why: Vec<&str> = report.reasons.iter().map(|reason| reason.text.as_str()).collect();
        let why = if why.is_empty() { String::new() } else { format!("{}: {}", report.plan, why.join("; ")) };
        self.table.row(&[
            (Tone::Plain, &report.lineage),
            result(report),
            (Tone::Plain, report.generation.as_deref().unwrap_or("-")),
            (Tone::Plain, report.not_after.as_deref().unwrap_or("-")),
            (Tone::Plain, &why),
        ])
    }
}

/// A report of one lineage; answers the exit status.
pub(crate) fn run(report: &RunReport, lineage: &LineageName, screen: &mut Screen) -> u8 {
    if screen.form() == Form::Json {
        screen.json(report);
    } else {
        let mut shown = Shown::new([lineage].into_iter(), screen);
        report.lineages.iter().for_each(|lineage| shown.show(lineage, screen));
    }
    report.outcome.exit_status()
}

fn result(report: &LineageReport) -> (Tone, &'static str) {
    match (report.outcome, report.changed) {
        (Outcome::Well, true) => (Tone::Good, "changed"),
        (Outcome::Well, false) => (Tone::Quiet, "unchanged"),
        (Outcome::Failed, _) if report.error.is_none() => (Tone::Notable, "waiting"),
        (outcome, _) => paint::outcome(outcome),
    }
}

fn sentence(report: &LineageReport, screen: &Screen) -> String {
    let (tone, word) = result(report);
    let mut line = format!("{}: {}", report.lineage, screen.paint(tone, word));
    if let (Some(generation), Some(until)) = (&report.generation, &report.not_after) {
        line.push_str(&format!("; {generation} is active, valid until {until}"));
    }
    line
}

fn details(report: &LineageReport, screen: &mut Screen) {
    if screen.form() == Form::Lines {
        for reason in &report.reasons {
            screen.detail(&format!("{}: {}", report.plan, reason.text));
        }
    }
    for note in &report.notes {
        screen.detail(&format!("note: {note}"));
    }
    if !report.changed {
        return;
    }
    for proof in report.access.iter().filter(|proof| proof.outsiders == "shut out") {
        screen.detail(&readers(proof));
    }
    match &report.served {
        Some(served) => {
            for seen in served {
                let short: String = seen.fingerprint.chars().take(16).collect();
                screen.detail(&format!("served: {short} at {}, valid until {}", seen.address, seen.not_after));
            }
        }
        None => screen.detail("served: not observed"),
    }
    if !report.retired.is_empty() {
        screen.detail(&format!("retired: {}", report.retired.join(", ")));
    }
}

fn readers(proof: &ProofReport) -> String {
    let readers = if proof.readers.is_empty() { "nobody else".to_owned() } else { proof.readers.join(", ") };
    format!("read by {readers}, others shut out: {} (by {})", proof.path.display(), proof.evidence.replace('_', " "))
}
