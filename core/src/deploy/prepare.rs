//! Files outside, made ready beside their targets from what a generation holds.

use super::attempt::Attempt;
use super::render;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::pki::chain::Chain;
use crate::pki::digest::sha256;
use crate::pki::key::PrivateKey;
use crate::pki::material::Material;
use crate::place::filesystem::Node;
use crate::place::manifest::Manifest;
use crate::place::outputs::{self, Content};
use crate::place::txn::PreparedOutput;
use crate::plan::spec::{Form, Output, Strategy};

/// Prepare every output of the spec that is not so already. Include files come last: they name files that the others
/// must be beside by then.
pub(crate) fn prepare(attempt: &Attempt<'_>, node: &Node, manifest: &Manifest) -> Result<Vec<PreparedOutput>> {
    let fs = &*attempt.tools.fs;
    let mut waiting = Vec::new();
    let mut last = Vec::new();
    for (place, (output, access)) in attempt.spec.outputs.iter().zip(&attempt.wanted.outputs).enumerate() {
        let source = render::source_name(output, place);
        if output.strategy == Strategy::Link {
            let target = attempt.current_path().join(&source);
            waiting.extend(outputs::prepare(fs, &output.path, &Content::Link(&target))?);
        } else {
            let bytes = content(attempt, node, manifest, output, &source)?;
            let prepared = outputs::prepare(fs, &output.path, &Content::File(&bytes, access))?;
            if output.strategy == Strategy::Pinned { &mut last } else { &mut waiting }.extend(prepared);
        }
    }
    waiting.append(&mut last);
    Ok(waiting)
}

/// From the generation when it holds this output; made anew when the output was wished for later.
fn content(attempt: &Attempt<'_>, node: &Node, manifest: &Manifest, output: &Output, source: &str) -> Result<Vec<u8>> {
    let held = manifest
        .outputs
        .iter()
        .any(|facts| facts.path == output.path && facts.strategy == output.strategy && facts.source == source);
    if held && let Some(bytes) = attempt.directory.read(node, source)? {
        return Ok(bytes);
    }
    let material = read_material(attempt, node, manifest)?;
    let generation = attempt.directory.generation_path(manifest.generation);
    render::source(&*attempt.tools.fs, &attempt.spec.name, &material, output, &generation)
        .map(|bytes| bytes.expose().to_vec())
}

/// What the disk gives back, by name; every file is what the manifest says.
pub(crate) fn read_material(attempt: &Attempt<'_>, node: &Node, manifest: &Manifest) -> Result<Material> {
    let mut key = None;
    let mut chain = None;
    for file in &manifest.files {
        let changed = |what: &'static str| {
            Error::new(ErrorKind::Io, what)
                .context("lineage", &attempt.spec.name)
                .context("generation", manifest.generation)
                .context("file", Public(&file.name))
                .hint("look at the disk and at who else writes here, then run it again")
        };
        let bytes =
            attempt.directory.read(node, &file.name)?.ok_or_else(|| changed("a file that was written is gone"))?;
        if sha256(&bytes) != file.sha256 {
            return Err(changed("a file is not what was written"));
        }
        if file.name == Form::Key.file_name() {
            key = Some(PrivateKey::from_pem(&bytes)?);
        } else if file.name == Form::Fullchain.file_name() {
            chain = Some(Chain::from_pem(&bytes)?);
        }
    }
    match (key, chain) {
        (Some(key), Some(chain)) => Material::new(key, chain),
        _ => Err(Error::new(ErrorKind::Unfit, "the generation has no key or no chain")
            .context("generation", manifest.generation)),
    }
}
