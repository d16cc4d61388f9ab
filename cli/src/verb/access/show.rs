//! Answers about access for people and pipes: entry by entry, directory by directory.

use std::path::Path;

use certwright::Identity;
use certwright::access::{
    Access, Capabilities, Component, EntryKind, Grant, Grantee, Names, PathFacts, PathVerdict, Permissions, Verdict,
};

use super::answer::word;
use crate::render::paint::Tone;
use crate::screen::Screen;

/// Whether somebody can read a path: the answer, then each component's own.
pub(super) fn asked(
    path: &Path,
    who: &Identity,
    names: &Names,
    facts: &PathFacts,
    verdict: &PathVerdict,
    screen: &mut Screen,
) {
    let (tone, can) = match &verdict.verdict {
        Verdict::Allow(_) => (Tone::Good, "can read"),
        Verdict::Deny(_) => (Tone::Bad, "cannot read"),
        _ => (Tone::Notable, "may or may not be able to read"),
    };
    let can = screen.paint(tone, can);
    let name = names.user_name(who.uid);
    let by = match name == who.uid.to_string() {
        true => who.to_string(),
        false => format!("{name} ({who})"),
    };
    screen.line(&format!("{by} {can} {}: {verdict}", path.display()));
    for component in facts.components() {
        let own = component.verdict(who, Capabilities::NONE, Permissions::READ);
        let (tone, answer, why) = match &own {
            Some(verdict @ Verdict::Allow(_)) => (Tone::Quiet, word(verdict), format!(": {verdict}")),
            Some(verdict) => (tone_of(verdict), word(verdict), format!(": {verdict}")),
            None => (Tone::Quiet, "follow", String::new()),
        };
        let needed = if is_link(component) { String::new() } else { component.needed(Permissions::READ).to_string() };
        let answer = screen.paint(tone, &format!("{answer:7}"));
        screen.detail(&format!("{answer} {needed:3} {}{why}", component.path().display()));
        if own.is_some_and(|verdict| !verdict.is_allow()) {
            show_access(component, names, screen);
        }
    }
}

fn tone_of(verdict: &Verdict) -> Tone {
    if verdict.is_deny() { Tone::Bad } else { Tone::Notable }
}

/// Everybody who can read a path, then who owns each component and what its entries are.
pub(super) fn listed(path: &Path, grants: &[Grant], names: &Names, facts: &PathFacts, screen: &mut Screen) {
    screen.line(&path.display().to_string());
    for grant in grants {
        let tone = if grant.verdict.is_allow() { Tone::Plain } else { Tone::Notable };
        let who = screen.paint(tone, &grantee(&grant.who));
        screen.detail(&format!("{who}: {}", grant.verdict));
    }
    if grants.is_empty() {
        screen.detail("nobody can read it");
    }
    for component in facts.components() {
        screen.detail(&component.path().display().to_string());
        show_access(component, names, screen);
    }
}

fn grantee(who: &Grantee) -> String {
    match who {
        Grantee::User { uid, name } if *name == uid.to_string() => format!("user {uid}"),
        Grantee::User { uid, name } => format!("user {name} ({uid})"),
        Grantee::Group { gid, name, members } => {
            let members = if members.is_empty() { String::new() } else { format!(", with {}", members.join(", ")) };
            if *name == gid.to_string() {
                format!("group {gid}{members}")
            } else {
                format!("group {name} ({gid}){members}")
            }
        }
        other => other.to_string(),
    }
}

fn show_access(component: Component<'_>, names: &Names, screen: &mut Screen) {
    match component.access() {
        Some(Access { uid, gid, acl, .. }) => {
            let entries: Vec<String> =
                acl.entries().map(|(kind, permissions)| format!("{}:{permissions}", entry(kind, names))).collect();
            let (owner, group) = (names.user_name(*uid), names.group_name(*gid));
            screen.detail(&format!("  owner {owner}, group {group}, {}", entries.join(",")));
        }
        None if is_link(component) => screen.detail("  a link"),
        None => screen.detail("  this process may not look there"),
    }
}

/// Nothing is needed to follow a link but the way to it.
fn is_link(component: Component<'_>) -> bool {
    component.needed(Permissions::READ) == Permissions::NONE
}

fn entry(kind: EntryKind, names: &Names) -> String {
    match kind {
        EntryKind::User(uid) => format!("user:{}", names.user_name(uid)),
        EntryKind::Group(gid) => format!("group:{}", names.group_name(gid)),
        other => other.to_string(),
    }
}
