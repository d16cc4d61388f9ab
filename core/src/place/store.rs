//! The directory that holds every lineage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::inode::Access;
use super::atomic::found;
use super::filesystem::{Filesystem, Node, Open};
use super::lineage::{LineageDirectory, make_directory, settle_access};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::LineageName;

/// The open root.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    fs: Arc<dyn Filesystem>,
    node: Node,
    path: PathBuf,
}

impl Store {
    /// Open the root, or `None` when it is not there yet.
    ///
    /// # Errors
    ///
    /// `Io` or `Permission` with the path.
    pub(crate) fn open(fs: &Arc<dyn Filesystem>, path: &Path) -> Result<Option<Self>> {
        let node = found(fs.open(None, path, Open::Directory))
            .map_err(|source| Error::io("the root cannot be opened", source).context("path", path))?;
        Ok(node.map(|node| Self { fs: fs.clone(), node, path: path.to_owned() }))
    }

    /// Open the root; it is made when absent, its parent is not: a missing parent is a wrong path or a missing mount.
    pub(crate) fn make(fs: &Arc<dyn Filesystem>, path: &Path, access: &Access) -> Result<Self> {
        if let Some(store) = Self::open(fs, path)? {
            return store.searchable(access).map(|()| store);
        }
        let fault = |source| Error::io("the root cannot be made", source).context("path", path);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::new(ErrorKind::InvalidSpec, "the root is no directory of its own").context("path", path));
        };
        let above = fs.open(None, parent, Open::Directory).map_err(|source| {
            fault(source).hint(format!("make `{}` first, or mount what belongs there", parent.display()))
        })?;
        let node = make_directory(&**fs, &above, name).map_err(fault)?;
        settle_access(&**fs, &node, access)?;
        Ok(Self { fs: fs.clone(), node, path: path.to_owned() })
    }

    /// A root of ours that others cannot search hides every lineage from its readers: a run may have died while it was
    /// being made. A root of somebody else is not ours to change.
    fn searchable(&self, access: &Access) -> Result<()> {
        let found = Access::read(&*self.fs, &self.node)?;
        let closed = found.acl.mode() & 0o001 == 0 && found.acl.is_minimal();
        if closed && found.uid == access.uid { settle_access(&*self.fs, &self.node, access) } else { Ok(()) }
    }

    /// The root's open directory.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// A lineage that is there.
    pub(crate) fn lineage(&self, name: &LineageName) -> Result<Option<LineageDirectory>> {
        LineageDirectory::open(&self.fs, &self.node, &self.path, name)
    }

    /// A lineage, made when absent.
    pub(crate) fn make_lineage(&self, name: &LineageName, access: &Access) -> Result<LineageDirectory> {
        LineageDirectory::make(&self.fs, &self.node, &self.path, name, access)
    }
}
