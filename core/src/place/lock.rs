//! One writer at a time: `flock` on a permanent file that is never unlinked and stays empty.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::atomic::found;
use super::filesystem::{Filesystem, Node, Open, Stat};
use super::pause::pause;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};

const NAME: &str = ".lock";
const PAUSE: Duration = Duration::from_millis(20);

/// Holding it keeps other runs out; dropping it lets them in. The kernel drops it when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Node,
}

/// Take the lock of `directory`, waiting at most `limit`. The lock is advisory and belongs to the open file, so that
/// closing another handle on it does not lose it, as it would a record lock (flock(2), fcntl_locking(2)).
pub(crate) fn take(
    fs: &dyn Filesystem,
    directory: &Node,
    path: &Path,
    limit: Duration,
    cancel: &Cancel,
) -> Result<Lock> {
    let fault = |source| {
        let file = path.join(NAME);
        Error::io("the lock cannot be taken", source)
            .hint(format!("see with `ls -l {}` and `findmnt` whether it may be written to", file.display()))
            .context("path", file.as_path())
    };
    let deadline = Instant::now() + limit;
    loop {
        let file = fs.open(Some(directory), Path::new(NAME), Open::Append).map_err(fault)?;
        let ours = fs.stat(&file).map_err(fault)?;
        if fs.try_lock(&file).map_err(fault)? {
            // Somebody may have replaced the name while we waited: a lock on a file without a name excludes nobody.
            let named = found(fs.stat_at(directory, OsStr::new(NAME))).map_err(fault)?;
            if named.is_some_and(|stat| stat.identity == ours.identity) {
                return Ok(Lock { _file: file });
            }
            continue;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(held_by_another(path, &ours));
        }
        pause(PAUSE.min(left), cancel)?;
    }
}

fn held_by_another(path: &Path, lock: &Stat) -> Error {
    let error = Error::new(ErrorKind::Conflict, "another run holds the lock").context("path", path).retry(Retry::Now);
    match holder(lock) {
        Some((pid, command)) => error
            .context("pid", pid)
            .context("command", Public(&command))
            .hint(format!("wait for it to end, or look at it with `ps -fp {pid}`")),
        None => error.hint(format!("wait for it to end, or find it with `fuser -v {}`", path.join(NAME).display())),
    }
}

/// Who holds the lock, as the kernel tells in `/proc/locks` (proc_locks(5)): the truth, unlike a note in the file.
fn holder(lock: &Stat) -> Option<(u32, String)> {
    let pid = holder_in(&read_proc("/proc/locks")?, lock.identity.1)?;
    let command = read_proc(&format!("/proc/{pid}/cmdline"))?;
    Some((pid, command.trim_end_matches('\0').replace('\0', " ")))
}

fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let kind = words.nth(1)?;
        let pid = words.nth(2)?;
        let named: u64 = words.next()?.rsplit(':').next()?.parse().ok()?;
        (kind == "FLOCK" && named == inode).then(|| pid.parse().ok()).flatten()
    })
}

#[expect(clippy::disallowed_methods, reason = "procfs is not part of the file system that is placed on")]
pub(in crate::place) fn read_proc(path: &str) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_table() {
        // Lines as proc_locks(5) shows them.
        let table = "1: FLOCK  ADVISORY  WRITE 691 08:01:1048577 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 700 08:01:1048577 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 708 00:12:16093 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 712 00:12:16093 0 EOF\n";
        assert_eq!(holder_in(table, 1_048_577), Some(691));
        assert_eq!(holder_in(table, 16_093), Some(712));
        assert_eq!(holder_in(table, 5), None);
    }
}
