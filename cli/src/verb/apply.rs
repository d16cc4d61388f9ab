//! `certwright apply`.

use certwright::report::{LineageReport, Outcome, REPORT_VERSION};
use certwright::{LineageName, Result};

use super::lineage;
use crate::args::{Lineages, Shared};
use crate::screen::{Form, Screen};
use crate::{load, progress};

/// Unchanged lineages are named one by one up to this many; beyond, only counted.
const FEW: usize = 20;

pub(crate) fn run(shared: &Shared, these: &Lineages, screen: &mut Screen) -> Result<u8> {
    let lifecycle = load::lifecycle(shared)?;
    let count = match these.named.lineages.as_slice() {
        [] => lifecycle.config().lineages.len(),
        named => named.iter().collect::<std::collections::BTreeSet<&LineageName>>().len(),
    };
    let mut tally = Tally { worst: Outcome::Well, unchanged: 0, first: true, few: count <= FEW };
    if screen.form() == Form::Json {
        screen.raw(format!("{{\"version\":{REPORT_VERSION},\"verb\":\"apply\",\"lineages\":[").as_bytes());
    }
    let options = load::options(shared, these.offline);
    let applied = lifecycle.apply_each(&load::selection(&these.named), &options, &mut |report| {
        progress::erase();
        tally.take(&report, screen);
    });
    progress::erase();
    applied?;
    tally.finish(screen);
    Ok(tally.worst.exit_status())
}

/// What was seen so far. Reports are shown as they come and not kept.
struct Tally {
    worst: Outcome,
    unchanged: usize,
    first: bool,
    few: bool,
}

impl Tally {
    fn take(&mut self, report: &LineageReport, screen: &mut Screen) {
        self.worst = self.worst.worst(report.outcome);
        if screen.form() == Form::Json {
            if !std::mem::take(&mut self.first) {
                screen.raw(b",");
            }
            if let Ok(bytes) = serde_json::to_vec(report) {
                screen.raw(&bytes);
            }
            return;
        }
        let calm = report.outcome == Outcome::Well && !report.changed && report.notes.is_empty();
        self.unchanged += usize::from(calm);
        if !calm || self.few {
            lineage::show(report, screen);
        }
    }

    fn finish(&self, screen: &mut Screen) {
        match screen.form() {
            Form::Json => {
                let outcome = serde_json::to_string(&self.worst).unwrap_or_default();
                screen.raw(format!("],\"outcome\":{outcome}}}\n").as_bytes());
            }
            _ if !self.few && self.unchanged > 0 => screen.line(&format!("{} lineages unchanged", self.unchanged)),
            _ => {}
        }
    }
}
