//! `certwright verify`.

use std::sync::mpsc;
use std::time::Duration;

use certwright::report::{FindingReport, VerifyReport};
use certwright::{Depth, Result};

use crate::args::{Shared, Verify};
use crate::load;
use crate::screen::{Form, Screen, Tone};

pub(crate) fn run(shared: &Shared, these: &Verify, screen: &mut Screen) -> Result<u8> {
    let lifecycle = load::lifecycle(shared)?;
    let selection = load::selection(&these.lineages.named);
    if !these.ready {
        let depth = if these.lineages.offline { Depth::Disk } else { Depth::Whole };
        return Ok(show(&lifecycle.verify(&selection, depth)?, screen));
    }
    let answer = within(these.limit, move || lifecycle.verify(&selection, Depth::Ready));
    match answer {
        // Ready or not: whoever asks for a fail-over wants no third answer.
        Some(Ok(report)) => Ok(if show(&report, screen) == 0 { 0 } else { 3 }),
        Some(Err(error)) => Err(error),
        None => {
            screen.complain(&format!("not ready: no answer within {:?}", these.limit));
            Ok(3)
        }
    }
}

/// The answer, if it comes in time. The thread is left to itself otherwise: the process ends right after.
fn within<T: Send + 'static>(limit: Duration, ask: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = sender.send(ask());
    });
    receiver.recv_timeout(limit).ok()
}

fn show(report: &VerifyReport, screen: &mut Screen) -> u8 {
    if screen.form() == Form::Json {
        screen.json(report);
        return report.outcome.exit_status();
    }
    for finding in &report.findings {
        show_finding(finding, screen);
    }
    for lineage in &report.lineages {
        let active = lineage.generation.as_deref().unwrap_or("nothing");
        screen.line(&format!("{}: {}; {active} is active", lineage.lineage, screen.outcome(lineage.outcome)));
        for finding in &lineage.findings {
            show_finding(finding, screen);
        }
        for seen in lineage.served.iter().flatten() {
            screen.detail(&format!("served at {}: valid until {}", seen.address, seen.not_after));
        }
        if let Some(error) = &lineage.error {
            screen.reported_error(error);
        }
    }
    report.outcome.exit_status()
}

fn show_finding(finding: &FindingReport, screen: &mut Screen) {
    let code = screen.paint(Tone::Notable, &finding.code);
    screen.detail(&format!("{code}: {}", finding.text));
    if let Some(hint) = &finding.hint {
        screen.detail(&format!("hint: {hint}"));
    }
}
