//! What an inode is in the model.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use certwright::NodeKind;

use super::acl::Acl;

/// An inode number. Never reused, so that a stale handle can never mean something else.
pub(super) type Ino = u64;

/// The root directory.
pub(super) const ROOT: Ino = 1;

/// One inode.
#[derive(Clone, Debug)]
pub(super) struct Inode {
    /// The file system it is on; a rename never crosses.
    pub(super) device: u64,
    /// Owner and permissions.
    pub(super) attributes: Attributes,
    /// What it holds.
    pub(super) body: Body,
    /// How many names lead here (a directory counts its one name).
    pub(super) names: u64,
    /// `chattr +i`: nothing about it may change.
    pub(super) immutable: bool,
}

/// Owner and permissions: what one `fsync` of the inode writes beside its content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Attributes {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// `0o7777` at most. With an ACL that has a mask, the group bits are the mask.
    pub(super) mode: u32,
    pub(super) acl: Option<Acl>,
    pub(super) default_acl: Option<Acl>,
}

/// What an inode holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Body {
    File(Vec<u8>),
    Directory(BTreeMap<OsString, Ino>),
    Link(PathBuf),
    Fifo,
}

impl Body {
    pub(super) const fn kind(&self) -> NodeKind {
        match self {
            Self::File(_) => NodeKind::File,
            Self::Directory(_) => NodeKind::Directory,
            Self::Link(_) => NodeKind::Link,
            Self::Fifo => NodeKind::Other,
        }
    }

    /// The size that `stat` tells. A directory has one block.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(bytes) => bytes.len() as u64,
            Self::Directory(_) => BLOCK,
            Self::Link(target) => target.as_os_str().len() as u64,
            Self::Fifo => 0,
        }
    }

    /// What it takes from the space: whole blocks; a link and a FIFO fit into the inode.
    pub(super) fn blocks(&self) -> u64 {
        match self {
            Self::File(bytes) => (bytes.len() as u64).div_ceil(BLOCK),
            Self::Directory(_) => 1,
            Self::Link(_) | Self::Fifo => 0,
        }
    }

    /// The names inside, when it is a directory.
    pub(super) const fn entries(&self) -> Option<&BTreeMap<OsString, Ino>> {
        match self {
            Self::Directory(entries) => Some(entries),
            Self::File(_) | Self::Link(_) | Self::Fifo => None,
        }
    }
}

/// The unit of space, as on the usual ext4.
pub(super) const BLOCK: u64 = 4096;
