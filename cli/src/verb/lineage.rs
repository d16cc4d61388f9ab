//! One lineage's report, as `apply`, `deploy` and `rollback` show it.

use certwright::report::{LineageReport, Outcome, RunReport};

use crate::screen::{Form, Screen, Tone};

/// Show a whole run, and answer its exit status.
pub(crate) fn run(report: &RunReport, screen: &mut Screen) -> u8 {
    if screen.form() == Form::Json {
        screen.json(report);
    } else {
        report.lineages.iter().for_each(|lineage| show(lineage, screen));
    }
    report.outcome.exit_status()
}

/// Show one lineage.
pub(crate) fn show(report: &LineageReport, screen: &mut Screen) {
    if screen.form() == Form::Silent
        && let Some(error) = &report.error
    {
        return screen.complain(&format!("error: {}: {}", report.lineage, error.message));
    }
    let word = match (report.outcome, report.changed) {
        (Outcome::Well, true) => screen.paint(Tone::Good, "changed"),
        (Outcome::Well, false) => screen.paint(Tone::Quiet, "unchanged"),
        (outcome, _) if report.error.is_none() && outcome == Outcome::Failed => screen.paint(Tone::Notable, "waiting"),
        (outcome, _) => screen.outcome(outcome),
    };
    let mut line = format!("{}: {word}", report.lineage);
    if let (Some(generation), Some(until)) = (&report.generation, &report.not_after) {
        line.push_str(&format!("; {generation} is active, valid until {until}"));
    }
    screen.line(&line);
    for reason in &report.reasons {
        screen.detail(&format!("{}: {}", report.plan, reason.text));
    }
    for note in &report.notes {
        screen.detail(&format!("note: {note}"));
    }
    if report.changed {
        show_proof(report, screen);
    }
    if let Some(error) = &report.error {
        screen.reported_error(error);
    }
}

fn show_proof(report: &LineageReport, screen: &mut Screen) {
    for proof in report.access.iter().filter(|proof| proof.outsiders == "shut out") {
        let readers = if proof.readers.is_empty() { "nobody else".to_owned() } else { proof.readers.join(", ") };
        let (path, evidence) = (proof.path.display(), proof.evidence.replace('_', " "));
        screen.detail(&format!("read by {readers}, others shut out: {path} (by {evidence})"));
    }
    match &report.served {
        Some(served) => {
            for seen in served {
                let short: String = seen.fingerprint.chars().take(16).collect();
                screen.detail(&format!("served: {} at {}, valid until {}", short, seen.address, seen.not_after));
            }
        }
        None => screen.detail("served: not observed"),
    }
    if !report.retired.is_empty() {
        screen.detail(&format!("retired: {}", report.retired.join(", ")));
    }
}
