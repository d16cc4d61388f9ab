//! A lineage's directory: its names, and the one link that changes. What lies where is told in `docs/layout.md`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::access::inode::Access;
use super::atomic::{self, found};
use super::contents::{Contents, Holds};
use super::filesystem::{Filesystem, Node, NodeKind, Open, Rename};
use super::journal::{self, Event};
use super::lock::{self, Lock};
use super::manifest::{self, Manifest};
use super::state::drop_default_acl;
use super::txn::{self, Txn};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::{GenerationId, LineageName};

/// The only mutable name of the set.
pub(crate) const CURRENT: &str = "current";
const GENERATIONS: &str = "generations";
/// Generations that are being written or removed begin like this.
pub(crate) const STAGE: &str = ".stage-";
const TRASH: &str = ".trash-";
/// The largest file of a generation that is read back.
pub(crate) const FILE_LIMIT: usize = 4 << 20;

/// An open lineage directory.
#[derive(Clone, Debug)]
pub(crate) struct LineageDirectory {
    pub(crate) fs: Arc<dyn Filesystem>,
    pub(crate) node: Node,
    path: PathBuf,
}

/// Where `current` leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Current {
    /// Nowhere yet.
    Absent,
    /// To a generation, which may be missing or damaged.
    Generation(GenerationId),
    /// To something that is not a generation.
    Foreign(String),
}

/// What the file of the unsettled says.
#[derive(Clone, Debug)]
pub(crate) enum TxnFile {
    /// There is none, or it was read.
    Read(Txn),
    /// It is there and cannot be used.
    Unreadable(String),
}

/// What lies in a lineage's directory, from one look.
#[derive(Debug)]
pub(crate) struct Inventory {
    /// The directory that holds the generations.
    pub(crate) generations: Node,
    /// The generations there are, complete or not, oldest first.
    pub(crate) ids: Vec<GenerationId>,
    pub(crate) debris: Debris,
}

/// Whether something half-made lies about: left by a run that died, or of a run that is at work right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Debris {
    None,
    Some,
}

impl LineageDirectory {
    /// Open the lineage's directory, or `None` when there is none.
    pub(crate) fn open(fs: &Arc<dyn Filesystem>, root: &Node, path: &Path, name: &LineageName) -> Result<Option<Self>> {
        let node = found(fs.open(Some(root), Path::new(name.as_str()), Open::Directory))
            .map_err(|source| Error::io("the lineage cannot be opened", source).context("lineage", name))?;
        Ok(node.map(|node| Self { fs: fs.clone(), node, path: path.join(name.as_str()) }))
    }

    /// The lineage's directory for those who may pass through it: good for reading names beneath it, and nothing else.
    /// `None` when it or the root is not there.
    #[cfg(feature = "rustls")]
    pub(crate) fn passed_through(fs: &Arc<dyn Filesystem>, root: &Path, name: &LineageName) -> Result<Option<Self>> {
        let opened = match found(fs.open(None, root, Open::Search)) {
            Ok(Some(root)) => found(fs.open(Some(&root), Path::new(name.as_str()), Open::Search)),
            other => other,
        };
        let path = root.join(name.as_str());
        let node = opened.map_err(|source| {
            Error::io("the lineage cannot be opened", source).context("lineage", name).context("path", path.as_path())
        })?;
        Ok(node.map(|node| Self { fs: fs.clone(), node, path }))
    }

    /// Open the lineage's directory; it is made when absent. `access` is what it and `generations` shall have.
    pub(crate) fn make(
        fs: &Arc<dyn Filesystem>,
        root: &Node,
        path: &Path,
        name: &LineageName,
        access: &Access,
    ) -> Result<Self> {
        let fault = |source| Error::io("the lineage cannot be made", source).context("lineage", name);
        let node = make_directory(&**fs, root, OsStr::new(name.as_str())).map_err(fault)?;
        let generations = make_directory(&**fs, &node, OsStr::new(GENERATIONS)).map_err(fault)?;
        for directory in [&generations, &node] {
            settle_access(&**fs, directory, access)?;
        }
        Ok(Self { fs: fs.clone(), node, path: path.join(name.as_str()) })
    }

    /// The directory's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a generation.
    pub(crate) fn generation_path(&self, id: GenerationId) -> PathBuf {
        self.path.join(GENERATIONS).join(id.to_string())
    }

    /// Keep other runs out.
    pub(crate) fn lock(&self, limit: Duration, cancel: &Cancel) -> Result<Lock> {
        lock::take(&*self.fs, &self.node, &self.path, limit, cancel)
    }

    /// Where `current` leads.
    pub(crate) fn current(&self) -> Result<Current> {
        let target = match found(self.fs.read_link(&self.node, OsStr::new(CURRENT))) {
            Ok(target) => target,
            // Not a link at all: somebody put a file or directory there.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Ok(Current::Foreign("something that is not a link".to_owned()));
            }
            Err(error) => return Err(self.fault("the link `current` cannot be read", CURRENT, error)),
        };
        let Some(target) = target else { return Ok(Current::Absent) };
        let id = target.strip_prefix(GENERATIONS).ok().and_then(|rest| rest.to_str()?.parse().ok());
        Ok(id.map_or_else(|| Current::Foreign(target.display().to_string()), Current::Generation))
    }

    /// Let `current` lead to this generation: one rename, made durable.
    pub(crate) fn point_to(&self, id: GenerationId) -> Result<()> {
        let target = Path::new(GENERATIONS).join(id.to_string());
        atomic::point(&*self.fs, &self.node, CURRENT, &target)
            .map_err(|source| self.fault("the link `current` cannot be changed", CURRENT, source))
    }

    /// The directory that holds the generations.
    pub(crate) fn generations(&self) -> Result<Node> {
        self.fs
            .open(Some(&self.node), Path::new(GENERATIONS), Open::Directory)
            .map_err(|source| self.fault("the generations cannot be opened", GENERATIONS, source))
    }

    /// The directory of one generation, or `None` when there is none.
    pub(crate) fn generation(&self, id: GenerationId) -> Result<Option<Node>> {
        let relative = format!("{GENERATIONS}/{id}");
        found(self.fs.open(Some(&self.node), Path::new(&relative), Open::Directory))
            .map_err(|source| self.fault("the generation cannot be opened", &id.to_string(), source))
    }

    /// The directory of one generation for those who may pass through it, or `None` when there is none.
    #[cfg(feature = "rustls")]
    pub(crate) fn passage_to(&self, id: GenerationId) -> Result<Option<Node>> {
        let relative = Path::new(GENERATIONS).join(id.to_string());
        found(self.fs.open(Some(&self.node), &relative, Open::Search))
            .map_err(|source| self.fault("the generation cannot be opened", &id.to_string(), source))
    }

    /// The directory that holds the generations, or `None` when a run died before it could make it.
    fn generations_made(&self) -> Result<Option<Node>> {
        found(self.fs.open(Some(&self.node), Path::new(GENERATIONS), Open::Directory))
            .map_err(|source| self.fault("the generations cannot be opened", GENERATIONS, source))
    }

    /// The generations there are, complete or not, oldest first.
    pub(crate) fn ids(&self) -> Result<Vec<GenerationId>> {
        let generations = self.generations_made()?;
        Ok(generations
            .map(|node| self.names_in(&node))
            .transpose()?
            .map_or_else(Vec::new, |names| generation_ids(&names)))
    }

    /// What lies in the directory and in `generations`, each listed once; `None` when a run died before it could make them.
    pub(crate) fn inventory(&self) -> Result<Option<Inventory>> {
        let Some(generations) = self.generations_made()? else { return Ok(None) };
        let names = self.names_in(&generations)?;
        let half_made = names.iter().any(|name| starts_with(name, STAGE) || starts_with(name, TRASH));
        let half_made = half_made || self.names_in(&self.node)?.iter().any(|name| starts_with(name, atomic::TEMPORARY));
        let debris = if half_made { Debris::Some } else { Debris::None };
        Ok(Some(Inventory { ids: generation_ids(&names), generations, debris }))
    }

    fn names_in(&self, directory: &Node) -> Result<Vec<OsString>> {
        self.fs.list(directory).map_err(|source| self.fault("the lineage cannot be listed", "", source))
    }

    /// The manifest of a generation: an error text when it is missing or cannot be used.
    pub(crate) fn manifest(&self, generation: &Node, id: GenerationId) -> Result<Result<Manifest, String>> {
        let Some(bytes) = self.read(generation, manifest::NAME)? else {
            return Ok(Err("it has no manifest".to_owned()));
        };
        Ok(match Manifest::from_bytes(&bytes) {
            Ok(manifest) if manifest.generation == id => Ok(manifest),
            Ok(manifest) => Err(format!("its manifest is the one of {}", manifest.generation)),
            Err(error) => Err(format!("its manifest cannot be used: {error}")),
        })
    }

    /// A generation whose every file is there with the content that its manifest says; an error text when not.
    pub(crate) fn complete(&self, id: GenerationId) -> Result<Result<Manifest, String>> {
        let Some(node) = self.generation(id)? else { return Ok(Err("it is not there".to_owned())) };
        let manifest = match self.manifest(&node, id)? {
            Ok(manifest) => manifest,
            Err(why) => return Ok(Err(why)),
        };
        let mut contents = Contents::default();
        for file in &manifest.files {
            match self.read(&node, &file.name)?.map(|bytes| contents.judge(file, bytes)) {
                Some(Holds::AsStaged) => {}
                Some(Holds::Other) => return Ok(Err(format!("`{}` was changed", file.name))),
                None => return Ok(Err(format!("`{}` is missing", file.name))),
            }
        }
        Ok(Ok(manifest))
    }

    /// The content of a file in a directory of this lineage, or `None` when there is none.
    pub(crate) fn read(&self, directory: &Node, name: &str) -> Result<Option<Vec<u8>>> {
        self.open_file(directory, name)?.map(|file| self.read_file(&file, name)).transpose()
    }

    /// A file in a directory of this lineage, open for reading, or `None` when there is none.
    pub(crate) fn open_file(&self, directory: &Node, name: &str) -> Result<Option<Node>> {
        found(self.fs.open(Some(directory), Path::new(name), Open::Read))
            .map_err(|source| self.fault("a file cannot be opened", name, source))
    }

    /// The content of an open file.
    pub(crate) fn read_file(&self, file: &Node, name: &str) -> Result<Vec<u8>> {
        self.fs.read(file, FILE_LIMIT).map_err(|source| self.fault("a file cannot be read", name, source))
    }

    /// What is under way.
    pub(crate) fn txn(&self) -> Result<TxnFile> {
        let Some(bytes) = self.read(&self.node, txn::NAME)? else { return Ok(TxnFile::Read(Txn::default())) };
        Ok(match Txn::from_bytes(&bytes) {
            Ok(txn) => TxnFile::Read(txn),
            Err(error) => TxnFile::Unreadable(error.to_string()),
        })
    }

    /// Write down what is under way, durably, before it is done.
    pub(crate) fn write_txn(&self, txn: &Txn) -> Result<()> {
        let bytes = txn
            .to_bytes()
            .map_err(|source| Error::new(ErrorKind::Bug, "`txn` cannot be written as JSON").source(source))?;
        atomic::replace(&*self.fs, &self.node, txn::NAME, &bytes)
            .map_err(|source| self.fault("`txn` cannot be written", txn::NAME, source))
    }

    /// Put an unreadable `txn` aside as evidence, under a name that does not grow in number.
    pub(crate) fn set_txn_aside(&self) -> Result<()> {
        let aside = OsStr::new("txn.unreadable");
        self.fs
            .rename(&self.node, OsStr::new(txn::NAME), &self.node, aside, Rename::Replace)
            .and_then(|()| self.fs.sync(&self.node))
            .map_err(|source| self.fault("`txn` cannot be put aside", txn::NAME, source))
    }

    /// Write a line of history.
    pub(crate) fn record(&self, event: &Event) {
        journal::append(&*self.fs, &self.node, event);
    }

    /// The history, oldest first.
    pub(crate) fn history(&self) -> Result<Vec<Event>> {
        Ok(journal::parse(&self.read(&self.node, journal::NAME)?.unwrap_or_default()))
    }

    /// Remove everything half-made: temporaries, stages, trash. Returns how many there were.
    pub(crate) fn sweep(&self) -> Result<usize> {
        let fault = |source| self.fault("half-made files cannot be removed", "", source);
        let generations = self.generations()?;
        let mut swept = 0;
        for name in self.fs.list(&generations).map_err(fault)? {
            if starts_with(&name, STAGE) || starts_with(&name, TRASH) {
                remove_tree(&*self.fs, &generations, &name).map_err(fault)?;
                swept += 1;
            }
        }
        if swept > 0 {
            self.fs.sync(&generations).map_err(fault)?;
        }
        let mut temporaries = 0;
        for name in self.fs.list(&self.node).map_err(fault)? {
            if starts_with(&name, atomic::TEMPORARY) {
                self.fs.remove_file(&self.node, &name).map_err(fault)?;
                temporaries += 1;
            }
        }
        if temporaries > 0 {
            self.fs.sync(&self.node).map_err(fault)?;
        }
        Ok(swept + temporaries)
    }

    /// Remove a generation: renamed away first, so that no half of it can be mistaken for a whole.
    pub(crate) fn remove(&self, id: GenerationId) -> Result<()> {
        let generations = self.generations()?;
        let name = OsString::from(id.to_string());
        let trash = OsString::from(format!("{TRASH}{id}"));
        self.fs
            .rename(&generations, &name, &generations, &trash, Rename::Replace)
            .and_then(|()| remove_tree(&*self.fs, &generations, &trash))
            .and_then(|()| self.fs.sync(&generations))
            .map_err(|source| self.fault("an old generation cannot be removed", &id.to_string(), source))
    }

    pub(crate) fn fault(&self, message: &'static str, name: &str, source: io::Error) -> Error {
        let full = source.kind() == io::ErrorKind::StorageFull || source.kind() == io::ErrorKind::QuotaExceeded;
        let error = Error::io(message, source).context("path", self.path.join(name).as_path());
        if full { error.hint("free space or inodes on this file system, then run it again") } else { error }
    }
}

/// Open a directory beneath; made for nobody else (0700) when absent, without inherited default ACL.
pub(crate) fn make_directory(fs: &dyn Filesystem, at: &Node, name: &OsStr) -> io::Result<Node> {
    if let Some(node) = found(fs.open(Some(at), Path::new(name), Open::Directory))? {
        return Ok(node);
    }
    match fs.make_directory(at, name, 0o700) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    let node = fs.open(Some(at), Path::new(name), Open::Directory)?;
    drop_default_acl(fs, &node)?;
    fs.sync(at)?;
    Ok(node)
}

/// Give a directory the access that is wished, if it has another.
pub(crate) fn settle_access(fs: &dyn Filesystem, directory: &Node, access: &Access) -> Result<()> {
    if Access::read(fs, directory)? != *access {
        access.apply(fs, directory)?;
        fs.sync(directory).map_err(|source| Error::io("a directory cannot be made durable", source))?;
    }
    Ok(())
}

/// Remove a directory of ours with the files in it. Generations have no directories inside; a foreign one stops it.
fn remove_tree(fs: &dyn Filesystem, at: &Node, name: &OsStr) -> io::Result<()> {
    if fs.stat_at(at, name)?.kind != NodeKind::Directory {
        return fs.remove_file(at, name);
    }
    let directory = fs.open(Some(at), Path::new(name), Open::Directory)?;
    for entry in fs.list(&directory)? {
        fs.remove_file(&directory, &entry)?;
    }
    fs.remove_directory(at, name)
}

fn generation_ids(names: &[OsString]) -> Vec<GenerationId> {
    let mut ids: Vec<GenerationId> = names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    ids
}

fn starts_with(name: &OsStr, prefix: &str) -> bool {
    name.as_encoded_bytes().starts_with(prefix.as_bytes())
}
