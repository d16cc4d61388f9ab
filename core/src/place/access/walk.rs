//! The way to a file: every directory that is searched and every link that is followed, as the kernel does it.
//!
//! One walk reads the facts; any number of questions is then answered without asking the machine again. Each component
//! costs the calls that its facts need: an open, one `fstat`, one `fgetxattr` and a close. Directories are opened for
//! reading, because an `O_PATH` handle has no extended attributes of its own and its detour by way of procfs is slower;
//! the detour is taken for what this process may not list, and for the last component, since opening a device acts on it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::inode::{Access, AclSupport};
use super::mount::Mount;
use super::permissions::Permissions;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::place::filesystem::{Filesystem, Node, NodeKind, Open, Stat};

/// As many links as Linux follows on one way (path_resolution(7)).
const MOST_LINKS: u32 = 40;

const STICKY: u32 = 0o1000;

/// What is on the way to a path, read once.
#[derive(Clone, Debug)]
pub struct PathFacts {
    /// The path that was asked about.
    pub(super) asked: PathBuf,
    /// What has to be passed, in the kernel's order.
    pub(super) way: Vec<Step>,
    /// What is there.
    pub(super) end: End,
}

/// One thing that is passed on the way.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A directory in which a name is looked up.
    Search(Arc<Inode>),
    /// A symbolic link that is followed.
    Follow {
        path: PathBuf,
        owner: u32,
        /// The kernel lets its owner alone follow it.
        protected: bool,
    },
}

/// Where the way ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    Reached(Arc<Inode>),
    /// This process itself may not look at it.
    OutOfSight(PathBuf),
}

/// A directory or file with everything that decides about it.
#[derive(Clone, Debug)]
pub(super) struct Inode {
    /// Without links.
    pub(super) path: PathBuf,
    pub(super) kind: NodeKind,
    pub(super) sticky: bool,
    pub(super) access: Access,
    pub(super) identity: (u64, u64),
    /// The type of a file system that decides by rules of its own.
    pub(super) elsewhere: Option<String>,
}

impl PathFacts {
    /// Walk the way to `path`, links followed.
    ///
    /// # Errors
    ///
    /// `NotFound` naming the first component that is missing; `InvalidSpec` for a relative path or one that leads through
    /// a file; `Io`, also when there are too many links.
    ///
    /// # Effects
    ///
    /// Disk: reads facts, never contents.
    pub fn read(fs: &dyn Filesystem, path: &Path) -> Result<Self> {
        if !path.is_absolute() {
            return Err(Error::new(ErrorKind::InvalidSpec, "the path is not absolute").context("path", path));
        }
        let mut walk = Walk { fs, way: Vec::with_capacity(8), levels: Vec::with_capacity(8), links: 0, mounts: vec![] };
        let end = walk.to(path)?;
        Ok(Self { asked: path.to_owned(), way: walk.way, end })
    }

    /// Device and inode number of what is there; `None` when this process may not look at it.
    pub fn identity(&self) -> Option<(u64, u64)> {
        self.reached().map(|inode| inode.identity)
    }

    /// The access of what is there; `None` when this process may not look at it.
    pub fn access(&self) -> Option<&Access> {
        self.reached().map(|inode| &inode.access)
    }

    /// What is there; `None` when this process may not look at it.
    pub fn kind(&self) -> Option<NodeKind> {
        self.reached().map(|inode| inode.kind)
    }

    /// The path without links; as asked when this process may not look.
    pub fn resolved(&self) -> &Path {
        self.reached().map_or(&self.asked, |inode| &inode.path)
    }

    /// The access of one component, by its path without links.
    pub(super) fn access_of(&self, component: &Path) -> Option<&Access> {
        self.inodes().find(|inode| inode.path == component).map(|inode| &inode.access)
    }

    /// Every user and every group that owns something or is named on the way.
    pub(super) fn mentioned(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let (mut uids, mut gids) = (BTreeSet::new(), BTreeSet::new());
        for Access { uid, gid, acl } in self.inodes().map(|inode| &inode.access) {
            uids.extend(acl.users().iter().map(|named| named.id).chain([*uid]));
            gids.extend(acl.groups().iter().map(|named| named.id).chain([*gid]));
        }
        (uids, gids)
    }

    /// The directories that are searched, then what is there.
    pub(super) fn inodes(&self) -> impl Iterator<Item = &Inode> {
        let searched = self.way.iter().filter_map(|step| match step {
            Step::Search(inode) => Some(&**inode),
            Step::Follow { .. } => None,
        });
        searched.chain(self.reached())
    }

    fn reached(&self) -> Option<&Inode> {
        match &self.end {
            End::Reached(inode) => Some(&**inode),
            End::OutOfSight(_) => None,
        }
    }
}

/// A directory that the walk stands in.
struct Level {
    node: Node,
    inode: Arc<Inode>,
    searched: bool,
}

struct Walk<'a> {
    fs: &'a dyn Filesystem,
    way: Vec<Step>,
    /// From the root to where the walk stands.
    levels: Vec<Level>,
    links: u32,
    /// Devices already looked up in the mount table.
    mounts: Vec<(u64, Option<String>)>,
}

/// What a name turned out to be.
enum Found {
    Link(PathBuf),
    Other(Node, Arc<Inode>),
    OutOfSight,
}

impl Walk<'_> {
    fn to(&mut self, path: &Path) -> Result<End> {
        let mut ahead: Vec<Cow<'_, OsStr>> = Vec::with_capacity(8);
        ahead.extend(backwards(path).map(Cow::Borrowed));
        self.start()?;
        while let Some(name) = ahead.pop() {
            self.search();
            if *name == *OsStr::new("..") {
                if self.levels.len() > 1 {
                    self.levels.pop();
                }
                continue;
            }
            match self.look_up(&name, ahead.is_empty())? {
                Found::Link(target) => {
                    if target.is_absolute() {
                        self.levels.truncate(1);
                    }
                    ahead.extend(backwards(&target).map(|name| Cow::Owned(name.to_owned())));
                }
                Found::Other(node, inode) if inode.kind == NodeKind::Directory => self.enter(node, inode),
                Found::Other(_, inode) if ahead.is_empty() => return Ok(End::Reached(inode)),
                Found::Other(_, inode) => {
                    return Err(Error::new(
                        ErrorKind::InvalidSpec,
                        "the path leads through something that is no directory",
                    )
                    .context("path", inode.path.as_path()));
                }
                Found::OutOfSight => return Ok(End::OutOfSight(self.here().join(&*name))),
            }
        }
        match self.levels.pop() {
            Some(level) => Ok(End::Reached(level.inode)),
            None => Err(Error::new(ErrorKind::Bug, "a walk ended nowhere").context("path", path)),
        }
    }

    fn start(&mut self) -> Result<()> {
        let root = Path::new("/");
        let node = self.fs.open(None, root, Open::Directory).map_err(|source| unreadable(root, source))?;
        let stat = self.fs.stat(&node).map_err(|source| unreadable(root, source))?;
        let inode = self.facts(&node, root.to_owned(), &stat)?;
        self.enter(node, inode);
        Ok(())
    }

    fn enter(&mut self, node: Node, inode: Arc<Inode>) {
        self.levels.push(Level { node, inode, searched: false });
    }

    /// Looking up a name takes search permission where the walk stands.
    fn search(&mut self) {
        if let Some(level) = self.levels.last_mut().filter(|level| !level.searched) {
            level.searched = true;
            self.way.push(Step::Search(Arc::clone(&level.inode)));
        }
    }

    fn here(&self) -> &Path {
        self.levels.last().map_or(Path::new("/"), |level| &level.inode.path)
    }

    fn look_up(&mut self, name: &OsStr, last: bool) -> Result<Found> {
        let path = self.here().join(name);
        let Some(node) = self.levels.last().map(|level| level.node.clone()) else {
            return Ok(Found::OutOfSight);
        };
        let open = |how| self.fs.open(Some(&node), Path::new(name), how);
        let opened = match last {
            true => open(Open::Facts),
            false => match open(Open::Directory) {
                // A directory that may be searched and not listed, something else than a directory, or a link.
                Err(error) if tells(&error, &[Errno::ACCESS, Errno::LOOP, Errno::NOTDIR]) => open(Open::Facts),
                opened => opened,
            },
        };
        let found = match opened {
            Err(error) if tells(&error, &[Errno::ACCESS]) => return Ok(Found::OutOfSight),
            opened => opened.map_err(|source| unreadable(&path, source))?,
        };
        let stat = self.fs.stat(&found).map_err(|source| unreadable(&path, source))?;
        if stat.kind == NodeKind::Link {
            let target = self.fs.read_link(&node, name).map_err(|source| unreadable(&path, source))?;
            self.follow(path, stat.uid, last)?;
            return Ok(Found::Link(target));
        }
        let inode = self.facts(&found, path, &stat)?;
        Ok(Found::Other(found, inode))
    }

    fn follow(&mut self, path: PathBuf, owner: u32, last: bool) -> Result<()> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(unreadable(&path, Errno::LOOP.into()));
        }
        // The kernel looks at this for the last component alone (`may_follow_link`).
        let protected =
            last && self.levels.last().is_some_and(|Level { inode, .. }| {
                inode.sticky && inode.access.acl.other().contains(Permissions::WRITE) && inode.access.uid != owner
            }) && self.links_are_protected();
        self.way.push(Step::Follow { path, owner, protected });
        Ok(())
    }

    fn links_are_protected(&self) -> bool {
        let switch = self.fs.open(None, Path::new("/proc/sys/fs/protected_symlinks"), Open::Read);
        switch.and_then(|file| self.fs.read(&file, 16)).is_ok_and(|value| value.starts_with(b"1"))
    }

    fn facts(&mut self, node: &Node, path: PathBuf, stat: &Stat) -> Result<Arc<Inode>> {
        let (access, support) =
            Access::read_known(self.fs, node, stat).map_err(|error| error.context("path", path.as_path()))?;
        let elsewhere = match support {
            AclSupport::Yes => None,
            AclSupport::No => self.decides_elsewhere(stat),
        };
        let sticky = stat.mode & STICKY != 0;
        Ok(Arc::new(Inode { path, kind: stat.kind, sticky, access, identity: stat.identity, elsewhere }))
    }

    fn decides_elsewhere(&mut self, stat: &Stat) -> Option<String> {
        let device = stat.identity.0;
        if let Some((_, known)) = self.mounts.iter().find(|(known, _)| *known == device) {
            return known.clone();
        }
        let kind = Mount::of(self.fs, stat).filter(Mount::decides_elsewhere).map(|mount| mount.kind);
        self.mounts.push((device, kind.clone()));
        kind
    }
}

/// The components of `path`, the first one last.
fn backwards(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

fn tells(error: &io::Error, numbers: &[Errno]) -> bool {
    Errno::from_io_error(error).is_some_and(|number| numbers.contains(&number))
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    let message = match source.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory",
        _ => "the way to the file cannot be read",
    };
    Error::io(message, source).context("path", path)
}
