//! From the names in a wish to the numbers that the kernel knows, and back. Nothing is ever guessed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::nss::System;
use super::people::{Fixed, GroupEntry, People, UserEntry};
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::identity::Identity;
use crate::plan::spec::Principal;

/// Users and groups by name or number.
///
/// It remembers who it resolved, so that many lineages with the same readers cost one lookup. Make a new one for each run:
/// memberships change.
///
/// # Examples
///
/// ```
/// use certwright::access::Names;
///
/// let names = Names::fixed(&[("www-data", 33, 33)], &[("www-data", 33, &[]), ("ssl-cert", 104, &["www-data"])]);
/// let reader = names.user("www-data")?;
/// assert_eq!((reader.uid, reader.groups.as_slice()), (33, &[33, 104][..]));
/// assert!(names.user("www").is_err());
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone)]
pub struct Names {
    people: Arc<dyn People>,
    known: Arc<Mutex<Known>>,
    strangers: Arc<OnceLock<Vec<Identity>>>,
}

/// What was looked up already.
#[derive(Default)]
struct Known {
    readers: BTreeMap<Principal, Reader>,
    members: BTreeMap<u32, Vec<String>>,
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
}

/// Somebody who has to be able to read, with the numbers that decide it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reader {
    /// As it stands in the wish.
    pub principal: Principal,
    /// What the kernel compares.
    pub numbers: Numbers,
}

impl Reader {
    /// A principal with the numbers it is to stand for.
    pub const fn new(principal: Principal, numbers: Numbers) -> Self {
        Self { principal, numbers }
    }
}

/// The numbers behind a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Numbers {
    /// A user with its primary and supplementary groups.
    User(Identity),
    /// A group.
    Group(u32),
}

/// Ids that no user and no group has on a machine that follows the usual allotments (systemd's "Users, Groups, UIDs and
/// GIDs"): below the end of the 32-bit range, and for user namespaces of 65,536 ids between the dynamic users and nobody.
const UNUSED: [u32; 3] = [3_999_999_967, 3_999_999_929, 65_533];

/// The group of a user that is known by its number alone: one that nothing belongs to.
const NO_GROUP: u32 = UNUSED[0];

impl Names {
    /// The users and groups of this machine, by way of the C library.
    pub fn system() -> Self {
        Self::of(Arc::new(System))
    }

    /// These users (name, uid, primary gid) and groups (name, gid, members beside those whose primary group it is).
    pub fn fixed(users: &[(&str, u32, u32)], groups: &[(&str, u32, &[&str])]) -> Self {
        let users = users.iter().map(|&(name, uid, gid)| UserEntry { name: name.to_owned(), uid, gid });
        let groups = groups.iter().map(|&(name, gid, members)| GroupEntry {
            name: name.to_owned(),
            gid,
            members: members.iter().map(|&member| member.to_owned()).collect(),
        });
        Self::of(Arc::new(Fixed { users: users.collect(), groups: groups.collect() }))
    }

    fn of(people: Arc<dyn People>) -> Self {
        Self { people, known: Arc::default(), strangers: Arc::default() }
    }

    /// A principal with its numbers.
    ///
    /// # Errors
    ///
    /// `NotFound` for a name that nobody has; `InvalidSpec` for −1; `Timeout` or `Io` when the name service fails.
    ///
    /// # Effects
    ///
    /// The name service may ask files, daemons and servers.
    pub fn reader(&self, principal: &Principal) -> Result<Reader> {
        if let Some(reader) = self.known().readers.get(principal) {
            return Ok(reader.clone());
        }
        let numbers = match principal {
            Principal::User(name) => Numbers::User(self.user_numbers(name)?),
            Principal::Group(name) => Numbers::Group(self.group_number(name)?),
        };
        let reader = Reader { principal: principal.clone(), numbers };
        self.known().readers.insert(principal.clone(), reader.clone());
        Ok(reader)
    }

    /// A user, by name or number, with all its groups. One that is known by number alone has a group that nothing belongs
    /// to.
    ///
    /// # Errors
    ///
    /// As [`Names::reader`].
    pub fn user(&self, name: &str) -> Result<Identity> {
        match self.reader(&Principal::User(name.to_owned()))?.numbers {
            Numbers::User(identity) => Ok(identity),
            Numbers::Group(_) => Err(mixed_up(name)),
        }
    }

    /// The number of a group, by name or number.
    ///
    /// # Errors
    ///
    /// As [`Names::reader`].
    pub fn group(&self, name: &str) -> Result<u32> {
        match self.reader(&Principal::Group(name.to_owned()))?.numbers {
            Numbers::Group(gid) => Ok(gid),
            Numbers::User(_) => Err(mixed_up(name)),
        }
    }

    /// Everybody in a group, by name: the members it lists, and the users whose primary group it is as far as they can be
    /// listed. Sorted.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Io` when the name service fails.
    pub fn members(&self, gid: u32) -> Result<Vec<String>> {
        if let Some(members) = self.known().members.get(&gid) {
            return Ok(members.clone());
        }
        let mut members = self.people.group_with(gid)?.map(|group| group.members).unwrap_or_default();
        members.extend(self.people.with_primary_group(gid)?);
        members.sort_unstable();
        members.dedup();
        self.known().members.insert(gid, members.clone());
        Ok(members)
    }

    /// The name of a user, for people; its number when it has none or cannot be looked up.
    pub fn user_name(&self, uid: u32) -> String {
        if let Some(name) = self.known().users.get(&uid) {
            return name.clone();
        }
        let found = self.people.user_with(uid).ok().flatten();
        let name = found.map_or_else(|| uid.to_string(), |user| user.name);
        self.known().users.insert(uid, name.clone());
        name
    }

    /// The name of a group, for people; its number when it has none or cannot be looked up.
    pub fn group_name(&self, gid: u32) -> String {
        if let Some(name) = self.known().groups.get(&gid) {
            return name.clone();
        }
        let found = self.people.group_with(gid).ok().flatten();
        let name = found.map_or_else(|| gid.to_string(), |group| group.name);
        self.known().groups.insert(gid, name.clone());
        name
    }

    /// Locked for one step, never during a look-up.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Users and groups that do not exist, to stand for "everybody else", the best first.
    pub(super) fn strangers(&self) -> &[Identity] {
        let unknown = |id: &u32| {
            matches!(self.people.user_with(*id), Ok(None)) && matches!(self.people.group_with(*id), Ok(None))
        };
        let find = || UNUSED.into_iter().filter(unknown).map(|id| Identity::new(id, id, Vec::new())).collect();
        self.strangers.get_or_init(find)
    }

    fn user_numbers(&self, name: &str) -> Result<Identity> {
        let found = match number(name) {
            Some(u32::MAX) => return Err(minus_one(name)),
            Some(uid) => match self.people.user_with(uid)? {
                None => return Ok(Identity::new(uid, NO_GROUP, Vec::new())),
                found => found,
            },
            None => self.people.user(name)?,
        };
        let user = found.ok_or_else(|| unknown("there is no such user", name, "adduser --system"))?;
        let groups = self.people.groups_of(&user)?;
        Ok(Identity::new(user.uid, user.gid, groups))
    }

    fn group_number(&self, name: &str) -> Result<u32> {
        match number(name) {
            Some(u32::MAX) => Err(minus_one(name)),
            Some(gid) => Ok(gid),
            None => self
                .people
                .group(name)?
                .map(|group| group.gid)
                .ok_or_else(|| unknown("there is no such group", name, "addgroup --system")),
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("people", &self.people).finish_non_exhaustive()
    }
}

/// Names of digits alone are numbers, as they are to `chown` when nobody has such a name.
fn number(name: &str) -> Option<u32> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().unwrap_or(u32::MAX))
}

fn unknown(message: &'static str, name: &str, command: &str) -> Error {
    Error::new(ErrorKind::NotFound, message)
        .context("name", Public(name))
        .hint(format!("make it with `{command} {name}`, or correct the name in the wish"))
}

fn minus_one(name: &str) -> Error {
    Error::new(ErrorKind::InvalidSpec, "this number is nobody's")
        .context("id", Public(name))
        .hint("use a number below 4294967295")
}

fn mixed_up(name: &str) -> Error {
    Error::new(ErrorKind::Bug, "a user was taken for a group").context("name", Public(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::fixed(
            &[("root", 0, 0), ("www-data", 33, 33), ("web", 34, 33)],
            &[("root", 0, &[]), ("www-data", 33, &["web"]), ("ssl-cert", 104, &["www-data"])],
        )
    }

    #[test]
    fn a_user_has_its_primary_and_supplementary_groups() {
        assert_eq!(names().user("www-data").unwrap(), Identity::new(33, 33, vec![33, 104]));
        assert_eq!(names().user("33").unwrap(), names().user("www-data").unwrap());
        assert_eq!(names().group("ssl-cert").unwrap(), 104);
        assert_eq!(names().members(33).unwrap(), ["web", "www-data"]);
        assert_eq!(names().group_name(104), "ssl-cert");
        assert_eq!(names().user_name(999), "999");
    }

    #[test]
    fn what_nobody_is_called_is_an_error_that_names_it() {
        let error = names().user("www").unwrap_err();
        assert_eq!((error.kind(), error.fact("name")), (ErrorKind::NotFound, Some("www")));
        assert!(error.hint_text().is_some());
        // A user is no group, and the other way round.
        assert!(names().group("web").is_err());
        assert!(names().user("ssl-cert").is_err());
        for nobody in ["4294967295", "99999999999"] {
            assert_eq!(names().user(nobody).unwrap_err().kind(), ErrorKind::InvalidSpec);
            assert_eq!(names().group(nobody).unwrap_err().kind(), ErrorKind::InvalidSpec);
        }
        for odd in ["", "-1", "+1", "a b", "\0"] {
            assert!(names().user(odd).is_err() && names().group(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn a_bare_number_belongs_to_no_group_that_owns_anything() {
        let bare = names().user("1000").unwrap();
        assert_eq!((bare.uid, bare.groups.as_slice()), (1000, &[][..]));
        assert_eq!(names().group("4242").unwrap(), 4242);
    }

    #[test]
    fn the_systems_own_names_resolve() {
        let names = Names::system();
        // Every Linux system has these two.
        assert_eq!(names.user("root").unwrap().uid, 0);
        assert_eq!(names.group("0").unwrap(), 0);
        assert_eq!(names.user_name(0), "root");
        for odd in ["", "nobody-is-called-this", "a\0b"] {
            assert_eq!(names.user(odd).unwrap_err().kind(), ErrorKind::NotFound, "{odd:?}");
        }
        assert!(!names.strangers().is_empty());
    }
}
