//! What a power cut leaves: the durability model.
//!
//! The rules, stricter than any one file system so that what survives here survives everywhere:
//!
//! - Every change waits in a list until a sync writes it. Changes of three sorts wait independently: the names in
//!   directories, the content of a file, the attributes of an inode.
//! - `sync` of a file writes its content and attributes, not its name. `sync` of a directory writes its names and
//!   attributes, not what the names lead to. `sync_all` writes everything on one file system.
//! - A change of names is whole or absent: a rename never leaves both names or none, across directories neither. Changes
//!   that share a name keep their order; others, in the same directory too, may be lost or kept in any combination.
//! - Attributes of one inode keep their order: what survives is one of the states it went through.
//! - Each write (the model makes two of every write) may survive, be lost, or leave zeros of its length.
//! - An inode is as it was born until something of it survives: a name that survives alone leads to an empty file of
//!   mode 0600, an empty directory, or a whole symbolic link.
//! - After a sync that failed, what it should have written can never be made durable again by another sync; it may or
//!   may not have reached the disk (fsync(2), and the kernel's habit of marking failed pages clean).

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::inode::{Attributes, Body, Ino, Inode, ROOT};
use super::volume::{Table, Volume, put};

/// A change that is not durable yet.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    what: What,
    /// A sync of it failed: no later sync writes it.
    given_up: bool,
}

#[derive(Clone, Debug)]
enum What {
    Names(Vec<Change>),
    Content { ino: Ino, offset: usize, bytes: Arc<[u8]> },
    Attributes { ino: Ino, attributes: Arc<Attributes> },
}

/// One name of one directory, and what it leads to from now on.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) directory: Ino,
    pub(super) name: OsString,
    pub(super) now: Option<Ino>,
}

impl Change {
    pub(super) fn new(directory: Ino, name: &OsStr, now: Option<Ino>) -> Self {
        Self { directory, name: name.to_owned(), now }
    }
}

/// What is to be decided about an unsynced change when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// 0 lost, 1 kept.
    Names,
    /// 0 lost, 1 kept, 2 zeros.
    Content,
    /// 0 lost, 1 kept.
    Attributes,
}

impl Unit {
    pub(super) const fn fates(self) -> usize {
        match self {
            Self::Names | Self::Attributes => 2,
            Self::Content => 3,
        }
    }
}

impl Pending {
    pub(super) const fn names(changes: Vec<Change>) -> Self {
        Self { what: What::Names(changes), given_up: false }
    }

    pub(super) fn content(ino: Ino, offset: usize, bytes: &[u8]) -> Self {
        Self { what: What::Content { ino, offset, bytes: bytes.into() }, given_up: false }
    }

    pub(super) fn attributes(ino: Ino, attributes: Attributes) -> Self {
        Self { what: What::Attributes { ino, attributes: Arc::new(attributes) }, given_up: false }
    }

    /// Whether a sync of this inode writes it.
    fn belongs_to(&self, node: Ino) -> bool {
        match &self.what {
            What::Names(changes) => changes.iter().any(|change| change.directory == node),
            What::Content { ino, .. } | What::Attributes { ino, .. } => *ino == node,
        }
    }

    /// Whether it cannot survive without the older one.
    fn needs(&self, older: &Self) -> bool {
        match (&self.what, &older.what) {
            (What::Names(ours), What::Names(theirs)) => {
                ours.iter().any(|a| theirs.iter().any(|b| a.directory == b.directory && a.name == b.name))
            }
            (What::Attributes { ino: ours, .. }, What::Attributes { ino: theirs, .. }) => ours == theirs,
            _ => false,
        }
    }

    const fn unit(&self) -> Unit {
        match self.what {
            What::Names(_) => Unit::Names,
            What::Content { .. } => Unit::Content,
            What::Attributes { .. } => Unit::Attributes,
        }
    }

    fn apply(&self, disk: &mut Table, fate: usize) {
        match &self.what {
            What::Names(changes) => {
                for change in changes {
                    let Some(Body::Directory(entries)) = body(disk, change.directory) else { continue };
                    match change.now {
                        Some(ino) => entries.insert(change.name.clone(), ino),
                        None => entries.remove(&change.name),
                    };
                }
            }
            What::Content { ino, offset, bytes } => {
                let Some(Body::File(content)) = body(disk, *ino) else { return };
                match fate {
                    2 => put(content, *offset, &vec![0; bytes.len()]),
                    _ => put(content, *offset, bytes),
                }
            }
            What::Attributes { ino, attributes } => {
                if let Some(inode) = disk.get_mut(ino) {
                    Arc::make_mut(inode).attributes = attributes.as_ref().clone();
                }
            }
        }
    }
}

fn body(disk: &mut Table, ino: Ino) -> Option<&mut Body> {
    disk.get_mut(&ino).map(|inode| &mut Arc::make_mut(inode).body)
}

impl Volume {
    /// Makes one inode durable.
    pub(super) fn sync(&mut self, node: Ino) {
        self.write_back(|pending, _| pending.belongs_to(node));
    }

    /// Makes everything on a device durable.
    pub(super) fn sync_device(&mut self, device: u64) {
        self.write_back(|pending, volume| volume.is_on(pending, device));
    }

    /// Makes the changes from the `first`th on durable: those of somebody outside the story.
    pub(super) fn sync_since(&mut self, first: usize) {
        let mut chosen: BTreeSet<usize> = (first..self.pending.len()).collect();
        self.with_needed(&mut chosen);
        self.write_chosen(&chosen);
    }

    /// A sync of this inode failed.
    pub(super) fn give_up(&mut self, node: Ino) {
        for pending in &mut self.pending {
            pending.given_up |= pending.belongs_to(node);
        }
    }

    /// A sync of this device failed.
    pub(super) fn give_up_device(&mut self, device: u64) {
        let on: Vec<bool> = self.pending.iter().map(|pending| self.is_on(pending, device)).collect();
        for (pending, on) in self.pending.iter_mut().zip(on) {
            pending.given_up |= on;
        }
    }

    fn is_on(&self, pending: &Pending, device: u64) -> bool {
        let on = |ino: &Ino| self.disk.get(ino).is_some_and(|inode| inode.device == device);
        match &pending.what {
            What::Names(changes) => changes.iter().any(|change| on(&change.directory)),
            What::Content { ino, .. } | What::Attributes { ino, .. } => on(ino),
        }
    }

    fn write_back(&mut self, covers: impl Fn(&Pending, &Self) -> bool) {
        let mut chosen: BTreeSet<usize> = self
            .pending
            .iter()
            .enumerate()
            .filter(|(_, pending)| !pending.given_up && covers(pending, self))
            .map(|(index, _)| index)
            .collect();
        self.with_needed(&mut chosen);
        self.write_chosen(&chosen);
    }

    /// Adds what the chosen ones cannot survive without.
    fn with_needed(&self, chosen: &mut BTreeSet<usize>) {
        for index in (0..self.pending.len()).rev() {
            if !chosen.contains(&index) {
                continue;
            }
            let (older, rest) = self.pending.split_at(index);
            if let Some(pending) = rest.first() {
                chosen.extend(older.iter().enumerate().filter(|(_, o)| pending.needs(o)).map(|(index, _)| index));
            }
        }
    }

    fn write_chosen(&mut self, chosen: &BTreeSet<usize>) {
        let all = std::mem::take(&mut self.pending);
        for (index, pending) in all.into_iter().enumerate() {
            if chosen.contains(&index) {
                pending.apply(&mut self.disk, 1);
            } else {
                self.pending.push(pending);
            }
        }
    }

    /// What a power cut leaves when `choose` decides the fate of every unsynced change.
    ///
    /// Names are decided first; content and attributes only of what can still be reached, so that an enumeration of all
    /// choices does not count what nobody can see.
    pub(super) fn survivor(&self, mut choose: impl FnMut(Unit) -> usize) -> Self {
        let mut disk = self.disk.clone();
        let mut decide = |disk: &mut Table, covers: &dyn Fn(&Pending) -> bool| {
            let mut lost: Vec<&Pending> = Vec::new();
            for pending in &self.pending {
                if !covers(pending) {
                    continue;
                }
                let fate = if lost.iter().any(|older| pending.needs(older)) { 0 } else { choose(pending.unit()) };
                if fate == 0 {
                    lost.push(pending);
                } else {
                    pending.apply(disk, fate);
                }
            }
        };
        decide(&mut disk, &|pending| pending.unit() == Unit::Names);
        let seen = reachable(&disk);
        decide(&mut disk, &|pending| match &pending.what {
            What::Names(_) => false,
            What::Content { ino, .. } | What::Attributes { ino, .. } => seen.contains(ino),
        });
        disk.retain(|ino, _| seen.contains(ino));
        count_names(&mut disk);
        Self { cache: disk.clone(), disk, pending: Vec::new(), ..self.clone() }
    }
}

/// The inodes that a path leads to.
fn reachable(disk: &Table) -> BTreeSet<Ino> {
    let mut seen = BTreeSet::from([ROOT]);
    let mut todo = vec![ROOT];
    while let Some(ino) = todo.pop() {
        let Some(entries) = disk.get(&ino).and_then(|inode| inode.body.entries()) else { continue };
        todo.extend(entries.values().copied().filter(|child| seen.insert(*child)));
    }
    seen
}

fn count_names(disk: &mut Table) {
    let mut names: Vec<Ino> = vec![ROOT];
    for inode in disk.values() {
        names.extend(inode.body.entries().into_iter().flat_map(|entries| entries.values()));
    }
    for inode in disk.values_mut() {
        if inode.names != 0 {
            set_names(inode, 0);
        }
    }
    for ino in names {
        if let Some(inode) = disk.get_mut(&ino) {
            let names = inode.names + 1;
            set_names(inode, names);
        }
    }
}

fn set_names(inode: &mut Arc<Inode>, names: u64) {
    Arc::make_mut(inode).names = names;
}
