//! `rollback`: an operator goes back on purpose, and the lineage holds there until a newer issuance or a release.

use super::apply::{fill, ready};
use super::enter::Ground;
use super::report::{LineageReport, ReasonReport};
use super::{Lifecycle, Options};
use crate::deploy::attempt::Attempt;
use crate::deploy::carry_through;
use crate::deploy::prove::Gate;
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::ground::id::GenerationId;
use crate::ground::time::Timestamp;
use crate::place::txn::Purpose;
use crate::plan::decide::shortfall;
use crate::plan::spec::Spec;

/// Where a rollback goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Return {
    /// To the generation that was active before.
    Previous,
    /// To this generation.
    To(GenerationId),
    /// Nowhere: a held lineage goes on by itself again, and a deferred one is tried at the next `apply`.
    Release,
}

impl Lifecycle {
    pub(super) fn return_lineage(&self, spec: &Spec, to: Return, options: &Options) -> LineageReport {
        let mut report = LineageReport::new(&spec.name, "rollback");
        if let Err(error) = self.try_return(spec, to, options, &mut report) {
            report = report.failed(&error);
            self.tell_active(spec, &mut report);
        }
        report
    }

    fn try_return(&self, spec: &Spec, to: Return, options: &Options, report: &mut LineageReport) -> Result<()> {
        let ground = Ground::of(self, &self.tools, &self.tools.fs.identity(), spec)?;
        let entered = ground.enter(self, options)?;
        let sight = ground.observe(Some(&entered.store), options.endpoints)?;
        let (mut attempt, recovered) = ground.attempt(&entered, &sight.observed.served)?;
        report.notes = recovered.notes;
        let active = attempt.active.as_ref().map(|manifest| (manifest.generation, manifest.window.end));
        if let Some((generation, end)) = active {
            report.generation = Some(generation.to_string());
            report.not_after = Some(end.to_string());
        }
        let target = match to {
            Return::Release => {
                return release(&mut attempt, report);
            }
            Return::To(id) => id,
            Return::Previous => previous(&attempt)?,
        };
        let from = active.map(|(generation, _)| generation);
        if from == Some(target) {
            attempt.txn.held = Some(target);
            attempt.save()?;
            report.notes.push(format!("{target} is active already, and is held now"));
            return Ok(());
        }
        if attempt.txn.unfit.contains(&target) {
            return Err(unfit(&attempt, target));
        }
        attempt.preflight()?;
        let proven = ready(&mut attempt, target, Gate::Return).map_err(|error| error.in_phase(Phase::Rollback))?;
        let committed = carry_through(&mut attempt, proven, Purpose::Rollback, from)?;
        fill(report, &committed);
        let back = committed.manifest();
        let short = shortfall(spec, &back.identifiers, back.key, back.issuer.as_ref());
        report.reasons.extend(short.iter().map(ReasonReport::from));
        report.notes.push(format!("held until a newer issuance or `certwright rollback {} --release`", spec.name));
        Ok(())
    }
}

/// An operator may go back to what is older or lacks something, not to what failed the proof: it never worked.
fn unfit(attempt: &Attempt<'_>, target: GenerationId) -> Error {
    Error::new(ErrorKind::Unfit, "this generation failed the proof before and is not used again")
        .in_phase(Phase::Rollback)
        .context("lineage", &attempt.spec.name)
        .context("generation", target)
        .hint(format!("see which others there are with `certwright status {}`", attempt.spec.name))
}

fn previous(attempt: &Attempt<'_>) -> Result<GenerationId> {
    let active = attempt.active.as_ref().map(|manifest| manifest.generation);
    let known = attempt.txn.previous.filter(|previous| Some(*previous) != active);
    known.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "there is no generation before the active one")
            .context("lineage", &attempt.spec.name)
            .hint(format!(
                "see which there are with `certwright status {}`, and name one with `--to`",
                attempt.spec.name
            ))
    })
}

/// Whoever mended what made an issuance fail need not wait until its back-off is over. The limits of the authority are kept
/// elsewhere, and hold all the same.
fn ask_again(attempt: &Attempt<'_>) -> Result<bool> {
    let mut schedule = attempt.directory.schedule()?;
    let waits = schedule.not_before.take().is_some_and(|until| until > attempt.now());
    if waits {
        attempt.directory.write_schedule(&schedule)?;
    }
    Ok(waits)
}

fn release(attempt: &mut Attempt<'_>, report: &mut LineageReport) -> Result<()> {
    let held = attempt.txn.held.take();
    let mut waited = None;
    if let Some(deferred) = attempt.txn.deferred.as_mut() {
        deferred.not_before = Timestamp::MIN;
        waited = Some(deferred.generation);
    }
    let asked_again = ask_again(attempt)?;
    if asked_again {
        report.notes.push("the issuer is asked again at the next `apply`".to_owned());
    }
    if held.is_none() && waited.is_none() {
        if !asked_again {
            report.notes.push("nothing was held".to_owned());
        }
        return Ok(());
    }
    attempt.save()?;
    attempt.record("release", held.or(waited), None);
    report.notes.extend(held.map(|id| format!("{id} is no longer held")));
    report.notes.extend(waited.map(|id| format!("{id} is tried again at the next `apply`")));
    Ok(())
}
