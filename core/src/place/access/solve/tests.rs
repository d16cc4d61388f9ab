use proptest::prelude::*;

use super::*;

fn names() -> Names {
    Names::fixed(
        &[("root", 0, 0), ("www-data", 33, 33), ("git", 998, 33), ("postgres", 106, 113), ("backup", 34, 34)],
        &[
            ("root", 0, &[]),
            ("www-data", 33, &[]),
            ("postgres", 113, &[]),
            ("backup", 34, &["git"]),
            ("ssl-cert", 104, &["postgres", "git"]),
        ],
    )
}

fn principal(text: &str) -> Principal {
    match text.split_once(':').unwrap() {
        ("user", name) => Principal::User(name.to_owned()),
        (_, name) => Principal::Group(name.to_owned()),
    }
}

fn readers(readers: &[&str]) -> AccessWish {
    AccessWish { readers: readers.iter().map(|text| principal(text)).collect(), ..AccessWish::default() }
}

fn entry(who: &str, permissions: u8) -> AclWish {
    AclWish { who: principal(who), permissions }
}

const ROOT: fn() -> Identity = || Identity::new(0, 0, vec![]);

fn solved(wish: &AccessWish) -> String {
    secret_file(wish, KeyRule::None, &names(), &ROOT()).unwrap().to_string()
}

fn refused(wish: &AccessWish, rule: KeyRule, me: &Identity) -> Error {
    let error = secret_file(wish, rule, &names(), me).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(error.hint_text().is_some());
    error
}

#[test]
fn plain_owner_group_and_mode_where_they_let_nobody_else_in() {
    let nobody = "owner 0, group 0, user::rw-,group::---,other::---";
    assert_eq!(solved(&readers(&[])), nobody);
    assert_eq!(solved(&readers(&["user:root", "user:0"])), nobody, "the owner reads anyway");
    let shared = "owner 0, group 104, user::rw-,group::r--,other::---";
    assert_eq!(solved(&readers(&["group:ssl-cert"])), shared);
    assert_eq!(solved(&readers(&["group:104", "user:git", "group:ssl-cert"])), shared, "git is in ssl-cert");
    let own = "owner 0, group 113, user::rw-,group::r--,other::---";
    assert_eq!(solved(&readers(&["user:postgres"])), own, "nobody but postgres is in its group");
}

#[test]
fn entries_where_a_group_would_let_somebody_else_in() {
    // The primary group of git is www-data; the group backup lists git.
    assert_eq!(
        solved(&readers(&["user:www-data"])),
        "owner 0, group 0, user::rw-,user:33:r--,group::---,mask::r--,other::---"
    );
    assert_eq!(
        solved(&readers(&["user:backup"])),
        "owner 0, group 0, user::rw-,user:34:r--,group::---,mask::r--,other::---"
    );
    assert_eq!(
        solved(&readers(&["user:postgres", "group:www-data"])),
        "owner 0, group 0, user::rw-,user:106:r--,group::---,group:33:r--,mask::r--,other::---"
    );
    // A user without a name: which groups it has is not known.
    assert_eq!(
        solved(&readers(&["user:5000"])),
        "owner 0, group 0, user::rw-,user:5000:r--,group::---,mask::r--,other::---"
    );
}

#[test]
fn raw_owner_group_and_entries_are_kept() {
    let mut wish = readers(&["user:postgres"]);
    wish.owner = Some(principal("user:postgres"));
    assert_eq!(solved(&wish), "owner 106, group 0, user::rw-,group::---,other::---");
    // A group that is only the group reads nothing.
    let mut wish = readers(&["user:postgres"]);
    wish.group = Some(principal("group:www-data"));
    assert_eq!(solved(&wish), "owner 0, group 33, user::rw-,user:106:r--,group::---,mask::r--,other::---");
    // Unless it is a reader.
    wish.readers.push(principal("group:www-data"));
    assert_eq!(solved(&wish), "owner 0, group 33, user::rw-,user:106:r--,group::r--,mask::r--,other::---");
    let mut wish = readers(&["group:ssl-cert"]);
    wish.acl = vec![entry("user:backup", 6), entry("user:git", 0)];
    assert_eq!(
        solved(&wish),
        "owner 0, group 0, user::rw-,user:34:rw-,user:998:---,group::---,group:104:r--,mask::rw-,other::---"
    );
}

#[test]
fn a_mode_is_what_stat_shows() {
    let mut wish = readers(&["group:ssl-cert"]);
    wish.mode = Some(0o640);
    assert_eq!(solved(&wish), "owner 0, group 104, user::rw-,group::r--,other::---");
    let mut wish = readers(&["user:www-data"]);
    wish.mode = Some(0o640);
    let access = secret_file(&wish, KeyRule::None, &names(), &ROOT()).unwrap();
    assert_eq!(access.acl.to_string(), "user::rw-,user:33:r--,group::---,mask::r--,other::---");
    assert_eq!(access.acl.mode(), 0o640);
    // A group that is named reads, because the mode says so.
    wish.group = Some(principal("group:backup"));
    assert_eq!(solved(&wish), "owner 0, group 34, user::rw-,user:33:r--,group::r--,mask::r--,other::---");
    let mut wish = readers(&[]);
    wish.mode = Some(0o640);
    assert_eq!(solved(&wish), "owner 0, group 0, user::rw-,group::r--,other::---");
}

#[test]
fn contradictions_name_both_sides() {
    let mut wish = readers(&["user:www-data"]);
    wish.mode = Some(0o600);
    let error = refused(&wish, KeyRule::None, &ROOT());
    assert_eq!((error.fact("reader"), error.fact("mode")), (Some("user:www-data"), Some("0600")));

    wish.mode = Some(0o644);
    assert_eq!(refused(&wish, KeyRule::None, &ROOT()).fact("mode"), Some("0644"));

    let mut wish = readers(&[]);
    wish.mode = Some(0o640);
    wish.acl = vec![entry("user:backup", 6)];
    let error = refused(&wish, KeyRule::None, &ROOT());
    assert_eq!((error.fact("mode"), error.fact("entry")), (Some("0640"), Some("user:backup:rw-")));

    for (reader, raw) in [("user:git", "user:998"), ("group:ssl-cert", "group:104"), ("group:www-data", "group:33")] {
        let mut wish = readers(&[reader]);
        wish.acl = vec![entry(raw, 0)];
        let error = refused(&wish, KeyRule::None, &ROOT());
        assert_eq!(error.fact("reader"), Some(reader));
        assert_eq!(error.fact("entry"), Some(format!("{raw}:---").as_str()));
    }
    let mut wish = readers(&[]);
    wish.owner = Some(principal("group:ssl-cert"));
    refused(&wish, KeyRule::None, &ROOT());
    let mut wish = readers(&[]);
    wish.group = Some(principal("user:git"));
    refused(&wish, KeyRule::None, &ROOT());
}

#[test]
fn the_rule_of_postgresql() {
    let solve = |wish: &AccessWish, me: &Identity| secret_file(wish, KeyRule::Postgres, &names(), me);
    let postgres = Identity::new(106, 113, vec![104]);
    // Root owns it: a group bit is allowed, be it a group's or a mask.
    assert_eq!(solve(&readers(&["user:postgres"]), &ROOT()).unwrap().acl.mode(), 0o640);
    assert_eq!(solve(&readers(&["user:postgres", "user:www-data"]), &ROOT()).unwrap().acl.mode(), 0o640);
    // The server's own user owns it.
    assert_eq!(solve(&readers(&["user:postgres"]), &postgres).unwrap().acl.mode(), 0o600);
    let mut wish = readers(&["user:postgres"]);
    wish.owner = Some(principal("user:postgres"));
    assert_eq!(solve(&wish, &ROOT()).unwrap().to_string(), "owner 106, group 0, user::rw-,group::---,other::---");
    // Neither.
    wish.readers.push(principal("user:www-data"));
    let error = refused(&wish, KeyRule::Postgres, &ROOT());
    assert!(error.fact("access").is_some_and(|access| access.contains("user:33:r--")), "{error}");
    assert!(error.fact("rule").is_some());
    refused(&readers(&["user:postgres"]), KeyRule::Postgres, &Identity::new(34, 34, vec![]));
    let mut wish = readers(&["user:postgres"]);
    wish.acl = vec![entry("user:backup", 6)];
    assert_eq!(refused(&wish, KeyRule::Postgres, &ROOT()).fact("mode"), Some("0660"));
}

#[test]
fn an_ordinary_user_gives_files_to_its_own_groups_alone() {
    let git = Identity::new(998, 33, vec![104]);
    let solve = |wish: &AccessWish| secret_file(wish, KeyRule::None, &names(), &git).unwrap().to_string();
    assert_eq!(solve(&readers(&["group:ssl-cert"])), "owner 998, group 104, user::rw-,group::r--,other::---");
    assert_eq!(
        solve(&readers(&["group:backup"])),
        "owner 998, group 33, user::rw-,group::---,group:34:r--,mask::r--,other::---"
    );
}

#[test]
fn a_private_directory_lets_those_pass_who_may_read() {
    let at = |wish: &AccessWish, privacy| directory(wish, privacy, &names(), &ROOT()).unwrap().to_string();
    let mut wish = readers(&["user:www-data"]);
    assert_eq!(at(&wish, Privacy::Open), "owner 0, group 0, user::rwx,group::--x,other::--x");
    assert_eq!(at(&wish, Privacy::Private), "owner 0, group 0, user::rwx,user:33:--x,group::---,mask::--x,other::---");
    assert_eq!(at(&readers(&[]), Privacy::Private), "owner 0, group 0, user::rwx,group::---,other::---");
    assert_eq!(
        at(&readers(&["group:ssl-cert"]), Privacy::Private),
        "owner 0, group 104, user::rwx,group::--x,other::---"
    );
    wish.owner = Some(principal("user:postgres"));
    wish.acl = vec![entry("user:backup", 4), entry("user:git", 0)];
    wish.group = Some(principal("group:ssl-cert"));
    wish.mode = Some(0o640);
    assert_eq!(
        at(&wish, Privacy::Private),
        "owner 0, group 0, user::rwx,user:33:--x,user:34:--x,group::---,group:104:--x,mask::--x,other::---"
    );
}

/// A small world in which everything overlaps: users 1 to 5, groups 11 to 14.
#[derive(Clone, Debug)]
struct World {
    primary: Vec<u32>,
    members: Vec<Vec<bool>>,
}

impl World {
    fn names(&self) -> Names {
        let user = |at: usize| format!("u{}", at + 1);
        let users: Vec<String> = (0..5).map(user).collect();
        let table: Vec<(&str, u32, u32)> =
            users.iter().zip(1..).zip(&self.primary).map(|((name, uid), gid)| (name.as_str(), uid, *gid)).collect();
        let lists: Vec<Vec<&str>> = self
            .members
            .iter()
            .map(|row| row.iter().zip(&users).filter(|(is, _)| **is).map(|(_, name)| name.as_str()).collect())
            .collect();
        let groups = ["g11", "g12", "g13", "g14"];
        let groups: Vec<(&str, u32, &[&str])> =
            groups.iter().zip(11..).zip(&lists).map(|((name, gid), list)| (*name, gid, list.as_slice())).collect();
        Names::fixed(&table, &groups)
    }
}

prop_compose! {
    fn any_world()(
        primary in prop::collection::vec(11_u32..15, 5),
        members in prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.3), 5), 4),
    ) -> World {
        World { primary, members }
    }
}

fn any_principal() -> impl Strategy<Value = Principal> {
    prop_oneof![
        3 => (1_u32..6).prop_map(|uid| Principal::User(format!("u{uid}"))),
        2 => (11_u32..15).prop_map(|gid| Principal::Group(format!("g{gid}"))),
        1 => (1_u32..8).prop_map(|uid| Principal::User(uid.to_string())),
    ]
}

prop_compose! {
    fn any_wish()(
        readers in prop::collection::vec(any_principal(), 0..4),
        owner in prop::option::weighted(0.3, (1_u32..6).prop_map(|uid| Principal::User(uid.to_string()))),
        group in prop::option::weighted(0.3, (11_u32..15).prop_map(|gid| Principal::Group(gid.to_string()))),
        mode in prop::option::weighted(0.3, prop::sample::select(vec![0o600, 0o640, 0o660, 0o644, 0o400])),
        acl in prop::collection::vec(
            (any_principal(), 0_u8..8).prop_map(|(who, permissions)| AclWish { who, permissions }), 0..2),
    ) -> AccessWish {
        AccessWish { readers, owner, group, mode, acl }
    }
}

fn everybody(names: &Names) -> Vec<Identity> {
    (1..6).map(|uid| names.user(&uid.to_string()).unwrap()).collect()
}

fn is_reader(who: &Identity, wish: &AccessWish, names: &Names) -> bool {
    wish.readers.iter().any(|reader| match names.reader(reader).unwrap().numbers {
        Numbers::User(reader) => reader.uid == who.uid,
        Numbers::Group(gid) => who.is_member(gid),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_reads_and_nobody_else(world in any_world(), wish in any_wish(), me in 0_u32..6) {
        let names = world.names();
        let me = if me == 0 { ROOT() } else { names.user(&me.to_string()).unwrap() };
        for rule in [KeyRule::None, KeyRule::Postgres] {
            let Ok(access) = secret_file(&wish, rule, &names, &me) else { continue };
            let reads = |who: &Identity| allows(who, &access, Permissions::READ).is_allow();
            for reader in &wish.readers {
                match names.reader(reader).unwrap().numbers {
                    Numbers::User(who) => prop_assert!(reads(&who), "{} {}", reader, access),
                    Numbers::Group(gid) => prop_assert!(reads(&Identity::new(77, 77, vec![gid])), "{} {}", reader, access),
                }
            }
            prop_assert!(!reads(&Identity::new(77, 77, vec![])), "an outsider reads: {}", access);
            // What is wished for as such may let others in; what is derived may not.
            let derived = wish.acl.is_empty() && wish.mode.is_none();
            for who in everybody(&names).iter().filter(|who| derived && who.uid != access.uid && reads(who)) {
                prop_assert!(is_reader(who, &wish, &names), "{} is let in: {}", who, access);
            }
            if let Some(mode) = wish.mode {
                prop_assert_eq!(access.acl.mode(), mode);
            }
            let mode = access.acl.mode();
            prop_assert!(rule == KeyRule::None || mode & 0o077 == 0 || access.uid == 0 && mode & !0o640 == 0);
        }
    }

    #[test]
    fn a_wish_without_raw_parts_is_never_refused(world in any_world(), readers in prop::collection::vec(any_principal(), 0..5)) {
        let wish = AccessWish { readers, ..AccessWish::default() };
        prop_assert!(secret_file(&wish, KeyRule::None, &world.names(), &ROOT()).is_ok());
    }

    #[test]
    fn a_private_directory_is_searched_by_readers_alone(world in any_world(), wish in any_wish()) {
        let names = world.names();
        let Ok(file) = secret_file(&wish, KeyRule::None, &names, &ROOT()) else { return Ok(()) };
        let access = directory(&wish, Privacy::Private, &names, &ROOT()).unwrap();
        let passes = |who: &Identity| allows(who, &access, Permissions::EXECUTE).is_allow();
        prop_assert!(!passes(&Identity::new(77, 77, vec![])));
        for who in everybody(&names) {
            prop_assert!(allows(&who, &access, Permissions::READ).is_deny());
            if allows(&who, &file, Permissions::READ).is_allow() {
                prop_assert!(passes(&who), "{} reads {} and cannot pass {}", who, file, access);
            } else if passes(&who) {
                // Passing a directory is harmless, but only somebody that the wish lets read somewhere does.
                prop_assert!(is_reader(&who, &wish, &names) || !wish.acl.is_empty());
            }
        }
    }
}
