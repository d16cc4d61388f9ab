//! Who may do what with an inode: the check as Linux makes it (`acl_permission_check` in fs/namei.c,
//! `posix_acl_permission` in fs/posix_acl.c), for a process without capabilities.

use certwright::Identity;

use super::acl::{Acl, Tag};
use super::inode::Attributes;

pub(super) const READ: u32 = 4;
pub(super) const SEARCH: u32 = 1;

/// Whether `who` gets all the wanted bits.
pub(super) fn allows(attributes: &Attributes, who: &Identity, want: u32) -> bool {
    let has = |bits: u32| bits & want == want;
    if who.uid == attributes.uid {
        return has(attributes.mode >> 6);
    }
    // With empty group bits Linux does not look at the ACL at all.
    if let Some(acl) = &attributes.acl
        && attributes.mode & 0o070 != 0
    {
        return by_acl(acl, attributes.gid, who, want);
    }
    if who.is_member(attributes.gid) { has(attributes.mode >> 3) } else { has(attributes.mode) }
}

fn by_acl(acl: &Acl, owning_group: u32, who: &Identity, want: u32) -> bool {
    let has = |bits: u32| bits & want == want;
    let mask = acl.0.iter().find(|entry| entry.tag == Tag::Mask).map_or(7, |entry| entry.perm);
    let mut in_a_group = false;
    for entry in &acl.0 {
        let group = match entry.tag {
            Tag::User(uid) if uid == who.uid => return has(entry.perm & mask),
            Tag::OwningGroup => owning_group,
            Tag::Group(gid) => gid,
            Tag::Other => return !in_a_group && has(entry.perm),
            Tag::Owner | Tag::User(_) | Tag::Mask => continue,
        };
        if who.is_member(group) {
            in_a_group = true;
            // The first group that grants it by itself decides; bits of two groups are never added up.
            if has(entry.perm) {
                return has(entry.perm & mask);
            }
        }
    }
    false
}
