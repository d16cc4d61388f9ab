//! Writes elsewhere: the paths that the hook mentions or hands to its tools, before and after.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::hook::tools::Used;

/// Where every hook writes, or nobody does.
const NEVER_MIND: &[&str] = &["/dev", "/proc", "/sys", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/lib", "/usr/lib"];
/// Entries of a directory that are looked at.
const MOST: usize = 1_000;

/// Device, number, size, mode, owner, group and the moment of the last change of any of it.
type Facts = (u64, u64, u64, u32, u32, u32, i64, i64);

#[derive(Debug)]
pub(super) struct Outside {
    base: PathBuf,
    before: BTreeMap<PathBuf, Option<Facts>>,
}

impl Outside {
    /// The paths in the text of a script.
    pub(super) fn mentioned(text: &str, base: &Path, script: &Path) -> Self {
        let mut outside = Self { base: base.to_owned(), before: BTreeMap::new() };
        for word in text.split(|letter: char| letter.is_whitespace() || "\"'`;|&<>(){}=,:".contains(letter)) {
            if word.starts_with('/') && word.len() > 1 && !word.contains(['$', '*', '?']) {
                outside.add(Path::new(word));
            }
        }
        outside.before.remove(script);
        outside
    }

    /// What a tool was handed is known too late to be seen changing once, and in time for the next call.
    pub(super) fn look_at(&mut self, used: &[Used]) {
        let words = used.iter().flat_map(|tool| &tool.arguments).filter(|word| word.starts_with('/'));
        for word in words {
            self.add(Path::new(word));
        }
    }

    fn add(&mut self, path: &Path) {
        let ignored = NEVER_MIND.iter().any(|folder| path.starts_with(folder)) || path.starts_with(&self.base);
        if ignored || self.before.contains_key(path) {
            return;
        }
        self.before.insert(path.to_owned(), facts(path));
        let entries = fs::read_dir(path).into_iter().flatten().take(MOST);
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            let seen = facts(&path);
            self.before.entry(path).or_insert(seen);
        }
    }

    /// What is not as it was.
    pub(super) fn written(&self) -> Vec<PathBuf> {
        let changed = self.before.iter().filter(|(path, before)| facts(path) != **before);
        changed.map(|(path, _)| path.clone()).collect()
    }
}

fn facts(path: &Path) -> Option<Facts> {
    let it = fs::symlink_metadata(path).ok()?;
    Some((it.dev(), it.ino(), it.size(), it.mode(), it.uid(), it.gid(), it.ctime(), it.ctime_nsec()))
}
