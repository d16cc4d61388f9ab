//! A place to work in: a directory that goes away, a configuration, and material.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use certwright::{
    Builder, Cancel, Clock, Config, Issuer, KeyAlgorithm, Lifecycle, LocalCa, LocalIssuer, ManualClock, Material,
    OsFilesystem, PrivateKey, Request, Sans, SystemClock,
};

use crate::Fault;

/// The lineage that is measured when it is one.
pub(crate) const LINEAGE: &str = "www";

/// A directory on the disk, removed when dropped.
#[derive(Debug)]
pub(crate) struct Site {
    folder: PathBuf,
}

impl Site {
    /// An empty directory of this name below `above`.
    pub(crate) fn new(above: &Path, name: &str) -> Result<Self, Fault> {
        let folder = above.join(format!("certwright-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        std::fs::create_dir(folder.join("out"))?;
        Ok(Self { folder })
    }

    /// The directory.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The directory that holds every lineage.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// The configuration with these lineages; each has a reader other than root, and `lines` beside that.
    pub(crate) fn text(&self, names: impl IntoIterator<Item = String>, lines: &str) -> String {
        let mut text = format!("version = 1\nroot = \"{}\"\n[issuer.lab]\ntype = \"local\"\n", self.root().display());
        for name in names {
            text.push_str(&format!(
                "[lineage.{name}]\nidentifiers = [\"www.example.org\"]\nreaders = [\"user:nobody\"]\n{lines}\n"
            ));
        }
        text
    }

    /// The same, parsed.
    pub(crate) fn config(&self, names: impl IntoIterator<Item = String>, lines: &str) -> Result<Config, Fault> {
        Ok(Config::parse(&self.text(names, lines), "certwright.toml".as_ref())?)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Err(fault) = std::fs::remove_dir_all(&self.folder) {
            println!("{} was left behind: {fault}", self.folder.display());
        }
    }
}

/// A lifecycle whose clock is the caller's.
pub(crate) fn lifecycle(config: Config, clock: Arc<dyn Clock>) -> Result<Lifecycle, Fault> {
    Ok(Builder::new(config).clock(clock).build()?)
}

/// Another client: makes material, each eight days newer than the one before.
#[derive(Debug)]
pub(crate) struct Client {
    ca: LocalCa,
    clock: Arc<ManualClock>,
}

impl Client {
    /// A client with a CA of its own below `folder`.
    pub(crate) fn new(folder: &Path) -> Result<Self, Fault> {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let files = Arc::new(OsFilesystem::new());
        std::fs::create_dir(folder.join("client"))?;
        let ca = LocalCa::new("client".parse()?, LocalIssuer::default(), files, &folder.join("client"), clock.clone());
        Ok(Self { ca, clock })
    }

    /// The clock that the material goes by.
    pub(crate) fn clock(&self) -> Arc<ManualClock> {
        self.clock.clone()
    }

    /// Newer material, so much newer that of the default retention the number of generations decides.
    pub(crate) fn next(&self) -> Result<Material, Fault> {
        self.clock.advance(Duration::from_secs(8 * 86_400));
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let (lineage, names) = (LINEAGE.parse()?, Sans::new(vec!["www.example.org".parse()?])?);
        let issued = self.ca.issue(&Request::new(&lineage, &names, &key), &Cancel::new())?;
        Ok(Material::new(key, issued.chain)?)
    }
}

/// The error of a run in which something failed.
pub(crate) fn well(failed: bool) -> Result<(), Fault> {
    if failed { Err("a lineage that is measured failed".into()) } else { Ok(()) }
}
