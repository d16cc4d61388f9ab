//! ACLs: the attribute that a stranger may have set on a file of ours, and the text in a configuration.

use certwright::Identity;
use certwright::access::{Access, Acl, Permissions, UNMAPPED, allows};

/// One input, read as the attribute and as text.
///
/// # Panics
///
/// When something accepted is not read back as it was written, or means something else once it is written in order.
pub fn acl(data: &[u8]) {
    if let Ok(acl) = Acl::from_xattr(data) {
        holds(&acl);
    }
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(acl) = text.parse::<Acl>() {
        holds(&acl);
        assert_eq!(acl.to_string().parse::<Acl>().ok(), Some(acl), "`{text}`");
    }
}

fn holds(acl: &Acl) {
    assert!(acl.mode() <= 0o777);
    let written = acl.to_xattr();
    assert_eq!(written.len(), 4 + 8 * acl.canonical().entries().count());
    assert_eq!(Acl::from_xattr(&written).ok(), Some(acl.canonical()), "{acl}");
    assert_eq!(acl.canonical().canonical(), acl.canonical());
    // Sorting changes nothing for anybody; only a doubt about an id that is not mapped may come earlier or later.
    let unmapped = acl.users().iter().chain(acl.groups()).any(|named| named.id == UNMAPPED);
    let (stored, sorted) = (Access::new(1, 2, acl.clone()), Access::new(1, 2, acl.canonical()));
    let users = acl.users().iter().map(|named| named.id).take(8).chain([0, 1, 3]);
    for uid in users {
        let groups = acl.groups().iter().map(|named| named.id).take(8);
        for gid in groups.chain([0, 2, 3]) {
            let who = Identity::new(uid, gid, vec![2, 3]);
            for want in (0..8).map(Permissions::from_bits) {
                let (before, after) = (allows(&who, &stored, want), allows(&who, &sorted, want));
                assert!(
                    unmapped || before.is_allow() == after.is_allow(),
                    "{who} wants {want}: {before}, then {after}"
                );
            }
        }
    }
}
