//! What `apply` looks at in a lineage with which nothing is to be done, and such lineages by the thousand.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, RawDir, ResolveFlags, XattrFlags};
use rustix::io::Errno;

use crate::Fault;

const ACL: &str = "system.posix_acl_access";

/// A file or directory of a lineage.
#[derive(Debug)]
enum Kind {
    Directory,
    File(Vec<u8>),
    Link(PathBuf),
}

/// A lineage in memory, to be written again under other names.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<(PathBuf, Kind, u32, Option<Vec<u8>>)>,
}

impl Tree {
    /// Everything below `top`, with modes and ACLs.
    pub(crate) fn read(top: &Path) -> Result<Self, Fault> {
        let mut tree = Self { nodes: Vec::new() };
        tree.add(top, Path::new(""))?;
        Ok(tree)
    }

    fn add(&mut self, top: &Path, below: &Path) -> Result<(), Fault> {
        use std::os::unix::fs::PermissionsExt;
        let path = top.join(below);
        let facts = std::fs::symlink_metadata(&path)?;
        let mode = facts.permissions().mode() & 0o7777;
        if facts.is_symlink() {
            self.nodes.push((below.to_owned(), Kind::Link(std::fs::read_link(&path)?), mode, None));
            return Ok(());
        }
        let mut buffer = vec![0; 1_024];
        let acl = rustix::fs::getxattr(&path, ACL, &mut buffer[..]).ok().map(|length| buffer[..length].to_vec());
        if facts.is_file() {
            self.nodes.push((below.to_owned(), Kind::File(std::fs::read(&path)?), mode, acl));
            return Ok(());
        }
        self.nodes.push((below.to_owned(), Kind::Directory, mode, acl));
        for entry in std::fs::read_dir(&path)? {
            self.add(top, &below.join(entry?.file_name()))?;
        }
        Ok(())
    }

    /// All of it again at `top`.
    pub(crate) fn write(&self, top: &Path) -> Result<(), Fault> {
        for (below, kind, mode, acl) in &self.nodes {
            let path = if below.as_os_str().is_empty() { top.to_owned() } else { top.join(below) };
            match kind {
                Kind::Directory => std::fs::create_dir(&path)?,
                Kind::File(bytes) => std::fs::write(&path, bytes)?,
                Kind::Link(target) => {
                    std::os::unix::fs::symlink(target, &path)?;
                    continue;
                }
            }
            rustix::fs::chmodat(CWD, &path, Mode::from_raw_mode(*mode), rustix::fs::AtFlags::empty())?;
            if let Some(acl) = acl {
                rustix::fs::setxattr(&path, ACL, acl, XattrFlags::empty())?;
            }
        }
        Ok(())
    }
}

/// Look at each of these lineages: every file and directory that `apply` looks at, each opened, asked and read once, as
/// `strace` shows it. Nothing is parsed, hashed or compared.
pub(crate) fn all(root: &Path, names: &[String]) -> Result<(), Fault> {
    let root = rustix::fs::open(root, DIRECTORY, Mode::empty())?;
    Ok(names.iter().try_for_each(|name| one(root.as_fd(), name))?)
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILES: [&str; 5] = ["key.pem", "leaf.pem", "chain.pem", "fullchain.pem", "bundle.pem"];

fn one(root: BorrowedFd<'_>, name: &str) -> rustix::io::Result<()> {
    let lineage = open(root, name, DIRECTORY)?;
    read(&open(lineage.as_fd(), "txn", OFlags::RDONLY | OFlags::CLOEXEC)?)?;
    list(&lineage)?;
    let generations = open(lineage.as_fd(), "generations", DIRECTORY)?;
    list(&generations)?;
    match open(lineage.as_fd(), "schedule.json", OFlags::RDONLY | OFlags::CLOEXEC) {
        Ok(_) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error),
    }
    access(&lineage)?;
    access(&generations)?;
    let current = rustix::fs::readlinkat(&lineage, "current", Vec::new())?;
    let generation = open(lineage.as_fd(), &current, DIRECTORY)?;
    read(&open(generation.as_fd(), "manifest.json", OFlags::RDONLY | OFlags::CLOEXEC)?)?;
    access(&generation)?;
    for name in FILES {
        let file = open(generation.as_fd(), name, OFlags::RDONLY | OFlags::CLOEXEC)?;
        read(&file)?;
        access(&file)?;
    }
    Ok(())
}

fn open(at: BorrowedFd<'_>, name: impl rustix::path::Arg, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(at, name, flags, Mode::empty(), rules)
}

fn read(file: &OwnedFd) -> rustix::io::Result<()> {
    let size = usize::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(0);
    let mut content = Vec::with_capacity(size + 1);
    rustix::io::pread(file, rustix::buffer::spare_capacity(&mut content), 0)?;
    std::hint::black_box(content);
    Ok(())
}

fn access(node: &OwnedFd) -> rustix::io::Result<()> {
    std::hint::black_box(rustix::fs::fstat(node)?);
    match rustix::fs::fgetxattr(node, ACL, &mut [0; 484][..]) {
        Ok(_) | Err(Errno::NODATA) => Ok(()),
        Err(error) => Err(error),
    }
}

fn list(directory: &OwnedFd) -> rustix::io::Result<()> {
    let own = rustix::fs::openat(directory, c".", DIRECTORY, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(own, &mut buffer);
    while let Some(entry) = entries.next() {
        std::hint::black_box(entry?.file_name());
    }
    Ok(())
}
