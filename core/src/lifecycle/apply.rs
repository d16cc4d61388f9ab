//! `apply` for one lineage.

use std::path::{Path, PathBuf};

use super::consult::{self, Memory};
use super::enter::Ground;
use super::left_answers;
use super::observe::{Endpoints, Remembered, Sight, access_stands};
use super::obtain;
use super::report::{LineageReport, Outcome, ProofReport, ReasonReport, ServedReport};
use super::{Lifecycle, Options};
use crate::deploy::attempt::{Attempt, Tools};
use crate::deploy::carry_through;
use crate::deploy::prepare::read_material;
use crate::deploy::prove::{Gate, Proven, prove, prove_generation};
use crate::deploy::recover::Recovered;
use crate::deploy::settle::Committed;
use crate::deploy::stage::{Origin, stage};
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::ground::id::GenerationId;
use crate::ground::identity::Identity;
use crate::pki::material::Material;
use crate::place::lineage::{Current, STAGE};
use crate::place::manifest::Manifest;
use crate::place::outputs;
use crate::place::store::Store;
use crate::place::txn::Purpose;
use crate::plan::decide::{Decision, Plan, Standing, decide};
use crate::plan::spec::Spec;

/// What the first look, without a lock, came to.
pub(super) enum First<'a> {
    /// There is nothing to do.
    Done(Box<LineageReport>),
    /// The lineage has to be entered; what was seen.
    Work(Box<(Ground<'a>, Sight)>),
}

/// Look without a lock: most runs end here.
pub(super) fn look<'a>(
    lifecycle: &Lifecycle,
    (tools, me): (&'a Tools, &Identity),
    store: Option<&Store>,
    spec: &'a Spec,
    options: &Options,
) -> First<'a> {
    let looked = Ground::of(lifecycle, tools, me, spec).and_then(|ground| {
        let sight = ground.observe(store, options.endpoints)?;
        let decision = decide(spec, &sight.observed, tools.clock.now());
        Ok((ground, sight, decision))
    });
    match looked {
        Ok((ground, sight, decision))
            if decision.plan != Plan::Keep
                || sight.answers_left > 0
                || consult::is_due(lifecycle, spec, &sight, &decision, options.endpoints) =>
        {
            First::Work(Box::new((ground, sight)))
        }
        Ok((_, sight, decision)) => First::Done(Box::new(kept(spec, &sight, &decision))),
        Err(error) => First::Done(Box::new(LineageReport::new(&spec.name, "keep").failed(&error))),
    }
}

/// Enter the lineage and do what is to be done.
pub(super) fn work(lifecycle: &Lifecycle, ground: &Ground<'_>, seen: &Sight, options: &Options) -> LineageReport {
    let report = run(lifecycle, ground, seen, options).unwrap_or_else(|error| {
        let mut report = LineageReport::new(&ground.spec.name, "keep").failed(&error);
        lifecycle.tell_active(ground.spec, &mut report);
        report
    });
    // Several lineages are under way at once: who watches learns which of them are done.
    ground.tools.tell(&ground.spec.name, Phase::Record);
    report
}

fn run(lifecycle: &Lifecycle, ground: &Ground<'_>, seen: &Sight, options: &Options) -> Result<LineageReport> {
    let consulted = consulted(lifecycle, ground, seen, options)?;
    if let Some(kept) = consulted.filter(|_| seen.answers_left == 0) {
        return Ok(kept);
    }
    let entered = ground.enter(lifecycle, options)?;
    let (mut attempt, recovered) = ground.attempt(&entered, &seen.observed.served)?;
    let (mut report, settled) = recovery_report(ground.spec, recovered);
    if let Settled::Failed = settled {
        lifecycle.tell_active(ground.spec, &mut report);
        return Ok(report);
    }
    let left = if seen.answers_left > 0 { left_answers::take_away(lifecycle, &attempt)? } else { Vec::new() };
    // Whoever held the lock before may have done the work: the disk is looked at again.
    let mut sight = ground.observe(Some(&entered.store), Endpoints::Leave)?;
    if sight.remember_served(seen) == Remembered::No {
        sight = ground.observe(Some(&entered.store), options.endpoints)?;
    }
    let decision = decide(ground.spec, &sight.observed, attempt.now());
    let mut notes = left;
    let waits = notes.len();
    let done = match &decision.plan {
        Plan::Keep | Plan::Recover => None,
        plan => Some(act(lifecycle, &mut attempt, plan, &mut notes)),
    };
    let first = std::mem::replace(&mut report, kept(ground.spec, &sight, &decision));
    report.notes.splice(0..0, first.notes);
    report.changed |= first.changed;
    report.notes.append(&mut notes);
    if waits > 0 {
        report.look_again_by(attempt.now().saturating_add(left_answers::AGAIN));
    }
    if done.is_some() {
        // What comes next is seen at the next look.
        (report.renewal, report.next) = (None, None);
    }
    match done {
        None => {}
        Some(Ok(committed)) => fill(&mut report, &committed),
        Some(Err(error)) => {
            report = report.failed(&error);
            if decision.plan == Plan::Issue {
                report.next = attempt.directory.schedule()?.not_before.map(|next| next.to_string());
            }
            lifecycle.tell_active(ground.spec, &mut report);
        }
    }
    Ok(report)
}

/// Ask the issuer for its suggestion when it is time to. The report, when there is nothing else to do.
fn consulted(
    lifecycle: &Lifecycle,
    ground: &Ground<'_>,
    seen: &Sight,
    options: &Options,
) -> Result<Option<LineageReport>> {
    let decision = decide(ground.spec, &seen.observed, ground.tools.clock.now());
    if !consult::is_due(lifecycle, ground.spec, seen, &decision, options.endpoints) {
        return Ok(None);
    }
    let Some(store) = Store::open(&ground.tools.fs, &lifecycle.config.root)? else { return Ok(None) };
    let mut sight = seen.clone();
    consult::consult(lifecycle, &store, ground.spec, &mut sight, Memory::Keep)?;
    let decision = decide(ground.spec, &sight.observed, ground.tools.clock.now());
    Ok((decision.plan == Plan::Keep).then(|| kept(ground.spec, &sight, &decision)))
}

/// What recovery left to be done.
enum Settled {
    Well,
    Failed,
}

fn recovery_report(spec: &Spec, recovered: Recovered) -> (LineageReport, Settled) {
    let mut report = LineageReport::new(&spec.name, "recover");
    report.notes = recovered.notes;
    match recovered.finished {
        None => (report, Settled::Well),
        Some(Ok(committed)) => {
            fill(&mut report, &committed);
            (report, Settled::Well)
        }
        Some(Err(error)) => (report.failed(&error), Settled::Failed),
    }
}

fn act(lifecycle: &Lifecycle, attempt: &mut Attempt<'_>, plan: &Plan, notes: &mut Vec<String>) -> Result<Committed> {
    // A repair is better than what there is, whoever can be told of it.
    if *plan != Plan::Repair {
        attempt.preflight()?;
    }
    let from = attempt.active.as_ref().map(|manifest| manifest.generation);
    match plan {
        Plan::Issue => {
            let before = left_answers::told(attempt.directory);
            let mut obtained = obtain::issue(lifecycle, attempt)?;
            notes.append(&mut obtained.passed_over);
            notes.extend(left_answers::told(attempt.directory).into_iter().filter(|left| !before.contains(left)));
            let proven = staged_and_proven(attempt, &obtained.material, &Origin::Issued(obtained.issuer.clone()));
            let settled = obtain::settle(attempt, &obtained, proven.as_ref().err());
            let proven = proven?;
            settled?;
            carry_through(attempt, proven, Purpose::Deploy, from)
        }
        Plan::Activate(id) => {
            // What is active already is not judged as if it were new: it is made to be served.
            let gate = if from == Some(*id) { Gate::Return } else { Gate::Forward };
            let proven = ready(attempt, *id, gate)?;
            obtain::forget_order_of(attempt, proven.key_fingerprint());
            carry_through(attempt, proven, Purpose::Deploy, from)
        }
        Plan::Repair => repair(attempt),
        Plan::Keep | Plan::Recover => Err(Error::new(ErrorKind::Bug, "a decision without work was carried out")),
    }
}

/// `Issued → Staged → Proven → …`: what `deploy` does with what it was given.
pub(super) fn deploy_material(attempt: &mut Attempt<'_>, material: &Material, origin: &Origin) -> Result<Committed> {
    let from = attempt.active.as_ref().map(|manifest| manifest.generation);
    let proven = staged_and_proven(attempt, material, origin)?;
    carry_through(attempt, proven, Purpose::Deploy, from)
}

fn staged_and_proven(attempt: &Attempt<'_>, material: &Material, origin: &Origin) -> Result<Proven> {
    let proven = stage(attempt, material, origin).and_then(|staged| prove(attempt, staged, Gate::Forward));
    proven.inspect_err(|_| swept(attempt))
}

/// The same key and certificate in a new generation, with the access and outputs that are wished.
fn repair(attempt: &mut Attempt<'_>) -> Result<Committed> {
    let Some(active) = attempt.active.clone() else {
        return Err(Error::new(ErrorKind::Bug, "there is nothing to repair"));
    };
    let from = Some(active.generation);
    let proven = again(attempt, active, Gate::Return)?;
    carry_through(attempt, proven, Purpose::Repair, from)
}

/// A generation that is there, proved: as it is when it was made with the access and outputs that are wished now and nobody
/// changed that since, else its material in a new one.
pub(super) fn ready(attempt: &mut Attempt<'_>, id: GenerationId, gate: Gate) -> Result<Proven> {
    if let Ok(manifest) = attempt.directory.complete(id)? {
        let (wanted, spec) = (&attempt.wanted, attempt.spec);
        if !wanted.is_met_by(&manifest, spec) || !access_stands(attempt.directory, &manifest, wanted)? {
            return again(attempt, manifest, gate);
        }
    }
    prove_generation(attempt, id, gate)
}

fn again(attempt: &Attempt<'_>, manifest: Manifest, gate: Gate) -> Result<Proven> {
    let id = manifest.generation;
    let node = attempt
        .directory
        .generation(id)?
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "the generation is not there").context("generation", id))?;
    let material = read_material(attempt, &node, &manifest)?;
    let origin = Origin::Repair(Box::new(manifest));
    let proven = stage(attempt, &material, &origin).and_then(|staged| prove(attempt, staged, gate));
    proven.inspect_err(|_| swept(attempt))
}

/// What a failed stage left. If it cannot be removed now, the next run removes it.
fn swept(attempt: &Attempt<'_>) {
    let _ = attempt.directory.sweep();
}

/// The report of a lineage with which nothing was done, or not yet.
pub(super) fn kept(spec: &Spec, sight: &Sight, decision: &Decision) -> LineageReport {
    let mut report = LineageReport::new(&spec.name, decision.plan.code());
    report.reasons = decision.reasons.iter().map(ReasonReport::from).collect();
    if let Some(manifest) = &sight.manifest {
        report.generation = Some(manifest.generation.to_string());
        report.not_after = Some(manifest.window.end.to_string());
    }
    report.served = sight.served.clone();
    report.silent.clone_from(&sight.silent);
    if !spec.issuers.is_empty() {
        report.renewal = decision.renewal.map(|renewal| renewal.at.to_string());
    }
    report.next = decision.next.map(|next| next.to_string());
    if let Standing::Waiting { .. } = decision.standing {
        report.outcome = Outcome::Failed;
    }
    report
}

/// What a committed attempt adds to a report.
pub(super) fn fill(report: &mut LineageReport, committed: &Committed) {
    report.outcome = Outcome::Well;
    report.changed = true;
    report.generation = Some(committed.manifest().generation.to_string());
    report.not_after = Some(committed.manifest().window.end.to_string());
    let seen: Vec<ServedReport> = committed.observations().iter().filter_map(ServedReport::of).collect();
    report.served = (!seen.is_empty()).then_some(seen);
    report.silent.clear();
    report.access = committed
        .access()
        .iter()
        .map(|proof| ProofReport::committed(proof, settled(proof.path(), committed.manifest().generation)))
        .collect();
    report.notes.extend(committed.notes().iter().cloned());
    report.retired = committed.retired().iter().map(GenerationId::to_string).collect();
}

/// The path that a file has since it was proved.
fn settled(proved: &Path, generation: GenerationId) -> PathBuf {
    if let Some(output) = outputs::settled_path(proved) {
        return output;
    }
    let stage = proved.parent().filter(|parent| is_stage(parent));
    match (stage.and_then(Path::parent), proved.file_name()) {
        (Some(above), Some(name)) => above.join(generation.to_string()).join(name),
        _ => proved.to_owned(),
    }
}

fn is_stage(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(STAGE.as_bytes()))
}

impl Lifecycle {
    /// What is active after a run that failed: that is what an operator needs to know first, whichever step it was. A disk
    /// that cannot say leaves the report as it is.
    pub(super) fn tell_active(&self, spec: &Spec, report: &mut LineageReport) {
        let Ok(Some(store)) = Store::open(&self.tools.fs, &self.config.root) else { return };
        let Ok(Some(directory)) = store.lineage(&spec.name) else { return };
        let Ok(Current::Generation(id)) = directory.current() else { return };
        let Ok(Some(node)) = directory.generation(id) else { return };
        let Ok(Ok(manifest)) = directory.manifest(&node, id) else { return };
        report.generation = Some(id.to_string());
        report.not_after = Some(manifest.window.end.to_string());
    }

    pub(super) fn plan_selected(
        &self,
        selection: &super::Selection,
        endpoints: Endpoints,
    ) -> Result<super::report::PlanReport> {
        let store = Store::open(&self.tools.fs, &self.config.root)?;
        let me = self.tools.fs.identity();
        let mut lineages = Vec::new();
        for name in self.select(selection)? {
            lineages.push(self.planned(store.as_ref(), &me, self.config.lineage(name)?, endpoints));
        }
        Ok(super::report::PlanReport::new(lineages))
    }

    fn planned(
        &self,
        store: Option<&Store>,
        me: &Identity,
        spec: &Spec,
        endpoints: Endpoints,
    ) -> super::report::PlannedReport {
        let looked = Ground::of(self, &self.tools, me, spec).and_then(|ground| ground.observe(store, endpoints));
        let decided = looked.and_then(|mut sight| {
            let decide = |sight: &Sight| decide(spec, &sight.observed, self.tools.clock.now());
            let decision = decide(&sight);
            match store {
                Some(store) if consult::is_due(self, spec, &sight, &decision, endpoints) => {
                    consult::consult(self, store, spec, &mut sight, Memory::Leave)?;
                    Ok(decide(&sight))
                }
                _ => Ok(decision),
            }
        });
        super::report::PlannedReport::new(&spec.name, decided)
    }
}
