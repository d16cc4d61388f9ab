//! Small durable files that higher floors ask to be kept: an account, the keys of the embedded CA.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::atomic::{self, found};
use super::filesystem::{AclKind, Filesystem, Node, Open};
use super::lock::{self, Lock};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, Result};
use crate::ground::id::IssuerName;

/// The largest state file that is read back.
const LIMIT: usize = 1 << 20;

/// A directory for nobody else (0700) with small files for nobody else (0600), each replaced in one durable step.
#[derive(Clone, Debug)]
pub(crate) struct StateDirectory {
    fs: Arc<dyn Filesystem>,
    node: Node,
    path: PathBuf,
}

impl StateDirectory {
    /// Where the state of an issuer lives: `<root>/.issuers/<issuer>`.
    pub(crate) fn path_for(root: &Path, issuer: &IssuerName) -> PathBuf {
        root.join(".issuers").join(issuer.as_str())
    }

    /// Open the directory; it and missing parents are made with mode 0700 when absent.
    ///
    /// # Effects
    ///
    /// Disk: may make directories.
    ///
    /// # Errors
    ///
    /// `Io`, `Permission`, or `NotFound` when the path is not absolute.
    pub(crate) fn open(fs: Arc<dyn Filesystem>, path: &Path) -> Result<Self> {
        let node = Self::enter(&*fs, path).map_err(|source| {
            Error::io("the state directory cannot be opened", source).context("path", path).hint(hint(path))
        })?;
        Ok(Self { fs, node, path: path.to_owned() })
    }

    fn enter(fs: &dyn Filesystem, path: &Path) -> std::io::Result<Node> {
        if let Some(node) = found(fs.open(None, path, Open::Directory))? {
            return Ok(node);
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(std::io::ErrorKind::NotFound.into());
        };
        let above = Self::enter(fs, parent)?;
        match fs.make_directory(&above, name, 0o700) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        let node = fs.open(Some(&above), Path::new(name), Open::Directory)?;
        drop_default_acl(fs, &node)?;
        fs.sync(&above)?;
        Ok(node)
    }

    /// The content of a file, or `None` when there is none.
    ///
    /// # Errors
    ///
    /// `Io` or `Permission` with the path.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let content = found(self.fs.open(Some(&self.node), Path::new(name), Open::Read))
            .and_then(|file| file.map(|file| self.fs.read(&file, LIMIT)).transpose());
        content.map_err(|source| self.fault("a state file cannot be read", name, source))
    }

    /// Replace the content of a file in one durable step.
    ///
    /// # Errors
    ///
    /// `Io` or `Permission` with the path; the old content is still there.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        atomic::replace(&*self.fs, &self.node, name, bytes)
            .map_err(|source| self.fault("a state file cannot be written", name, source))
    }

    /// Remove a file, durably. One that is not there is removed already.
    ///
    /// # Errors
    ///
    /// `Io` or `Permission` with the path.
    #[cfg(feature = "https")]
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        found(self.fs.remove_file(&self.node, std::ffi::OsStr::new(name)))
            .and_then(|removed| removed.map_or(Ok(()), |()| self.fs.sync(&self.node)))
            .map_err(|source| self.fault("a state file cannot be removed", name, source))
    }

    /// Where it is.
    #[cfg(feature = "https")]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keep other processes out until the guard is dropped. Waits for them at most `limit`.
    ///
    /// # Errors
    ///
    /// `Conflict` naming the holder when the wait was in vain; `Cancelled`.
    pub(crate) fn lock(&self, limit: std::time::Duration, cancel: &Cancel) -> Result<Lock> {
        lock::take(&*self.fs, &self.node, &self.path, limit, cancel)
    }

    fn fault(&self, message: &'static str, name: &str, source: std::io::Error) -> Error {
        Error::io(message, source).context("path", self.path.join(name).as_path()).hint(hint(&self.path))
    }
}

fn hint(directory: &Path) -> String {
    format!(
        "run as a user who may write to `{}`; see with `findmnt` whether it is mounted read-only, and with `df` whether \
         there is room",
        directory.display()
    )
}

/// A default ACL above would let what is made inside be born readable by others (acl(5)); ours have none.
pub(crate) fn drop_default_acl(fs: &dyn Filesystem, directory: &Node) -> std::io::Result<()> {
    match fs.acl(directory, AclKind::Default) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => fs.set_acl(directory, AclKind::Default, None),
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => Ok(()),
        Err(error) => Err(error),
    }
}
