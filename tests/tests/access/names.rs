//! Names against `id`, on databases with users in no group, in many, and in as many as Linux allows.

use std::process::Command;
use std::time::Duration;

use certwright::access::{Names, Numbers};
use certwright::{ErrorKind, Principal};
use certwright_tests::namespace::in_mount;
use certwright_tests::process::run;

/// How many groups each user is a member of, beside its primary one. 65,536 in all is the kernel's limit (`NGROUPS_MAX`).
const MEMBERSHIPS: [u32; 8] = [0, 1, 2, 16, 17, 32, 1_024, 65_535];

/// Users `many<n>` (uid 70000+n, primary group 69999, which has no name), each in the first n groups `g<i>` (gid 100000+i).
const DATABASES: &str = r#"mount -t tmpfs tmpfs "$0"
cp /etc/passwd /etc/group "$0"
for n in 0 1 2 16 17 32 1024 65535; do echo "many$n:x:$((70000+n)):69999::/:/bin/false" >> "$0/passwd"; done
awk 'BEGIN { split("0 1 2 16 17 32 1024 65535", sizes, " ")
    for (i = 0; i < 65535; i++) {
        members = ""
        for (s = 1; s <= 8; s++) if (sizes[s] > i) members = members (members == "" ? "" : ",") "many" sizes[s]
        print "g" i ":x:" 100000 + i ":" members
    } }' >> "$0/group"
mount --bind "$0/passwd" /etc/passwd
mount --bind "$0/group" /etc/group"#;

fn id(arguments: &[&str]) -> String {
    let output = run(Command::new("id").args(arguments), Duration::from_secs(60)).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn users_have_exactly_the_groups_that_id_says() {
    let test = "as_root::names::users_have_exactly_the_groups_that_id_says";
    let Some(_) = in_mount(test, DATABASES).unwrap() else { return };
    let names = Names::system();
    for memberships in MEMBERSHIPS {
        let name = format!("many{memberships}");
        let who = names.user(&name).unwrap();
        assert_eq!(who.uid.to_string(), id(&["-u", &name]));
        assert_eq!(who.gid.to_string(), id(&["-g", &name]));
        let mut theirs: Vec<u32> =
            id(&["-G", &name]).split_ascii_whitespace().map(|gid| gid.parse().unwrap()).collect();
        theirs.sort_unstable();
        theirs.dedup();
        assert_eq!(theirs.len(), usize::try_from(memberships).unwrap() + 1, "the database is not what it should be");
        assert!(who.groups == theirs, "{name}: {} groups, not {}", who.groups.len(), theirs.len());
        assert!(!who.is_member(0), "nobody is in root's group by accident");
        // By number it is the same user.
        assert!(names.user(&who.uid.to_string()).unwrap() == who);
    }
    assert_eq!(names.group("g1023").unwrap(), 101_023);
    assert_eq!(names.members(101_023).unwrap(), ["many1024", "many65535"]);
    assert_eq!(names.members(69_999).unwrap().len(), MEMBERSHIPS.len(), "those whose primary group it is");
    assert_eq!(names.group_name(100_000), "g0");
    assert_eq!(names.group_name(69_999), "69999");
    let unknown = names.reader(&Principal::Group("g65535".to_owned())).unwrap_err();
    assert_eq!((unknown.kind(), unknown.fact("name")), (ErrorKind::NotFound, Some("g65535")));
}

#[test]
fn every_user_of_this_machine_is_as_id_says() {
    let names = Names::system();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    for name in passwd.lines().filter_map(|line| line.split(':').next()).take(50) {
        let Numbers::User(who) = names.reader(&Principal::User(name.to_owned())).unwrap().numbers else { panic!() };
        let mut theirs: Vec<u32> = id(&["-G", name]).split(' ').map(|gid| gid.parse().unwrap()).collect();
        theirs.sort_unstable();
        assert_eq!(who.groups, theirs, "{name}");
        assert_eq!(who.uid.to_string(), id(&["-u", name]));
    }
}
