//! Looking at everything without being a process: for oracles and failure messages.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use certwright::{AclKind, Identity, NodeKind};
use rustix::io::Errno;

use super::access::{READ, allows};
use super::acl::encode;
use super::inode::{Body, Ino, Inode, ROOT};
use super::resolve::{Last, Walk};
use super::volume::Volume;

/// All that is there at one moment. Links in paths are followed, as a reader would.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    volume: &'a Volume,
}

impl<'a> View<'a> {
    pub(super) const fn new(volume: &'a Volume) -> Self {
        Self { volume }
    }

    fn find(&self, path: &Path, last: Last) -> io::Result<&'a Inode> {
        let spot = Walk { volume: self.volume, who: None }.absolute(path, last)?;
        self.volume.inode(spot.found.ok_or(Errno::NOENT)?)
    }

    /// Whether there is something under this name, a dangling link included.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.find(path.as_ref(), Last::Keep).is_ok()
    }

    /// The content of a file.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        match &self.find(path.as_ref(), Last::Follow)?.body {
            Body::File(bytes) => Ok(bytes.clone()),
            Body::Directory(_) => Err(Errno::ISDIR.into()),
            Body::Link(_) | Body::Fifo => Err(Errno::INVAL.into()),
        }
    }

    /// Where a link leads.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is none.
    pub fn read_link(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        match &self.find(path.as_ref(), Last::Keep)?.body {
            Body::Link(target) => Ok(target.clone()),
            Body::File(_) | Body::Directory(_) | Body::Fifo => Err(Errno::INVAL.into()),
        }
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn names(&self, path: impl AsRef<Path>) -> io::Result<Vec<OsString>> {
        let inode = self.find(path.as_ref(), Last::Follow)?;
        Ok(inode.body.entries().ok_or(Errno::NOTDIR)?.keys().cloned().collect())
    }

    /// Owner, group and permission bits of what a path leads to.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn access(&self, path: impl AsRef<Path>) -> io::Result<(u32, u32, u32)> {
        let attributes = &self.find(path.as_ref(), Last::Follow)?.attributes;
        Ok((attributes.uid, attributes.gid, attributes.mode))
    }

    /// The stored ACL of what a path leads to.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn acl(&self, path: impl AsRef<Path>, kind: AclKind) -> io::Result<Option<Vec<u8>>> {
        Ok(self.find(path.as_ref(), Last::Follow)?.attributes.stored(kind).map(encode))
    }

    /// Whether `who`, without capabilities, can open this for reading by this path.
    ///
    /// # Errors
    ///
    /// What the kernel says beside "permission denied": most of all, that it is not there.
    pub fn can_open(&self, who: &Identity, path: impl AsRef<Path>) -> io::Result<bool> {
        self.volume.can_open(who, path.as_ref())
    }

    /// Whether `who` could open this for reading if no directory on the way were in between: a key that only its parent
    /// directory protects is not protected.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn could_read(&self, who: &Identity, path: impl AsRef<Path>) -> io::Result<bool> {
        Ok(allows(&self.find(path.as_ref(), Last::Follow)?.attributes, who, READ))
    }

    /// Every path and the kind of what it names, sorted; links are not followed.
    pub fn walk(&self) -> Vec<(PathBuf, NodeKind)> {
        self.inodes().into_iter().map(|(path, inode)| (path, inode.body.kind())).collect()
    }

    /// Files that hold this text and that `who` could read, whatever the directories on the way.
    pub fn leaks(&self, who: &Identity, text: &[u8]) -> Vec<PathBuf> {
        let holds = |bytes: &[u8]| !text.is_empty() && bytes.windows(text.len()).any(|window| window == text);
        self.inodes()
            .into_iter()
            .filter(|(_, inode)| match &inode.body {
                Body::File(bytes) => holds(bytes) && allows(&inode.attributes, who, READ),
                Body::Directory(_) | Body::Link(_) | Body::Fifo => false,
            })
            .map(|(path, _)| path)
            .collect()
    }

    fn inodes(&self) -> Vec<(PathBuf, &'a Inode)> {
        let mut found = Vec::new();
        let mut todo: Vec<(PathBuf, Ino)> = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, ino)) = todo.pop() {
            let Ok(inode) = self.volume.inode(ino) else { continue };
            let entries = inode.body.entries().into_iter().flatten();
            todo.extend(entries.map(|(name, child)| (path.join(name), *child)));
            found.push((path, inode));
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }

    /// A listing for people: mode, owner, ACL, path, and what is inside.
    pub fn tree(&self) -> String {
        let mut out = String::new();
        for (path, inode) in self.inodes() {
            let attributes = &inode.attributes;
            let acl = if attributes.acl.is_some() { "+" } else { " " };
            let inside = match &inode.body {
                Body::File(bytes) => format!(" {:?}", String::from_utf8_lossy(bytes.get(..40).unwrap_or(bytes))),
                Body::Directory(_) => String::from("/"),
                Body::Link(target) => format!(" -> {}", target.display()),
                Body::Fifo => String::from(" |"),
            };
            let (mode, uid, gid) = (attributes.mode, attributes.uid, attributes.gid);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{mode:04o}{acl} {uid}:{gid} {}{inside}", path.display());
        }
        out
    }
}
