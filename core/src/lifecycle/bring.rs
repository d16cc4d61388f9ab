//! `deploy`: what another client obtained goes the same way from `Issued` on.

use super::apply::{deploy_material, fill};
use super::enter::Ground;
use super::report::LineageReport;
use super::{Lifecycle, Options};
use crate::deploy::stage::Origin;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::pki::material::Material;
use crate::plan::spec::Spec;

/// What became of material that was brought.
enum Brought {
    /// It went the way.
    Deployed(LineageReport),
    /// A hook that fired twice: the same leaf is active. Whatever else is amiss is the work of `apply`.
    ActiveAlready(LineageReport),
}

impl Lifecycle {
    pub(super) fn bring(&self, spec: &Spec, material: &Material, options: &Options) -> LineageReport {
        match self.try_bring(spec, material, options) {
            Ok(Brought::Deployed(report)) => report,
            Ok(Brought::ActiveAlready(report)) => self.settle_same(spec, options, report),
            Err(error) => {
                let mut report = LineageReport::new(&spec.name, "deploy").failed(&error);
                self.tell_active(spec, &mut report);
                report
            }
        }
    }

    fn try_bring(&self, spec: &Spec, material: &Material, options: &Options) -> Result<Brought> {
        let ground = Ground::of(self, &self.tools, &self.tools.fs.identity(), spec)?;
        let entered = ground.enter(self, options)?;
        let sight = ground.observe(Some(&entered.store), options.endpoints)?;
        let (mut attempt, recovered) = ground.attempt(&entered, &sight.observed.served)?;
        let mut report = LineageReport::new(&spec.name, "deploy");
        report.notes = recovered.notes;
        if let Some(Err(error)) = &recovered.finished {
            report.notes.push(format!("an activation that was open failed: {error}"));
        }
        let leaf = material.chain().leaf().fingerprint();
        if let Some(active) = attempt.active.as_ref().filter(|active| active.leaf == leaf) {
            report.generation = Some(active.generation.to_string());
            report.not_after = Some(active.window.end.to_string());
            report.notes.push("this certificate is active already".to_owned());
            return Ok(Brought::ActiveAlready(report));
        }
        if attempt.txn.unfit.iter().any(|id| id.matches(&leaf)) {
            return Err(Error::new(ErrorKind::Unfit, "this certificate failed the proof before")
                .context("lineage", &spec.name)
                .hint(format!("see why with `certwright status {}`, then obtain another", spec.name)));
        }
        attempt.preflight()?;
        match deploy_material(&mut attempt, material, &Origin::Brought) {
            Ok(committed) => fill(&mut report, &committed),
            Err(error) => {
                report = report.failed(&error);
                self.tell_active(spec, &mut report);
            }
        }
        Ok(Brought::Deployed(report))
    }

    /// The same certificate again: whatever else is to be done is done as `apply` does it.
    fn settle_same(&self, spec: &Spec, options: &Options, mut report: LineageReport) -> LineageReport {
        let mut applied = Vec::new();
        super::batch::apply(self, &[&spec.name], options, &mut |report| applied.push(report));
        let Some(mut applied) = applied.pop() else { return report };
        applied.notes.splice(0..0, report.notes.drain(..));
        applied
    }
}
