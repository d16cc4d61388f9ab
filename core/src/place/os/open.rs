//! Opening beneath a handle without meeting a symbolic link.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};

use super::{OsFilesystem, facts, permissions};
use crate::place::filesystem::Open;

/// `openat2` gives up with `EAGAIN` when a rename or mount anywhere raced with `..` or the walk (openat2(2)).
const RACES: u32 = 128;

/// What an existing lock or journal may lose to a concurrent removal before it counts as an error.
const REMOVALS: u32 = 16;

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

impl OsFilesystem {
    /// A handle that is closed on exec; with the size of a file that is opened for reading.
    pub(super) fn open_handle(
        &self,
        at: Option<BorrowedFd<'_>>,
        path: &Path,
        how: Open,
    ) -> io::Result<(OwnedFd, Option<u64>)> {
        if at.is_none() && !path.is_absolute() {
            return Err(Errno::INVAL.into());
        }
        let unknown = |fd| (fd, None);
        match how {
            // Never waits for the other side of a FIFO and never makes a terminal ours.
            Open::Read => {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
                let (fd, size) = regular(self.resolve(at, path, flags, Mode::empty())?)?;
                Ok((fd, Some(size)))
            }
            Open::Directory => {
                Ok(unknown(self.resolve(at, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?))
            }
            Open::Search => Ok(unknown(self.resolve(at, path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?)),
            Open::Facts => Ok(unknown(self.resolve(at, path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())?)),
            Open::Create => self.create(at, path, OFlags::RDWR).map(unknown),
            Open::Append => {
                let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NONBLOCK | OFlags::NOCTTY;
                for _ in 0..REMOVALS {
                    match self.resolve(at, path, flags, Mode::empty()) {
                        Err(Errno::NOENT) => {}
                        opened => return regular(opened?).map(|(fd, _)| unknown(fd)),
                    }
                    match self.create(at, path, OFlags::RDWR | OFlags::APPEND) {
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                        made => return made.map(unknown),
                    }
                }
                Err(Errno::NOENT.into())
            }
        }
    }

    /// A new file with mode 0600 whatever the umask; nothing is left behind on failure.
    fn create(&self, at: Option<BorrowedFd<'_>>, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let fd = self.resolve(at, path, flags, PRIVATE)?;
        let give_back = || -> rustix::io::Result<()> {
            if permissions(rustix::fs::fstat(&fd)?.st_mode) != PRIVATE.as_raw_mode() {
                retry_on_intr(|| rustix::fs::fchmod(&fd, PRIVATE))?;
            }
            Ok(())
        };
        match give_back() {
            Ok(()) => Ok(fd),
            Err(error) => {
                let _ = rustix::fs::unlinkat(at.unwrap_or(CWD), path, AtFlags::empty());
                Err(error.into())
            }
        }
    }

    /// One open, beneath `at` and past no link; without `at` as the operator wrote it.
    fn resolve(
        &self,
        at: Option<BorrowedFd<'_>>,
        path: &Path,
        flags: OFlags,
        mode: Mode,
    ) -> rustix::io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        let Some(at) = at else {
            return retry_on_intr(|| rustix::fs::openat(CWD, path, flags, mode));
        };
        if self.is_stepwise() {
            return step_by_step(at, path, flags, mode);
        }
        let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let mut races = 0;
        loop {
            match retry_on_intr(|| rustix::fs::openat2(at, path, flags, mode, rules)) {
                Err(Errno::AGAIN) if races < RACES => races += 1,
                Err(Errno::NOSYS) => {
                    self.remember_stepwise();
                    return step_by_step(at, path, flags, mode);
                }
                // Old system call filters answer EPERM for what they do not know; an immutable directory does so too.
                // The walk tells which it was.
                Err(Errno::PERM) => {
                    let opened = step_by_step(at, path, flags, mode)?;
                    self.remember_stepwise();
                    return Ok(opened);
                }
                done => return done,
            }
        }
    }
}

/// The same by hand: each component without following, nothing absolute, nothing upward.
fn step_by_step(start: BorrowedFd<'_>, path: &Path, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let mut names = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(Errno::XDEV),
        }
    }
    let Some((last, parents)) = names.split_last() else {
        return match path.as_os_str().is_empty() {
            true => Err(Errno::NOENT),
            false => retry_on_intr(|| rustix::fs::openat(start, ".", flags, mode)),
        };
    };
    let mut reached: Option<OwnedFd> = None;
    for name in parents {
        let at = reached.as_ref().map_or(start, AsFd::as_fd);
        reached = Some(step(at, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?);
    }
    let at = reached.as_ref().map_or(start, AsFd::as_fd);
    step(at, last, flags, mode)
}

/// One component. A link is `ELOOP`, as `openat2` has it, also where `O_DIRECTORY` makes the kernel say `ENOTDIR`.
fn step(at: BorrowedFd<'_>, name: &OsStr, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    match retry_on_intr(|| rustix::fs::openat(at, name, flags | OFlags::NOFOLLOW, mode)) {
        Err(Errno::NOTDIR) => match rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::Symlink => Err(Errno::LOOP),
            _ => Err(Errno::NOTDIR),
        },
        done => done,
    }
}

/// A handle on a regular file with its size, or an error.
fn regular(fd: OwnedFd) -> io::Result<(OwnedFd, u64)> {
    let found = rustix::fs::fstat(&fd)?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Ok((fd, facts(&found).size)),
        FileType::Directory => Err(Errno::ISDIR.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Give a directory that was just made the bits that the umask or a set-group-id parent changed.
pub(super) fn settle_mode(at: BorrowedFd<'_>, name: &Path, mode: u32) -> io::Result<()> {
    let found = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if permissions(found.st_mode) == permissions(mode) {
        return Ok(());
    }
    let directory = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(permissions(mode));
    let open = |flags| retry_on_intr(|| rustix::fs::openat(at, name, directory | flags, Mode::empty()));
    match open(OFlags::RDONLY) {
        Ok(fd) => Ok(retry_on_intr(|| rustix::fs::fchmod(&fd, mode))?),
        // An ordinary user cannot open what its umask made unreadable. Such a handle asks for nothing, and procfs leads
        // from it to the inode, whatever its name leads to by now.
        Err(Errno::ACCESS) => {
            let path = format!("/proc/self/fd/{}", open(OFlags::PATH)?.as_raw_fd());
            Ok(retry_on_intr(|| rustix::fs::chmodat(CWD, path.as_str(), mode, AtFlags::empty()))?)
        }
        Err(error) => Err(error.into()),
    }
}
