//! The certificate in a file that a program reads.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Observation, Place, Probe, Seen, at};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::pki::chain::certificates;
use crate::place::filesystem::{Filesystem, Open};

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
        let content = self.fs.open(None, &self.path, Open::Read).and_then(|file| self.fs.read(&file, LIMIT)).map_err(
            |source| {
                Error::io("the certificate file cannot be read", source)
                    .hint("see in the service's configuration which file it reads")
            },
        )?;
        // A SEQUENCE is no text: a file that begins with one is DER.
        if content.first() == Some(&0x30) {
            return Seen::from_der([content.as_slice()]);
        }
        let chain = certificates(&content)?;
        match chain.first() {
            Some(leaf) => Ok(Seen::of(leaf, chain.len())),
            None => Err(Error::new(ErrorKind::Unfit, "the certificate file holds no certificate")
                .hint("name the file that holds the certificate, not the key")),
        }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::deploy::reload::tests::rcgen_bundle;
    use crate::pki::chain::Chain;
    use crate::place::os::OsFilesystem;
    use crate::place::scratch::Scratch;

    fn look(path: &Path) -> Result<Seen> {
        let probe = FileProbe::new(path.to_owned(), Arc::new(OsFilesystem::new()));
        let mut found = probe.observe(&Cancel::new()).unwrap();
        assert_eq!((found.len(), &found[0].place), (1, &Place::File(path.to_owned())));
        found.remove(0).seen
    }

    #[test]
    fn sees_the_first_certificate_in_every_usual_file() {
        let scratch = Scratch::new();
        let bundle = rcgen_bundle();
        let other = String::from_utf8(rcgen_bundle()).unwrap();
        let chain = Chain::from_pem(&bundle).unwrap();
        let leaf = chain.leaf().fingerprint();
        let both = format!("{}{}", chain.leaf_pem(), other);
        for (name, content, length) in [
            ("leaf.pem", chain.leaf_pem().into_bytes(), 1),
            ("bundle.pem", bundle.clone(), 1),
            ("fullchain.pem", both.into_bytes(), 2),
            ("leaf.der", chain.leaf().der().to_vec(), 1),
        ] {
            let seen = look(&scratch.file(name, content, 0o600)).unwrap();
            assert_eq!((seen.fingerprint, seen.chain_length), (leaf, length), "{name}");
            assert_eq!(seen.window, chain.leaf().window());
            assert_eq!(seen.key_fingerprint, chain.leaf().key_fingerprint());
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_an_error_at_its_place() {
        let scratch = Scratch::new();
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let fifo = scratch.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        for path in [
            scratch.path().join("missing"),
            scratch.path().to_owned(),
            fifo,
            scratch.file("empty", "", 0o600),
            scratch.file("key", &key, 0o600),
            scratch.file("cut.der", [0x30, 0x82, 0x01], 0o600),
            scratch.file("broken", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", 0o600),
            scratch.file("huge", vec![b'x'; LIMIT + 1], 0o600),
        ] {
            let error = look(&path).unwrap_err();
            assert_eq!(error.fact("address"), path.to_str());
            assert!(error.hint_text().is_some(), "{error:#}");
        }
    }
}
