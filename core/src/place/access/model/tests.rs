use super::*;

const R: Permissions = Permissions::READ;
const W: Permissions = Permissions::WRITE;
const X: Permissions = Permissions::EXECUTE;

fn who(uid: u32, gid: u32, groups: &[u32]) -> Identity {
    Identity::new(uid, gid, groups.to_vec())
}

/// Owner 1, group 2.
fn access(acl: &str) -> Access {
    Access::new(1, 2, acl.parse().unwrap())
}

/// `allow` or `deny` with the reason, as a person reads it.
fn said(who: &Identity, access: &Access, want: Permissions) -> String {
    match allows(who, access, want) {
        verdict @ Verdict::Allow(_) => format!("allow: {verdict}"),
        verdict @ Verdict::Deny(_) => format!("deny: {verdict}"),
        verdict @ Verdict::Unknown(_) => format!("unknown: {verdict}"),
    }
}

#[test]
fn the_first_class_that_matches_is_final() {
    let access = access("u::-wx,g::r--,o::rwx");
    assert_eq!(said(&who(1, 2, &[]), &access, R), "deny: user::-wx");
    assert_eq!(said(&who(9, 2, &[]), &access, R), "allow: group::r--");
    assert_eq!(said(&who(9, 9, &[2]), &access, W), "deny: group::r--");
    assert_eq!(said(&who(9, 9, &[]), &access, R | W | X), "allow: other::rwx");
}

#[test]
fn the_mask_limits_named_users_and_groups_but_not_others() {
    let access = access("u::---,u:7:rw-,g::rw-,g:8:rw-,m::r--,o::rw-");
    assert_eq!(said(&who(7, 9, &[]), &access, R), "allow: user:7:rw-");
    assert_eq!(said(&who(7, 9, &[]), &access, W), "deny: mask::r-- limits user:7:rw-");
    assert_eq!(said(&who(9, 2, &[]), &access, R | W), "deny: mask::r-- limits group::rw-");
    assert_eq!(said(&who(9, 9, &[8]), &access, W), "deny: mask::r-- limits group:8:rw-");
    assert_eq!(said(&who(9, 9, &[]), &access, W), "allow: other::rw-");
}

#[test]
fn an_empty_mask_makes_linux_pass_over_the_acl() {
    let open = access("u::rwx,u:7:rwx,g::rwx,g:8:rwx,m::---,o::--x");
    assert_eq!(said(&who(7, 9, &[]), &open, X), "allow: other::--x, because mask::--- makes user:7:rwx void");
    assert_eq!(said(&who(7, 9, &[]), &open, R), "deny: other::--x, because mask::--- makes user:7:rwx void");
    assert_eq!(said(&who(9, 8, &[]), &open, X), "allow: other::--x, because mask::--- makes group:8:rwx void");
    assert_eq!(said(&who(9, 2, &[]), &open, X), "deny: mask::--- limits group::rwx");
    // Being named with nothing is no protection then.
    let named = access("u::rwx,u:7:---,g::---,m::---,o::--x");
    assert!(allows(&who(7, 9, &[]), &named, X).is_allow());
}

#[test]
fn groups_are_not_added_up_and_shut_out_from_what_others_get() {
    let access = access("u::---,g::r--,g:8:-w-,m::rwx,o::rwx");
    assert_eq!(
        said(&who(9, 2, &[8]), &access, R | W),
        "deny: group::r--, and the entries of several groups are not added up"
    );
    assert_eq!(said(&who(9, 2, &[8]), &access, W), "allow: group:8:-w-");
    assert_eq!(said(&who(9, 9, &[8]), &access, X), "deny: group:8:-w-");
}

#[test]
fn the_first_of_two_entries_for_one_user_counts() {
    let bytes = [
        &[2, 0, 0, 0][..],
        &[1, 0, 0, 0, 255, 255, 255, 255],
        &[2, 0, 0, 0, 7, 0, 0, 0],
        &[2, 0, 4, 0, 7, 0, 0, 0],
        &[4, 0, 0, 0, 255, 255, 255, 255],
        &[16, 0, 7, 0, 255, 255, 255, 255],
        &[32, 0, 7, 0, 255, 255, 255, 255],
    ];
    let access = Access::new(1, 2, crate::place::access::acl::Acl::from_xattr(&bytes.concat()).unwrap());
    assert_eq!(said(&who(7, 9, &[]), &access, R), "deny: user:7:---");
}

#[test]
fn an_id_without_a_number_here_is_a_doubt_and_never_a_no() {
    let user = access("u::---,u:4294967295:r--,g::---,m::r--,o::---");
    assert_eq!(allows(&who(9, 9, &[]), &user, R), Verdict::Unknown(Doubt::UnmappedUser));
    assert!(allows(&who(1, 9, &[]), &user, R).is_deny(), "the owner is decided before");
    let group = access("u::---,g::---,g:8:-w-,g:4294967295:r--,m::rw-,o::---");
    assert_eq!(allows(&who(9, 9, &[]), &group, R), Verdict::Unknown(Doubt::UnmappedGroup));
    assert_eq!(allows(&who(9, 8, &[]), &group, R), Verdict::Unknown(Doubt::UnmappedGroup));
    assert!(allows(&who(9, 8, &[]), &group, W).is_allow());
    assert!(allows(&who(9, 8, &[]), &group, X).is_deny(), "no entry gives it, whoever it is");
    // Nobody is called -1, whatever an identity claims.
    assert_eq!(allows(&who(u32::MAX, u32::MAX, &[]), &group, R), Verdict::Unknown(Doubt::UnmappedGroup));
}

#[test]
fn capabilities_count_where_the_entries_deny() {
    use Capabilities as C;
    let closed = access("u::---,g::---,o::---");
    let runnable = access("u::--x,g::---,o::---");
    let root = who(0, 0, &[]);
    let may = |held, access: &Access, kind, want| allows_capable(&root, held, access, kind, want).is_allow();
    let (file, dir) = (NodeKind::File, NodeKind::Directory);
    for (held, kind, want, expected) in [
        (C::NONE, file, R, false),
        (C::DAC_READ_SEARCH, file, R, true),
        (C::DAC_READ_SEARCH, file, R | W, false),
        (C::DAC_READ_SEARCH, dir, R | X, true),
        (C::DAC_READ_SEARCH, dir, W, false),
        (C::DAC_OVERRIDE, file, R | W, true),
        (C::DAC_OVERRIDE, file, X, false),
        (C::ROOT, dir, R | W | X, true),
    ] {
        assert_eq!(may(held, &closed, kind, want), expected, "{held} {kind:?} {want}");
    }
    assert!(may(C::DAC_OVERRIDE, &runnable, file, X));
    assert!(!may(C::DAC_READ_SEARCH, &runnable, file, X));
    let why = allows_capable(&root, C::ROOT, &closed, file, R).to_string();
    assert_eq!(why, "CAP_DAC_READ_SEARCH");
}
