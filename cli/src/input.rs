//! Files that an operator names: keys, certificates, roots.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use certwright::{Error, ErrorKind, SecretBytes};

use crate::failure::Failure;

/// More than any trust store; what is larger was named by mistake.
const LIMIT: u64 = 16 << 20;

/// What is in a file. It may be a key, so it is wiped after use.
///
/// # Errors
///
/// A file that is not there, or too large, is bad usage.
pub(crate) fn read(path: &Path) -> Result<SecretBytes, Failure> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    let size = file.metadata().map_or(0, |facts| facts.len());
    contents(file, size, path)
}

/// The same, with `-` for standard input.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_or_stdin(path: &Path) -> Result<SecretBytes, Failure> {
    if path.as_os_str() == OsStr::new("-") { contents(io::stdin().lock(), 0, path) } else { read(path) }
}

fn contents(file: impl Read, size: u64, path: &Path) -> Result<SecretBytes, Failure> {
    // Room for all of it from the start: a buffer that grows leaves copies of what was in it.
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(LIMIT)).unwrap_or_default() + 1);
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|source| unreadable(path, source))?;
    let too_large = bytes.len() as u64 > LIMIT;
    let bytes = SecretBytes::from(bytes);
    if too_large {
        let error = Error::new(ErrorKind::InvalidSpec, "the file is too large to hold keys or certificates");
        return Err(Failure::Usage(error.context("path", path).context("limit", LIMIT).hint("name another file")));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, source: io::Error) -> Failure {
    let missing = source.kind() == io::ErrorKind::NotFound;
    let error = Error::io("the file cannot be read", source).context("path", path);
    if missing { Failure::Usage(error) } else { Failure::Run(error) }
}
