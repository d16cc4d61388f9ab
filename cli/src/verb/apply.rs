//! `certwright apply`.

use certwright::report::{LineageReport, Outcome, REPORT_VERSION};
use certwright::{Config, LineageName, Selection};

use crate::args::{Lineages, Shared};
use crate::failure::Done;
use crate::load;
use crate::render::lineage::Shown;
use crate::screen::{Form, Screen};
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Lineages, screen: &mut Screen) -> Done {
    let signals = Signals::watch()?;
    let lifecycle = load::lifecycle(shared, signals.cancel(), screen.watch())?;
    let selection = load::selection(lifecycle.config(), &these.named)?;
    let options = load::options(shared, load::endpoints(these.offline));
    let mut stream = Stream::begin(lifecycle.config(), &selection, screen);
    lifecycle.apply_each(&selection, &options, &mut |report| stream.take(&report, screen))?;
    Ok(stream.end(screen).exit_status())
}

/// A run of which each report is shown as it is made and kept no longer.
struct Stream {
    shown: Shown,
    worst: Outcome,
    first: bool,
}

impl Stream {
    fn begin(config: &Config, selection: &Selection, screen: &mut Screen) -> Self {
        if screen.form() == Form::Json {
            screen.raw(format!("{{\"version\":{REPORT_VERSION},\"verb\":\"apply\",\"lineages\":[").as_bytes());
        }
        let names: Box<dyn Iterator<Item = &LineageName>> = match selection {
            Selection::Named(names) => Box::new(names.iter()),
            _ => Box::new(config.lineages.keys()),
        };
        Self { shown: Shown::new(names, screen), worst: Outcome::Well, first: true }
    }

    fn take(&mut self, report: &LineageReport, screen: &mut Screen) {
        self.worst = self.worst.worst(report.outcome);
        if screen.form() == Form::Json {
            if !std::mem::take(&mut self.first) {
                screen.raw(b",");
            }
            screen.json_part(report);
        } else {
            self.shown.show(report, screen);
        }
    }

    fn end(self, screen: &mut Screen) -> Outcome {
        if screen.form() == Form::Json {
            screen.raw(b"],\"outcome\":");
            screen.json_part(&self.worst);
            screen.raw(b"}\n");
        }
        self.shown.finish(screen);
        self.worst
    }
}
