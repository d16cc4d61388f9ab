//! Access as it is written, of a lineage and of an output alike.

use super::fault::{Faults, Place};
use super::leaf::Mode;
use super::principal::{Group, Owner};
use super::read::At;
use crate::plan::spec::{AccessWish, AclWish, Principal};

/// The keys that speak of access.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) readers: Option<Vec<At<Principal>>>,
    pub(super) owner: Option<At<Owner>>,
    pub(super) group: Option<At<Group>>,
    pub(super) mode: Option<At<Mode>>,
    pub(super) acl: Option<Vec<At<AclWish>>>,
}

impl Raw {
    /// Where the first of them stands.
    pub(super) fn first(&self) -> Option<usize> {
        let readers = self.readers.as_ref().map(|list| list.first().map_or(0, |one| one.at));
        let acl = self.acl.as_ref().map(|list| list.first().map_or(0, |one| one.at));
        let owner = self.owner.as_ref().map(|one| one.at);
        let group = self.group.as_ref().map(|one| one.at);
        let mode = self.mode.as_ref().map(|one| one.at);
        [readers, owner, group, mode, acl].into_iter().flatten().min()
    }
}

/// Whether the files in question hold a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Secret,
    Public,
}

/// The wish that these keys make.
pub(super) fn wish(raw: Raw, content: Content, place: &Place<'_>, faults: &mut Faults) -> AccessWish {
    let readers = raw.readers.unwrap_or_default();
    if let Some(again) = twice(&readers, |reader| reader) {
        faults.add_at(again.at, &place.key("readers"), format!("`{}` is given twice", again.value), None);
    }
    let acl = raw.acl.unwrap_or_default();
    if let Some(again) = twice(&acl, |entry| &entry.who) {
        let message = format!("`{}` has two ACL entries", again.value.who);
        faults.add_at(again.at, &place.key("acl"), message, Some("make one entry of the two".to_owned()));
    }
    if let Some(mode) = raw.mode.as_ref().filter(|mode| content == Content::Secret && mode.value.0 & 0o007 != 0) {
        let message = format!("mode `{:04o}` would give the private key to everyone", mode.value.0);
        let hint = format!("write `\"{:04o}\"` and name who needs it in `readers`", mode.value.0 & !0o007);
        faults.add_at(mode.at, &place.key("mode"), message, Some(hint));
    }
    AccessWish {
        readers: readers.into_iter().map(|reader| reader.value).collect(),
        owner: raw.owner.map(|owner| owner.value.0),
        group: raw.group.map(|group| group.value.0),
        mode: raw.mode.map(|mode| mode.value.0),
        acl: acl.into_iter().map(|entry| entry.value).collect(),
    }
}

/// The later of two elements with an equal key.
pub(super) fn twice<T, K: Ord>(list: &[At<T>], key: impl Fn(&T) -> &K) -> Option<&At<T>> {
    if list.len() < 2 {
        return None;
    }
    let mut sorted: Vec<&At<T>> = list.iter().collect();
    sorted.sort_by(|a, b| key(&a.value).cmp(key(&b.value)).then(a.at.cmp(&b.at)));
    sorted.windows(2).find_map(|pair| match pair {
        [a, b] if key(&a.value) == key(&b.value) => Some(*b),
        _ => None,
    })
}
