//! Owner, group and ACL of one inode: read from a handle, put onto a handle, seen to be there.

use std::fmt;
use std::io;

use rustix::io::Errno;

use super::acl::Acl;
use super::mount::Mount;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::place::filesystem::{AclKind, Filesystem, Node, Stat};

/// Who owns an inode and who may do what with it.
///
/// # Examples
///
/// ```
/// use certwright::access::{Access, Acl};
///
/// let access = Access::new(0, 33, Acl::from_mode(0o640));
/// assert_eq!(access.to_string(), "owner 0, group 33, user::rw-,group::r--,other::---");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Access {
    /// The owner.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// The permissions of owner, group, other and of those named.
    pub acl: Acl,
}

impl Access {
    /// This owner, group and ACL.
    pub const fn new(uid: u32, gid: u32, acl: Acl) -> Self {
        Self { uid, gid, acl }
    }

    /// The access of an open inode. A file system without ACLs has the mode bits alone.
    ///
    /// # Errors
    ///
    /// `Io` when the inode cannot be asked or its ACL attribute is damaged; `Unsupported` for an unknown version of it.
    ///
    /// # Effects
    ///
    /// Disk: reads.
    pub fn read(fs: &dyn Filesystem, node: &Node) -> Result<Self> {
        let stat = fs.stat(node).map_err(|source| Error::io("owner and mode cannot be read", source))?;
        Ok(Self::read_known(fs, node, &stat)?.0)
    }

    /// The same when owner and mode are known already, and whether the file system has ACLs.
    pub(super) fn read_known(fs: &dyn Filesystem, node: &Node, stat: &Stat) -> Result<(Self, AclSupport)> {
        let (acl, support) = match fs.acl(node, AclKind::Access) {
            Ok(Some(bytes)) => (Acl::from_xattr(&bytes)?, AclSupport::Yes),
            Ok(None) => (Acl::from_mode(stat.mode), AclSupport::Yes),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => (Acl::from_mode(stat.mode), AclSupport::No),
            Err(source) => return Err(Error::io("the ACL cannot be read", source)),
        };
        Ok((Self::new(stat.uid, stat.gid, acl), support))
    }

    /// Give an open inode this access, and see that it has it.
    ///
    /// The owner comes first, since changing it may clear bits. Then the ACL, which sets the mode with it; or, when mode
    /// bits say it all, no ACL and the mode. The mode is never set after an ACL, because that moves the mask (acl(5)).
    /// In every state between, nobody can open the inode who could not before or cannot afterwards, provided that it
    /// began with mode 0600 or 0700.
    ///
    /// # Errors
    ///
    /// `Unsupported` when the file system has no ACLs and one is needed, has no room for so many entries, or did not keep
    /// what was written; `Permission` when this process may not; `Io`. The inode may then have a part of it.
    ///
    /// # Effects
    ///
    /// Disk: owner, ACL and mode of the inode. Nothing is made durable.
    pub fn apply(&self, fs: &dyn Filesystem, node: &Node) -> Result<()> {
        fs.set_owner(node, self.uid, self.gid).map_err(|source| self.owner_refused(source))?;
        if self.acl.is_minimal() {
            match fs.set_acl(node, AclKind::Access, None) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                done => done.map_err(|source| refused("the ACL cannot be removed", source))?,
            }
            fs.set_mode(node, self.acl.mode()).map_err(|source| refused("the mode cannot be set", source))?;
        } else {
            let written = fs.set_acl(node, AclKind::Access, Some(&self.acl.to_xattr()));
            written.map_err(|source| self.acl_refused(fs, node, source))?;
        }
        self.see_kept(fs, node)
    }

    /// Some file systems answer "done" and keep something else.
    fn see_kept(&self, fs: &dyn Filesystem, node: &Node) -> Result<()> {
        let found = Self::read(fs, node)?;
        // Bytes in stored order, so that also an ACL that only means the same counts as changed.
        let same = (found.uid, found.gid) == (self.uid, self.gid)
            && found.acl.is_minimal() == self.acl.is_minimal()
            && found.acl == self.acl.canonical();
        if same {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Unsupported, "the file system did not keep the access it was given")
            .context("wanted", Public(&self.to_string()))
            .context("found", Public(&found.to_string()));
        Err(on_mount(error, fs, node).hint("move it to a local file system that keeps owner, mode and ACL"))
    }

    fn owner_refused(&self, source: io::Error) -> Error {
        let error = refused("owner and group cannot be set", source).context("uid", self.uid).context("gid", self.gid);
        match error_number(&error) {
            Some(Errno::INVAL) => error.hint("use ids that exist in this user namespace"),
            _ => error,
        }
    }

    fn acl_refused(&self, fs: &dyn Filesystem, node: &Node, source: io::Error) -> Error {
        let entries = self.acl.entries().count();
        let number = Errno::from_io_error(&source);
        let room = || fs.space(node).map_or(u64::MAX, |space| space.bytes);
        let acl = self.acl.to_string();
        let error = match number {
            _ if source.kind() == io::ErrorKind::Unsupported => {
                let error = Error::new(ErrorKind::Unsupported, "the file system has no ACLs").source(source);
                return on_mount(error.context("acl", Public(&acl)), fs, node)
                    .hint("let the readers share one group, set `owner`, or move it to a file system with ACLs");
            }
            // The kernel says "no space" for both, but only one of them is cured by an emptier disk.
            Some(Errno::NOSPC) if room() < ROOM => {
                let error = Error::new(ErrorKind::Io, "the disk is full").source(source);
                return on_mount(error, fs, node).hint("make room and try again");
            }
            Some(Errno::NOSPC | Errno::TOOBIG) => {
                let error = Error::new(ErrorKind::Unsupported, "the file system has no room for so many ACL entries");
                return on_mount(error.context("entries", entries).source(source), fs, node)
                    .hint("put the readers into a group and name that");
            }
            _ => refused("the ACL cannot be set", source).context("acl", Public(&acl)),
        };
        match number {
            Some(Errno::INVAL) => error.hint("use ids that exist in this user namespace"),
            _ => error,
        }
    }
}

/// Less room than this, and "no space" means the disk; more, and it means the ACL.
const ROOM: u64 = 64 * 1024;

/// Whether a file system stores ACLs at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AclSupport {
    Yes,
    No,
}

fn error_number(error: &Error) -> Option<Errno> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref().and_then(Errno::from_io_error)
}

/// "Operation not permitted" has two causes, and root meets only the second.
fn refused(message: &'static str, source: io::Error) -> Error {
    let error = Error::io(message, source);
    match error_number(&error) {
        Some(Errno::PERM) => error.hint("run as root or as the owner, and look for the immutable flag with `lsattr`"),
        _ => error,
    }
}

fn on_mount(error: Error, fs: &dyn Filesystem, node: &Node) -> Error {
    match fs.stat(node).ok().and_then(|stat| Mount::of(fs, &stat)) {
        Some(mount) => error.context("mount", mount.point.as_path()).context("type", Public(&mount.kind)),
        None => error,
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "owner {}, group {}, {}", self.uid, self.gid, self.acl)
    }
}
