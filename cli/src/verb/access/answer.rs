//! Answers about access as documents.

use std::path::{Path, PathBuf};

use certwright::Identity;
use certwright::access::{Capabilities, Component, Grant, Grantee, PathFacts, PathVerdict, Permissions, Verdict};
use serde::Serialize;

/// One answer for each path.
#[derive(Debug, Serialize)]
pub(super) struct Answers<T> {
    pub(super) answers: Vec<T>,
}

/// Whether somebody can read a path.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    path: PathBuf,
    resolved: PathBuf,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
    r: Option<bool>,
    why: String,
    way: Vec<Step>,
}

impl Asked {
    pub(super) fn new(path: &Path, who: &Identity, facts: &PathFacts, verdict: &PathVerdict) -> Self {
        Self {
            path: path.to_owned(),
            resolved: facts.resolved().to_owned(),
            uid: who.uid,
            gid: who.gid,
            groups: who.groups.clone(),
            r: known(&verdict.verdict),
            why: verdict.to_string(),
            way: facts.components().map(|component| Step::new(component, Some(who))).collect(),
        }
    }
}

/// Yes, no, or `null` for what cannot be told.
pub(super) const fn known(verdict: &Verdict) -> Option<bool> {
    match verdict {
        Verdict::Allow(_) => Some(true),
        Verdict::Deny(_) => Some(false),
        _ => None,
    }
}

/// The word for an answer.
pub(super) const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Allow(_) => "allow",
        Verdict::Deny(_) => "deny",
        _ => "unknown",
    }
}

/// Everybody who can read a path.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    path: PathBuf,
    resolved: PathBuf,
    readers: Vec<Reader>,
    way: Vec<Step>,
}

impl Listed {
    pub(super) fn new(path: &Path, grants: &[Grant], facts: &PathFacts) -> Self {
        Self {
            path: path.to_owned(),
            resolved: facts.resolved().to_owned(),
            readers: grants.iter().map(Reader::new).collect(),
            way: facts.components().map(|component| Step::new(component, None)).collect(),
        }
    }
}

/// Those whom one rule lets in.
#[derive(Debug, Serialize)]
struct Reader {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<String>>,
    r: Option<bool>,
    why: String,
}

impl Reader {
    fn new(grant: &Grant) -> Self {
        let (kind, id, name, members) = match &grant.who {
            Grantee::User { uid, name } => ("user", Some(*uid), Some(name.clone()), None),
            Grantee::Group { gid, name, members } => ("group", Some(*gid), Some(name.clone()), Some(members.clone())),
            Grantee::Everybody => ("everybody", None, None, None),
            Grantee::Capable(held) => ("capability", None, Some(held.to_string()), None),
            other => ("other", None, Some(other.to_string()), None),
        };
        Self { kind, id, name, members, r: known(&grant.verdict.verdict), why: grant.verdict.to_string() }
    }
}

/// One component of the way.
#[derive(Debug, Serialize)]
struct Step {
    path: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Step {
    fn new(component: Component<'_>, who: Option<&Identity>) -> Self {
        let access = component.access();
        let verdict = who.and_then(|who| component.verdict(who, Capabilities::NONE, Permissions::READ));
        Self {
            path: component.path().to_owned(),
            owner: access.map(|access| access.uid),
            group: access.map(|access| access.gid),
            acl: access.map(|access| access.acl.to_string()),
            needed: verdict.as_ref().map(|_| component.needed(Permissions::READ).to_string()),
            answer: verdict.as_ref().map(word),
            why: verdict.as_ref().map(Verdict::to_string),
        }
    }
}
