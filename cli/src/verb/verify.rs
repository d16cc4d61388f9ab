//! `certwright verify`.

use std::sync::mpsc;
use std::time::Duration;

use certwright::report::{FindingReport, Outcome, VerifiedReport, VerifyReport};
use certwright::{Cancel, Depth, Watch};

use crate::args::{Shared, Verify};
use crate::failure::{Done, Failure};
use crate::load;
use crate::render::json::{Document, NoAnswer};
use crate::render::lineage::FEW;
use crate::render::paint::{self, Tone};
use crate::render::table::{GENERATION, MOMENT, Table};
use crate::screen::{Form, Screen};
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Verify, screen: &mut Screen) -> Done {
    let signals = Signals::watch()?;
    if these.ready {
        return Ok(ready(shared, these, signals.cancel(), screen));
    }
    let depth = if these.lineages.offline { Depth::Disk } else { Depth::Whole };
    let report = ask(shared, these, depth, signals.cancel(), screen.watch())?;
    Ok(show(&report, screen))
}

fn ask(
    shared: &Shared,
    these: &Verify,
    depth: Depth,
    cancel: Cancel,
    watch: Option<Watch>,
) -> Result<VerifyReport, Failure> {
    let lifecycle = load::lifecycle(shared, cancel, watch)?;
    let selection = load::selection(lifecycle.config(), &these.lineages.named)?;
    Ok(lifecycle.verify(&selection, depth)?)
}

/// Ready or not: whoever asks for a fail-over wants no third answer, and wants it in time. A configuration that cannot be
/// read, or not in time, is not ready.
fn ready(shared: &Shared, these: &Verify, cancel: Cancel, screen: &mut Screen) -> u8 {
    let (theirs, how, watch) = (cancel.clone(), (shared.clone(), these.clone()), screen.watch());
    let answer = within(these.limit, move || ask(&how.0, &how.1, Depth::Ready, theirs, watch));
    let status = match answer {
        Some(Ok(report)) => show(&report, screen),
        Some(Err(failure)) => screen.failure(&failure),
        None => {
            cancel.cancel();
            no_answer(these.limit, screen)
        }
    };
    if status == 0 { 0 } else { Outcome::Finding.exit_status() }
}

/// The answer, if it comes in time. The thread is left to itself otherwise: the process ends right after.
fn within<T: Send + 'static>(limit: Duration, ask: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    let asked = std::thread::Builder::new().name("verify".to_owned()).spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = sender.send(ask());
    });
    asked.ok().and_then(|_| receiver.recv_timeout(limit).ok())
}

fn no_answer(limit: Duration, screen: &mut Screen) -> u8 {
    let answer = NoAnswer::within(limit);
    screen.error_line(&format!("not ready: {}", answer.text()));
    if screen.form() == Form::Json {
        screen.json(&Document::new("verify", Outcome::Finding, answer));
    }
    Outcome::Finding.exit_status()
}

fn show(report: &VerifyReport, screen: &mut Screen) -> u8 {
    if screen.form() == Form::Json {
        screen.json(report);
    } else {
        show_lineages(&report.lineages, screen);
        for finding in &report.findings {
            let code = screen.paint(Tone::Notable, &finding.code);
            screen.line(&format!("{code}: {}", finding.text));
            show_hint(finding, screen);
        }
    }
    report.outcome.exit_status()
}

fn show_lineages(lineages: &[VerifiedReport], screen: &mut Screen) {
    let width = lineages.iter().map(|lineage| lineage.lineage.len()).max().unwrap_or_default();
    let columns = [("lineage", width), ("result", 7), ("active", GENERATION), ("served until", MOMENT)];
    let table = Table::new(screen.colours(), &columns);
    let many = lineages.len() > FEW;
    let calm = |lineage: &VerifiedReport| many && lineage.outcome == Outcome::Well;
    if screen.form() == Form::Table && !lineages.iter().all(calm) {
        screen.line(&table.heading());
    }
    for lineage in lineages.iter().filter(|lineage| !calm(lineage)) {
        show_lineage(lineage, &table, screen);
    }
    match lineages.iter().filter(|lineage| calm(lineage)).count() {
        0 => {}
        count => screen.line(&format!("{count} lineages are as wished")),
    }
}

fn show_lineage(lineage: &VerifiedReport, table: &Table, screen: &mut Screen) {
    let (tone, word) = paint::outcome(lineage.outcome);
    let active = lineage.generation.as_deref();
    if screen.form() == Form::Table {
        let served = lineage.served.iter().flatten().map(|seen| seen.not_after.as_str()).min();
        screen.line(&table.row(&[
            (Tone::Plain, &lineage.lineage),
            (tone, word),
            (Tone::Plain, active.unwrap_or("-")),
            (Tone::Plain, served.unwrap_or("not observed")),
        ]));
    } else {
        let word = screen.paint(tone, word);
        screen.line(&format!("{}: {word}; {} is active", lineage.lineage, active.unwrap_or("nothing")));
        for seen in lineage.served.iter().flatten() {
            screen.detail(&format!("served at {}: valid until {}", seen.address, seen.not_after));
        }
    }
    for finding in &lineage.findings {
        let code = screen.paint(Tone::Notable, &finding.code);
        screen.detail(&format!("{code}: {}", finding.text));
        show_hint(finding, screen);
    }
    if let Some(error) = &lineage.error {
        screen.lineage_error(&lineage.lineage, error);
    }
}

fn show_hint(finding: &FindingReport, screen: &mut Screen) {
    if let Some(hint) = &finding.hint {
        let lead = screen.paint(Tone::Good, "hint:");
        screen.detail(&format!("{lead} {hint}"));
    }
}
