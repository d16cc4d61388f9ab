//! The system's databases of users and groups, by way of the C library (nsswitch.conf(5)).
//!
//! A statically linked C library sees files alone. Who has a group as its primary one is read from `/etc/passwd`, since a
//! directory service cannot be asked for it: enumeration is not safe between threads and often switched off.

use std::ffi::CString;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User};

use super::people::{GroupEntry, People, UserEntry};
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::place::filesystem::{Filesystem, Open};
use crate::place::os::OsFilesystem;

/// How long a name service may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// The largest `/etc/passwd` that is read.
const LARGEST: usize = 64 << 20;

/// The databases of this machine.
#[derive(Debug)]
pub(super) struct System;

impl People for System {
    fn user(&self, name: &str) -> Result<Option<UserEntry>> {
        let text = name.to_owned();
        ask(name, move || User::from_name(&text)).map(|found| found.map(user_entry))
    }

    fn user_with(&self, uid: u32) -> Result<Option<UserEntry>> {
        let found = ask(&uid.to_string(), move || User::from_uid(Uid::from_raw(uid)))?;
        Ok(found.map(user_entry))
    }

    fn group(&self, name: &str) -> Result<Option<GroupEntry>> {
        let text = name.to_owned();
        ask(name, move || Group::from_name(&text)).map(|found| found.map(group_entry))
    }

    fn group_with(&self, gid: u32) -> Result<Option<GroupEntry>> {
        let found = ask(&gid.to_string(), move || Group::from_gid(Gid::from_raw(gid)))?;
        Ok(found.map(group_entry))
    }

    fn groups_of(&self, user: &UserEntry) -> Result<Vec<u32>> {
        let gid = Gid::from_raw(user.gid);
        let text = user.name.clone();
        let found = ask(&user.name, move || {
            let name = CString::new(text).map_err(|_| Errno::EINVAL)?;
            nix::unistd::getgrouplist(&name, gid).map(Some)
        })?;
        Ok(found.unwrap_or_default().into_iter().map(Gid::as_raw).collect())
    }

    fn with_primary_group(&self, gid: u32) -> Result<Vec<String>> {
        let path = Path::new("/etc/passwd");
        let fs = OsFilesystem::new();
        let file = fs.open(None, path, Open::Read).and_then(|file| fs.read(&file, LARGEST));
        let file = file.map_err(|source| Error::io("the users cannot be listed", source).context("path", path))?;
        Ok(primary_members(&String::from_utf8_lossy(&file), gid))
    }
}

/// Names of the lines of passwd(5) with this group.
fn primary_members(table: &str, gid: u32) -> Vec<String> {
    let gid = gid.to_string();
    let line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(2)? == gid).then(|| name.to_owned())
    };
    table.lines().filter_map(line).collect()
}

fn user_entry(found: User) -> UserEntry {
    UserEntry { name: found.name, uid: found.uid.as_raw(), gid: found.gid.as_raw() }
}

fn group_entry(found: Group) -> GroupEntry {
    GroupEntry { name: found.name, gid: found.gid.as_raw(), members: found.mem }
}

/// Ask in a thread of its own, since a lookup has no time limit and a directory server may never answer.
fn ask<T: Send + 'static>(
    name: &str,
    lookup: impl FnOnce() -> nix::Result<Option<T>> + Send + 'static,
) -> Result<Option<T>> {
    let (answer, answered) = mpsc::channel();
    let asking = thread::Builder::new().name("certwright-names".to_owned()).spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = answer.send(lookup());
    });
    asking.map_err(|source| Error::io("no thread can be started to look up a name", source))?;
    match answered.recv_timeout(LIMIT) {
        Ok(Ok(found)) => Ok(found),
        // All of these mean "not found" (getpwnam(3), ERRORS).
        Ok(Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM)) => Ok(None),
        Ok(Err(number)) => Err(Error::new(ErrorKind::Io, "the name service failed")
            .context("name", Public(name))
            .hint(format!("see what `getent passwd {name}` says"))
            .retry(Retry::Now)
            .source(std::io::Error::from_raw_os_error(number as i32))),
        Err(_) => Err(Error::new(ErrorKind::Timeout, "the name service did not answer")
            .context("name", Public(name))
            .context("limit", LIMIT)
            .hint("look at the sources in `/etc/nsswitch.conf` and the services behind them")
            .retry(Retry::Now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_group_field_of_passwd() {
        // passwd(5): name:password:UID:GID:GECOS:directory:shell
        let table = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:\nweb:x:34:33:::\n+::::::\nbroken\n";
        assert_eq!(primary_members(table, 33), ["www-data", "web"]);
        assert_eq!(primary_members(table, 3), [""; 0]);
    }
}
