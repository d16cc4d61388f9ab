//! A lineage as those see it who may read it: the active generation, read whole, by search permission alone.

use std::path::Path;
use std::sync::Arc;

use super::filesystem::{Filesystem, Node};
use super::lineage::{Current, LineageDirectory};
use super::manifest::Manifest;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::{GenerationId, LineageName};
use crate::pki::chain::Chain;
use crate::pki::digest::sha256;
use crate::pki::key::PrivateKey;
use crate::pki::material::Material;
use crate::plan::spec::Form;

/// How often `current` may change, with its old generation removed, between two calls of one reading.
const RACES: u32 = 8;

/// What a reader finds.
#[derive(Debug)]
pub(crate) enum Active {
    /// Nothing was activated yet.
    Absent,
    /// The generation that the reader knows already.
    Known,
    /// Another generation, and all of it: key and chain belong together.
    Other(GenerationId, Box<Material>),
}

/// What is active in a lineage. `current` is read once, and everything else through a handle on the generation that it led
/// to then: what is switched meanwhile is not mixed.
///
/// # Errors
///
/// `Permission` or `Io` when something cannot be read, `Unfit` when it is not what was written.
///
/// # Effects
///
/// Disk: reads.
pub(crate) fn active(
    fs: &Arc<dyn Filesystem>,
    root: &Path,
    lineage: &LineageName,
    known: Option<GenerationId>,
) -> Result<Active> {
    let told = |error: Error| error.context("lineage", lineage);
    for _ in 0..RACES {
        let Some(directory) = LineageDirectory::passed_through(fs, root, lineage)? else { return Ok(Active::Absent) };
        let id = match directory.current().map_err(told)? {
            Current::Absent => return Ok(Active::Absent),
            Current::Generation(id) if known == Some(id) => return Ok(Active::Known),
            Current::Generation(id) => id,
            Current::Foreign(what) => return Err(told(no_generation(what))),
        };
        if let Some(material) = read(&directory, id).map_err(told)? {
            return Ok(Active::Other(id, Box::new(material)));
        }
    }
    Err(told(
        Error::new(ErrorKind::NotFound, "the active generation is not there")
            .context("path", root.join(lineage.as_str()).as_path())
            .hint("see with `certwright status` what is there, then run `certwright apply`"),
    ))
}

fn no_generation(what: String) -> Error {
    Error::new(ErrorKind::Unfit, "`current` leads to no generation")
        .context("target", Public(&what))
        .hint("run `certwright apply`, which repairs it")
}

/// Key and chain of a generation; `None` when it has just been removed.
fn read(directory: &LineageDirectory, id: GenerationId) -> Result<Option<Material>> {
    let Some(generation) = directory.passage_to(id)? else { return Ok(None) };
    let manifest = match directory.manifest(&generation, id)? {
        Ok(manifest) => manifest,
        // What is being removed loses its name first.
        Err(_) if directory.passage_to(id)?.is_none() => return Ok(None),
        Err(why) => return Err(damaged(id).context("cause", Public(&why))),
    };
    let key = file(directory, &generation, &manifest, Form::Key)?;
    let chain = file(directory, &generation, &manifest, Form::Fullchain)?;
    match (key, chain) {
        (Some(key), Some(chain)) => Material::new(PrivateKey::from_pem(&key)?, Chain::from_pem(&chain)?).map(Some),
        _ if directory.passage_to(id)?.is_none() => Ok(None),
        _ => Err(damaged(id)),
    }
}

/// A file with the content that the manifest says; `None` when it is not there.
fn file(
    directory: &LineageDirectory,
    generation: &Node,
    manifest: &Manifest,
    form: Form,
) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>> {
    let Some(facts) = manifest.files.iter().find(|facts| facts.name == form.file_name()) else { return Ok(None) };
    let Some(bytes) = directory.read(generation, &facts.name)? else { return Ok(None) };
    let bytes = zeroize::Zeroizing::new(bytes);
    if sha256(&bytes) == facts.sha256 {
        return Ok(Some(bytes));
    }
    Err(damaged(manifest.generation).context("file", Public(&facts.name)))
}

fn damaged(id: GenerationId) -> Error {
    Error::new(ErrorKind::Unfit, "the active generation is damaged")
        .context("generation", id)
        .hint("run `certwright apply`, which replaces it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::os::OsFilesystem;
    use crate::place::scratch::Scratch;

    fn look(scratch: &Scratch) -> Result<Active> {
        let fs: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
        active(&fs, &scratch.at("store"), &"www".parse().unwrap(), None)
    }

    #[test]
    fn what_was_never_made_is_absent_and_a_link_that_leads_elsewhere_is_told() {
        let scratch = Scratch::new();
        assert!(matches!(look(&scratch).unwrap(), Active::Absent));
        std::fs::create_dir_all(scratch.at("store/www")).unwrap();
        assert!(matches!(look(&scratch).unwrap(), Active::Absent));
        let current = scratch.at("store/www/current");
        std::os::unix::fs::symlink("/etc", &current).unwrap();
        let error = look(&scratch).unwrap_err();
        assert_eq!((error.kind(), error.fact("target")), (ErrorKind::Unfit, Some("/etc")));
        std::fs::remove_file(&current).unwrap();
        // Removed with its generation, and never put back.
        std::os::unix::fs::symlink("generations/0001-00000000", &current).unwrap();
        assert_eq!(look(&scratch).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
