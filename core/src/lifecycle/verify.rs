//! `verify`: what is there against what is wished. Changes nothing.

use super::enter::Ground;
use super::observe::{Endpoints, Sight};
use super::report::{FindingReport, Outcome, ProofReport, VerifiedReport, VerifyReport};
use super::{Lifecycle, Selection};
use crate::deploy::running::{Presence, presence};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::GenerationId;
use crate::ground::identity::Identity;
use crate::ground::time::{Timestamp, Window};
use crate::place::access::prove::{Secrecy, Subject, prove_each};
use crate::place::manifest::Manifest;
use crate::place::outputs;
use crate::place::store::Store;
use crate::plan::decide::{Plan, decide};
use crate::plan::observed::Served;
use crate::plan::reason::{Reason, bring};
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
        let me = self.tools.fs.identity();
        let mut lineages = Vec::new();
        for name in self.select(selection)? {
            lineages.push(self.verify_one(store.as_ref(), &me, self.config.lineage(name)?, depth));
        }
        let mut findings = Vec::new();
        if let Some(failover) = self.config.failover.as_ref().filter(|_| depth == Depth::Ready) {
            findings.extend(self.is_running(&failover.running, "failover_not_running", "the fail-over daemon"));
        }
        Ok(VerifyReport::new(findings, lineages))
    }

    fn verify_one(&self, store: Option<&Store>, me: &Identity, spec: &Spec, depth: Depth) -> VerifiedReport {
        let mut report = VerifiedReport::new(&spec.name);
        let endpoints = if depth == Depth::Disk { Endpoints::Leave } else { Endpoints::Ask };
        let looked = Ground::of(self, &self.tools, me, spec).and_then(|ground| ground.observe(store, endpoints));
        match looked {
            Ok(sight) => self.judge(spec, depth, sight, &mut report),
            Err(error) => report.fail(&error),
        }
        report
    }

    fn judge(&self, spec: &Spec, depth: Depth, sight: Sight, report: &mut VerifiedReport) {
        let observed = &sight.observed;
        let decision = decide(spec, observed, self.tools.clock.now());
        // Only what helps is said: while something waits for its time, another `apply` does nothing.
        let again = (decision.plan != Plan::Keep).then(|| format!("run `certwright apply {}`", spec.name));
        for text in &observed.access_drift {
            report.find("access_drift", text.clone(), again.clone());
        }
        for text in &observed.output_drift {
            report.find("output_drift", text.clone(), again.clone());
        }
        // What is active serves well in spite of it: that is no reason for a fail-over.
        for output in spec.outputs.iter().filter(|_| depth != Depth::Ready) {
            if let Err(error) = outputs::safe_place(&*self.tools.fs, &output.path) {
                report.find("output_exposed", error.to_string(), error.hint_text().map(str::to_owned));
            }
        }
        if let Some(damage) = &observed.damage {
            report.find("damage", damage.clone(), again.clone());
        }
        if sight.txn.activation.is_some() {
            report.find("unfinished", "a run ended in the middle of an activation".to_owned(), again.clone());
        }
        if let Some(deferred) = &observed.deferred {
            let text = format!("{} waits since it failed: {}", deferred.material.generation, deferred.reason);
            report.find("deferred", text, again.clone().or_else(|| Some(release(spec, observed.held))));
        }
        let brought = decision.reasons.iter().find_map(|reason| match reason {
            Reason::WaitingForMaterial(lineage) => Some(format!("run `{}`", bring(lineage))),
            _ => None,
        });
        let renewed = brought.or_else(|| again.clone());
        // Nor is what it lacks.
        for reason in decision.reasons.iter().filter(|reason| depth != Depth::Ready && is_shortfall(reason)) {
            let held = observed.held.map(|held| release(spec, Some(held)));
            report.find(reason.code(), reason.to_string(), held.or_else(|| renewed.clone()));
        }
        self.judge_served(&observed.served, &again, report);
        report.served = sight.served;
        let Some(manifest) = &sight.manifest else {
            let absent = "there is no active generation".to_owned();
            if observed.damage.is_none() {
                report.find("nothing_active", absent, renewed);
            }
            return;
        };
        report.generation = Some(manifest.generation.to_string());
        self.judge_time(spec, manifest, &renewed, report);
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

    fn judge_time(&self, spec: &Spec, manifest: &Manifest, renewed: &Option<String>, report: &mut VerifiedReport) {
        let (window, id, now) = (manifest.window, manifest.generation, self.tools.clock.now());
        if now > window.end {
            let hint = renewed.as_ref().map(|renewed| format!("{renewed}, and find out why it was not renewed"));
            report.find("expired", format!("{id} expired at {}", window.end), hint);
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
        let subjects = Form::ALL.map(|form| Subject {
            path: generation.join(form.file_name()),
            readers: readers.clone(),
            secrecy: if form.is_secret() { Secrecy::Secret } else { Secrecy::Public },
        });
        for proved in prove_each(&*self.tools.fs, &subjects, names) {
            match proved {
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

/// Whether it says that what is active is not what is wished.
const fn is_shortfall(reason: &Reason) -> bool {
    matches!(reason, Reason::IdentifiersChanged { .. } | Reason::KeyChanged { .. } | Reason::IssuerChanged { .. })
}

/// How what was deferred is tried before its time, or while a hold keeps it from being tried at all.
fn release(spec: &Spec, held: Option<GenerationId>) -> String {
    let name = &spec.name;
    match held {
        Some(held) => {
            format!("{held} is held; when it need not be any longer, run `certwright rollback {name} --release`")
        }
        None => format!(
            "mend that; it is tried again by itself, or by `apply` at once after `certwright rollback {name} --release`"
        ),
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
