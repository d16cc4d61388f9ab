//! The ACL attribute of a file that somebody else wrote.

use certwright::access::{Acl, EntryKind};

/// One attribute.
///
/// # Panics
///
/// When something accepted is lost on the way back, or what is written means something else.
pub fn acl(data: &[u8]) {
    let Ok(acl) = Acl::from_xattr(data) else { return };
    // What was read keeps the order and the repetitions that were stored, down to the last entry.
    assert_eq!(data.len(), 4 + 8 * acl.entries().count());

    let (written, canonical) = (acl.to_xattr(), acl.canonical());
    let again = Acl::from_xattr(&written);
    assert_eq!(again.as_ref().ok(), Some(&canonical), "what is written is not what was meant");
    assert_eq!(canonical.to_xattr(), written, "two spellings of one ACL");
    assert_eq!(canonical.mode(), acl.mode());
    assert!(acl.mode() <= 0o777);
    assert!(!acl.is_minimal() || Acl::from_mode(acl.mode()) == acl, "mode bits do not say the same");

    // The kernel stops at the first entry of a user, so that is the one that has to survive.
    for named in acl.users() {
        let first = |acl: &Acl| acl.users().iter().find(|entry| entry.id == named.id).copied();
        assert_eq!(first(&canonical), first(&acl));
    }
    let text = canonical.to_string();
    let unmapped = |kind| matches!(kind, EntryKind::User(u32::MAX) | EntryKind::Group(u32::MAX));
    if !acl.entries().any(|(kind, _)| unmapped(kind)) {
        assert_eq!(text.parse::<Acl>().ok(), Some(canonical), "`{text}` is not read back");
    }
}
