//! An answer and what decided it.

use std::fmt;
use std::ops::BitOr;

use super::acl::EntryKind;
use super::permissions::Permissions;

/// The kernel's answer, and what decides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It may.
    Allow(Rule),
    /// It may not.
    Deny(Rule),
    /// What is known does not decide. Never to be taken for "no".
    Unknown(Doubt),
}

impl Verdict {
    /// Whether it certainly may.
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// Whether it certainly may not.
    pub const fn is_deny(&self) -> bool {
        matches!(self, Self::Deny(_))
    }
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// One entry.
    Entry {
        /// Whom it is about.
        kind: EntryKind,
        /// What it grants.
        permissions: Permissions,
        /// The mask, where it takes away something wanted that the entry grants.
        limit: Option<Permissions>,
    },
    /// The entry for everybody else, since an empty mask makes Linux pass over the named entries.
    EmptyMask {
        /// What everybody else gets.
        other: Permissions,
        /// The entry that would have counted.
        void: (EntryKind, Permissions),
    },
    /// Several groups match, no entry has everything that is wanted, and entries are not added up.
    NoGroupHasAll {
        /// The first entry that matches.
        kind: EntryKind,
        /// What that entry grants.
        permissions: Permissions,
    },
    /// A capability of the process, where the entries deny.
    Capability(Capabilities),
    /// A link in a sticky directory that everybody may write to, which belongs neither to the reader nor to the
    /// directory's owner (`fs.protected_symlinks`, proc_sys_fs(5)).
    ProtectedLink,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// An entry names a user that has no number in this user namespace.
    UnmappedUser,
    /// An entry names a group that has no number in this user namespace.
    UnmappedGroup,
    /// A file system whose server or driver has rules of its own; its type.
    DecidedElsewhere(String),
    /// This process itself may not look there.
    OutOfSight,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow(rule) | Self::Deny(rule) => rule.fmt(f),
            Self::Unknown(doubt) => doubt.fmt(f),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry { kind, permissions, limit: None } => write!(f, "{kind}:{permissions}"),
            Self::Entry { kind, permissions, limit: Some(mask) } => {
                write!(f, "mask::{mask} limits {kind}:{permissions}")
            }
            Self::EmptyMask { other, void: (kind, permissions) } => {
                write!(f, "other::{other}, because mask::--- makes {kind}:{permissions} void")
            }
            Self::NoGroupHasAll { kind, permissions } => {
                write!(f, "{kind}:{permissions}, and the entries of several groups are not added up")
            }
            Self::Capability(held) => held.fmt(f),
            Self::ProtectedLink => f.write_str("foreign links in a sticky directory are not followed"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnmappedUser => f.write_str("an entry names a user that is not mapped in this user namespace"),
            Self::UnmappedGroup => f.write_str("an entry names a group that is not mapped in this user namespace"),
            Self::DecidedElsewhere(kind) => write!(f, "a file system of type {kind} decides by rules of its own"),
            Self::OutOfSight => f.write_str("this process may not look there"),
        }
    }
}

/// The capabilities that make a process see more than the entries give (capabilities(7)).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u8);

impl Capabilities {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// `CAP_DAC_READ_SEARCH`: read every file, read and search every directory.
    pub const DAC_READ_SEARCH: Self = Self(1);
    /// `CAP_DAC_OVERRIDE`: everything but to execute a file that nobody may execute.
    pub const DAC_OVERRIDE: Self = Self(2);
    /// What root usually has.
    pub const ROOT: Self = Self(3);

    /// Whether all of `wanted` are in here.
    pub const fn contains(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "no capability",
            1 => "CAP_DAC_READ_SEARCH",
            2 => "CAP_DAC_OVERRIDE",
            _ => "CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH",
        })
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
