//! `verify`: what is there against what is wished. Changes nothing.

use super::enter::Ground;
use super::observe::{Endpoints, Sight};
use super::report::{FindingReport, Outcome, ProofReport, VerifiedReport, VerifyReport};
use super::{Lifecycle, Selection};
use crate::deploy::running::{Presence, presence};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::time::{Timestamp, Window};
use crate::place::access::prove::{Secrecy, prove};
use crate::place::manifest::Manifest;
use crate::place::store::Store;
use crate::plan::observed::Served;
use crate::plan::renewal;
use crate::plan::spec::{Form, Running, Spec};

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Depth {
    /// Files, access, expiry, and what the endpoints serve.
    #[default]
    Whole,
    /// Files, access and expiry; no endpoint is asked.
    Disk,
    /// Could this machine serve now: everything, and that the service and the fail-over daemon run.
    Ready,
}

impl Lifecycle {
    pub(super) fn verify_selected(&self, selection: &Selection, depth: Depth) -> Result<VerifyReport> {
        let store = Store::open(&self.tools.fs, &self.config.root)?;
        let mut lineages = Vec::new();
        for name in self.select(selection)? {
            lineages.push(self.verify_one(store.as_ref(), self.config.lineage(name)?, depth));
        }
        let mut findings = Vec::new();
        if let Some(failover) = self.config.failover.as_ref().filter(|_| depth == Depth::Ready) {
            findings.extend(self.is_running(&failover.running, "failover_not_running", "the fail-over daemon"));
        }
        Ok(VerifyReport::new(findings, lineages))
    }

    fn verify_one(&self, store: Option<&Store>, spec: &Spec, depth: Depth) -> VerifiedReport {
        let mut report = VerifiedReport::new(&spec.name);
        let endpoints = if depth == Depth::Disk { Endpoints::Leave } else { Endpoints::Ask };
        let looked = Ground::of(self, &self.tools, spec).and_then(|ground| ground.observe(store, endpoints));
        match looked {
            Ok(sight) => self.judge(spec, depth, sight, &mut report),
            Err(error) => report.fail(&error),
        }
        report
    }

    fn judge(&self, spec: &Spec, depth: Depth, sight: Sight, report: &mut VerifiedReport) {
        let again = Some(format!("run `certwright apply {}`", spec.name));
        let observed = &sight.observed;
        for text in &observed.access_drift {
            report.find("access_drift", text.clone(), again.clone());
        }
        for text in &observed.output_drift {
            report.find("output_drift", text.clone(), again.clone());
        }
        if let Some(damage) = &observed.damage {
            report.find("damage", damage.clone(), again.clone());
        }
        if sight.txn.activation.is_some() {
            report.find("unfinished", "a run ended in the middle of an activation".to_owned(), again.clone());
        }
        if let Some(deferred) = &observed.deferred {
            report.find(
                "deferred",
                format!("{} waits since it failed: {}", deferred.material.generation, deferred.reason),
                Some(format!(
                    "mend that; it is tried again by itself, or at once after `certwright rollback {} --release`",
                    spec.name
                )),
            );
        }
        self.judge_served(&observed.served, &again, report);
        report.served = sight.served;
        let Some(manifest) = &sight.manifest else {
            let absent = "there is no active generation".to_owned();
            if observed.damage.is_none() {
                report.find("nothing_active", absent, again);
            }
            return;
        };
        report.generation = Some(manifest.generation.to_string());
        self.judge_time(spec, manifest, self.tools.clock.now(), report);
        self.judge_readers(spec, manifest, report);
        if let Some(running) = spec.running.as_ref().filter(|_| depth == Depth::Ready) {
            let finding = self.is_running(running, "service_not_running", "the service");
            report.take(finding);
        }
    }

    fn judge_served(&self, served: &Served, again: &Option<String>, report: &mut VerifiedReport) {
        let (code, texts) = match served {
            Served::Other(texts) => ("not_served", texts),
            Served::Unreachable(texts) => ("unreachable", texts),
            _ => return,
        };
        for text in texts {
            report.find(code, text.clone(), again.clone());
        }
    }

    fn judge_time(&self, spec: &Spec, manifest: &Manifest, now: Timestamp, report: &mut VerifiedReport) {
        let (window, id) = (manifest.window, manifest.generation);
        if now > window.end {
            let hint = format!("run `certwright apply {}`, and find out why it was not renewed", spec.name);
            report.find("expired", format!("{id} expired at {}", window.end), Some(hint));
        } else if now < window.start {
            let hint = "set the clock of this machine".to_owned();
            report.find("not_yet_valid", format!("{id} is valid from {}", window.start), Some(hint));
        } else if now > overdue(window) {
            let hint = format!("see with `certwright status {}` what kept it from being renewed", spec.name);
            report.find("overdue", format!("{id} should have been renewed; it expires at {}", window.end), Some(hint));
        }
    }

    /// By the model and by the kernel, as before an activation.
    fn judge_readers(&self, spec: &Spec, manifest: &Manifest, report: &mut VerifiedReport) {
        let generation =
            self.config.root.join(spec.name.as_str()).join("generations").join(manifest.generation.to_string());
        let names = &self.tools.names;
        let readers: Result<Vec<_>> = spec.access.readers.iter().map(|reader| names.reader(reader)).collect();
        let readers = match readers {
            Ok(readers) => readers,
            Err(error) => return report.fail(&error),
        };
        for form in Form::ALL {
            let secrecy = if form.is_secret() { Secrecy::Secret } else { Secrecy::Public };
            let path = generation.join(form.file_name());
            match prove(&*self.tools.fs, &path, &readers, secrecy, names) {
                Ok(proof) => report.access.push(ProofReport::from(&proof)),
                Err(error) => {
                    report.find("access_mismatch", error.to_string(), error.hint_text().map(str::to_owned));
                }
            }
        }
    }

    fn is_running(&self, wish: &Running, code: &str, what: &str) -> Option<FindingReport> {
        let not = |why: String| {
            FindingReport::new(code, format!("{what} does not run: {why}"), Some("start it, or see its log".to_owned()))
        };
        match presence(wish, &*self.tools.fs, &self.tools.cancel) {
            Ok(Presence::Runs(_)) => None,
            Ok(Presence::Stopped(why)) => Some(not(why)),
            Err(error) => Some(not(error.to_string())),
        }
    }
}

/// When a certificate that is still there should worry somebody: half of the time between its renewal and its end is over.
fn overdue(window: Window) -> Timestamp {
    let left = window.end.since(renewal::renewal_window(window).end).unwrap_or_default();
    window.end.saturating_sub(left / 2)
}

/// A machine is ready or not; there is nothing between.
impl VerifyReport {
    /// Whether everything was well, as one error for those who want one.
    ///
    /// # Errors
    ///
    /// `AccessMismatch`, `ProbeMismatch` or another kind fit for the first finding.
    pub fn into_result(self) -> Result<()> {
        if self.outcome == Outcome::Well {
            return Ok(());
        }
        let lineages = self.lineages.iter().flat_map(|lineage| lineage.findings.iter());
        let first = self.findings.iter().chain(lineages).next();
        let text = first.map_or("it could not be verified".to_owned(), |finding| finding.text.clone());
        let kind = match first.map(|finding| finding.code.as_str()) {
            Some("access_drift" | "access_mismatch") => ErrorKind::AccessMismatch,
            Some("not_served" | "unreachable") => ErrorKind::ProbeMismatch,
            _ => ErrorKind::Unfit,
        };
        Err(Error::new(kind, text))
    }
}
