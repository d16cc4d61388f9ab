//! The files that clients read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use certwright::{Error, Result};

use crate::testbed::Testbed;

/// Where systems keep the roots that programs trust, all in one file.
pub(super) const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A directory of such files; removed with its owner, unless somebody named it.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    stays: bool,
}

impl Files {
    pub(super) fn write(named: Option<PathBuf>, bed: &Testbed) -> Result<Self> {
        let stays = named.is_some();
        let folder = match named {
            Some(folder) => {
                let failed = |source| failed(&folder, source);
                fs::create_dir_all(&folder).map_err(failed)?;
                fs::canonicalize(&folder).map_err(failed)?
            }
            None => fresh().map_err(|source| failed(&std::env::temp_dir(), source))?,
        };
        let files = Self { folder, stays };
        let roots: String = (0..).map_while(|number| bed.root_pem(number)).collect();
        let both = [bed.tls_root_pem(), &roots].concat();
        let system = BUNDLES.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        files.put("ca.pem", bed.tls_root_pem())?;
        files.put("roots.pem", &roots)?;
        files.put("trust.pem", &added(&system, &both))?;
        Ok(files)
    }

    /// The root of the directory's own TLS.
    pub(super) fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The roots that it issues under.
    pub(super) fn roots(&self) -> PathBuf {
        self.folder.join("roots.pem")
    }

    /// Both, and what the system trusts.
    pub(super) fn trust(&self) -> PathBuf {
        self.folder.join("trust.pem")
    }

    /// Writes one more.
    pub(super) fn put(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|source| failed(&path, source))?;
        Ok(path)
    }

    /// Writes one more, where files stay.
    pub(super) fn keep(&self, name: &str, text: &str) -> Result<()> {
        if self.stays { self.put(name, text).map(drop) } else { Ok(()) }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.stays {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Certificates below others, each on lines of its own.
pub(super) fn added(above: &str, below: &str) -> String {
    let between = if above.is_empty() || above.ends_with('\n') { "" } else { "\n" };
    [above, between, below].concat()
}

/// A directory that nobody had before. Others may read: a client may give up its privileges.
pub(crate) fn fresh() -> io::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("certwright-testbed-{}-{number}", std::process::id()));
        match fs::create_dir(&folder) {
            // Left over by an earlier process of the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                made?;
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
                return Ok(folder);
            }
        }
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::io("a file of the test bed cannot be written", source).context("path", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_ends_in_the_middle_of_a_line_stays_readable() {
        assert_eq!(added("a", "b\n"), "a\nb\n");
        assert_eq!(added("a\n", "b\n"), "a\nb\n");
        assert_eq!(added("", "b\n"), "b\n");
    }

    #[test]
    fn what_nobody_named_goes_away_and_what_was_named_stays() {
        let bed = Testbed::start().unwrap();
        let folder = {
            let files = Files::write(None, &bed).unwrap();
            assert_eq!(fs::read_to_string(files.ca()).unwrap(), bed.tls_root_pem());
            assert_eq!(fs::read_to_string(files.roots()).unwrap(), bed.root_pem(0).unwrap());
            let trust = fs::read_to_string(files.trust()).unwrap();
            assert!(trust.contains(bed.tls_root_pem()) && trust.contains(&bed.root_pem(0).unwrap()));
            files.keep("story.json", "{}").unwrap();
            assert!(!files.folder.join("story.json").exists());
            files.folder.clone()
        };
        assert!(!folder.exists());
        let named = fresh().unwrap().join("a/b");
        Files::write(Some(named.clone()), &bed).unwrap().keep("story.json", "{}").unwrap();
        assert!(named.join("ca.pem").exists() && named.join("story.json").exists());
        fs::remove_dir_all(named.ancestors().nth(2).unwrap()).unwrap();
    }
}
