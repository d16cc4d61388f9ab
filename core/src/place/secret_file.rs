//! A secret that the operator keeps in a file of its own.

use std::path::Path;

use zeroize::Zeroizing;

use super::filesystem::{Filesystem, Open};
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::secret::SecretBytes;

/// More than any key or pass phrase.
const LIMIT: usize = 64 * 1024;

/// The content of a file that not everyone may read.
///
/// # Errors
///
/// `NotFound`, `Io` or `Permission`, the last one also when everyone may read or write it.
pub(crate) fn read(fs: &dyn Filesystem, path: &Path) -> Result<SecretBytes> {
    let fault = |source| {
        Error::io("the file with the secret cannot be read", source)
            .context("path", path)
            .hint("correct the path, or let the user that runs certwright read the file")
    };
    let file = fs.open(None, path, Open::Read).map_err(fault)?;
    let stat = fs.stat(&file).map_err(fault)?;
    if stat.mode & 0o006 != 0 {
        return Err(Error::new(ErrorKind::Permission, "everyone may read the file with the secret, or change it")
            .context("path", path)
            .hint(format!(
                "run `chmod o-rwx {}`, and make a new secret if others have used the machine",
                path.display()
            )));
    }
    fs.read(&file, LIMIT).map(|bytes| Zeroizing::new(bytes).into()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::os::OsFilesystem;
    use crate::place::scratch::Scratch;

    #[test]
    fn what_everyone_may_read_is_no_secret() {
        let scratch = Scratch::new();
        let fs = OsFilesystem::new();
        for (mode, kind) in
            [(0o600, None), (0o640, None), (0o644, Some(ErrorKind::Permission)), (0o602, Some(ErrorKind::Permission))]
        {
            let path = scratch.file("secret", "c2VjcmV0\n", mode);
            let read = read(&fs, &path);
            assert_eq!(read.as_ref().err().map(Error::kind), kind, "{mode:o}");
            if let Ok(content) = read {
                assert_eq!(content.expose(), b"c2VjcmV0\n");
            }
        }
        let error = read(&fs, &scratch.at("none")).unwrap_err();
        assert_eq!((error.kind(), error.fact("path")), (ErrorKind::NotFound, scratch.at("none").to_str()));
    }
}
