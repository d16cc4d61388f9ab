//! The other way round: who can read this, and what lets them?

use std::collections::BTreeSet;
use std::fmt;

use super::acl::{EntryKind, UNMAPPED};
use super::explain::PathVerdict;
use super::names::Names;
use super::permissions::Permissions;
use super::verdict::{Capabilities, Rule, Verdict};
use super::walk::PathFacts;
use crate::ground::error::{ErrorKind, Result};
use crate::ground::identity::Identity;

/// Somebody who can read, or of whom it is not known that they cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Who.
    pub who: Grantee,
    /// What lets them: an entry, a capability, or a doubt.
    pub verdict: PathVerdict,
}

/// Those whom one rule lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grantee {
    /// A user.
    User {
        /// Its number.
        uid: u32,
        /// Its name, or the number again.
        name: String,
    },
    /// A group.
    Group {
        /// Its number.
        gid: u32,
        /// Its name, or the number again.
        name: String,
        /// The members whom nothing else shuts out.
        members: Vec<String>,
    },
    /// Every user of this machine.
    Everybody,
    /// Processes with these capabilities, as root's usually are.
    Capable(Capabilities),
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, .. } => write!(f, "user {name}"),
            Self::Group { name, members, .. } if members.is_empty() => write!(f, "group {name} (nobody)"),
            Self::Group { name, members, .. } => write!(f, "group {name} ({})", members.join(", ")),
            Self::Everybody => f.write_str("everybody"),
            Self::Capable(held) => write!(f, "processes with {held}"),
        }
    }
}

/// Everybody who can read what is at the end of the path: first users, then groups, then everybody, then processes with
/// capabilities.
///
/// Whoever reads only because everybody does is not listed beside that. Users who need several of their groups for the
/// way are listed by themselves.
///
/// # Errors
///
/// `Timeout` or `Io` when the name service fails.
///
/// # Effects
///
/// The name service may ask files, daemons and servers.
pub fn who_can_read(facts: &PathFacts, names: &Names) -> Result<Vec<Grant>> {
    let (mut uids, mut gids) = facts.mentioned();
    uids.remove(&UNMAPPED);
    gids.remove(&UNMAPPED);
    let ask = |who: &Identity, held| facts.explain(who, held, Permissions::READ);
    let stranger = names.strangers().iter().find(|who| !uids.contains(&who.uid) && !gids.contains(&who.gid));
    let stranger = stranger.cloned().unwrap_or_else(|| Identity::new(UNMAPPED, UNMAPPED, Vec::new()));

    let mut groups = Vec::new();
    let mut members = BTreeSet::new();
    for gid in gids {
        let mut inside = Vec::new();
        for name in names.members(gid)? {
            let Some(who) = known(names, &name)? else { continue };
            members.insert((who.uid, name.clone()));
            if !ask(&who, Capabilities::NONE).verdict.is_deny() {
                inside.push(name);
            }
        }
        let verdict = ask(&Identity::new(stranger.uid, stranger.gid, vec![gid]), Capabilities::NONE);
        if granted(&verdict) {
            let name = names.group_name(gid);
            groups.push(Grant { who: Grantee::Group { gid, name, members: inside }, verdict });
        }
    }

    let mut grants = Vec::new();
    members.extend(uids.into_iter().map(|uid| (uid, names.user_name(uid))));
    for (uid, name) in members {
        let Some(who) = known(names, &uid.to_string())? else { continue };
        let verdict = ask(&who, Capabilities::NONE);
        let in_group =
            groups.iter().any(|grant| matches!(&grant.who, Grantee::Group { gid, .. } if who.is_member(*gid)));
        if granted(&verdict) && (by_itself(&verdict) || !in_group) {
            grants.push(Grant { who: Grantee::User { uid, name }, verdict });
        }
    }
    grants.append(&mut groups);
    let verdict = ask(&stranger, Capabilities::NONE);
    if !verdict.verdict.is_deny() {
        grants.push(Grant { who: Grantee::Everybody, verdict });
    }
    let verdict = ask(&stranger, Capabilities::ROOT);
    if let Verdict::Allow(Rule::Capability(held)) = verdict.verdict {
        grants.push(Grant { who: Grantee::Capable(held), verdict });
    }
    Ok(grants)
}

/// A member that a group lists and nobody knows is nobody.
fn known(names: &Names, user: &str) -> Result<Option<Identity>> {
    match names.user(user) {
        Ok(who) => Ok(Some(who)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Not denied, and not only because everybody is let in.
fn granted(verdict: &PathVerdict) -> bool {
    let everybody =
        matches!(verdict.verdict, Verdict::Allow(Rule::Entry { kind: EntryKind::Other, .. } | Rule::EmptyMask { .. }));
    !verdict.verdict.is_deny() && !everybody
}

fn by_itself(verdict: &PathVerdict) -> bool {
    let Verdict::Allow(Rule::Entry { kind, .. }) = &verdict.verdict else { return false };
    matches!(kind, EntryKind::Owner | EntryKind::User(_))
}
