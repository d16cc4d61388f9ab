//! What is there: the active generation, its files and their access, what is under way, what is served. Reads only.

use super::report::ServedReport;
use crate::deploy::attempt::{Service, Tools};
use crate::deploy::probe;
use crate::deploy::render;
use crate::ground::error::Result;
use crate::ground::id::GenerationId;
use crate::place::access::drift::compare;
use crate::place::access::inode::Access;
use crate::place::contents::{Contents, Holds};
use crate::place::filesystem::Node;
use crate::place::lineage::{CURRENT, Current, Debris, LineageDirectory, TxnFile};
use crate::place::manifest::Manifest;
use crate::place::outputs::{self, Content, Found};
use crate::place::store::Store;
use crate::place::txn::Txn;
use crate::place::wanted::Wanted;
use crate::plan::observed::{Active, Candidate, Deferred, Observed, Served};
use crate::plan::spec::{Spec, Strategy};

/// Whether endpoints are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Endpoints {
    /// Each configured endpoint is asked what it serves.
    #[default]
    Ask,
    /// Nothing is asked over the network.
    Leave,
}

/// What was seen of one lineage.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    pub(super) observed: Observed,
    pub(super) manifest: Option<Manifest>,
    pub(super) txn: Txn,
    pub(super) served: Option<Vec<ServedReport>>,
    /// Where nobody answered.
    pub(super) silent: Vec<String>,
    /// How many answers to challenges an earlier run left.
    pub(super) answers_left: usize,
}

/// Look at one lineage.
pub(super) fn observe(
    tools: &Tools,
    store: Option<&Store>,
    spec: &Spec,
    wanted: &Wanted,
    service: &Service,
    endpoints: Endpoints,
) -> Result<Sight> {
    let mut sight = Sight::default();
    let directory = store.map(|store| store.lineage(&spec.name)).transpose()?.flatten();
    if let Some(directory) = &directory {
        look_at_disk(tools, directory, spec, wanted, &mut sight)?;
    }
    look_at_service(tools, service, endpoints, &mut sight);
    Ok(sight)
}

fn look_at_disk(
    tools: &Tools,
    directory: &LineageDirectory,
    spec: &Spec,
    wanted: &Wanted,
    sight: &mut Sight,
) -> Result<()> {
    let observed = &mut sight.observed;
    match directory.txn()? {
        TxnFile::Read(txn) => sight.txn = txn,
        TxnFile::Unreadable(_) => observed.unfinished = true,
    }
    let Some(inventory) = directory.inventory()? else {
        observed.unfinished = true;
        return Ok(());
    };
    observed.unfinished |= sight.txn.activation.is_some() || inventory.debris == Debris::Some;
    for output in &spec.outputs {
        observed.unfinished |= outputs::is_waiting(&*tools.fs, &output.path)?;
    }
    observed.held = sight.txn.held;
    observed.deferred = deferred(directory, &sight.txn)?;
    observed.machine = tools.machine;
    let schedule = directory.schedule()?;
    observed.issue_not_before = schedule.not_before;
    observed.issue_failures = schedule.failures;
    observed.issue_why = schedule.why;
    observed.asked = schedule.asked;
    observed.issued = schedule.issued;
    observed.clock = schedule.clock;
    sight.answers_left = schedule.answers.len();

    for (name, node) in [("", &directory.node), ("generations", &inventory.generations)] {
        let found = Access::read(&*directory.fs, node)?;
        if let Some(drift) = compare(&wanted.directory, &found) {
            observed.access_drift.push(format!("`{}`: {drift}", directory.path().join(name).display()));
        }
    }
    match directory.current()? {
        Current::Absent => {}
        Current::Foreign(what) => observed.damage = Some(format!("`current` leads to {what}")),
        Current::Generation(id) => look_at_generation(directory, id, wanted, sight)?,
    }
    if let Some(manifest) = &sight.manifest {
        look_at_outputs(tools, directory, spec, wanted, manifest, &mut sight.observed)?;
    }
    look_for_candidate(directory, &inventory.ids, sight)
}

/// Content and access of every file in one pass: each is opened once.
fn look_at_generation(
    directory: &LineageDirectory,
    id: GenerationId,
    wanted: &Wanted,
    sight: &mut Sight,
) -> Result<()> {
    let observed = &mut sight.observed;
    let Some(node) = directory.generation(id)? else {
        observed.damage = Some(format!("{id} is not there"));
        return Ok(());
    };
    let manifest = match directory.manifest(&node, id)? {
        Ok(manifest) => manifest,
        Err(why) => {
            observed.damage = Some(format!("{id} is damaged: {why}"));
            return Ok(());
        }
    };
    if let Some(drift) = compare(&wanted.directory, &Access::read(&*directory.fs, &node)?) {
        observed.access_drift.push(format!("`{}`: {drift}", directory.generation_path(id).display()));
    }
    let mut contents = Contents::default();
    for file in &manifest.files {
        let found = look_at_file(directory, &node, &file.name)?;
        match found.map(|(bytes, access)| (contents.judge(file, bytes), access)) {
            None => observed.damage = Some(format!("{id} is damaged: `{}` is missing", file.name)),
            Some((Holds::Other, _)) => {
                observed.damage = Some(format!("{id} is damaged: `{}` was changed", file.name));
            }
            Some((Holds::AsStaged, found)) => {
                let wished = wanted.file(&file.name, &file.access);
                if let Some(drift) = compare(wished, &found) {
                    let path = directory.generation_path(id).join(&file.name);
                    observed.access_drift.push(format!("`{}`: {drift}", path.display()));
                }
            }
        }
    }
    observed.active = Some(Active {
        generation: id,
        identifiers: manifest.identifiers.clone(),
        key: manifest.key,
        issuer: manifest.issuer.clone(),
        window: manifest.window,
        created: manifest.created,
    });
    // A question about another leaf was no question about this one.
    observed.asked = observed.asked.filter(|asked| asked.leaf == manifest.leaf);
    observed.newest_known = Some(manifest.created);
    sight.manifest = Some(manifest);
    Ok(())
}

/// Whether a whole generation still has the access that is wished, as the disk says.
pub(super) fn access_stands(directory: &LineageDirectory, manifest: &Manifest, wanted: &Wanted) -> Result<bool> {
    let Some(node) = directory.generation(manifest.generation)? else { return Ok(false) };
    let mut stands = Access::read(&*directory.fs, &node)? == wanted.directory;
    for file in &manifest.files {
        let found =
            directory.open_file(&node, &file.name)?.map(|open| Access::read(&*directory.fs, &open)).transpose()?;
        stands &= found.as_ref() == Some(wanted.file(&file.name, &file.access));
    }
    Ok(stands)
}

fn look_at_file(directory: &LineageDirectory, node: &Node, name: &str) -> Result<Option<(Vec<u8>, Access)>> {
    let Some(file) = directory.open_file(node, name)? else { return Ok(None) };
    let bytes = directory.read_file(&file, name)?;
    Ok(Some((bytes, Access::read(&*directory.fs, &file)?)))
}

fn look_at_outputs(
    tools: &Tools,
    directory: &LineageDirectory,
    spec: &Spec,
    wanted: &Wanted,
    manifest: &Manifest,
    observed: &mut Observed,
) -> Result<()> {
    if spec.outputs.is_empty() {
        return Ok(());
    }
    let Some(node) = directory.generation(manifest.generation)? else { return Ok(()) };
    for (place, (output, access)) in spec.outputs.iter().zip(&wanted.outputs).enumerate() {
        let source = render::source_name(output, place);
        let planned = manifest
            .outputs
            .iter()
            .any(|facts| facts.path == output.path && facts.strategy == output.strategy && facts.source == source);
        let bytes = if planned { directory.read(&node, &source)? } else { None };
        let Some(bytes) = bytes else {
            observed.output_drift.push(format!("`{}` is wished for and was never placed", output.path.display()));
            continue;
        };
        let link = directory.path().join(CURRENT).join(&source);
        let content = match output.strategy {
            Strategy::Link => Content::Link(&link),
            _ => Content::File(&bytes, access),
        };
        match outputs::compare(&*tools.fs, &output.path, &content)? {
            Found::Same => {}
            Found::Missing => observed.output_drift.push(format!("`{}` is gone", output.path.display())),
            Found::Other(why) => observed.output_drift.push(format!("`{}`: {why}", output.path.display())),
        }
    }
    Ok(())
}

/// Good material that waits, if it is still whole.
fn deferred(directory: &LineageDirectory, txn: &Txn) -> Result<Option<Deferred>> {
    let Some(waiting) = &txn.deferred else { return Ok(None) };
    let manifest = directory.complete(waiting.generation)?.ok();
    Ok(manifest.map(|manifest| Deferred {
        material: candidate(manifest),
        failures: waiting.failures,
        not_before: waiting.not_before,
        reason: waiting.reason.clone(),
    }))
}

fn candidate(manifest: Manifest) -> Candidate {
    Candidate {
        generation: manifest.generation,
        identifiers: manifest.identifiers,
        key: manifest.key,
        issuer: manifest.issuer,
        window: manifest.window,
    }
}

/// A whole generation with newer material than the active one that was never made active: a run ended before it could be.
/// A repair of the active one has a higher number, and its material is as old as it was.
fn look_for_candidate(directory: &LineageDirectory, ids: &[GenerationId], sight: &mut Sight) -> Result<()> {
    let mut newest = sight.manifest.as_ref().map(Manifest::origin);
    if sight.txn.held.is_some() {
        // What an operator went back from is not news.
        newest = newest.max(sight.txn.previous);
    }
    let passed_over = |id: &GenerationId| {
        let (txn, active) = (&sight.txn, sight.manifest.as_ref());
        txn.unfit.contains(id)
            || txn.deferred.as_ref().is_some_and(|deferred| deferred.generation == *id)
            || active.is_some_and(|active| id.matches(&active.leaf))
    };
    for &id in ids.iter().rev().take_while(|id| newest.is_none_or(|newest| **id > newest)) {
        if passed_over(&id) {
            continue;
        }
        let Ok(manifest) = directory.complete(id)? else { continue };
        // Another generation with the same material failed the proof, or waits.
        let told_apart = |other: &GenerationId| other.matches(&manifest.leaf);
        let (unfit, deferred) = (&sight.txn.unfit, &sight.txn.deferred);
        if unfit.iter().any(told_apart) || deferred.as_ref().is_some_and(|waiting| told_apart(&waiting.generation)) {
            continue;
        }
        sight.observed.candidate = Some(candidate(manifest));
        return Ok(());
    }
    Ok(())
}

impl Sight {
    /// What endpoints were seen to serve a moment ago still holds when the same generation is active.
    pub(super) fn remember_served(&mut self, before: &Self) -> Remembered {
        let active = |sight: &Self| sight.manifest.as_ref().map(|manifest| manifest.generation);
        if active(self) != active(before) {
            return Remembered::No;
        }
        self.observed.served = before.observed.served.clone();
        self.served.clone_from(&before.served);
        self.silent.clone_from(&before.silent);
        Remembered::Yes
    }
}

/// Whether an earlier look at the endpoints could be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remembered {
    Yes,
    No,
}

fn look_at_service(tools: &Tools, service: &Service, endpoints: Endpoints, sight: &mut Sight) {
    let Some(manifest) = &sight.manifest else { return };
    if service.probes.is_empty() {
        return;
    }
    if endpoints == Endpoints::Leave {
        sight.observed.served = Served::NotAsked;
        return;
    }
    let mut seen = Vec::new();
    let (mut other, mut unreachable) = (Vec::new(), Vec::new());
    for probe in &service.probes {
        match probe.observe(&tools.cancel) {
            Ok(observations) => {
                if let Err(error) = probe::served(&manifest.leaf, &observations) {
                    other.push(error.to_string());
                }
                seen.extend(observations.iter().filter_map(ServedReport::of));
                let silent = observations.iter().filter(|observation| observation.seen.is_err());
                sight.silent.extend(silent.map(|observation| observation.place.to_string()));
            }
            Err(error) => {
                sight.silent.push(probe.describe());
                unreachable.push(format!("{}: {error:#}", probe.describe()));
            }
        }
    }
    sight.observed.served = match (other.is_empty(), unreachable.is_empty()) {
        (false, _) => Served::Other(other),
        (true, false) => Served::Unreachable(unreachable),
        (true, true) => Served::Current,
    };
    sight.served = Some(seen);
}
