//! What kind of file system the model is.

/// What kind of file system it is. May be changed while a process works on it: a disk fills up, is remounted read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Size in bytes, counted in blocks of 4 KiB; `None` for plenty.
    pub bytes: Option<u64>,
    /// Inodes at most; `None` when they are not counted.
    pub inodes: Option<u64>,
    /// Every change is refused with `EROFS`.
    pub read_only: bool,
    /// What becomes of an ACL.
    pub acls: Acls,
    /// Whether this process may take on another identity.
    pub identities: Identities,
}

/// What becomes of an ACL that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acls {
    /// Kept; more entries than `named` for named users and groups are refused with `ENOSPC`, as on ext4.
    Kept {
        /// How many fit into the attribute.
        named: usize,
    },
    /// Refused with `EOPNOTSUPP`, as on ramfs.
    Unsupported,
    /// Accepted and dropped: a file system that lies.
    Dropped,
}

/// Whether the process may take on another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identities {
    /// It has the capabilities for it.
    Any,
    /// It has not: `can_open_as` is `Unsupported`.
    OwnOnly,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bytes: None,
            inodes: None,
            read_only: false,
            acls: Acls::Kept { named: 500 },
            identities: Identities::Any,
        }
    }
}
