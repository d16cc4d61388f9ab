//! The facts about every component of a path: what any answer about access has to ask the kernel.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

const ACL: &str = "system.posix_acl_access";

/// An open, `fstat`, `fgetxattr` and close for each directory from the root on; the same for the end by way of procfs,
/// since a file is not opened to learn about it. As strace shows of `explain`, in the same order.
pub(crate) fn read(path: &Path) -> io::Result<()> {
    let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut levels: Vec<OwnedFd> = vec![rustix::fs::openat(CWD, "/", directory, Mode::empty())?];
    let mut names = path.components().filter(|part| *part != Component::RootDir).peekable();
    let mut buffer = [0; 484];
    while let (Some(name), Some(at)) = (names.next(), levels.last()) {
        std::hint::black_box(rustix::fs::fstat(at)?);
        none_is_fine(rustix::fs::fgetxattr(at, ACL, &mut buffer[..]))?;
        let last = names.peek().is_none();
        let flags = if last { OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC } else { directory };
        let next = rustix::fs::openat2(at.as_fd(), Path::new(name.as_os_str()), flags, Mode::empty(), rules)?;
        if last {
            std::hint::black_box(rustix::fs::fstat(&next)?);
            let by_path = format!("/proc/self/fd/{}", next.as_raw_fd());
            none_is_fine(rustix::fs::getxattr(by_path, ACL, &mut buffer[..]))?;
        }
        levels.push(next);
    }
    Ok(())
}

fn none_is_fine(asked: rustix::io::Result<usize>) -> io::Result<()> {
    match asked {
        Ok(_) | Err(Errno::NODATA) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
