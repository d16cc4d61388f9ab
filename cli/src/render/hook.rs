//! What a hook did on the bench, for people.

use certwright_testbed::{EventReport, HookReport};

/// One line for each event with what it changed below it, then what is wrong.
pub(crate) fn lines(report: &HookReport) -> Vec<String> {
    let mut lines = vec![format!("{}, as a hook of {}", report.script.display(), report.contract.word())];
    for event in &report.events {
        lines.push(called(event));
        lines.extend(event.changes.iter().map(|change| format!("  {}", change.text())));
    }
    for finding in &report.findings {
        lines.push(format!("{}: {}: {}", finding.code, finding.event, finding.text));
        lines.push(format!("  hint: {}", finding.hint));
    }
    lines.push(match report.findings.len() {
        0 => "nothing is wrong".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    });
    lines
}

fn called(event: &EventReport) -> String {
    let ended = event.status.map_or_else(|| "did not end".to_owned(), |status| format!("exit {status}"));
    format!("{}: {ended}, {} ms", event.event, event.took.as_millis())
}
