//! What is in a directory, and what became of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use certwright::access::Access;
use certwright::{Error, Filesystem as _, NodeKind, Open, OsFilesystem, Result};

use crate::hook::report::Change;

/// The facts of everything below a directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    root: PathBuf,
    nodes: BTreeMap<PathBuf, Facts>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts {
    pub(super) access: Option<Access>,
    pub(super) content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Folder,
    File(Vec<u8>),
    Link(PathBuf),
    Other,
}

impl Snapshot {
    pub(super) fn take(root: &Path) -> Result<Self> {
        let mut snapshot = Self { root: root.to_owned(), nodes: BTreeMap::new() };
        snapshot
            .walk(root)
            .map_err(|source| Error::io("what the hook left cannot be read", source).context("path", root))?;
        Ok(snapshot)
    }

    fn walk(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let facts = facts(&path)?;
            let deeper = facts.content == Content::Folder;
            self.nodes.insert(path.clone(), facts);
            if deeper {
                self.walk(&path)?;
            }
        }
        Ok(())
    }

    pub(super) fn facts(&self, path: &Path) -> Option<&Facts> {
        self.nodes.get(path)
    }

    /// Every file whose content a test likes.
    pub(super) fn files(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<(&Path, &Facts)> {
        let is = |facts: &Facts| matches!(&facts.content, Content::File(bytes) if wanted(bytes));
        self.nodes.iter().filter(|(_, facts)| is(facts)).map(|(path, facts)| (path.as_path(), facts)).collect()
    }

    pub(super) fn changes_to(&self, after: &Self) -> Vec<Change> {
        let shown = |path: &Path| path.strip_prefix(&self.root).unwrap_or(path).to_owned();
        let mut changes = Vec::new();
        for (path, now) in &after.nodes {
            match self.nodes.get(path) {
                None => changes.push(Change::Created { path: shown(path), access: told(now) }),
                Some(before) => {
                    if before.content != now.content {
                        changes.push(Change::Written { path: shown(path) });
                    }
                    if before.access != now.access {
                        changes.push(Change::Access { path: shown(path), before: told(before), after: told(now) });
                    }
                }
            }
        }
        let gone = self.nodes.keys().filter(|path| !after.nodes.contains_key(*path));
        changes.extend(gone.map(|path| Change::Removed { path: shown(path) }));
        changes
    }
}

fn told(facts: &Facts) -> String {
    facts.access.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn facts(path: &Path) -> io::Result<Facts> {
    let fs_ = OsFilesystem::new();
    let node = fs_.open(None, path, Open::Facts)?;
    let content = match fs_.stat(&node)?.kind {
        NodeKind::Directory => Content::Folder,
        NodeKind::File => Content::File(fs::read(path)?),
        NodeKind::Link => return Ok(Facts { access: None, content: Content::Link(fs::read_link(path)?) }),
        _ => Content::Other,
    };
    Ok(Facts { access: Access::read(&fs_, &node).ok(), content })
}
