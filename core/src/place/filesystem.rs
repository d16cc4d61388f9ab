//! The seam to the kernel: the system calls that a placement needs, on handles, never on paths once inside.

use std::any::Any;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ground::identity::Identity;

/// An open file or directory. Whoever implements [`Filesystem`] decides what is inside.
///
/// Cloning shares the handle; a lock taken on it is released when the last clone is dropped.
#[derive(Clone)]
pub struct Node(Arc<dyn Any + Send + Sync>);

impl Node {
    /// A node that holds an implementation's own handle.
    pub fn new(handle: impl Any + Send + Sync) -> Self {
        Self(Arc::new(handle))
    }

    /// The implementation's own handle.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the node was made by another implementation.
    pub fn handle<T: Any>(&self) -> io::Result<&T> {
        self.0
            .downcast_ref()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a node of another file system"))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Node")
    }
}

/// What to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Open {
    /// A directory that exists.
    Directory,
    /// A directory that exists, good for names beneath it, [`Filesystem::stat`] and [`Filesystem::acl`] alone
    /// (`O_PATH|O_DIRECTORY`): for those who may pass through it and not list it.
    Search,
    /// A regular file that exists, for reading. Never blocks on a FIFO. `IsADirectory` for a directory, `InvalidInput`
    /// for anything else that is no regular file.
    Read,
    /// A regular file that must not exist yet, for reading and writing; made with mode 0600, whatever the umask
    /// (`O_CREAT|O_EXCL|O_NOFOLLOW`).
    Create,
    /// A regular file for reading and appending, made with mode 0600 when absent, whatever the umask.
    Append,
    /// Whatever is there, a symbolic link itself included, without reading it: good for [`Filesystem::stat`] and
    /// [`Filesystem::acl`] alone (`O_PATH|O_NOFOLLOW`). Needs no permission on the inode and never acts on a device.
    Facts,
}

/// What kind of thing a name leads to, without following it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Other,
}

/// The facts of one inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stat {
    /// What it is.
    pub kind: NodeKind,
    /// Permission bits with set-id and sticky, `0o7777` at most.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Number of names.
    pub links: u64,
    /// Device and inode number, to tell whether two handles are the same thing.
    pub identity: (u64, u64),
}

impl Stat {
    /// The facts of an inode, for implementers of [`Filesystem`].
    pub fn new(kind: NodeKind, mode: u32, uid: u32, gid: u32, size: u64, links: u64, identity: (u64, u64)) -> Self {
        Self { kind, mode: mode & 0o7777, uid, gid, size, links, identity }
    }
}

/// Which of the two ACLs of an inode (acl(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AclKind {
    /// Decides who may open it (`system.posix_acl_access`).
    Access,
    /// Inherited by what is made inside a directory (`system.posix_acl_default`).
    Default,
}

/// What a rename does when the new name exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rename {
    /// Replace it atomically.
    Replace,
    /// Fail with `AlreadyExists`.
    NoReplace,
}

/// What there is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Space {
    /// Bytes available to this process.
    pub bytes: u64,
    /// Inodes available; `None` where the file system does not count them.
    pub inodes: Option<u64>,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

impl Space {
    /// What there is left, for implementers of [`Filesystem`].
    pub const fn new(bytes: u64, inodes: Option<u64>, read_only: bool) -> Self {
        Self { bytes, inodes, read_only }
    }
}

/// The system calls that the placement needs.
///
/// Implementers must: do one act per call; retry `EINTR` and short writes inside; return the kernel's error number
/// unchanged (`io::Error::from_raw_os_error`), since callers tell cases apart by it; be safe to use from many threads;
/// and never log file contents. A call that failed may be assumed to have had no effect, but for `write`, which may have
/// written a part, and `sync`, after which the file must be given up (fsync(2): a second call may succeed wrongly).
/// A name passed as `&OsStr` is one component: no slash, not `.` or `..`.
pub trait Filesystem: fmt::Debug + Send + Sync {
    /// Open `path`. Without `at` it is absolute and symbolic links are followed, since the operator wrote it. With `at` it
    /// is relative, stays beneath, and meets no symbolic link (`openat2` with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
    /// RESOLVE_NO_MAGICLINKS`; a component-wise walk with `O_NOFOLLOW` where the kernel has no `openat2`). It is closed on
    /// exec.
    fn open(&self, at: Option<&Node>, path: &Path, how: Open) -> io::Result<Node>;

    /// Make a directory with these permission bits, whatever the umask.
    fn make_directory(&self, at: &Node, name: &OsStr, mode: u32) -> io::Result<()>;

    /// The whole content of a file from its beginning; an error of kind `FileTooLarge` when it is longer than `limit` bytes.
    fn read(&self, file: &Node, limit: usize) -> io::Result<Vec<u8>>;

    /// Write all of `bytes` at the handle's position (at the end for [`Open::Append`]).
    fn write(&self, file: &Node, bytes: &[u8]) -> io::Result<()>;

    /// The facts of an open inode.
    fn stat(&self, node: &Node) -> io::Result<Stat>;

    /// The facts of what a name leads to, without following a symbolic link.
    fn stat_at(&self, at: &Node, name: &OsStr) -> io::Result<Stat>;

    /// Change owner and group. Does nothing when both are already so.
    fn set_owner(&self, node: &Node, uid: u32, gid: u32) -> io::Result<()>;

    /// Set the permission bits. On an inode with an ACL this moves its mask (chmod(2), acl(5)).
    fn set_mode(&self, node: &Node, mode: u32) -> io::Result<()>;

    /// The raw ACL attribute; `None` when there is none; `Unsupported` when the file system has no POSIX ACLs.
    fn acl(&self, node: &Node, kind: AclKind) -> io::Result<Option<Vec<u8>>>;

    /// Write the raw ACL attribute, or remove it.
    fn set_acl(&self, node: &Node, kind: AclKind, value: Option<&[u8]>) -> io::Result<()>;

    /// Make content and metadata of a file, or the names in a directory, durable (`fsync`).
    fn sync(&self, node: &Node) -> io::Result<()>;

    /// Make everything on the node's file system durable (`syncfs`): one barrier for many deployments.
    fn sync_all(&self, node: &Node) -> io::Result<()>;

    /// Give something another name in one step.
    fn rename(&self, from: &Node, name: &OsStr, to: &Node, new_name: &OsStr, how: Rename) -> io::Result<()>;

    /// Make a symbolic link. Fails with `AlreadyExists`.
    fn make_link(&self, at: &Node, name: &OsStr, target: &Path) -> io::Result<()>;

    /// Where a symbolic link leads; `InvalidInput` when it is none.
    fn read_link(&self, at: &Node, name: &OsStr) -> io::Result<PathBuf>;

    /// Remove a file or a symbolic link.
    fn remove_file(&self, at: &Node, name: &OsStr) -> io::Result<()>;

    /// Remove an empty directory.
    fn remove_directory(&self, at: &Node, name: &OsStr) -> io::Result<()>;

    /// The names in a directory, sorted by their bytes, without `.` and `..`.
    fn list(&self, directory: &Node) -> io::Result<Vec<OsString>>;

    /// Take an exclusive advisory lock on the open file without waiting (`flock`); `false` when somebody else has it.
    fn try_lock(&self, file: &Node) -> io::Result<bool>;

    /// Room and flags of the node's file system.
    fn space(&self, node: &Node) -> io::Result<Space>;

    /// Who this process is: its user and group own what it makes.
    fn identity(&self) -> Identity;

    /// Ask the kernel: can this identity, without capabilities, open `path` for reading? A fresh thread takes on
    /// the identity (groups, then gid, then uid), opens, and ends; the caller keeps its own. `Ok(false)` is the kernel's
    /// "permission denied"; `Unsupported` when this process may not change identity.
    fn can_open_as(&self, who: &Identity, path: &Path) -> io::Result<bool>;

    /// The same for several paths, one answer for each in their order. An implementation may ask for all of them in one
    /// thread.
    fn can_open_each_as(&self, who: &Identity, paths: &[&Path]) -> Vec<io::Result<bool>> {
        paths.iter().map(|path| self.can_open_as(who, path)).collect()
    }
}
