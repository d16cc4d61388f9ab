//! Writing a generation where nobody can reach it, then giving it its name.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::access::inode::Access;
use super::filesystem::{Node, Open, Rename};
use super::lineage::{LineageDirectory, STAGE};
use super::manifest::{self, FileFacts, Manifest};
use super::state::drop_default_acl;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::GenerationId;
use crate::pki::digest::sha256;

/// A directory for nobody else (0700) in which a generation is written. Left alone, recovery removes it.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    lineage: &'a LineageDirectory,
    generations: Node,
    node: Node,
    name: OsString,
    files: Vec<FileFacts>,
}

impl<'a> Stage<'a> {
    /// A new empty stage for the generation with this number.
    pub(crate) fn make(lineage: &'a LineageDirectory, sequence: u64) -> Result<Self> {
        let name = OsString::from(format!("{STAGE}{sequence:04}"));
        let fault = |source| lineage.fault("the stage cannot be made", &name.to_string_lossy(), source);
        let fs = &*lineage.fs;
        let generations = lineage.generations()?;
        fs.make_directory(&generations, &name, 0o700).map_err(fault)?;
        let node = fs.open(Some(&generations), Path::new(&name), Open::Directory).map_err(fault)?;
        drop_default_acl(fs, &node).map_err(fault)?;
        Ok(Self { lineage, generations, node, name, files: Vec::new() })
    }

    /// Write a file with its final access: owner and ACL are set on the open handle and read back, and content and
    /// metadata are durable, before anybody could reach it.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8], access: &Access) -> Result<()> {
        write_new(self.lineage, &self.node, name, bytes, access)?;
        self.files.push(FileFacts {
            name: name.to_owned(),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
            access: access.clone(),
        });
        Ok(())
    }

    /// The files written so far.
    pub(crate) fn files(&self) -> &[FileFacts] {
        &self.files
    }

    /// Write the manifest, then open the directory for those who may search it.
    pub(crate) fn finish(&self, manifest: &Manifest, public: &Access) -> Result<()> {
        let bytes = manifest
            .to_bytes()
            .map_err(|source| Error::new(ErrorKind::Bug, "the manifest cannot be written as JSON").source(source))?;
        write_new(self.lineage, &self.node, manifest::NAME, &bytes, public)?;
        manifest.directory.apply(&*self.lineage.fs, &self.node)?;
        self.lineage
            .fs
            .sync(&self.node)
            .map_err(|source| self.lineage.fault("the stage cannot be made durable", "generations", source))
    }

    /// The stage's directory.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// The stage's path.
    pub(crate) fn path(&self) -> PathBuf {
        self.lineage.path().join("generations").join(&self.name)
    }

    /// Give the generation its name. It is complete, and nothing refers to it yet.
    pub(crate) fn publish(self, id: GenerationId) -> Result<Node> {
        let fs = &*self.lineage.fs;
        fs.rename(&self.generations, &self.name, &self.generations, OsStr::new(&id.to_string()), Rename::NoReplace)
            .and_then(|()| fs.sync(&self.generations))
            .map_err(|source| self.lineage.fault("the generation cannot be named", &id.to_string(), source))?;
        Ok(self.node)
    }
}

fn write_new(lineage: &LineageDirectory, at: &Node, name: &str, bytes: &[u8], access: &Access) -> Result<()> {
    let fs = &*lineage.fs;
    let fault = |source| lineage.fault("a file of the generation cannot be written", name, source);
    let file = fs.open(Some(at), Path::new(name), Open::Create).map_err(fault)?;
    fs.write(&file, bytes).map_err(fault)?;
    access.apply(fs, &file).map_err(|error| error.context("path", lineage.path().join(name).as_path()))?;
    fs.sync(&file).map_err(fault)
}
