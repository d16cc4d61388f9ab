//! The seam to the kernel, by raw system calls on handles.

mod identity;
mod open;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RawDir, RenameFlags, StatVfsMountFlags, XattrFlags};
use rustix::io::{Errno, retry_on_intr};

use super::filesystem::{AclKind, Filesystem, Node, NodeKind, Open, Rename, Space, Stat};
use crate::ground::identity::Identity;

/// The file system of this machine.
///
/// Everything is done on handles and by names below them; `openat2` keeps them beneath. Where the kernel or a container
/// refuses `openat2`, each component is opened on its own without following links, which is as safe and slower.
///
/// # Effects
///
/// Its methods are the system calls that they are named after.
///
/// # Examples
///
/// ```
/// use certwright::{Filesystem, Open, OsFilesystem};
/// use std::path::Path;
///
/// let files = OsFilesystem::new();
/// let directory = files.open(None, Path::new("/etc"), Open::Directory)?;
/// let hosts = files.open(Some(&directory), Path::new("hosts"), Open::Read)?;
/// assert!(files.stat(&hosts)?.mode & 0o400 != 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct OsFilesystem {
    /// Set once `openat2` was found missing, so that it is not asked again.
    stepwise: AtomicBool,
}

impl OsFilesystem {
    /// The file system as this process sees it.
    pub const fn new() -> Self {
        Self { stepwise: AtomicBool::new(false) }
    }

    /// The same without `openat2`, as on a kernel before 5.6.
    pub const fn stepwise() -> Self {
        Self { stepwise: AtomicBool::new(true) }
    }

    fn is_stepwise(&self) -> bool {
        self.stepwise.load(Ordering::Relaxed)
    }

    fn remember_stepwise(&self) {
        self.stepwise.store(true, Ordering::Relaxed);
    }
}

/// What a [`Node`] of this implementation holds.
struct Handle {
    fd: OwnedFd,
    /// `O_PATH`: extended attributes have to be asked for by way of procfs.
    facts_only: bool,
    /// How large a file was that was opened for reading.
    size: Option<u64>,
}

fn handle(node: &Node) -> io::Result<&Handle> {
    node.handle()
}

fn fd(node: &Node) -> io::Result<BorrowedFd<'_>> {
    Ok(handle(node)?.fd.as_fd())
}

/// A name that stays in its directory.
fn component(name: &OsStr) -> io::Result<&OsStr> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
        return Err(Errno::INVAL.into());
    }
    Ok(name)
}

/// Permission bits of a raw `st_mode`, with set-id and sticky.
const fn permissions(raw: u32) -> u32 {
    raw & 0o7777
}

fn facts(raw: &rustix::fs::Stat) -> Stat {
    let kind = match FileType::from_raw_mode(raw.st_mode) {
        FileType::RegularFile => NodeKind::File,
        FileType::Directory => NodeKind::Directory,
        FileType::Symlink => NodeKind::Link,
        _ => NodeKind::Other,
    };
    Stat::new(
        kind,
        permissions(raw.st_mode),
        raw.st_uid,
        raw.st_gid,
        u64::try_from(raw.st_size).unwrap_or(0),
        widen(raw.st_nlink),
        (widen(raw.st_dev), widen(raw.st_ino)),
    )
}

/// The fields of `struct stat` differ in width between machines.
fn widen(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

const fn attribute(kind: AclKind) -> &'static str {
    match kind {
        AclKind::Access => "system.posix_acl_access",
        AclKind::Default => "system.posix_acl_default",
    }
}

/// Longer than the header and 60 entries: an ACL that does not fit is rare enough to be asked for twice.
const USUAL_ACL: usize = 4 + 8 * 60;

impl Filesystem for OsFilesystem {
    fn open(&self, at: Option<&Node>, path: &Path, how: Open) -> io::Result<Node> {
        let at = at.map(fd).transpose()?;
        let (fd, size) = self.open_handle(at, path, how)?;
        Ok(Node::new(Handle { fd, facts_only: matches!(how, Open::Facts | Open::Search), size }))
    }

    fn make_directory(&self, at: &Node, name: &OsStr, mode: u32) -> io::Result<()> {
        let (at, name) = (fd(at)?, component(name)?);
        // The umask can only take bits away here, and what it took is given back on the handle.
        retry_on_intr(|| rustix::fs::mkdirat(at, name, Mode::from_raw_mode(mode & 0o777)))?;
        open::settle_mode(at, Path::new(name), mode).inspect_err(|_| {
            // The call failed, so it must leave nothing; the first error is the one to report.
            let _ = rustix::fs::unlinkat(at, name, AtFlags::REMOVEDIR);
        })
    }

    fn read(&self, file: &Node, limit: usize) -> io::Result<Vec<u8>> {
        let file = handle(file)?;
        let fd = file.fd.as_fd();
        let size = match file.size {
            Some(size) => size,
            None => facts(&rustix::fs::fstat(fd)?).size,
        };
        // It may have another size by now: what counts is what is read.
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > limit {
            return Err(Errno::FBIG.into());
        }
        // One byte more than the size, so that a call that brings the whole file also sees its end, and the buffer never
        // moves: a copy of a key left behind by a growing buffer could not be wiped. Files of procfs claim to be empty and
        // are read in pieces.
        let mut content = Vec::with_capacity(if size == 0 { limit.min(4096) } else { size } + 1);
        loop {
            let offset = u64::try_from(content.len()).map_err(|_| Errno::FBIG)?;
            let read = retry_on_intr(|| rustix::io::pread(fd, rustix::buffer::spare_capacity(&mut content), offset))?;
            if content.len() > limit {
                return Err(Errno::FBIG.into());
            }
            if read == 0 || (size > 0 && content.len() == size) {
                return Ok(content);
            }
            if content.len() == content.capacity() {
                content.reserve(4096);
            }
        }
    }

    fn write(&self, file: &Node, mut bytes: &[u8]) -> io::Result<()> {
        let fd = fd(file)?;
        while !bytes.is_empty() {
            let written = retry_on_intr(|| rustix::io::write(fd, bytes))?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn stat(&self, node: &Node) -> io::Result<Stat> {
        Ok(facts(&rustix::fs::fstat(fd(node)?)?))
    }

    fn stat_at(&self, at: &Node, name: &OsStr) -> io::Result<Stat> {
        let (at, name) = (fd(at)?, component(name)?);
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        Ok(facts(&retry_on_intr(|| rustix::fs::statat(at, name, flags))?))
    }

    fn set_owner(&self, node: &Node, uid: u32, gid: u32) -> io::Result<()> {
        let fd = fd(node)?;
        let (owner, group) = (identity::uid(uid)?, identity::gid(gid)?);
        let now = rustix::fs::fstat(fd)?;
        if (now.st_uid, now.st_gid) == (uid, gid) {
            return Ok(());
        }
        Ok(retry_on_intr(|| rustix::fs::fchown(fd, Some(owner), Some(group)))?)
    }

    fn set_mode(&self, node: &Node, mode: u32) -> io::Result<()> {
        let fd = fd(node)?;
        Ok(retry_on_intr(|| rustix::fs::fchmod(fd, Mode::from_raw_mode(permissions(mode))))?)
    }

    fn acl(&self, node: &Node, kind: AclKind) -> io::Result<Option<Vec<u8>>> {
        let handle = handle(node)?;
        // `O_PATH` handles have no extended attributes of their own, but procfs leads to the same inode.
        let by_path = handle.facts_only.then(|| format!("/proc/self/fd/{}", handle.fd.as_raw_fd()));
        let ask = |buffer: &mut [u8]| match &by_path {
            Some(path) => retry_on_intr(|| rustix::fs::getxattr(path.as_str(), attribute(kind), &mut *buffer)),
            None => retry_on_intr(|| rustix::fs::fgetxattr(&handle.fd, attribute(kind), &mut *buffer)),
        };
        let mut usual = [0; USUAL_ACL];
        match ask(&mut usual) {
            Ok(length) => return Ok(usual.get(..length).map(<[u8]>::to_vec)),
            Err(Errno::NODATA) => return Ok(None),
            Err(Errno::RANGE) => {}
            Err(error) => return Err(error.into()),
        }
        // The largest value that the kernel hands out (XATTR_SIZE_MAX in linux/limits.h).
        let mut largest = vec![0; 65_536];
        match ask(&mut largest) {
            Ok(length) => {
                largest.truncate(length);
                Ok(Some(largest))
            }
            Err(Errno::NODATA) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn set_acl(&self, node: &Node, kind: AclKind, value: Option<&[u8]>) -> io::Result<()> {
        let fd = fd(node)?;
        let name = attribute(kind);
        match value {
            Some(value) => Ok(retry_on_intr(|| rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()))?),
            None => match retry_on_intr(|| rustix::fs::fremovexattr(fd, name)) {
                Ok(()) | Err(Errno::NODATA) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }

    fn sync(&self, node: &Node) -> io::Result<()> {
        let fd = fd(node)?;
        Ok(retry_on_intr(|| rustix::fs::fsync(fd))?)
    }

    fn sync_all(&self, node: &Node) -> io::Result<()> {
        let fd = fd(node)?;
        Ok(retry_on_intr(|| rustix::fs::syncfs(fd))?)
    }

    fn rename(&self, from: &Node, name: &OsStr, to: &Node, new_name: &OsStr, how: Rename) -> io::Result<()> {
        let (from, to, name, new_name) = (fd(from)?, fd(to)?, component(name)?, component(new_name)?);
        if how == Rename::NoReplace {
            match retry_on_intr(|| rustix::fs::renameat_with(from, name, to, new_name, RenameFlags::NOREPLACE)) {
                // Some file systems know no flags. Callers choose names that nobody else makes, under a lock, so that
                // looking first is enough.
                Err(Errno::INVAL | Errno::NOSYS) => {}
                done => return Ok(done?),
            }
            match rustix::fs::statat(to, new_name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => return Err(Errno::EXIST.into()),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(retry_on_intr(|| rustix::fs::renameat(from, name, to, new_name))?)
    }

    fn make_link(&self, at: &Node, name: &OsStr, target: &Path) -> io::Result<()> {
        let (at, name) = (fd(at)?, component(name)?);
        Ok(retry_on_intr(|| rustix::fs::symlinkat(target, at, name))?)
    }

    fn read_link(&self, at: &Node, name: &OsStr) -> io::Result<PathBuf> {
        let (at, name) = (fd(at)?, component(name)?);
        let target = retry_on_intr(|| rustix::fs::readlinkat(at, name, Vec::new()))?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    fn remove_file(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        let (at, name) = (fd(at)?, component(name)?);
        Ok(retry_on_intr(|| rustix::fs::unlinkat(at, name, AtFlags::empty()))?)
    }

    fn remove_directory(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        let (at, name) = (fd(at)?, component(name)?);
        Ok(retry_on_intr(|| rustix::fs::unlinkat(at, name, AtFlags::REMOVEDIR))?)
    }

    fn list(&self, directory: &Node) -> io::Result<Vec<OsString>> {
        // Read from a handle of its own: the place in a directory is shared by all who hold the same one.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let shared = handle(directory)?;
        // What a handle is not good for must not come by way of a second one.
        let flags = if shared.facts_only { flags | OFlags::PATH } else { flags };
        let own = retry_on_intr(|| rustix::fs::openat(&shared.fd, c".", flags, Mode::empty()))?;
        // Several times the longest name.
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut entries = RawDir::new(own, &mut buffer);
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                // A directory that was removed while it is open: it has no names (getdents(2)).
                Err(Errno::NOENT) => break,
                entry => entry?,
            };
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn try_lock(&self, file: &Node) -> io::Result<bool> {
        let fd = fd(file)?;
        match retry_on_intr(|| rustix::fs::flock(fd, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn space(&self, node: &Node) -> io::Result<Space> {
        let fd = fd(node)?;
        let found = retry_on_intr(|| rustix::fs::fstatvfs(fd))?;
        let inodes = (found.f_files != 0).then_some(found.f_favail);
        Ok(Space::new(
            found.f_bavail.saturating_mul(found.f_frsize),
            inodes,
            found.f_flag.contains(StatVfsMountFlags::RDONLY),
        ))
    }

    fn identity(&self) -> Identity {
        let groups = rustix::process::getgroups().unwrap_or_default();
        Identity::new(
            rustix::process::geteuid().as_raw(),
            rustix::process::getegid().as_raw(),
            groups.into_iter().map(rustix::process::Gid::as_raw).collect(),
        )
    }

    fn can_open_as(&self, who: &Identity, path: &Path) -> io::Result<bool> {
        let mut answers = identity::can_open_each_as(who, &[path]);
        answers.pop().unwrap_or_else(|| Err(io::Error::other("the kernel was not asked")))
    }

    fn can_open_each_as(&self, who: &Identity, paths: &[&Path]) -> Vec<io::Result<bool>> {
        identity::can_open_each_as(who, paths)
    }
}
