//! The check that Linux makes before it opens something, with its reasons.
//!
//! This is `acl_permission_check` and `posix_acl_permission` of the kernel, not the algorithm of acl(5), from which it
//! differs in one rule: when the group bits of the mode are all zero, which is to say that the mask is empty, the ACL is
//! not looked at. A named user then gets what everybody else gets.
//!
//! Outside of it are security modules, read-only and `noexec` mounts, and the immutable flag.

use super::acl::{EntryKind, UNMAPPED};
use super::inode::Access;
use super::permissions::Permissions;
use super::verdict::{Capabilities, Doubt, Rule, Verdict};
use crate::ground::identity::Identity;
use crate::place::filesystem::NodeKind;

/// Whether `who`, without capabilities, gets everything in `want` from an inode with this access.
///
/// # Examples
///
/// ```
/// use certwright::Identity;
/// use certwright::access::{Access, Permissions, allows};
///
/// let key = Access::new(0, 0, "user::rw-,user:33:r--,group::---,mask::---,other::---".parse()?);
/// let verdict = allows(&Identity::new(33, 33, vec![]), &key, Permissions::READ);
/// assert!(verdict.is_deny());
/// assert_eq!(verdict.to_string(), "other::---, because mask::--- makes user:33:r-- void");
/// # Ok::<(), certwright::Error>(())
/// ```
pub fn allows(who: &Identity, access: &Access, want: Permissions) -> Verdict {
    let acl = &access.acl;
    if who.uid == access.uid {
        return decide(EntryKind::Owner, acl.owner(), None, want);
    }
    match acl.mask() {
        Some(mask) if mask != Permissions::NONE => by_entries(who, access, mask, want),
        mask => by_mode(who, access, mask, want),
    }
}

/// The same for a process with these capabilities, which count only where the entries deny (capabilities(7)).
///
/// Owner and group of the inode have to be mapped in the process's user namespace, which is taken for granted.
pub fn allows_capable(
    who: &Identity,
    held: Capabilities,
    access: &Access,
    kind: NodeKind,
    want: Permissions,
) -> Verdict {
    let verdict = allows(who, access, want);
    if verdict.is_allow() {
        return verdict;
    }
    let directory = kind == NodeKind::Directory;
    let somebody_executes = access.acl.mode() & 0o111 != 0;
    let reads = match directory {
        true => !want.contains(Permissions::WRITE),
        false => want == Permissions::READ,
    };
    let overrides = directory || !want.contains(Permissions::EXECUTE) || somebody_executes;
    for (capability, enough) in [(Capabilities::DAC_READ_SEARCH, reads), (Capabilities::DAC_OVERRIDE, overrides)] {
        if enough && held.contains(capability) {
            return Verdict::Allow(Rule::Capability(capability));
        }
    }
    verdict
}

/// One entry says it all; `limit` is the mask where it applies.
fn decide(kind: EntryKind, permissions: Permissions, limit: Option<Permissions>, want: Permissions) -> Verdict {
    // The mask is worth a word only where it makes the difference.
    let limit = limit.filter(|mask| permissions.contains(want) && !mask.contains(want));
    let rule = Rule::Entry { kind, permissions, limit };
    if permissions.contains(want) && limit.is_none() { Verdict::Allow(rule) } else { Verdict::Deny(rule) }
}

/// The walk over the entries in stored order.
fn by_entries(who: &Identity, access: &Access, mask: Permissions, want: Permissions) -> Verdict {
    let acl = &access.acl;
    for named in acl.users() {
        if named.id == UNMAPPED {
            return Verdict::Unknown(Doubt::UnmappedUser);
        }
        if named.id == who.uid {
            return decide(EntryKind::User(named.id), named.permissions, Some(mask), want);
        }
    }
    let mut matched = None;
    let mut several = false;
    let owning = (EntryKind::OwningGroup, access.gid, acl.owning_group());
    let named = acl.groups().iter().map(|named| (EntryKind::Group(named.id), named.id, named.permissions));
    for (kind, gid, permissions) in [owning].into_iter().chain(named) {
        if gid == UNMAPPED || !who.is_member(gid) {
            continue;
        }
        if permissions.contains(want) {
            return decide(kind, permissions, Some(mask), want);
        }
        several = matched.is_some();
        matched.get_or_insert((kind, permissions));
    }
    // Membership in a group without a number could have given it, or could shut out from what everybody gets.
    if acl.groups().iter().any(|named| named.id == UNMAPPED && (matched.is_none() || named.permissions.contains(want)))
    {
        return Verdict::Unknown(Doubt::UnmappedGroup);
    }
    match matched {
        Some((kind, permissions)) if several => Verdict::Deny(Rule::NoGroupHasAll { kind, permissions }),
        Some((kind, permissions)) => decide(kind, permissions, None, want),
        None => decide(EntryKind::Other, acl.other(), None, want),
    }
}

/// Without an ACL, or with one whose mask is empty.
fn by_mode(who: &Identity, access: &Access, mask: Option<Permissions>, want: Permissions) -> Verdict {
    let acl = &access.acl;
    if who.is_member(access.gid) {
        return decide(EntryKind::OwningGroup, acl.owning_group(), mask, want);
    }
    let user = acl.users().iter().find(|named| named.id == who.uid);
    let group = || acl.groups().iter().find(|named| named.id != UNMAPPED && who.is_member(named.id));
    let void = user
        .map(|named| (EntryKind::User(named.id), named.permissions))
        .or_else(|| group().map(|named| (EntryKind::Group(named.id), named.permissions)));
    match (void, decide(EntryKind::Other, acl.other(), None, want)) {
        (Some(void), Verdict::Allow(_)) => Verdict::Allow(Rule::EmptyMask { other: acl.other(), void }),
        (Some(void), Verdict::Deny(_)) => Verdict::Deny(Rule::EmptyMask { other: acl.other(), void }),
        (_, verdict) => verdict,
    }
}

#[cfg(test)]
mod tests;
