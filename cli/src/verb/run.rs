//! `certwright run`.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use certwright::report::{LineageReport, Outcome, REPORT_VERSION};
use certwright::{Clock, Lifecycle, RunEvent, RunOptions, SystemClock};
use serde::Serialize;

use crate::args::{Run, Shared};
use crate::failure::Done;
use crate::load;
use crate::metrics::Exposed;
use crate::notify::Notifier;
use crate::render::lineage::Shown;
use crate::screen::{Form, Screen};
use crate::signals::Hangups;
use crate::watchdog::Watchdog;

pub(crate) fn run(shared: &Shared, these: &Run, screen: &mut Screen) -> Done {
    let notifier = Notifier::from_environment();
    let hangups = Hangups::watch(&notifier)?;
    let watchdog = Watchdog::from_environment(&notifier);
    let open = || load::lifecycle(shared, hangups.cancel(), Some(watchdog.watch()));
    let mut lifecycle = open()?;
    let mut claim = lifecycle.claim()?;
    let exposed = Exposed::open(these.metrics_file.as_deref(), these.metrics_listen)?;
    let apply = load::options(shared, load::endpoints(these.offline));
    let mut options = RunOptions::default().with_apply(apply);
    if let Some(every) = these.every {
        options = options.with_every(every);
    }
    notifier.send("READY=1");
    loop {
        let mut round = Round { lifecycle: &lifecycle, exposed: &exposed, told: Told::default(), notifier: &notifier };
        lifecycle.run(&claim, &options, hangups.wake(), &mut |event| {
            watchdog.progress();
            round.take(event, screen);
            if hangups.reload().load(Ordering::Acquire) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if hangups.cancel().is_cancelled() {
            break;
        }
        hangups.reload().store(false, Ordering::Release);
        notifier.reloading();
        // What cannot be used is told, and the configuration of before goes on.
        let reloaded = open().and_then(|new| {
            let new_claim = if claim.covers(&new) { None } else { Some(new.claim()?) };
            Ok((new, new_claim))
        });
        match reloaded {
            Ok((new, new_claim)) => {
                claim = new_claim.unwrap_or(claim);
                lifecycle = new;
                exposed.keep_only(&lifecycle);
                notifier.send("READY=1\nSTATUS=the configuration was read again");
            }
            Err(failure) => {
                screen.failure(&failure);
                notifier.send("READY=1\nSTATUS=the new configuration cannot be used; the one before goes on");
            }
        }
    }
    notifier.send("STOPPING=1");
    Ok(0)
}

/// One line of the report, for programs.
#[derive(Debug, Serialize)]
struct Line<'a> {
    version: u32,
    verb: &'static str,
    time: String,
    #[serde(flatten)]
    report: &'a LineageReport,
}

struct Round<'a> {
    lifecycle: &'a Lifecycle,
    exposed: &'a Exposed,
    told: Told,
    notifier: &'a Notifier,
}

impl Round<'_> {
    fn take(&mut self, event: RunEvent, screen: &mut Screen) {
        match event {
            RunEvent::Looked(report) => {
                self.exposed.take(&report);
                if self.told.is_news(&report) {
                    tell(&report, screen);
                }
            }
            RunEvent::Waiting { until } => {
                if let Err(error) = self.exposed.publish(self.lifecycle) {
                    screen.failure(&error.into());
                }
                let next = until.map_or_else(String::new, |until| format!(", next look {until}"));
                let (count, troubled) = self.told.counts();
                self.notifier.send(&format!("STATUS={count} lineages, {troubled} not well{next}"));
            }
            _ => {}
        }
    }
}

fn tell(report: &LineageReport, screen: &mut Screen) {
    if screen.form() == Form::Json {
        let time = SystemClock.now().to_string();
        screen.json(&Line { version: REPORT_VERSION, verb: "run", time, report });
        screen.flush();
    } else if let Ok(name) = report.lineage.parse() {
        Shown::new([&name].into_iter(), screen).show(report, screen);
    }
}

/// How each lineage stood when it was told last: the same again is no news.
#[derive(Default)]
struct Told(std::collections::BTreeMap<String, (Outcome, String)>);

impl Told {
    fn is_news(&mut self, report: &LineageReport) -> bool {
        let codes: Vec<&str> = report.reasons.iter().map(|reason| reason.code.as_str()).collect();
        let state = (report.outcome, codes.join(" "));
        let before = self.0.insert(report.lineage.clone(), state.clone());
        report.changed || report.error.is_some() || before.as_ref() != Some(&state)
    }

    fn counts(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().filter(|(outcome, _)| *outcome != Outcome::Well).count())
    }
}
