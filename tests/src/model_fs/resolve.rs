//! From a path to an inode, as the kernel walks.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path};

use certwright::Identity;
use rustix::io::Errno;

use super::access::{SEARCH, allows};
use super::inode::{Body, Ino, ROOT};
use super::volume::Volume;

/// Where a path ends.
#[derive(Debug)]
pub(super) struct Spot {
    /// The directory that holds the last name.
    pub(super) directory: Ino,
    /// The last name; `None` when the path ends in `/`, `.` or `..`.
    pub(super) name: Option<OsString>,
    /// What is there.
    pub(super) found: Option<Ino>,
}

/// How to walk.
pub(super) struct Walk<'a> {
    pub(super) volume: &'a Volume,
    /// Whose right to search directories counts; `None` for root with all capabilities.
    pub(super) who: Option<&'a Identity>,
}

/// What is done with a symbolic link at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

enum Step {
    Root,
    Up,
    Name(OsString),
}

/// As the kernel: more than 40 links are a loop.
const MOST_LINKS: usize = 40;

impl Walk<'_> {
    /// An absolute path; links are followed.
    pub(super) fn absolute(&self, path: &Path, last: Last) -> io::Result<Spot> {
        if !path.is_absolute() {
            return Err(Errno::INVAL.into());
        }
        self.walk(ROOT, path, last, false)
    }

    /// A path beneath a directory that meets no link (`RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`).
    pub(super) fn beneath(&self, base: Ino, path: &Path, last: Last) -> io::Result<Spot> {
        if path.as_os_str().is_empty() {
            return Err(Errno::NOENT.into());
        }
        self.walk(base, path, last, true)
    }

    fn walk(&self, base: Ino, path: &Path, last: Last, confined: bool) -> io::Result<Spot> {
        let mut way = vec![base];
        let mut todo: Vec<Step> = steps(path);
        let mut links = 0;
        let mut here = base;
        while let Some(step) = todo.pop() {
            let name = match step {
                Step::Root if confined => return Err(Errno::XDEV.into()),
                Step::Root => {
                    way = vec![ROOT];
                    here = ROOT;
                    continue;
                }
                Step::Up => {
                    self.may_search(here)?;
                    match (way.len(), confined) {
                        (1, true) => return Err(Errno::XDEV.into()),
                        (1, false) => {}
                        _ => {
                            way.pop();
                            here = way.last().copied().unwrap_or(ROOT);
                        }
                    }
                    continue;
                }
                Step::Name(name) => name,
            };
            self.may_search(here)?;
            let found = self.volume.lookup(here, &name)?;
            let at_end = todo.is_empty();
            let Some(ino) = found else {
                return if at_end { Ok(spot(here, name, None)) } else { Err(Errno::NOENT.into()) };
            };
            if let Body::Link(target) = &self.volume.inode(ino)?.body {
                if at_end && last == Last::Keep {
                    return Ok(spot(here, name, Some(ino)));
                }
                links += 1;
                if confined || links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                todo.extend(steps(target));
            } else if at_end {
                return Ok(spot(here, name, Some(ino)));
            } else {
                self.volume.entries(ino)?;
                way.push(ino);
                here = ino;
            }
        }
        Ok(Spot { directory: here, name: None, found: Some(here) })
    }

    fn may_search(&self, directory: Ino) -> io::Result<()> {
        let inode = self.volume.inode(directory)?;
        if inode.body.entries().is_none() {
            return Err(Errno::NOTDIR.into());
        }
        match self.who {
            Some(who) if !allows(&inode.attributes, who, SEARCH) => Err(Errno::ACCESS.into()),
            _ => Ok(()),
        }
    }
}

fn spot(directory: Ino, name: OsString, found: Option<Ino>) -> Spot {
    Spot { directory, name: Some(name), found }
}

/// The steps of a path, the first one last.
fn steps(path: &Path) -> Vec<Step> {
    let mut steps: Vec<Step> = path
        .components()
        .filter_map(|component| match component {
            Component::RootDir => Some(Step::Root),
            Component::ParentDir => Some(Step::Up),
            Component::Normal(name) => Some(Step::Name(name.to_owned())),
            Component::CurDir | Component::Prefix(_) => None,
        })
        .collect();
    steps.reverse();
    steps
}

/// Refuses what is not one component.
pub(super) fn component(name: &OsStr) -> io::Result<()> {
    let bytes = name.as_encoded_bytes();
    if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') || bytes.contains(&0) {
        return Err(Errno::INVAL.into());
    }
    if bytes.len() > 255 {
        return Err(Errno::NAMETOOLONG.into());
    }
    Ok(())
}
