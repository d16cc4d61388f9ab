//! Waiting until a name in one of some directories is replaced (inotify(7)), or until somebody knocks.

use std::collections::BTreeSet;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

/// Room for some hundred events; more of them are read in several turns.
const BUFFER: usize = 8 * 1024;

/// One directory that is watched. The same directory has the same number at each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Watched(i32);

/// Why a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The time has passed, or more happened than the kernel could tell.
    ByTime,
    /// Somebody knocked.
    ByKnock,
    /// In these directories the name was replaced, or the directory itself is gone.
    By(BTreeSet<Watched>),
}

/// Watches one name in many directories.
#[derive(Debug)]
pub(crate) struct Watcher {
    name: &'static str,
    /// `None` where the system has no more of them to give: then the time alone wakes.
    notices: Option<OwnedFd>,
    door: OwnedFd,
}

impl Watcher {
    /// Watches nothing yet, and waits for `name` alone.
    ///
    /// # Errors
    ///
    /// When the process or the system has no more file descriptors.
    pub(crate) fn new(name: &'static str) -> io::Result<Self> {
        let door = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { name, notices: init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok(), door })
    }

    /// Watch a directory. Needs permission to list it.
    ///
    /// # Errors
    ///
    /// When it is not there or may not be listed, or the system watches too many already. Then only the time wakes for it.
    pub(crate) fn watch(&self, directory: &Path) -> io::Result<Watched> {
        let flags = WatchFlags::MOVED_TO
            | WatchFlags::CREATE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let notices = self.notices.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        Ok(Watched(add_watch(notices, directory, flags)?))
    }

    /// End the wait of another thread, or the next one.
    pub(crate) fn knock(&self) {
        // It fails only when nobody has opened for 2^64 knocks.
        let _ = rustix::io::write(&self.door, &1_u64.to_ne_bytes());
    }

    /// Wait for a name, for a knock, or until the time has passed.
    ///
    /// # Errors
    ///
    /// When the kernel does not let it wait.
    pub(crate) fn wait(&self, limit: Duration) -> io::Result<Woken> {
        let limit = Timespec::try_from(limit).map_err(|_| Errno::INVAL)?;
        let mut doors = vec![PollFd::new(&self.door, PollFlags::IN)];
        doors.extend(self.notices.as_ref().map(|notices| PollFd::new(notices, PollFlags::IN)));
        match poll(&mut doors, Some(&limit)) {
            Err(Errno::INTR) | Ok(0) => return Ok(Woken::ByTime),
            ready => ready?,
        };
        if rustix::io::read(&self.door, &mut [0; 8]).is_ok() {
            return Ok(Woken::ByKnock);
        }
        self.read_notices()
    }

    fn read_notices(&self) -> io::Result<Woken> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let Some(notices) = &self.notices else { return Ok(Woken::ByTime) };
        let mut reader = Reader::new(notices, &mut buffer);
        let mut seen = BTreeSet::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(Woken::By(seen)),
                Err(error) => return Err(error.into()),
            };
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                return Ok(Woken::ByTime);
            }
            // An event without a name is about the directory itself.
            if event.file_name().is_none_or(|name| name.to_bytes() == self.name.as_bytes()) {
                seen.insert(Watched(event.wd()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::scratch::Scratch;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_replaced_name_and_a_removed_directory_are_told_and_other_names_are_not() {
        let (one, two) = (Scratch::new(), Scratch::new());
        let watcher = Watcher::new("current").unwrap();
        let (first, second) = (watcher.watch(one.path()).unwrap(), watcher.watch(two.path()).unwrap());
        assert_eq!(watcher.watch(one.path()).unwrap(), first);
        std::os::unix::fs::symlink("a", one.path().join(".tmp-current")).unwrap();
        assert_eq!(watcher.wait(LONG).unwrap(), Woken::By(BTreeSet::new()));
        std::fs::rename(one.path().join(".tmp-current"), one.path().join("current")).unwrap();
        assert_eq!(watcher.wait(LONG).unwrap(), Woken::By([first].into()));
        drop(two);
        assert_eq!(watcher.wait(LONG).unwrap(), Woken::By([second].into()));
    }

    #[test]
    fn a_knock_and_the_time_end_a_wait() {
        let watcher = Watcher::new("current").unwrap();
        assert_eq!(watcher.wait(Duration::ZERO).unwrap(), Woken::ByTime);
        std::thread::scope(|scope| {
            scope.spawn(|| watcher.knock());
            assert_eq!(watcher.wait(LONG).unwrap(), Woken::ByKnock);
        });
        assert_eq!(watcher.wait(Duration::ZERO).unwrap(), Woken::ByTime);
    }

    #[test]
    fn a_directory_that_is_not_there_cannot_be_watched() {
        let scratch = Scratch::new();
        let watcher = Watcher::new("current").unwrap();
        let error = watcher.watch(&scratch.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
