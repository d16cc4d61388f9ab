//! Changing one name in one step, durably: everything here can be cut at any call and leaves the old or the new.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use super::filesystem::{Filesystem, Node, Open, Rename};

/// Names that begin like this are half-made and removed by recovery.
pub(crate) const TEMPORARY: &str = ".tmp-";

/// The name under which a replacement for `name` is prepared.
pub(crate) fn temporary(name: &str) -> OsString {
    format!("{TEMPORARY}{name}").into()
}

/// Put `bytes` under `name` in one step: a new file (0600), its content made durable, then one rename, then the
/// directory made durable. A left-over temporary of an earlier, killed run is removed first.
pub(crate) fn replace(fs: &dyn Filesystem, directory: &Node, name: &str, bytes: &[u8]) -> io::Result<()> {
    let prepared = temporary(name);
    let file = create_anew(fs, directory, &prepared)?;
    fs.write(&file, bytes)?;
    fs.sync(&file)?;
    fs.rename(directory, &prepared, directory, OsStr::new(name), Rename::Replace)?;
    fs.sync(directory)
}

/// Let the symbolic link `name` lead to `target` in one step, durably.
pub(crate) fn point(fs: &dyn Filesystem, directory: &Node, name: &str, target: &Path) -> io::Result<()> {
    let prepared = temporary(name);
    match fs.make_link(directory, &prepared, target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs.remove_file(directory, &prepared)?;
            fs.make_link(directory, &prepared, target)?;
        }
        other => other?,
    }
    fs.rename(directory, &prepared, directory, OsStr::new(name), Rename::Replace)?;
    fs.sync(directory)
}

/// A new empty file (0600), whatever was left under that name.
fn create_anew(fs: &dyn Filesystem, directory: &Node, name: &OsStr) -> io::Result<Node> {
    match fs.open(Some(directory), Path::new(name), Open::Create) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs.remove_file(directory, name)?;
            fs.open(Some(directory), Path::new(name), Open::Create)
        }
        other => other,
    }
}

/// A missing thing is an answer, not an error.
pub(crate) fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
