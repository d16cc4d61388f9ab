//! Open files and directories of a process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use certwright::Node;
use rustix::io::Errno;

use super::inode::Ino;
use super::step::Dead;
use super::{Machine, ModelFs, State};

/// What a [`Node`] of this implementation holds.
pub(super) struct Handle {
    machine: Arc<Machine>,
    pub(super) id: u64,
    pub(super) ino: Ino,
    mode: Mode,
    position: AtomicUsize,
    /// Where it was when it was opened, for people.
    pub(super) path: PathBuf,
}

/// What the handle is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
    Append,
    Directory,
    Facts,
}

impl ModelFs {
    /// The handle inside a node, if it is one of this process.
    pub(super) fn handle<'n>(&self, node: &'n Node) -> io::Result<&'n Handle> {
        let handle: &Handle = node.handle()?;
        if Arc::ptr_eq(&handle.machine, &self.machine) { Ok(handle) } else { Err(Dead::error()) }
    }

    pub(super) fn opened(&self, state: &mut State, ino: Ino, mode: Mode, path: &Path) -> Node {
        let id = state.next_handle;
        state.next_handle += 1;
        state.open.insert(id, ino);
        let machine = Arc::clone(&self.machine);
        Node::new(Handle { machine, id, ino, mode, position: AtomicUsize::new(0), path: path.to_owned() })
    }
}

impl Handle {
    /// Refuses a handle that is good for facts alone.
    pub(super) fn real(&self) -> io::Result<()> {
        if self.mode == Mode::Facts { Err(Errno::BADF.into()) } else { Ok(()) }
    }

    /// Where the next write goes in a file of this size.
    pub(super) fn write_position(&self, size: usize) -> io::Result<usize> {
        match self.mode {
            Mode::Write => Ok(self.position.load(Ordering::Relaxed)),
            Mode::Append => Ok(size),
            Mode::Read | Mode::Directory | Mode::Facts => Err(Errno::BADF.into()),
        }
    }

    pub(super) fn wrote(&self, up_to: usize) {
        self.position.store(up_to, Ordering::Relaxed);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.machine.lock();
        state.open.remove(&self.id);
        state.locks.retain(|_, holder| *holder != self.id);
        state.forget_unused();
    }
}
