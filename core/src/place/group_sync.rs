//! One barrier for many: deployments that run side by side share `syncfs` instead of each waiting for its own `fsync`.
//!
//! Whoever asks first makes everything durable at once; whoever asks meanwhile waits for the next round. Nobody returns
//! before a barrier that began after the question, so each deployment keeps the order that it relies on.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::filesystem::{AclKind, Filesystem, Node, Open, Rename, Space, Stat};
use crate::ground::identity::Identity;

/// A file system whose `sync` is shared between all who use it at the same time.
#[derive(Debug)]
pub(crate) struct GroupSync {
    inner: Arc<dyn Filesystem>,
    /// The device that is shared; files elsewhere are synced one by one.
    device: u64,
    root: Node,
    rounds: Mutex<Rounds>,
    turn: Condvar,
}

#[derive(Debug, Default)]
struct Rounds {
    /// Whether a barrier is under way.
    running: Running,
    /// How many barriers have begun.
    begun: u64,
    /// The newest barrier that ended well.
    ended: u64,
    /// The newest barrier that failed, and how. Dirty pages may be lost for good then (fsync(2)), so all who waited fail.
    failed: Option<(u64, i32)>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Running {
    #[default]
    No,
    Yes,
}

impl GroupSync {
    /// Share the barrier of the file system that `root` is on.
    pub(crate) fn new(inner: Arc<dyn Filesystem>, root: &Node) -> io::Result<Self> {
        let device = inner.stat(root)?.identity.0;
        Ok(Self { inner, device, root: root.clone(), rounds: Mutex::default(), turn: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait for a barrier that begins from now on; begin it when nobody else does.
    fn barrier(&self) -> io::Result<()> {
        let mut rounds = self.lock();
        let mine = rounds.begun + 1;
        loop {
            if let Some((_, number)) = rounds.failed.filter(|(round, _)| *round >= mine) {
                return Err(io::Error::from_raw_os_error(number));
            }
            if rounds.ended >= mine {
                return Ok(());
            }
            if rounds.running == Running::No {
                break;
            }
            rounds = self.turn.wait(rounds).unwrap_or_else(PoisonError::into_inner);
        }
        rounds.running = Running::Yes;
        rounds.begun += 1;
        let round = rounds.begun;
        drop(rounds);
        let result = self.inner.sync_all(&self.root);
        let mut rounds = self.lock();
        rounds.running = Running::No;
        match &result {
            Ok(()) => rounds.ended = round,
            Err(error) => rounds.failed = Some((round, error.raw_os_error().unwrap_or_default())),
        }
        drop(rounds);
        self.turn.notify_all();
        result
    }
}

impl Filesystem for GroupSync {
    fn sync(&self, node: &Node) -> io::Result<()> {
        if self.inner.stat(node)?.identity.0 == self.device { self.barrier() } else { self.inner.sync(node) }
    }

    fn sync_all(&self, node: &Node) -> io::Result<()> {
        self.inner.sync_all(node)
    }

    fn open(&self, at: Option<&Node>, path: &Path, how: Open) -> io::Result<Node> {
        self.inner.open(at, path, how)
    }

    fn make_directory(&self, at: &Node, name: &OsStr, mode: u32) -> io::Result<()> {
        self.inner.make_directory(at, name, mode)
    }

    fn read(&self, file: &Node, limit: usize) -> io::Result<Vec<u8>> {
        self.inner.read(file, limit)
    }

    fn write(&self, file: &Node, bytes: &[u8]) -> io::Result<()> {
        self.inner.write(file, bytes)
    }

    fn stat(&self, node: &Node) -> io::Result<Stat> {
        self.inner.stat(node)
    }

    fn stat_at(&self, at: &Node, name: &OsStr) -> io::Result<Stat> {
        self.inner.stat_at(at, name)
    }

    fn set_owner(&self, node: &Node, uid: u32, gid: u32) -> io::Result<()> {
        self.inner.set_owner(node, uid, gid)
    }

    fn set_mode(&self, node: &Node, mode: u32) -> io::Result<()> {
        self.inner.set_mode(node, mode)
    }

    fn acl(&self, node: &Node, kind: AclKind) -> io::Result<Option<Vec<u8>>> {
        self.inner.acl(node, kind)
    }

    fn set_acl(&self, node: &Node, kind: AclKind, value: Option<&[u8]>) -> io::Result<()> {
        self.inner.set_acl(node, kind, value)
    }

    fn rename(&self, from: &Node, name: &OsStr, to: &Node, new_name: &OsStr, how: Rename) -> io::Result<()> {
        self.inner.rename(from, name, to, new_name, how)
    }

    fn make_link(&self, at: &Node, name: &OsStr, target: &Path) -> io::Result<()> {
        self.inner.make_link(at, name, target)
    }

    fn read_link(&self, at: &Node, name: &OsStr) -> io::Result<PathBuf> {
        self.inner.read_link(at, name)
    }

    fn remove_file(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        self.inner.remove_file(at, name)
    }

    fn remove_directory(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        self.inner.remove_directory(at, name)
    }

    fn list(&self, directory: &Node) -> io::Result<Vec<OsString>> {
        self.inner.list(directory)
    }

    fn try_lock(&self, file: &Node) -> io::Result<bool> {
        self.inner.try_lock(file)
    }

    fn space(&self, node: &Node) -> io::Result<Space> {
        self.inner.space(node)
    }

    fn identity(&self) -> Identity {
        self.inner.identity()
    }

    fn can_open_as(&self, who: &Identity, path: &Path) -> io::Result<bool> {
        self.inner.can_open_as(who, path)
    }

    fn can_open_each_as(&self, who: &Identity, paths: &[&Path]) -> Vec<io::Result<bool>> {
        self.inner.can_open_each_as(who, paths)
    }
}
