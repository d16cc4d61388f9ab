//! A public file in the document root of somebody else's server: the answer to an `http-01` challenge (RFC 8555 §8.3).

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use super::atomic::{found, temporary};
use super::filesystem::{AclKind, Filesystem, Node, Open, Rename};
use crate::ground::error::{Error, ErrorKind, Result};

/// The way from the document root to the answers.
const STEPS: [&str; 2] = [".well-known", "acme-challenge"];

/// How often a step is taken again that another run undid meanwhile.
const TRIES: u32 = 8;

/// A document root into which answers are put and from which they are taken away again.
///
/// The root itself is opened as the operator wrote it. Below it no symbolic link is followed: whoever owns the content of a
/// web site must not choose what else on the machine is written to.
pub(crate) struct Webroot {
    fs: Arc<dyn Filesystem>,
    root: PathBuf,
    /// Which of the steps were made here, and so are removed again. The lock keeps a removal apart from a making.
    made: Mutex<[bool; STEPS.len()]>,
}

impl Webroot {
    /// The document root at this path. Nothing is looked at yet.
    pub(crate) fn new(fs: Arc<dyn Filesystem>, root: PathBuf) -> Self {
        Self { fs, root, made: Mutex::default() }
    }

    /// Put a file that everyone may read under this name, in one step. `name` is a token: base64url, no path.
    ///
    /// # Effects
    ///
    /// Disk: makes the directories on the way (0755) when they are missing. Nothing is made durable, since a run that was
    /// cut is repeated whole.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no document root; `Permission`, also for a symbolic link on the way; `Io`.
    pub(crate) fn put(&self, name: &str, content: &[u8]) -> Result<()> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tries = TRIES;
        loop {
            match self.enter_making(&mut made).and_then(|directory| self.write(&directory, name, content)) {
                // Another run removed the directory, or took our half-made file for a left-over of its own.
                Err(Fault { source, .. }) if tries > 0 && source.kind() == io::ErrorKind::NotFound => tries -= 1,
                other => return other.map_err(|fault| self.explain(fault)),
            }
        }
    }

    /// Remove the file again, and the directories that were made for it, once they are empty. One that is gone is no error.
    ///
    /// # Errors
    ///
    /// As [`Webroot::put`].
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(way) = self.enter().map_err(|fault| self.explain(fault))? else { return Ok(()) };
        let [root, well_known, answers] = &way;
        for name in [OsString::from(name), temporary(name)] {
            found(self.fs.remove_file(answers, &name))
                .map_err(|source| self.explain(Fault { step: STEPS.len(), name: Some(name), source }))?;
        }
        for (step, (above, name)) in [(1, (well_known, STEPS[1])), (0, (root, STEPS[0]))] {
            // Not empty, or gone: either way it is not ours any more.
            if std::mem::take(&mut made[step]) && self.fs.remove_directory(above, OsStr::new(name)).is_err() {
                made[step] = found(self.fs.stat_at(above, OsStr::new(name))).is_ok_and(|there| there.is_some());
                break;
            }
        }
        Ok(())
    }

    fn enter_making(&self, made: &mut [bool; STEPS.len()]) -> Result<Node, Fault> {
        let mut at = self.open_root()?;
        for (step, name) in STEPS.into_iter().enumerate() {
            let fault = |source| Fault { step, name: Some(name.into()), source };
            at = match found(self.fs.open(Some(&at), Path::new(name), Open::Directory)).map_err(fault)? {
                Some(there) => there,
                None => {
                    match self.fs.make_directory(&at, OsStr::new(name), 0o755) {
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                        other => {
                            other.map_err(fault)?;
                            made[step] = true;
                        }
                    }
                    self.fs.open(Some(&at), Path::new(name), Open::Directory).map_err(fault)?
                }
            };
        }
        Ok(at)
    }

    /// The root and the directories on the way; `None` when one of them is missing.
    fn enter(&self) -> Result<Option<[Node; STEPS.len() + 1]>, Fault> {
        let root = match self.open_root() {
            Err(fault) if fault.source.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let step = |at: &Node, step: usize| {
            found(self.fs.open(Some(at), Path::new(STEPS[step]), Open::Directory)).map_err(|source| Fault {
                step,
                name: Some(STEPS[step].into()),
                source,
            })
        };
        let Some(well_known) = step(&root, 0)? else { return Ok(None) };
        let Some(answers) = step(&well_known, 1)? else { return Ok(None) };
        Ok(Some([root, well_known, answers]))
    }

    fn open_root(&self) -> Result<Node, Fault> {
        self.fs.open(None, &self.root, Open::Directory).map_err(|source| Fault { step: 0, name: None, source })
    }

    fn write(&self, directory: &Node, name: &str, content: &[u8]) -> Result<(), Fault> {
        let prepared = temporary(name);
        let fault = |source| Fault { step: STEPS.len(), name: Some(name.into()), source };
        let write = || {
            found(self.fs.remove_file(directory, &prepared))?;
            let file = self.fs.open(Some(directory), Path::new(&prepared), Open::Create)?;
            self.fs.write(&file, content)?;
            // A default ACL above would hold back from the server's user what the mode gives (acl(5)).
            match self.fs.acl(&file, AclKind::Access) {
                Ok(None) => {}
                Ok(Some(_)) => self.fs.set_acl(&file, AclKind::Access, None)?,
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(error) => return Err(error),
            }
            self.fs.set_mode(&file, 0o644)?;
            self.fs.rename(directory, &prepared, directory, OsStr::new(name), Rename::Replace)
        };
        write().map_err(|source| {
            if source.kind() != io::ErrorKind::NotFound {
                let _ = self.fs.remove_file(directory, &prepared);
            }
            fault(source)
        })
    }

    fn explain(&self, fault: Fault) -> Error {
        let Fault { step, name, source } = fault;
        let Some(name) = name else {
            return Error::io("the document root cannot be opened", source)
                .context("path", self.root.as_path())
                .hint("name the directory from which the web server answers for `/`");
        };
        let directory: PathBuf = self.root.iter().chain(STEPS.iter().take(step).map(OsStr::new)).collect();
        if matches!(Errno::from_io_error(&source), Some(Errno::LOOP | Errno::NOTDIR)) {
            return Error::new(ErrorKind::Permission, "the way to the answers leads through a link or a file")
                .context("path", directory.join(&name).as_path())
                .hint("let a directory be in its place, or answer with `listen` behind the server")
                .source(source);
        }
        // The name of an answer is its token, and a token is in no error.
        let path = if step == STEPS.len() { directory } else { directory.join(&name) };
        Error::io("the answer cannot be put into the document root", source)
            .context("path", path.as_path())
            .hint("see with `certwright access` who may write there, and with `df` whether there is room")
    }
}

impl fmt::Debug for Webroot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webroot").field("root", &self.root).finish_non_exhaustive()
    }
}

/// What the kernel said about which step; `name` is `None` for the root itself.
struct Fault {
    step: usize,
    name: Option<OsString>,
    source: io::Error,
}
