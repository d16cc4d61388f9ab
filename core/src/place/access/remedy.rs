//! The command that lets a reader past the component that stops it.

use std::path::Path;

use super::acl::EntryKind;
use super::explain::PathVerdict;
use super::inode::Access;
use super::names::{Numbers, Reader};
use super::permissions::Permissions;
use super::verdict::{Rule, Verdict};
use super::walk::PathFacts;

/// One sentence for the person who reads the error.
pub(super) fn remedy(facts: &PathFacts, reader: &Reader, verdict: &PathVerdict) -> String {
    let path = quoted(&verdict.component);
    let Some(access) = facts.access_of(&verdict.component) else {
        return match verdict.verdict {
            Verdict::Deny(Rule::ProtectedLink) => format!("name the target of the link {path} instead"),
            _ => format!("look at it with `getfacl {path}` as root"),
        };
    };
    if !matches!(verdict.verdict, Verdict::Deny(_)) {
        return format!("look at it with `getfacl {path}`, and for a security module with `dmesg`");
    }
    format!("let it pass with `{} {path}`", command(access, reader, verdict.needed))
}

fn command(access: &Access, reader: &Reader, needed: Permissions) -> String {
    let letters: String = needed.to_string().replace('-', "");
    let kind = match &reader.numbers {
        // The owner's own bits are final, whatever else is there.
        Numbers::User(who) if who.uid == access.uid => return format!("chmod u+{letters}"),
        Numbers::User(who) => EntryKind::User(who.uid),
        Numbers::Group(gid) => EntryKind::Group(*gid),
    };
    let before = access.acl.entries().find(|(held, _)| *held == kind).map_or(Permissions::NONE, |(_, held)| held);
    let entry = format!("{kind}:{}", before | needed);
    match access.acl.mask() {
        // `setfacl` would compute a mask from all entries, and wake those that somebody put to sleep.
        Some(mask) => format!("setfacl -n -m {entry},mask::{}", mask | needed),
        None => format!("setfacl -m {entry}"),
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%:,=".contains(&byte);
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::identity::Identity;
    use crate::plan::spec::Principal;

    fn user(uid: u32) -> Reader {
        Reader::new(Principal::User(uid.to_string()), Numbers::User(Identity::new(uid, uid, vec![])))
    }

    fn access(acl: &str) -> Access {
        Access::new(7, 0, acl.parse().unwrap())
    }

    #[test]
    fn the_command_gives_what_is_missing_and_wakes_nobody() {
        let x = Permissions::EXECUTE;
        assert_eq!(command(&access("u::rwx,g::---,o::---"), &user(33), x), "setfacl -m user:33:--x");
        assert_eq!(command(&access("u::rw-,g::---,o::---"), &user(7), x), "chmod u+x");
        let masked = access("u::rwx,u:33:r--,u:34:rwx,g::---,m::r--,o::---");
        assert_eq!(command(&masked, &user(33), x), "setfacl -n -m user:33:r-x,mask::r-x");
        let group = Reader::new(Principal::Group("104".to_owned()), Numbers::Group(104));
        assert_eq!(command(&masked, &group, x), "setfacl -n -m group:104:--x,mask::r-x");
    }

    #[test]
    fn a_path_survives_the_shell() {
        assert_eq!(quoted(Path::new("/srv/tls")), "/srv/tls");
        assert_eq!(quoted(Path::new("/srv/a b'c")), r"'/srv/a b'\''c'");
    }
}
