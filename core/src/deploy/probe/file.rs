//! The certificate in a file that a program reads.

use std::path::PathBuf;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::{Observation, Place, Probe, Seen, at};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::place::filesystem::Filesystem;

/// A chain with keys and text around it is shorter.
const LIMIT: usize = 1 << 20;

/// Reads the first certificate of a file in PEM or DER, as the program that is configured with it would.
#[derive(Debug)]
pub(super) struct FileProbe {
    path: PathBuf,
    fs: Arc<dyn Filesystem>,
}

impl FileProbe {
    pub(super) fn new(path: PathBuf, fs: Arc<dyn Filesystem>) -> Self {
        Self { path, fs }
    }

    fn look(&self) -> Result<Seen> {
        let content = self
            .fs
            .open(None, &self.path, crate::place::filesystem::Open::Read)
            .and_then(|file| self.fs.read(&file, LIMIT))
            .map_err(|source| {
                Error::io("the certificate file cannot be read", source)
                    .hint("see in the service's configuration which file it reads")
            })?;
        // A SEQUENCE is no text: a file that begins with one is DER.
        if content.first() == Some(&0x30) {
            return Seen::from_der([content.as_slice()]);
        }
        let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
        let chain = chain.map_err(|source| {
            Error::new(ErrorKind::Network, "the certificate file holds no PEM that can be read")
                .source(source.to_string())
        })?;
        Seen::from_der(chain.iter().map(|certificate| &**certificate))
    }
}

impl Probe for FileProbe {
    fn observe(&self, cancel: &Cancel) -> Result<Vec<Observation>> {
        cancel.check()?;
        let place = Place::File(self.path.clone());
        let seen = self.look().map_err(|error| at(&place, error));
        Ok(vec![Observation::new(place, seen)])
    }

    fn describe(&self) -> String {
        format!("file `{}`", self.path.display())
    }
}
