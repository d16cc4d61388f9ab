//! A directory in which nobody but root and its owner can put something else under a name.

use std::path::Path;

use super::acl::EntryKind;
use super::permissions::Permissions;
use super::remedy::quoted;
use super::walk::{End, Inode, PathFacts, Step};
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::place::filesystem::{Filesystem, NodeKind};

/// See that every ancestor of the directory `path`, and it itself, belongs to root or `owner`, and that nobody else can
/// write to it. An ancestor may be writable when it is sticky, since names in it are then safe from everybody but their
/// owners; the directory itself may not.
///
/// # Errors
///
/// `AccessMismatch` naming the component and the entry or owner; `InvalidSpec` when it is no directory; as
/// [`PathFacts::read`] otherwise.
///
/// # Effects
///
/// Disk: reads.
pub fn trusted(fs: &dyn Filesystem, path: &Path, owner: u32) -> Result<()> {
    judge(fs, path, owner, Names::OursAlone)
}

/// The same for a directory that others have files in, where the name of one of ours has to be safe: it may be writable when
/// it is sticky, like `/tmp`.
///
/// # Errors
///
/// As [`trusted`].
///
/// # Effects
///
/// Disk: reads.
pub(crate) fn trusted_place(fs: &dyn Filesystem, path: &Path, owner: u32) -> Result<()> {
    judge(fs, path, owner, Names::SafeWhenSticky)
}

/// Who may make names in the directory itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    OursAlone,
    SafeWhenSticky,
}

fn judge(fs: &dyn Filesystem, path: &Path, owner: u32, names: Names) -> Result<()> {
    let facts = PathFacts::read(fs, path)?;
    for step in &facts.way {
        match step {
            Step::Search(directory) => {
                owned(&directory.path, directory.access.uid, owner)?;
                if !directory.sticky {
                    unwritable(directory, owner)?;
                }
            }
            Step::Follow { path, owner: theirs, .. } => owned(path, *theirs, owner)?,
        }
    }
    match &facts.end {
        End::Reached(directory) if directory.kind == NodeKind::Directory => {
            owned(&directory.path, directory.access.uid, owner)?;
            let safe = names == Names::SafeWhenSticky && directory.sticky;
            if safe { Ok(()) } else { unwritable(directory, owner) }
        }
        End::Reached(_) => Err(Error::new(ErrorKind::InvalidSpec, "this is no directory").context("path", path)),
        End::OutOfSight(hidden) => {
            Err(Error::new(ErrorKind::Permission, "this process may not look there").context("path", hidden.as_path()))
        }
    }
}

fn owned(path: &Path, theirs: u32, owner: u32) -> Result<()> {
    if theirs == 0 || theirs == owner {
        return Ok(());
    }
    Err(Error::new(ErrorKind::AccessMismatch, "a component of the path belongs to somebody else")
        .context("path", path)
        .context("uid", theirs)
        .hint(format!("give it to root with `chown -h root {}`, or use another directory", quoted(path))))
}

fn unwritable(directory: &Inode, owner: u32) -> Result<()> {
    let Some((kind, permissions)) = writer(directory, owner) else { return Ok(()) };
    let path = quoted(&directory.path);
    let hint = match kind {
        EntryKind::User(_) | EntryKind::Group(_) => format!("take the entry away with `setfacl -n -x {kind} {path}`"),
        EntryKind::OwningGroup if !directory.access.acl.is_minimal() => {
            format!("take it away with `setfacl -n -m g::r-x {path}`")
        }
        EntryKind::OwningGroup => format!("take it away with `chmod g-w {path}`"),
        _ => format!("take it away with `chmod o-w {path}`"),
    };
    Err(Error::new(ErrorKind::AccessMismatch, "others can replace what is in a directory on the path")
        .context("path", directory.path.as_path())
        .context("entry", Public(&format!("{kind}:{permissions}")))
        .hint(hint))
}

/// The first entry that lets somebody write who is neither root nor the owner.
fn writer(directory: &Inode, owner: u32) -> Option<(EntryKind, Permissions)> {
    let acl = &directory.access.acl;
    let mask = acl.mask().unwrap_or(Permissions::ALL);
    acl.entries().find(|(kind, permissions)| {
        let effective = match kind {
            EntryKind::Owner | EntryKind::Mask => return false,
            EntryKind::User(id) if *id == 0 || *id == owner => return false,
            EntryKind::Other => *permissions,
            EntryKind::User(_) | EntryKind::OwningGroup | EntryKind::Group(_) => *permissions & mask,
        };
        effective.contains(Permissions::WRITE)
    })
}

#[cfg(test)]
mod as_root;
