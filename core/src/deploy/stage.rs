//! `Issued ─stage─▶ Staged`: a generation on disk that nobody can reach.

use super::attempt::Attempt;
use super::render;
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::ground::id::{GenerationId, IssuerName};
use crate::ground::name::{Identifier, Sans};
use crate::pki::material::Material;
use crate::place::generation::Stage;
use crate::place::manifest::{Manifest, OutputFacts};
use crate::plan::spec::Form;

/// Less free space than this is not worth beginning with: several times a generation with a long chain.
const ROOM: u64 = 256 * 1024;
const INODES: u64 = 16;

/// Where material comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// This issuer made it for us.
    Issued(IssuerName),
    /// Another client obtained it.
    Brought,
    /// It is the material of this generation again, with the access and outputs that were wished.
    Repair(Box<Manifest>),
}

/// A generation that is written and durable but has no name yet. Only [`stage`] makes one.
#[derive(Debug)]
pub(crate) struct Staged<'a> {
    stage: Stage<'a>,
    manifest: Manifest,
}

impl<'a> Staged<'a> {
    /// What is proved. It cannot be put together again.
    pub(super) fn into_parts(self) -> (Stage<'a>, Manifest) {
        (self.stage, self.manifest)
    }
}

/// Write every file with its final access where nobody can reach it.
pub(crate) fn stage<'a>(attempt: &Attempt<'a>, material: &Material, origin: &Origin) -> Result<Staged<'a>> {
    attempt.begin(Phase::Stage);
    write(attempt, material, origin).map_err(|error| error.in_phase(Phase::Stage))
}

fn write<'a>(attempt: &Attempt<'a>, material: &Material, origin: &Origin) -> Result<Staged<'a>> {
    room(attempt)?;
    let leaf = material.chain().leaf();
    let newest = attempt.directory.ids()?.last().map_or(0, GenerationId::sequence);
    let sequence = attempt.txn.sequence.max(newest) + 1;
    let id = GenerationId::new(sequence, &leaf.fingerprint());

    let mut stage = Stage::make(attempt.directory, sequence)?;
    for form in Form::ALL {
        let access = if form.is_secret() { &attempt.wanted.secret } else { &attempt.wanted.public };
        stage.write(form.file_name(), render::pem(material, form).expose(), access)?;
    }
    let outputs = write_sources(attempt, material, id, &mut stage)?;
    let (issuer, repairs) = match origin {
        Origin::Issued(issuer) => (Some(issuer.clone()), None),
        Origin::Brought => (None, None),
        Origin::Repair(manifest) => (manifest.issuer.clone(), Some(manifest.origin())),
    };
    let manifest = Manifest {
        generation: id,
        created: attempt.now(),
        issuer,
        identifiers: Sans::new(distinct(leaf.identifiers()))?,
        key: material.key().algorithm(),
        key_fingerprint: material.key().fingerprint(),
        leaf: leaf.fingerprint(),
        window: leaf.window(),
        repairs,
        directory: attempt.wanted.directory.clone(),
        files: stage.files().to_vec(),
        outputs,
    };
    stage.finish(&manifest, &attempt.wanted.public)?;
    attempt.record("stage", Some(id), repairs.map(|of| format!("repairs {of}")));
    Ok(Staged { stage, manifest })
}

/// A generation holds what its outputs outside will hold, so that going back needs nothing but the generation.
fn write_sources(
    attempt: &Attempt<'_>,
    material: &Material,
    id: GenerationId,
    stage: &mut Stage<'_>,
) -> Result<Vec<OutputFacts>> {
    let fs = &*attempt.tools.fs;
    let path = attempt.directory.generation_path(id);
    let mut outputs = Vec::with_capacity(attempt.spec.outputs.len());
    for (place, (output, access)) in attempt.spec.outputs.iter().zip(&attempt.wanted.outputs).enumerate() {
        let source = render::source_name(output, place);
        if !stage.files().iter().any(|file| file.name == source) {
            stage.write(&source, render::source(fs, &attempt.spec.name, material, output, &path)?.expose(), access)?;
        }
        outputs.push(OutputFacts {
            path: output.path.clone(),
            strategy: output.strategy,
            source,
            access: access.clone(),
        });
    }
    Ok(outputs)
}

/// A certificate may name something twice; a set does not.
fn distinct(identifiers: &[Identifier]) -> Vec<Identifier> {
    let mut seen = Vec::with_capacity(identifiers.len());
    let mut sorted: Vec<&Identifier> = identifiers.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    for identifier in identifiers {
        if let Ok(at) = sorted.binary_search(&identifier) {
            sorted.remove(at);
            seen.push(identifier.clone());
        }
    }
    seen
}

/// Refuse before anything is begun what cannot be finished.
fn room(attempt: &Attempt<'_>) -> Result<()> {
    let directory = attempt.directory;
    let space = attempt
        .tools
        .fs
        .space(&directory.node)
        .map_err(|source| Error::io("the free space is not known", source).context("path", directory.path()))?;
    let error = |message: &'static str| Error::new(ErrorKind::Io, message).context("path", directory.path());
    if space.read_only {
        return Err(error("the file system is mounted read-only")
            .hint("mount it for writing; if it became read-only by itself, look at `dmesg` first"));
    }
    if space.bytes < ROOM {
        return Err(error("the file system is full").context("free", space.bytes).hint("free some space"));
    }
    if space.inodes.is_some_and(|inodes| inodes < INODES) {
        return Err(error("the file system has no inodes left").hint("remove some files"));
    }
    Ok(())
}
