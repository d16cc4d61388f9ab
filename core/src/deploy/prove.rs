//! `Staged ─prove─▶ Proven`: what is on disk is read again, checked, and shown to be readable by those who must read it and
//! by nobody else. A refusal here costs nothing: what is active was not touched.

use std::path::{Path, PathBuf};

use super::attempt::Attempt;
use super::prepare::{prepare, read_material};
use super::stage::Staged;
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::ground::id::{Fingerprint, GenerationId};
use crate::pki::chain::Chain;
use crate::pki::check::{Requirements, Surplus};
use crate::pki::leaf::Certificate;
use crate::place::access::prove::{self as access, AccessProof, Secrecy, Subject};
use crate::place::filesystem::Node;
use crate::place::manifest::Manifest;
use crate::place::outputs;
use crate::place::txn::PreparedOutput;
use crate::place::wanted;
use crate::plan::spec::{AccessWish, Form, Strategy};

/// A complete generation, its files outside prepared, every reader and an outsider tried. Only this file makes one.
#[derive(Debug)]
pub(crate) struct Proven {
    manifest: Manifest,
    outputs: Vec<PreparedOutput>,
    access: Vec<AccessProof>,
}

impl Proven {
    /// What is activated. It cannot be put together again.
    pub(super) fn into_parts(self) -> (Manifest, Vec<PreparedOutput>, Vec<AccessProof>) {
        (self.manifest, self.outputs, self.access)
    }
}

impl Proven {
    /// SHA-256 of its public key.
    pub(crate) fn key_fingerprint(&self) -> Fingerprint {
        self.manifest.key_fingerprint
    }
}

/// What a generation is proved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// To become active because it is newer and what is wished: an older one than the active is refused, and one that is
    /// not for the identifiers or of the key that are wished.
    Forward,
    /// To become active again because it was so before, or because somebody asked for it by name: it has to be whole, valid
    /// and readable. What it lacks of a wish that came later is no reason to be left without it.
    Return,
}

/// Prove a stage and give it its name.
pub(crate) fn prove(attempt: &Attempt<'_>, staged: Staged<'_>, gate: Gate) -> Result<Proven> {
    attempt.begin(Phase::Prove);
    let (stage, manifest) = staged.into_parts();
    let id = manifest.generation;
    let proven = check(attempt, stage.node(), &stage.path(), manifest, gate);
    let proven = proven.and_then(|proven| stage.publish(id).map(|_| proven));
    proven.map_err(|error| refuse(attempt, error))
}

/// Prove a generation that is there already: a candidate, a deferred one, the previous one.
pub(crate) fn prove_generation(attempt: &mut Attempt<'_>, id: GenerationId, gate: Gate) -> Result<Proven> {
    attempt.begin(Phase::Prove);
    let missing = |why: String| {
        Error::new(ErrorKind::NotFound, format!("the generation cannot be used: {why}"))
            .context("lineage", &attempt.spec.name)
            .context("generation", id)
            .hint(format!("see which there are with `certwright status {}`", attempt.spec.name))
    };
    let manifest = attempt.directory.complete(id)?.map_err(missing)?;
    let node = attempt.directory.generation(id)?.ok_or_else(|| missing("it is not there".to_owned()))?;
    let path = attempt.directory.generation_path(id);
    check(attempt, &node, &path, manifest, gate).map_err(|error| {
        if matches!(error.kind(), ErrorKind::Unfit | ErrorKind::Untrusted) && gate == Gate::Forward {
            condemn(attempt, id);
        }
        refuse(attempt, error)
    })
}

/// Never again: material that failed the proof is not tried a second time.
fn condemn(attempt: &mut Attempt<'_>, id: GenerationId) {
    if !attempt.txn.unfit.contains(&id) {
        attempt.txn.unfit.push(id);
        attempt.txn.deferred.take_if(|deferred| deferred.generation == id);
        // If this cannot be written, the next run judges again and comes to the same end.
        let _ = attempt.save();
    }
}

fn refuse(attempt: &Attempt<'_>, error: Error) -> Error {
    for output in &attempt.spec.outputs {
        let _ = outputs::discard(&*attempt.tools.fs, &output.path);
    }
    let error = error.in_phase(Phase::Prove);
    attempt.record("refuse", None, Some(error.to_string()));
    error
}

fn check(attempt: &Attempt<'_>, node: &Node, path: &Path, manifest: Manifest, gate: Gate) -> Result<Proven> {
    let material = read_material(attempt, node, &manifest)?;
    let active = active_leaf(attempt)?;
    let (wished, asked_for) = match gate {
        // Another client chooses its keys itself, and may bring more names.
        Gate::Forward => (&attempt.spec.identifiers, manifest.issuer.is_some()),
        Gate::Return => (&manifest.identifiers, false),
    };
    let requirements = Requirements {
        surplus: if asked_for { Surplus::Refused } else { Surplus::Accepted },
        key: asked_for.then_some(attempt.spec.key),
        roots: attempt.roots.as_ref(),
        not_before_known: attempt.active.as_ref().map(|active| active.created),
        active: active.as_ref().filter(|_| gate == Gate::Forward),
        ..Requirements::new(wished, attempt.now())
    };
    requirements.check(&material)?;
    let mut forms = Vec::new();
    for form in Form::ALL {
        forms.push(subject(attempt, path.join(form.file_name()), &attempt.spec.access, form.is_secret())?);
    }
    let mut access = try_readers(attempt, &forms)?;
    attempt.places()?;
    let outputs = prepare(attempt, node, &manifest)?;
    let mut waiting_files = Vec::new();
    for waiting in &outputs {
        let output = attempt.spec.outputs.iter().find(|output| output.path == waiting.path);
        if let Some(output) = output.filter(|output| output.strategy == Strategy::Replace) {
            let (path, wish) = (outputs::waiting_path(waiting), wanted::wish(attempt.spec, output));
            waiting_files.push(subject(attempt, path, wish, wanted::is_secret(output))?);
        }
    }
    access.extend(try_readers(attempt, &waiting_files)?);
    Ok(Proven { manifest, outputs, access })
}

/// The leaf that is active, for "not older than".
fn active_leaf(attempt: &Attempt<'_>) -> Result<Option<Certificate>> {
    let Some(active) = &attempt.active else { return Ok(None) };
    let Some(node) = attempt.directory.generation(active.generation)? else { return Ok(None) };
    let bytes = attempt.directory.read(&node, Form::Leaf.file_name())?;
    bytes.map(|bytes| Ok(Chain::from_pem(&bytes)?.leaf().clone())).transpose()
}

/// A file, those who must read it, and whether everybody else must not.
fn subject(attempt: &Attempt<'_>, path: PathBuf, wish: &AccessWish, is_secret: bool) -> Result<Subject> {
    let names = &attempt.tools.names;
    let readers = wish.readers.iter().map(|reader| names.reader(reader)).collect::<Result<_>>();
    let secrecy = if is_secret { Secrecy::Secret } else { Secrecy::Public };
    Ok(Subject { path, readers: readers.map_err(|error| error.context("lineage", &attempt.spec.name))?, secrecy })
}

fn try_readers(attempt: &Attempt<'_>, files: &[Subject]) -> Result<Vec<AccessProof>> {
    let proved = access::prove_each(&*attempt.tools.fs, files, &attempt.tools.names);
    let proved = proved.into_iter().collect::<Result<_>>();
    proved.map_err(|error| error.context("lineage", &attempt.spec.name))
}
