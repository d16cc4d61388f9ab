//! A file for everybody to read, replaced in one step: what a monitoring agent collects.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::filesystem::{Filesystem, Open, Rename};
use crate::ground::error::{Error, Result};

/// Put `bytes` at `path` (0644), whatever was there. It is not made durable: after a power cut it is written anew.
///
/// # Errors
///
/// `Io`, `Permission` or `NotFound` with the path.
///
/// # Effects
///
/// Disk.
pub(crate) fn replace(fs: &dyn Filesystem, path: &Path, bytes: &[u8]) -> Result<()> {
    write(fs, path, bytes).map_err(|source| Error::io("the file cannot be written", source).context("path", path))
}

fn write(fs: &dyn Filesystem, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent().filter(|_| path.is_absolute()), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let directory = fs.open(None, parent, Open::Directory)?;
    // A collector takes files by their ending: this one has another.
    let mut prepared = OsString::from(".");
    prepared.push(name);
    prepared.push(".certwright-next");
    let file = match fs.open(Some(&directory), Path::new(&prepared), Open::Create) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs.remove_file(&directory, &prepared)?;
            fs.open(Some(&directory), Path::new(&prepared), Open::Create)?
        }
        opened => opened?,
    };
    fs.write(&file, bytes)?;
    fs.set_mode(&file, 0o644)?;
    fs.rename(&directory, &prepared, &directory, name, Rename::Replace)
}
