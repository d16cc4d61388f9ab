//! A file system that is the kernel's, but for one answer.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use certwright::{AclKind, Filesystem, Identity, Node, Open, OsFilesystem, Rename, Space, Stat};

/// Says of everybody the opposite of what the kernel says, as a security module might for one half of the cases.
#[derive(Debug)]
pub(super) struct Lying(pub(super) OsFilesystem);

impl Filesystem for Lying {
    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn can_open_as(&self, who: &Identity, path: &Path) -> io::Result<bool> {
        self.0.can_open_as(who, path).map(|opens| !opens)
    }

    fn open(&self, at: Option<&Node>, path: &Path, how: Open) -> io::Result<Node> {
        self.0.open(at, path, how)
    }

    fn make_directory(&self, at: &Node, name: &OsStr, mode: u32) -> io::Result<()> {
        self.0.make_directory(at, name, mode)
    }

    fn read(&self, file: &Node, limit: usize) -> io::Result<Vec<u8>> {
        self.0.read(file, limit)
    }

    fn write(&self, file: &Node, bytes: &[u8]) -> io::Result<()> {
        self.0.write(file, bytes)
    }

    fn stat(&self, node: &Node) -> io::Result<Stat> {
        self.0.stat(node)
    }

    fn stat_at(&self, at: &Node, name: &OsStr) -> io::Result<Stat> {
        self.0.stat_at(at, name)
    }

    fn set_owner(&self, node: &Node, uid: u32, gid: u32) -> io::Result<()> {
        self.0.set_owner(node, uid, gid)
    }

    fn set_mode(&self, node: &Node, mode: u32) -> io::Result<()> {
        self.0.set_mode(node, mode)
    }

    fn acl(&self, node: &Node, kind: AclKind) -> io::Result<Option<Vec<u8>>> {
        self.0.acl(node, kind)
    }

    fn set_acl(&self, node: &Node, kind: AclKind, value: Option<&[u8]>) -> io::Result<()> {
        self.0.set_acl(node, kind, value)
    }

    fn sync(&self, node: &Node) -> io::Result<()> {
        self.0.sync(node)
    }

    fn sync_all(&self, node: &Node) -> io::Result<()> {
        self.0.sync_all(node)
    }

    fn rename(&self, from: &Node, name: &OsStr, to: &Node, new_name: &OsStr, how: Rename) -> io::Result<()> {
        self.0.rename(from, name, to, new_name, how)
    }

    fn make_link(&self, at: &Node, name: &OsStr, target: &Path) -> io::Result<()> {
        self.0.make_link(at, name, target)
    }

    fn read_link(&self, at: &Node, name: &OsStr) -> io::Result<PathBuf> {
        self.0.read_link(at, name)
    }

    fn remove_file(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        self.0.remove_file(at, name)
    }

    fn remove_directory(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        self.0.remove_directory(at, name)
    }

    fn list(&self, directory: &Node) -> io::Result<Vec<OsString>> {
        self.0.list(directory)
    }

    fn try_lock(&self, file: &Node) -> io::Result<bool> {
        self.0.try_lock(file)
    }

    fn space(&self, node: &Node) -> io::Result<Space> {
        self.0.space(node)
    }
}
