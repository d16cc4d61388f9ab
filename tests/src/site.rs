//! One lineage, `www`, in a store of its own, with the configuration that the test gives it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::{Ran, certwright};
use crate::scratch::Scratch;
use crate::served::{self, Leaf};
use crate::servers::Files;

/// The name of the lineage.
pub const LINEAGE: &str = "www";

/// A store, an embedded CA called `lab` and a lineage.
#[derive(Debug)]
pub struct Site {
    scratch: Scratch,
    root: PathBuf,
    paths: [PathBuf; 3],
}

impl Site {
    /// In a directory of its own that everybody may pass through.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new() -> io::Result<Self> {
        Self::beneath("store")
    }

    /// The same with the store at this path below the directory.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn beneath(store: &str) -> io::Result<Self> {
        let scratch = Scratch::on_disk()?;
        let root = scratch.join(store);
        let current = root.join(LINEAGE).join("current");
        let paths = ["fullchain.pem", "key.pem", "bundle.pem"].map(|name| current.join(name));
        Ok(Self { scratch, root, paths })
    }

    /// A path beside the store.
    pub fn join(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// The root of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the program that uses the lineage is told to read.
    pub fn files(&self) -> Files<'_> {
        let [fullchain, key, _] = &self.paths;
        Files { fullchain, key }
    }

    /// Key, leaf and chain in one file.
    pub fn bundle(&self) -> &Path {
        let [.., bundle] = &self.paths;
        bundle
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.join("certwright.toml")
    }

    /// Says what is wished of the lineage: the lines of its table, and tables below it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn wish(&self, lines: &str) -> io::Result<()> {
        let root = self.root.display();
        let text = format!(
            "version = 1\nroot = \"{root}\"\n[issuer.lab]\ntype = \"local\"\n[lineage.{LINEAGE}]\nissuer = \"lab\"\n{lines}\n"
        );
        fs::write(self.config(), text)
    }

    /// Runs a verb, for people.
    ///
    /// # Errors
    ///
    /// When it did not come to an exit status.
    pub fn run(&self, words: &[&str]) -> io::Result<Ran> {
        let config = self.config();
        certwright(words.iter().map(AsRef::as_ref).chain(["-c".as_ref(), config.as_os_str()]))
    }

    /// Runs a verb, for programs.
    ///
    /// # Errors
    ///
    /// When it did not come to an exit status.
    pub fn json(&self, words: &[&str]) -> io::Result<Ran> {
        self.run(&[words, &["--json"]].concat())
    }

    /// The names of all generations, oldest first. None is a stage or on its way out.
    ///
    /// # Errors
    ///
    /// When they cannot be listed; or a name is there that is no generation's.
    pub fn generations(&self) -> io::Result<Vec<String>> {
        let mut names = BTreeSet::new();
        let directory = self.root.join(LINEAGE).join("generations");
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                return Err(io::Error::other(format!("`{name}` was left behind")));
            }
            names.insert(name);
        }
        Ok(names.into_iter().collect())
    }

    /// Every certificate that was ever placed, without doubles: how many orders there were.
    ///
    /// # Errors
    ///
    /// When a generation cannot be read.
    pub fn leaves(&self) -> io::Result<BTreeSet<Leaf>> {
        let leaf = |name: String| served::leaf_of(&self.generation(&name).join("leaf.pem"));
        self.generations()?.into_iter().map(leaf).collect()
    }

    /// The directory of a generation.
    pub fn generation(&self, name: &str) -> PathBuf {
        self.root.join(LINEAGE).join("generations").join(name)
    }

    /// The name of the active generation.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn active(&self) -> io::Result<String> {
        let target = fs::read_link(self.root.join(LINEAGE).join("current"))?;
        let name = target.file_name().ok_or_else(|| io::Error::other("`current` leads nowhere"))?;
        Ok(name.to_string_lossy().into_owned())
    }

    /// The certificate of the active generation.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn leaf(&self) -> io::Result<Leaf> {
        served::leaf_of(self.files().fullchain)
    }
}
