//! `certwright.toml`: from its text to the wish.
//!
//! The shape of the file is in `shape`, apart from the types of the domain; `read` makes the one from the text and
//! `convert` the other from that. Nothing here touches a disk: the text comes from whoever read it.

mod access;
mod answer;
mod bounds;
mod choice;
mod conflict;
mod convert;
mod fault;
mod issuer;
mod leaf;
mod limits;
mod output;
mod pieces;
mod principal;
mod probe;
mod read;
mod schema;
mod shape;
mod solver;
mod step_ca;
#[cfg(test)]
mod tests;

pub use schema::schema;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use self::conflict::Issuers;
use self::convert::Placed;
use self::fault::{Faults, Lines, Place};
use self::read::{At, Table as _};
use self::shape::Top;
use super::spec::{Config, Failover};
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::ground::id::LineageName;

/// The version of the file's shape that is read here.
const VERSION: u32 = 1;

/// A starter file for `certwright init`: a working wish with the words of every other one in comments.
pub const fn starter_file() -> &'static str {
    include_str!("starter.toml")
}

impl Config {
    /// The configuration that this text is. `name` is what errors call the file.
    ///
    /// Reads 100,000 lineages in about a second; never panics, whatever the text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSpec`] with every fault that was found. A single one has the facts `file`, `line`, `column` and
    /// `key`, and a hint. Several are facts named `fault`, one line each, in the order of the file.
    pub fn parse(text: &str, name: &Path) -> Result<Self> {
        read(text, name, None)
    }

    /// As [`Config::parse`], with this root in place of the one that the file names: paths below the root follow it.
    ///
    /// # Errors
    ///
    /// As [`Config::parse`], and [`ErrorKind::InvalidSpec`] when the root is not absolute.
    pub fn parse_below(root: &Path, text: &str, name: &Path) -> Result<Self> {
        if !root.is_absolute() {
            return Err(Error::new(ErrorKind::InvalidSpec, "the root is not an absolute path")
                .in_phase(Phase::Plan)
                .context("root", root)
                .hint("begin it with `/`: a timer has no current directory"));
        }
        read(text, name, Some(root))
    }
}

fn read(text: &str, name: &Path, root: Option<&Path>) -> Result<Config> {
    let (draft, faults) = match in_pieces(text, root) {
        Some(read) => read,
        None => whole(text, name, root)?,
    };
    draft.finish(text, name, faults)
}

/// Read lineage by lineage; `None` when the file has to be read as a whole.
fn in_pieces(text: &str, root: Option<&Path>) -> Option<(Draft, Faults)> {
    let mut draft = Draft::below(root);
    let mut faults = Faults::default();
    for (number, piece) in pieces::cut(text)?.into_iter().enumerate() {
        faults.base = piece.start;
        let table = DeTable::parse(text.get(piece)?).ok()?;
        let entries = table.get_ref();
        if number == 0 && ["issuer", "lineage", "failover"].iter().any(|key| entries.contains_key(*key)) {
            return None;
        }
        draft.take(entries, &mut faults);
    }
    faults.base = 0;
    draft.names_are_unique().then_some((draft, faults))
}

/// Read the whole file at once; faults of syntax end it here.
fn whole(text: &str, name: &Path, root: Option<&Path>) -> Result<(Draft, Faults)> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut faults = Faults::default();
    for error in &errors {
        let at = error.span().map_or(text.len(), |span| span.start);
        let hint = match error.message() {
            message if message.contains("leading zero") => Some("write a mode in quotes, such as `mode = \"0640\"`"),
            "duplicate key" => Some("remove one of the two"),
            _ => None,
        };
        faults.add(at, &Place::TOP, error.message(), hint.map(str::to_owned));
    }
    if let Some(error) = faults.into_error(text, name) {
        return Err(error);
    }
    let mut draft = Draft::below(root);
    let mut faults = Faults::default();
    draft.take(table.get_ref(), &mut faults);
    Ok((draft, faults))
}

/// A configuration in the making.
#[derive(Debug, Default)]
struct Draft {
    version: Option<At<u32>>,
    root: Option<PathBuf>,
    /// The caller has said the root.
    root_is_given: bool,
    issuers: Issuers,
    /// An issuer was there twice.
    repeated: bool,
    lineages: Vec<Placed>,
    /// Lineages whose tables have faults: their names are taken all the same.
    faulty: Vec<LineageName>,
    failover: Option<Failover>,
}

impl Draft {
    fn below(root: Option<&Path>) -> Self {
        Self { root: root.map(Path::to_owned), root_is_given: root.is_some(), ..Self::default() }
    }

    /// Add what a piece of the file says. The piece with the root comes first.
    fn take(&mut self, entries: &DeTable<'_>, faults: &mut Faults) {
        let Some(top) = Top::read_entries(entries, 0, &Place::TOP, faults) else { return };
        if let Some(version) = top.version {
            self.version = Some(At { value: version.value.0, at: version.at });
        }
        if let Some(root) = top.root.filter(|_| !self.root_is_given) {
            self.root = Some(root.value);
        }
        if let Some(daemon) = top.failover {
            self.failover = Some(Failover::new(convert::running(daemon)));
        }
        for (name, shape) in top.issuer.into_iter().flat_map(|named| named.0) {
            let spec = shape.and_then(|shape| issuer::issuer(&name, shape, faults));
            self.repeated |= self.issuers.insert(name.value, spec).is_some();
        }
        let root = self.root.as_deref().unwrap_or(Path::new(Config::DEFAULT_ROOT));
        for (name, shape) in top.lineage.into_iter().flat_map(|named| named.0) {
            let known = name.value.clone();
            match shape.and_then(|shape| convert::lineage(name, shape, root, faults)) {
                Some(placed) => self.lineages.push(placed),
                None => self.faulty.push(known),
            }
        }
    }

    /// Whether no name was opened by two pieces.
    fn names_are_unique(&self) -> bool {
        let names = self.lineages.iter().map(|placed| &placed.spec.name).chain(&self.faulty);
        let mut names: Vec<&LineageName> = names.collect();
        names.sort_unstable();
        !self.repeated && names.windows(2).all(|pair| !matches!(pair, [a, b] if a == b))
    }

    fn finish(self, text: &str, name: &Path, mut faults: Faults) -> Result<Config> {
        match &self.version {
            Some(version) if version.value != VERSION => return Err(other_version(version, text, name)),
            // A version that is no number was noted where it stands.
            None if faults.count() == 0 => {
                let hint = Some(format!("begin the file with `version = {VERSION}`"));
                faults.add_at(0, &Place::TOP.key("version"), "the key `version` is missing", hint);
            }
            _ => {}
        }
        conflict::issuers(&self.lineages, &self.issuers, &mut faults);
        conflict::outputs(&self.lineages, text, &mut faults);
        if let Some(error) = faults.into_error(text, name) {
            return Err(error);
        }
        let mut config = Config::new(self.root.unwrap_or_else(|| Config::DEFAULT_ROOT.into()));
        config.issuers = self.issuers.into_iter().filter_map(|(name, spec)| Some((name, spec?))).collect();
        config.lineages = self.lineages.into_iter().map(|placed| (placed.spec.name.clone(), placed.spec)).collect();
        config.failover = self.failover;
        Ok(config)
    }
}

/// A file of another version is not ours to judge any further.
fn other_version(version: &At<u32>, text: &str, name: &Path) -> Error {
    Error::new(
        ErrorKind::InvalidSpec,
        format!("the file has version {}; this program reads version {VERSION}", version.value),
    )
    .in_phase(Phase::Plan)
    .context("file", name)
    .context("line", Lines::new(text).of(version.at))
    .hint("use a certwright that is as new as the file")
}
