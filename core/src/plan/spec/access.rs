//! Who must be able to read, as wished. What the disk makes of it is the business of a higher floor.

use std::fmt;

/// Whether the directories of a lineage may be searched by everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Privacy {
    /// Search without list for everyone (0711): the secrets inside are closed anyway.
    #[default]
    Open,
    /// Search for the readers alone, by ACL entries.
    Private,
}

/// Who must be able to read, and raw access beside it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccessWish {
    /// Principals that must be able to read.
    pub readers: Vec<Principal>,
    /// The owner of the file; the user that runs certwright when `None`.
    pub owner: Option<Principal>,
    /// The group of the file.
    pub group: Option<Principal>,
    /// Mode bits wished as such, `0o600` to `0o777`.
    pub mode: Option<u32>,
    /// Raw entries of the access ACL (acl(5) short text form, `user:backup:r--`).
    pub acl: Vec<AclWish>,
}

impl AccessWish {
    /// Readable by these principals, and by nobody else beside the owner.
    pub fn for_readers(readers: impl IntoIterator<Item = Principal>) -> Self {
        Self { readers: readers.into_iter().collect(), ..Self::default() }
    }
}

/// A user or a group by name or number. Names are resolved when access is proved, not when the spec is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Principal {
    /// `user:NAME` or `user:1000`.
    User(String),
    /// `group:NAME` or `group:1000`.
    Group(String),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
        }
    }
}

/// One raw ACL entry wished for: a named user or group and its permission bits (r 4, w 2, x 1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclWish {
    /// Whom the entry names.
    pub who: Principal,
    /// Permission bits, 0 to 7.
    pub permissions: u8,
}

impl AclWish {
    /// An entry for `who`; bits beyond the lowest three are dropped.
    pub const fn new(who: Principal, permissions: u8) -> Self {
        Self { who, permissions: permissions & 0o7 }
    }
}

impl fmt::Display for AclWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bit = |bit: u8, letter: char| if self.permissions & bit == 0 { '-' } else { letter };
        write!(f, "{}:{}{}{}", self.who, bit(4, 'r'), bit(2, 'w'), bit(1, 'x'))
    }
}
