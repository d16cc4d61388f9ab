//! A world that outlives its process: one JSON file in a directory of its own.
//!
//! It is written beside the old one, made durable and renamed over it, so that whoever reads it finds the old world or the
//! new one. A change is written some tenths of a second after it was answered, and at the end: what a crash takes away is
//! what happened since.

mod keeper;
mod shape;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use certwright::{Error, ErrorKind, Result};

pub(crate) use self::keeper::Keeper;
pub(crate) use self::shape::{Kept, Tls};

const FILE: &str = "state.json";
const NEW: &str = "state.json.new";
const LOCK: &str = "lock";

/// The directory of one world, while its process is there.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    /// Nobody else uses the directory as long as this is open.
    _lock: File,
}

impl Store {
    /// Opens a directory, made when it is missing, for its owner alone.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let failed = |error| failed("the state of the test bed cannot be kept here", folder, error);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = private(&folder.join(LOCK), false).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(ErrorKind::Conflict, "another test bed keeps its state here")
                    .context("path", folder)
                    .hint("end the other one, or name another directory"))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// What was kept, if anything was.
    pub(crate) fn read(&self) -> Result<Option<Kept>> {
        let path = self.folder.join(FILE);
        let mut text = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut text)) {
            Ok(_) => Kept::read(&text).map(Some).map_err(|error| {
                error.context("path", path.as_path()).hint("remove the file to begin with a new world")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("the state of the test bed cannot be read", &path, error)),
        }
    }

    /// Keeps this from now on.
    pub(crate) fn write(&self, kept: &[u8]) -> Result<()> {
        let (path, new) = (self.folder.join(FILE), self.folder.join(NEW));
        let write = || {
            let mut file = private(&new, true)?;
            file.write_all(kept)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|error| failed("the state of the test bed cannot be written", &path, error))
    }
}

/// A file for its owner alone, from the first moment on.
fn private(path: &Path, empty: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(empty).mode(0o600).open(path)
}

fn failed(what: &'static str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, what).context("path", path).source(error)
}
