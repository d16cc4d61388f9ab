//! What somebody changed: the difference between the access that was given and the one that is there.

use std::fmt;

use super::acl::{EntryKind, Named};
use super::inode::Access;
use super::permissions::Permissions;

/// A difference in owner, group, mask or entries. At least one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    changes: Vec<Change>,
}

/// One difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Another owner.
    Owner {
        /// The uid that was given.
        wanted: u32,
        /// The uid that is there.
        found: u32,
    },
    /// Another owning group.
    Group {
        /// The gid that was given.
        wanted: u32,
        /// The gid that is there.
        found: u32,
    },
    /// An entry that has changed, is gone or was added; the mask is one of them.
    Entry {
        /// Whom it is about.
        kind: EntryKind,
        /// What was given; `None` when there was no such entry.
        wanted: Option<Permissions>,
        /// What is there; `None` when it is gone.
        found: Option<Permissions>,
    },
    /// The same entries in an order, or with repetitions, that certwright does not write.
    Order,
}

impl Drift {
    /// Every change: owner and group, then entries in the order of the ACL.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

/// What is different in `found` from `wanted`; `None` when nothing is.
///
/// # Examples
///
/// ```
/// use certwright::access::{Access, compare};
///
/// let wanted = Access::new(0, 0, "u::rw-,u:33:r--,g::---,m::r--,o::---".parse()?);
/// let found = Access::new(0, 0, "u::rw-,u:33:r--,g::---,m::---,o::---".parse()?);
/// let drift = compare(&wanted, &found).map(|drift| drift.to_string());
/// assert_eq!(drift.as_deref(), Some("mask::r-- became mask::---, so named entries no longer count"));
/// # Ok::<(), certwright::Error>(())
/// ```
pub fn compare(wanted: &Access, found: &Access) -> Option<Drift> {
    let mut changes = Vec::new();
    if wanted.uid != found.uid {
        changes.push(Change::Owner { wanted: wanted.uid, found: found.uid });
    }
    if wanted.gid != found.gid {
        changes.push(Change::Group { wanted: wanted.gid, found: found.gid });
    }
    if wanted.acl != found.acl {
        let before = changes.len();
        compare_entries(wanted, found, &mut changes);
        if changes.len() == before {
            changes.push(Change::Order);
        }
    }
    (!changes.is_empty()).then_some(Drift { changes })
}

fn compare_entries(wanted: &Access, found: &Access, changes: &mut Vec<Change>) {
    let (wanted, found) = (&wanted.acl, &found.acl);
    let mut note = |kind, wanted: Option<Permissions>, found: Option<Permissions>| {
        if wanted != found {
            changes.push(Change::Entry { kind, wanted, found });
        }
    };
    note(EntryKind::Owner, Some(wanted.owner()), Some(found.owner()));
    for id in ids(wanted.users(), found.users()) {
        note(EntryKind::User(id), of(wanted.users(), id), of(found.users(), id));
    }
    note(EntryKind::OwningGroup, Some(wanted.owning_group()), Some(found.owning_group()));
    for id in ids(wanted.groups(), found.groups()) {
        note(EntryKind::Group(id), of(wanted.groups(), id), of(found.groups(), id));
    }
    note(EntryKind::Mask, wanted.mask(), found.mask());
    note(EntryKind::Other, Some(wanted.other()), Some(found.other()));
}

fn ids(one: &[Named], other: &[Named]) -> Vec<u32> {
    let mut ids: Vec<u32> = one.iter().chain(other).map(|named| named.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn of(entries: &[Named], id: u32) -> Option<Permissions> {
    entries.iter().find(|named| named.id == id).map(|named| named.permissions)
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, change) in self.changes.iter().enumerate() {
            write!(f, "{}{change}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner { wanted, found } => write!(f, "owner {wanted} became {found}"),
            Self::Group { wanted, found } => write!(f, "group {wanted} became {found}"),
            Self::Entry { kind, wanted: Some(wanted), found: Some(found) } => {
                write!(f, "{kind}:{wanted} became {kind}:{found}")?;
                match (kind, found.bits(), found.contains(*wanted)) {
                    (EntryKind::Mask, 0, _) => f.write_str(", so named entries no longer count"),
                    (EntryKind::Mask, _, false) => f.write_str(", which limits named entries and the group"),
                    (EntryKind::Mask, _, true) => f.write_str(", which gives named entries and the group more"),
                    _ => Ok(()),
                }
            }
            Self::Entry { kind, wanted: Some(wanted), found: None } => write!(f, "{kind}:{wanted} is gone"),
            Self::Entry { kind, wanted: None, found: Some(found) } => write!(f, "{kind}:{found} was added"),
            Self::Entry { kind, wanted: None, found: None } => write!(f, "{kind} did not change"),
            Self::Order => f.write_str("the ACL entries are in another order"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(wanted: (u32, u32, &str), found: (u32, u32, &str)) -> Option<String> {
        let access = |(uid, gid, acl): (u32, u32, &str)| Access::new(uid, gid, acl.parse().unwrap());
        compare(&access(wanted), &access(found)).map(|drift| drift.to_string())
    }

    #[test]
    fn every_change_is_named() {
        let acl = "u::rw-,u:33:r--,g::---,g:104:r--,m::r--,o::---";
        assert_eq!(said((0, 0, acl), (0, 0, acl)), None);
        assert_eq!(
            said((0, 0, acl), (33, 4, "u::rw-,u:34:rw-,g::---,g:104:---,m::rw-,o::r--")).unwrap(),
            "owner 0 became 33; group 0 became 4; user:33:r-- is gone; user:34:rw- was added; \
             group:104:r-- became group:104:---; mask::r-- became mask::rw-, which gives named entries and the group \
             more; other::--- became other::r--"
        );
        assert_eq!(
            said((0, 0, acl), (0, 0, "u::rw-,u:33:r--,g::---,g:104:r--,m::-w-,o::---")).unwrap(),
            "mask::r-- became mask::-w-, which limits named entries and the group"
        );
        assert_eq!(
            said((0, 0, "u::rw-,g::r--,o::---"), (0, 0, "u::rw-,g::---,o::---")).unwrap(),
            "group::r-- became group::---"
        );
    }

    #[test]
    fn an_order_that_is_not_ours_is_a_change_too() {
        let one = "u::rw-,u:33:r--,u:34:r--,g::---,m::r--,o::---";
        let other = "u::rw-,u:34:r--,u:33:r--,g::---,m::r--,o::---";
        assert_eq!(said((0, 0, one), (0, 0, other)).unwrap(), "the ACL entries are in another order");
    }
}
