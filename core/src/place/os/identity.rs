//! Asking the kernel as somebody else.

use std::io;
use std::path::Path;
use std::thread;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::ground::identity::Identity;

/// A user id; −1 means "leave as it is" to the kernel and is nobody.
pub(super) fn uid(raw: u32) -> io::Result<Uid> {
    if raw == u32::MAX { Err(Errno::INVAL.into()) } else { Ok(Uid::from_raw(raw)) }
}

/// A group id; −1 is none.
pub(super) fn gid(raw: u32) -> io::Result<Gid> {
    if raw == u32::MAX { Err(Errno::INVAL.into()) } else { Ok(Gid::from_raw(raw)) }
}

/// See [`crate::place::filesystem::Filesystem::can_open_as`].
///
/// On Linux ids belong to threads (credentials(7), "C library/kernel differences"). The thread is fresh, runs nothing
/// else and ends, so no other code ever runs under the foreign identity.
pub(super) fn can_open_each_as(who: &Identity, paths: &[&Path]) -> Vec<io::Result<bool>> {
    let asked = thread::scope(|scope| {
        let asked = thread::Builder::new()
            .name("certwright-reader".to_owned())
            .stack_size(128 * 1024)
            .spawn_scoped(scope, || become_reader(who).map(|()| paths.iter().map(|path| opens(path)).collect()))?;
        asked.join().unwrap_or_else(|_| Err(io::Error::other("the thread that asked the kernel ended early")))
    });
    // What kept the thread from being the reader is the answer about every path.
    asked.unwrap_or_else(|error| paths.iter().map(|_| Err(same(&error))).collect())
}

fn same(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// Take on groups, gid and uid, and give up every capability.
///
/// Only the *effective* ids change; the file-system ids follow them and decide what opens. The real and saved ids stay,
/// so that the reader, who may be hostile, can neither signal nor trace this thread (kill(2), ptrace(2)).
fn become_reader(who: &Identity) -> io::Result<()> {
    let (user, group) = (uid(who.uid)?, gid(who.gid)?);
    let groups = who.groups.iter().map(|raw| gid(*raw)).collect::<io::Result<Vec<_>>>()?;
    let refused = |error: Errno| match error {
        // EINVAL: the id is not mapped in this user namespace.
        Errno::PERM | Errno::INVAL => {
            io::Error::new(io::ErrorKind::Unsupported, "this process may not take on another identity")
        }
        error => error.into(),
    };
    if current_groups()? != who.groups {
        rustix::thread::set_thread_groups(&groups).map_err(refused)?;
    }
    rustix::thread::set_thread_res_gid(None, Some(group), None).map_err(refused)?;
    rustix::thread::set_thread_res_uid(None, Some(user), None).map_err(refused)?;
    // Leaving uid 0 clears the effective set by itself, unless the process started without root or the reader is root.
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

fn current_groups() -> io::Result<Vec<u32>> {
    let mut groups: Vec<u32> = rustix::process::getgroups()?.into_iter().map(Gid::as_raw).collect();
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

/// Whether this thread can open `path` for reading.
fn opens(path: &Path) -> io::Result<bool> {
    if !path.is_absolute() {
        return Err(Errno::INVAL.into());
    }
    let open = |flags| retry_on_intr(|| rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty()));
    // Opening a device or FIFO for reading can act on it, so look first at what it is.
    let found = match open(OFlags::PATH) {
        Err(Errno::ACCESS) => return Ok(false),
        found => found?,
    };
    match FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode) {
        FileType::RegularFile | FileType::Directory => {}
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
    match open(OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Ok(_) => Ok(true),
        Err(Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
