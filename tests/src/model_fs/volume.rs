//! The inodes as processes see them, and the elementary changes to them.
//!
//! Each change goes to the cache at once and into the list of what is not durable yet (see `durable`).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use super::acl::Acl;
use super::durable::{Change, Pending};
use super::inode::{Attributes, BLOCK, Body, Ino, Inode, ROOT};
use super::settings::Settings;

/// Inodes by number. Shared until changed, so that a copy of everything is cheap.
pub(super) type Table = BTreeMap<Ino, Arc<Inode>>;

/// Everything that outlives a process.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    /// What processes see.
    pub(super) cache: Table,
    /// What a power cut leaves at least. Holds every inode from its birth on, in its new-born state; whether it is ever
    /// seen again depends on a durable name.
    pub(super) disk: Table,
    /// What is in the cache and not on the disk, oldest first.
    pub(super) pending: Vec<Pending>,
    pub(super) settings: Settings,
    /// The next inode number.
    pub(super) next: Ino,
    /// How many file systems there are.
    pub(super) devices: u64,
}

impl Volume {
    pub(super) fn new(settings: Settings) -> Self {
        let attributes = Attributes { uid: 0, gid: 0, mode: 0o755, acl: None, default_acl: None };
        let root = Inode { device: 1, attributes, body: Body::Directory(BTreeMap::new()), names: 1, immutable: false };
        let cache = Table::from([(ROOT, Arc::new(root))]);
        Self { disk: cache.clone(), cache, pending: Vec::new(), settings, next: ROOT + 1, devices: 1 }
    }

    pub(super) fn inode(&self, ino: Ino) -> io::Result<&Inode> {
        self.cache.get(&ino).map(Arc::as_ref).ok_or_else(|| Errno::STALE.into())
    }

    pub(super) fn inode_mut(&mut self, ino: Ino) -> io::Result<&mut Inode> {
        self.cache.get_mut(&ino).map(Arc::make_mut).ok_or_else(|| Errno::STALE.into())
    }

    pub(super) fn entries(&self, directory: Ino) -> io::Result<&BTreeMap<OsString, Ino>> {
        self.inode(directory)?.body.entries().ok_or_else(|| Errno::NOTDIR.into())
    }

    pub(super) fn lookup(&self, directory: Ino, name: &OsStr) -> io::Result<Option<Ino>> {
        Ok(self.entries(directory)?.get(name).copied())
    }

    /// The inode of a name that must be there.
    pub(super) fn named(&self, directory: Ino, name: &OsStr) -> io::Result<Ino> {
        self.lookup(directory, name)?.ok_or_else(|| Errno::NOENT.into())
    }

    /// The names of a directory, a removed one included: there it has two, `.` and its entry above, and one `..` per child.
    pub(super) fn links(&self, ino: Ino) -> io::Result<u64> {
        let inode = self.inode(ino)?;
        let Some(entries) = inode.body.entries() else { return Ok(inode.names) };
        if inode.names == 0 {
            return Ok(0);
        }
        let mut links = 2;
        for child in entries.values() {
            links += u64::from(self.inode(*child)?.body.entries().is_some());
        }
        Ok(links)
    }

    /// Bytes and inodes left for the process.
    pub(super) fn room(&self) -> (u64, Option<u64>) {
        let used: u64 = self.cache.values().map(|inode| inode.body.blocks() * BLOCK).sum();
        let bytes = self.settings.bytes.unwrap_or(1 << 40).saturating_sub(used);
        let inodes = self.settings.inodes.map(|most| most.saturating_sub(self.cache.len() as u64));
        (bytes, inodes)
    }

    /// Refuses changes where there can be none.
    pub(super) fn writable(&self, ino: Ino) -> io::Result<()> {
        if self.settings.read_only {
            return Err(Errno::ROFS.into());
        }
        if self.inode(ino)?.immutable {
            return Err(Errno::PERM.into());
        }
        Ok(())
    }

    /// A new inode under a name that is free. The process is root; a set-group-id directory hands its group down.
    pub(super) fn create(&mut self, directory: Ino, name: &OsStr, body: Body, mode: u32) -> io::Result<Ino> {
        if self.lookup(directory, name)?.is_some() {
            return Err(Errno::EXIST.into());
        }
        if self.inode(directory)?.names == 0 {
            return Err(Errno::NOENT.into());
        }
        self.writable(directory)?;
        let (bytes, inodes) = self.room();
        if inodes == Some(0) || bytes < body.blocks() * BLOCK {
            return Err(Errno::NOSPC.into());
        }
        let above = self.inode(directory)?;
        let device = above.device;
        let attributes = born(&above.attributes, &body, mode);
        let ino = self.next;
        self.next += 1;
        let inode = Arc::new(Inode { device, attributes, body, names: 0, immutable: false });
        self.disk.insert(ino, Arc::clone(&inode));
        self.cache.insert(ino, inode);
        self.change_names(vec![Change::new(directory, name, Some(ino))])?;
        Ok(ino)
    }

    /// Sets names in one step, in the cache; on the disk when a sync or luck makes it so.
    pub(super) fn change_names(&mut self, changes: Vec<Change>) -> io::Result<()> {
        for change in &changes {
            let before = match &mut self.inode_mut(change.directory)?.body {
                Body::Directory(entries) => match change.now {
                    Some(ino) => entries.insert(change.name.clone(), ino),
                    None => entries.remove(&change.name),
                },
                Body::File(_) | Body::Link(_) | Body::Fifo => return Err(Errno::NOTDIR.into()),
            };
            if let Some(ino) = change.now {
                self.inode_mut(ino)?.names += 1;
            }
            if let Some(ino) = before {
                self.inode_mut(ino)?.names -= 1;
            }
        }
        self.pending.push(Pending::names(changes));
        Ok(())
    }

    /// Writes what fits, and says how much that was.
    pub(super) fn write(&mut self, ino: Ino, offset: usize, bytes: &[u8]) -> io::Result<usize> {
        let (room, _) = self.room();
        let Body::File(content) = &mut self.inode_mut(ino)?.body else { return Err(Errno::BADF.into()) };
        let free_in_last_block = (content.len() as u64).next_multiple_of(BLOCK) - content.len() as u64;
        let grown = (offset + bytes.len()).saturating_sub(content.len());
        let over = (grown as u64).saturating_sub(free_in_last_block + room) as usize;
        let fits = bytes.get(..bytes.len().saturating_sub(over)).unwrap_or_default();
        put(content, offset, fits);
        self.pending.push(Pending::content(ino, offset, fits));
        Ok(fits.len())
    }

    pub(super) fn set_attributes(&mut self, ino: Ino, attributes: Attributes) -> io::Result<()> {
        self.inode_mut(ino)?.attributes = attributes.clone();
        self.pending.push(Pending::attributes(ino, attributes));
        Ok(())
    }

    /// A directory that is the root of another file system from now on.
    pub(super) fn mount(&mut self, ino: Ino) -> io::Result<()> {
        self.devices += 1;
        let device = self.devices;
        self.inode_mut(ino)?.device = device;
        if let Some(inode) = self.disk.get_mut(&ino) {
            Arc::make_mut(inode).device = device;
        }
        Ok(())
    }

    /// Forgets what has no name and is not open.
    pub(super) fn forget_unused(&mut self, open: impl Fn(Ino) -> bool) {
        self.cache.retain(|ino, inode| inode.names > 0 || open(*ino));
    }
}

/// Puts bytes at an offset; a gap before them reads as zeros.
pub(super) fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

fn born(above: &Attributes, body: &Body, mode: u32) -> Attributes {
    let inherits_group = above.mode & 0o2000 != 0;
    let mut attributes =
        Attributes { uid: 0, gid: if inherits_group { above.gid } else { 0 }, mode, acl: None, default_acl: None };
    let directory = body.entries().is_some();
    if inherits_group && directory {
        attributes.mode |= 0o2000;
    }
    if let (Some(default), false) = (&above.default_acl, matches!(body, Body::Link(_))) {
        let (acl, mode) = Acl::inherit(default, attributes.mode);
        attributes.acl = acl;
        attributes.mode = mode;
        attributes.default_acl = directory.then(|| default.clone());
    }
    attributes
}
