//! Files that an operator names in a configuration: roots, a shared secret, the account key of another client.

use std::path::Path;
#[cfg(feature = "acme")]
use std::path::PathBuf;

#[cfg(feature = "acme")]
use super::atomic::found;
use super::filesystem::{Filesystem, Open};
use crate::ground::error::{Error, ErrorKind, Result};

/// The content of a file, at most `limit` bytes.
///
/// # Errors
///
/// `NotFound`, `Permission` or `Io` with the path.
pub(crate) fn read(fs: &dyn Filesystem, path: &Path, limit: usize) -> Result<Vec<u8>> {
    fs.open(None, path, Open::Read)
        .and_then(|file| fs.read(&file, limit))
        .map_err(|source| Error::io("a file that the configuration names cannot be read", source).context("path", path))
}

/// The first of these files below a directory that is there, with its content; a `*` at the beginning of a name stands for
/// anything. `path` may be such a file itself.
///
/// # Errors
///
/// `Permission` or `Io` with the path.
#[cfg(feature = "acme")]
pub(crate) fn first_of(
    fs: &dyn Filesystem,
    path: &Path,
    names: &[&str],
    limit: usize,
) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let fault = |source| Error::io("this place cannot be read", source).context("path", path);
    let directory = match fs.open(None, path, Open::Directory) {
        Ok(directory) => directory,
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return read(fs, path, limit).map(|content| Some((path.to_owned(), content)));
        }
        Err(error) => return Err(fault(error)),
    };
    for name in names {
        let (below, last) = name.rsplit_once('/').unwrap_or(("", name));
        let within = match below {
            "" => Some(directory.clone()),
            below => found(fs.open(Some(&directory), Path::new(below), Open::Directory)).map_err(fault)?,
        };
        let Some(within) = within else { continue };
        for entry in fs.list(&within).map_err(fault)? {
            let fits = match (last.strip_prefix('*'), entry.to_str()) {
                (Some(ending), Some(entry)) => entry.ends_with(ending),
                (None, Some(entry)) => entry == last,
                (_, None) => false,
            };
            if fits {
                let whole = path.join(below).join(&entry);
                return read(fs, &whole, limit).map(|content| Some((whole, content)));
            }
        }
    }
    Ok(None)
}

/// The roots that the programs of this machine trust, in DER: those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, else the
/// distribution's.
///
/// # Errors
///
/// `NotFound` when there are none.
#[cfg(feature = "acme")]
pub(crate) fn system_roots() -> Result<Vec<Vec<u8>>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let mut error = Error::new(ErrorKind::NotFound, "this machine has no trusted roots")
            .hint("install the package `ca-certificates`, or name a file in `trust`");
        if let Some(source) = found.errors.into_iter().next() {
            error = error.source(source);
        }
        return Err(error);
    }
    Ok(found.certs.into_iter().map(|certificate| certificate.as_ref().to_vec()).collect())
}
