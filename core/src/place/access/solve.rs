//! From a wish to the smallest access that meets it.
//!
//! Owner, group and mode are preferred where they meet the wish without letting anybody else in, because every program
//! and every person understands them. Otherwise there are ACL entries, with the mask written out.

use super::acl::{Acl, Named};
use super::inode::Access;
use super::model::allows;
use super::names::{Names, Numbers, Reader};
use super::permissions::Permissions;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::identity::Identity;
use crate::plan::spec::{AccessWish, AclWish, KeyRule, Principal, Privacy};

/// The access of a file that holds a private key: its owner reads and writes, the readers read, and nobody else.
///
/// `me` owns it unless the wish names an owner. A group that the wish names reads only if it is a reader too or the mode
/// says so. Mode bits of the wish are what `stat` will show; where entries are needed they become the mask.
///
/// # Errors
///
/// `InvalidSpec` when the wish contradicts itself or `rule`, naming both sides; as [`Names::reader`] for names.
///
/// # Examples
///
/// ```
/// use certwright::access::{Names, secret_file};
/// use certwright::{AccessWish, Identity, KeyRule, Principal};
///
/// let names = Names::fixed(&[("www-data", 33, 33), ("git", 998, 33)], &[("www-data", 33, &[])]);
/// let mut wish = AccessWish::default();
/// wish.readers.push(Principal::User("www-data".to_owned()));
/// let access = secret_file(&wish, KeyRule::None, &names, &Identity::new(0, 0, vec![]))?;
/// // Not the group www-data, because git would be let in with it.
/// assert_eq!(access.acl.to_string(), "user::rw-,user:33:r--,group::---,mask::r--,other::---");
/// # Ok::<(), certwright::Error>(())
/// ```
pub fn secret_file(wish: &AccessWish, rule: KeyRule, names: &Names, me: &Identity) -> Result<Access> {
    let wanted = Wanted::of_file(wish, names, me)?;
    let access = match wish.mode {
        Some(mode) => wanted.within_mode(mode)?,
        None => wanted.smallest(Permissions::READ | Permissions::WRITE, Permissions::READ),
    };
    wanted.see_that_readers_read(&access, wish.mode)?;
    obey(rule, &access)?;
    Ok(access)
}

/// The access of a file that is public: everybody reads, `me` writes.
pub const fn public_file(me: &Identity) -> Access {
    Access::new(me.uid, me.gid, Acl::from_mode(0o644))
}

/// The access of a directory that leads to such files. Everybody may search an open one, and only those who may read
/// the files a private one; nobody but `me` may list it.
///
/// # Errors
///
/// As [`Names::reader`] for the names in the wish.
pub fn directory(wish: &AccessWish, privacy: Privacy, names: &Names, me: &Identity) -> Result<Access> {
    match privacy {
        Privacy::Open => Ok(Access::new(me.uid, me.gid, Acl::from_mode(0o711))),
        Privacy::Private => {
            let wanted = Wanted::of_directory(wish, names, me)?;
            Ok(wanted.smallest(Permissions::ALL, Permissions::EXECUTE))
        }
    }
}

/// A wish with numbers in place of names.
struct Wanted<'a> {
    names: &'a Names,
    me: &'a Identity,
    owner: u32,
    group: Option<u32>,
    readers: Vec<Reader>,
    /// Entries wished for as such.
    raw: Vec<(Reader, Permissions)>,
}

impl<'a> Wanted<'a> {
    fn of_file(wish: &AccessWish, names: &'a Names, me: &'a Identity) -> Result<Self> {
        let owner = wish.owner.as_ref().map_or(Ok(me.uid), |owner| owner_number(names, owner))?;
        let group = wish.group.as_ref().map(|group| group_number(names, group)).transpose()?;
        let readers = wish.readers.iter().map(|reader| names.reader(reader)).collect::<Result<_>>()?;
        let entry = |entry: &AclWish| {
            let reader = names.reader(&entry.who)?;
            Ok((reader, Permissions::from_bits(u32::from(entry.permissions))))
        };
        let raw = wish.acl.iter().map(entry).collect::<Result<_>>()?;
        Ok(Self { names, me, owner, group, readers, raw })
    }

    /// Whoever may read the files has to pass; the directory itself stays ours.
    fn of_directory(wish: &AccessWish, names: &'a Names, me: &'a Identity) -> Result<Self> {
        let group_reads = wish.mode.is_some_and(|mode| mode & 0o040 != 0);
        let readable = |entry: &&AclWish| u32::from(entry.permissions) & Permissions::READ.bits() != 0;
        let searchers = (wish.readers.iter())
            .chain(&wish.owner)
            .chain(wish.group.iter().filter(|_| group_reads))
            .chain(wish.acl.iter().filter(readable).map(|entry| &entry.who));
        let readers = searchers.map(|searcher| names.reader(searcher)).collect::<Result<_>>()?;
        Ok(Self { names, me, owner: me.uid, group: None, readers, raw: Vec::new() })
    }

    /// The least that gives `need` to every reader and `owner` to the owner.
    fn smallest(&self, owner: Permissions, need: Permissions) -> Access {
        let (users, groups) = self.uncovered();
        let mode = owner.bits() << 6;
        if self.raw.is_empty() {
            if users.is_empty() && groups.is_empty() {
                return Access::new(self.owner, self.group.unwrap_or(self.me.gid), Acl::from_mode(mode));
            }
            if let Some(gid) = self.one_group(&users, &groups) {
                return Access::new(self.owner, gid, Acl::from_mode(mode | need.bits() << 3));
            }
        }
        let gid = self.group.unwrap_or(self.me.gid);
        let owning = if groups.contains(&gid) { need } else { Permissions::NONE };
        let (users, groups) = self.entries(&users, &groups, gid, need);
        let mask = users.iter().chain(&groups).fold(owning, |mask, named| mask | named.permissions);
        Access::new(self.owner, gid, Acl::extended(mode | owning.bits() << 3, users, groups, mask))
    }

    /// The same with mode bits that are given, so that the mask is too.
    fn within_mode(&self, mode: u32) -> Result<Access> {
        if mode & !0o770 != 0 {
            return Err(contradiction("the mode opens a private key to everybody")
                .context("mode", Public(&octal(mode)))
                .hint("wish for `0640` or less and name who has to read under `readers`"));
        }
        let need = Permissions::READ;
        let (users, groups) = self.uncovered();
        let gid = self.group.or_else(|| self.one_group(&users, &groups));
        let plain = Access::new(self.owner, gid.unwrap_or(self.me.gid), Acl::from_mode(mode));
        if self.raw.is_empty() && self.readers.iter().all(|reader| self.may(reader, &plain).is_ok()) {
            return Ok(plain);
        }
        let mask = Permissions::from_bits(mode >> 3);
        let beyond = self.raw.iter().find(|(_, permissions)| !mask.contains(*permissions));
        if let Some((reader, permissions)) = beyond {
            return Err(contradiction("the mode limits an ACL entry, because its group bits are the mask")
                .context("mode", Public(&octal(mode)))
                .context("entry", Public(&format!("{}:{permissions}", reader.principal)))
                .hint("leave `mode` out, or give its group bits everything that the entries need"));
        }
        if !mask.contains(need) {
            // Entries could not help: let the check that follows say who is left out.
            return Ok(plain);
        }
        // A group that nobody asked for gets nothing, although the mode shows the mask in its place.
        let asked_for = self.group.is_some() || groups.contains(&plain.gid);
        let owning = if asked_for { mask } else { Permissions::NONE };
        let (users, groups) = self.entries(&users, &groups, plain.gid, need);
        let base = mode & 0o700 | owning.bits() << 3;
        Ok(Access::new(plain.uid, plain.gid, Acl::extended(base, users, groups, mask)))
    }

    /// Named entries: the raw ones as they are, then those that readers need beside them.
    fn entries(&self, users: &[&Identity], groups: &[u32], gid: u32, need: Permissions) -> (Vec<Named>, Vec<Named>) {
        let (mut named_users, mut named_groups) = (Vec::new(), Vec::new());
        for (reader, permissions) in &self.raw {
            match &reader.numbers {
                Numbers::User(who) => named_users.push(Named::new(who.uid, *permissions)),
                Numbers::Group(id) => named_groups.push(Named::new(*id, *permissions)),
            }
        }
        named_users.extend(users.iter().map(|who| Named::new(who.uid, need)));
        let rest = groups.iter().filter(|id| **id != gid && !named_groups.iter().any(|named| named.id == **id));
        let rest: Vec<Named> = rest.map(|id| Named::new(*id, need)).collect();
        named_groups.extend(rest);
        (named_users, named_groups)
    }

    /// The readers for whom something has to be done: not the owner, nobody twice, and no user of a group that reads.
    fn uncovered(&self) -> (Vec<&Identity>, Vec<u32>) {
        let mut groups: Vec<u32> = Vec::new();
        let mut users: Vec<&Identity> = Vec::new();
        for reader in &self.readers {
            match &reader.numbers {
                Numbers::Group(gid) if !groups.contains(gid) => groups.push(*gid),
                _ => {}
            }
        }
        for reader in &self.readers {
            match &reader.numbers {
                Numbers::User(who)
                    if who.uid != self.owner
                        && !users.iter().any(|user| user.uid == who.uid)
                        && !groups.iter().any(|gid| who.is_member(*gid)) =>
                {
                    users.push(who);
                }
                _ => {}
            }
        }
        (users, groups)
    }

    /// The group that holds exactly those who need something, if ownership by it can say it all.
    fn one_group(&self, users: &[&Identity], groups: &[u32]) -> Option<u32> {
        let gid = match (users, groups) {
            ([], [gid]) => *gid,
            ([user], []) => {
                let gid = self.group.unwrap_or(user.gid);
                self.is_alone_in(user, gid).then_some(gid)?
            }
            _ => return None,
        };
        let may_give = self.me.uid == 0 || self.me.is_member(gid);
        (may_give && self.group.is_none_or(|group| group == gid)).then_some(gid)
    }

    /// Whether the group lets nobody else in. A group that cannot be looked up is not trusted to.
    fn is_alone_in(&self, user: &Identity, gid: u32) -> bool {
        let name = self.names.user_name(user.uid);
        user.is_member(gid) && self.names.members(gid).is_ok_and(|members| members == [name])
    }

    /// What the model says of a reader: nothing, or the entry that denies.
    fn may(&self, reader: &Reader, access: &Access) -> Result<(), String> {
        let who = match &reader.numbers {
            Numbers::User(who) => who.clone(),
            Numbers::Group(gid) => match self.names.strangers().first() {
                Some(stranger) => Identity::new(stranger.uid, stranger.gid, vec![*gid]),
                None => return Ok(()),
            },
        };
        let verdict = allows(&who, access, Permissions::READ);
        if verdict.is_allow() { Ok(()) } else { Err(verdict.to_string()) }
    }

    fn see_that_readers_read(&self, access: &Access, mode: Option<u32>) -> Result<()> {
        for reader in &self.readers {
            let raw = self
                .raw
                .iter()
                .find(|(raw, permissions)| raw.numbers == reader.numbers && !permissions.contains(Permissions::READ));
            let denies = match (raw, self.may(reader, access)) {
                (Some((raw, permissions)), _) => format!("{}:{permissions}", raw.principal),
                (None, Err(rule)) => rule,
                (None, Ok(())) => continue,
            };
            let error = contradiction("the wish names a reader and keeps it from reading")
                .context("reader", Public(&reader.principal.to_string()));
            return Err(match mode {
                Some(mode) if raw.is_none() => error
                    .context("mode", Public(&octal(mode)))
                    .hint("leave `mode` out, or let it give the group `r` as in `0640`"),
                _ => error.context("entry", Public(&denies)).hint("take the reader or the entry out"),
            });
        }
        Ok(())
    }
}

/// Some programs look at the mode bits of their key and refuse what they find too open; an ACL's mask shows there.
fn obey(rule: KeyRule, access: &Access) -> Result<()> {
    let mode = access.acl.mode();
    let obeyed = match rule {
        KeyRule::None => true,
        KeyRule::Postgres if access.uid == 0 => mode & !0o640 == 0,
        KeyRule::Postgres => mode & 0o077 == 0,
    };
    if obeyed {
        return Ok(());
    }
    Err(contradiction("PostgreSQL would refuse a key with this access")
        .context("access", Public(&access.to_string()))
        .context("mode", Public(&octal(mode)))
        .context("rule", "no group or world bit, unless root owns it and it is at most 0640")
        .hint("let root own it, or make the server's user its owner and only reader"))
}

fn owner_number(names: &Names, owner: &Principal) -> Result<u32> {
    match names.reader(owner)?.numbers {
        Numbers::User(who) => Ok(who.uid),
        Numbers::Group(_) => Err(contradiction("a group cannot own a file")
            .context("owner", Public(&owner.to_string()))
            .hint("name a user as owner and the group under `group`")),
    }
}

fn group_number(names: &Names, group: &Principal) -> Result<u32> {
    match names.reader(group)?.numbers {
        Numbers::Group(gid) => Ok(gid),
        Numbers::User(_) => Err(contradiction("a user cannot be the group of a file")
            .context("group", Public(&group.to_string()))
            .hint("name a group, or the user under `readers`")),
    }
}

fn contradiction(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSpec, message)
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

#[cfg(test)]
mod tests;
