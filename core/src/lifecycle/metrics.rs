//! What a monitoring system wants to know, in the text format of Prometheus (version 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Lifecycle;
use super::report::{LineageReport, Outcome};
use crate::ground::error::Result;
use crate::ground::time::Timestamp;
use crate::place::publish;

/// The state of every lineage as the last reports had it.
///
/// # Examples
///
/// ```
/// let metrics = certwright::Metrics::new();
/// assert!(metrics.to_string().contains("certwright_build_info"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    lineages: BTreeMap<String, Gauges>,
}

#[derive(Clone, Debug, Default)]
struct Gauges {
    not_after: Option<Timestamp>,
    renewal: Option<Timestamp>,
    outcome: Option<Outcome>,
    looked: Option<Timestamp>,
    succeeded: Option<Timestamp>,
    changes: u64,
    failures: u64,
    /// By endpoint: whether it served the active certificate, and until when what it served is valid.
    endpoints: BTreeMap<String, (bool, Option<Timestamp>)>,
}

impl Metrics {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Take in the report of a look at `now`.
    pub fn take(&mut self, report: &LineageReport, now: Timestamp) {
        let gauges = self.lineages.entry(report.lineage.clone()).or_default();
        let moment = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        gauges.not_after = moment(&report.not_after).or(gauges.not_after);
        gauges.renewal = moment(&report.renewal).or(gauges.renewal);
        gauges.outcome = Some(report.outcome);
        gauges.looked = Some(now);
        gauges.changes += u64::from(report.changed);
        if report.outcome == Outcome::Well {
            gauges.succeeded = Some(now);
        } else {
            gauges.failures += 1;
        }
        if report.served.is_some() || !report.silent.is_empty() {
            gauges.endpoints = endpoints(report);
        }
    }

    /// Forget lineages that are not configured any more.
    pub fn keep_only(&mut self, lifecycle: &Lifecycle) {
        let configured = &lifecycle.config.lineages;
        self.lineages.retain(|name, _| configured.keys().any(|known| known.as_str() == name));
    }

    /// Write it where a collector finds it, readable by everybody, in one step.
    ///
    /// # Errors
    ///
    /// `Io`, `Permission` or `NotFound` with the path, which must be absolute.
    ///
    /// # Effects
    ///
    /// Disk.
    pub fn write(&self, lifecycle: &Lifecycle, path: &Path) -> Result<()> {
        publish::replace(&*lifecycle.tools.fs, path, self.to_string().as_bytes())
    }

    fn family(&self, text: &mut String, family: &Family, value: impl Fn(&Gauges) -> Option<i128>) {
        let mut lines = String::new();
        for (name, gauges) in &self.lineages {
            if let Some(value) = value(gauges) {
                let _ = writeln!(lines, "{}{{lineage=\"{}\"}} {value}", family.name, escaped(name));
            }
        }
        family.write(text, &lines);
    }

    fn endpoints(&self, text: &mut String, family: &Family, value: impl Fn(bool, Option<Timestamp>) -> Option<i128>) {
        let mut lines = String::new();
        for (name, gauges) in &self.lineages {
            for (address, (current, not_after)) in &gauges.endpoints {
                if let Some(value) = value(*current, *not_after) {
                    let (name, address) = (escaped(name), escaped(address));
                    let _ = writeln!(lines, "{}{{lineage=\"{name}\",endpoint=\"{address}\"}} {value}", family.name);
                }
            }
        }
        family.write(text, &lines);
    }
}

/// What each endpoint of a report serves. The name of a generation ends with the beginning of its leaf's fingerprint.
fn endpoints(report: &LineageReport) -> BTreeMap<String, (bool, Option<Timestamp>)> {
    let active = report.generation.as_deref().and_then(|generation| generation.split_once('-')).map(|(_, leaf)| leaf);
    let mut endpoints: BTreeMap<String, (bool, Option<Timestamp>)> = BTreeMap::new();
    for seen in report.served.iter().flatten() {
        let current = active.is_some_and(|leaf| seen.fingerprint.starts_with(leaf));
        let state = endpoints.entry(seen.address.clone()).or_insert((true, None));
        // Of several connections each has to see the active one.
        *state = (state.0 && current, seen.not_after.parse().ok());
    }
    endpoints.extend(report.silent.iter().map(|address| (address.clone(), (false, None))));
    endpoints
}

struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
}

impl Family {
    const fn new(name: &'static str, kind: &'static str, help: &'static str) -> Self {
        Self { name, kind, help }
    }

    /// A family without samples is left out.
    fn write(&self, text: &mut String, lines: &str) {
        if !lines.is_empty() {
            let Self { name, kind, help } = self;
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
        }
    }
}

impl std::fmt::Display for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        let seconds = |time: Option<Timestamp>| time.map(|time| i128::from(time.unix()));
        let info = format!("certwright_build_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION"));
        Family::new("certwright_build_info", "gauge", "The version of this program.").write(&mut text, &info);
        let gauge = |name, help| Family::new(name, "gauge", help);
        let counter = |name, help| Family::new(name, "counter", help);
        self.family(
            &mut text,
            &gauge("certwright_not_after_timestamp_seconds", "Last moment of validity of the active certificate."),
            |gauges| seconds(gauges.not_after),
        );
        self.family(
            &mut text,
            &gauge("certwright_renewal_timestamp_seconds", "When the active certificate is to be renewed."),
            |gauges| seconds(gauges.renewal),
        );
        self.family(
            &mut text,
            &gauge("certwright_last_result", "How the last look ended, as an exit status: 0 well, 4 stuck."),
            |gauges| gauges.outcome.map(|outcome| i128::from(outcome.exit_status())),
        );
        self.family(
            &mut text,
            &gauge("certwright_last_look_timestamp_seconds", "When the lineage was looked at last."),
            |gauges| seconds(gauges.looked),
        );
        self.family(
            &mut text,
            &gauge("certwright_last_success_timestamp_seconds", "When all was last seen to be as wished."),
            |gauges| seconds(gauges.succeeded),
        );
        self.family(
            &mut text,
            &counter("certwright_changes_total", "Generations that became active since the start."),
            |gauges| Some(i128::from(gauges.changes)),
        );
        self.family(
            &mut text,
            &counter("certwright_failures_total", "Looks that did not end well since the start."),
            |gauges| Some(i128::from(gauges.failures)),
        );
        self.endpoints(
            &mut text,
            &gauge("certwright_endpoint_current", "Whether the endpoint serves the active certificate."),
            |current, _| Some(i128::from(current)),
        );
        self.endpoints(
            &mut text,
            &gauge("certwright_endpoint_not_after_timestamp_seconds", "Last moment of validity of what it serves."),
            |_, not_after| seconds(not_after),
        );
        f.write_str(&text)
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
