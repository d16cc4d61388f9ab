//! ACLs as text: what `getfacl --numeric` prints and `setfacl` takes (acl(5), "ACL text forms").

use std::fmt;
use std::str::FromStr;

use super::acl::{Acl, EntryKind, Parts};
use super::permissions::Permissions;
use crate::ground::error::{Error, ErrorKind, Public, Result};

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("user:"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::OwningGroup => f.write_str("group:"),
            Self::Group(id) => write!(f, "group:{id}"),
            Self::Mask => f.write_str("mask:"),
            Self::Other => f.write_str("other:"),
        }
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (kind, permissions)) in self.entries().enumerate() {
            write!(f, "{}{kind}:{permissions}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Acl {
    type Err = Error;

    /// From entries separated by commas or line ends, long or abbreviated (`user:33:r--`, `u:33:r`), with ids as numbers.
    /// Comments are left out. The mask has to be there when entries name somebody: it is never computed.
    fn from_str(text: &str) -> Result<Self> {
        let mut parts = Parts::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            for entry in line.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
                parse_entry(entry).and_then(|(kind, permissions)| parts.put(kind, permissions)).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidSpec, "this is no ACL entry")
                        .context("entry", Public(entry))
                        .hint("write it as in `user:33:r--`, each of owner, group, mask and other once")
                })?;
            }
        }
        parts.finish().ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "the ACL is incomplete")
                .context("acl", Public(text.trim()))
                .hint("write every entry out, `mask::` included when users or groups are named")
        })
    }
}

fn parse_entry(entry: &str) -> Option<(EntryKind, Permissions)> {
    let fields: Vec<&str> = entry.split(':').map(str::trim).collect();
    let (kind, name, permissions) = match fields[..] {
        [kind, name, permissions] => (kind, name, permissions),
        // One of the forms of acl(5) leaves out the name field of the two entries that never have a name.
        [kind @ ("mask" | "m" | "other" | "o"), permissions] => (kind, "", permissions),
        _ => return None,
    };
    // `parse` alone would take a sign.
    let id = || name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse().ok()).flatten();
    let kind = match (kind, name.is_empty()) {
        ("user" | "u", true) => EntryKind::Owner,
        ("user" | "u", false) => EntryKind::User(id()?),
        ("group" | "g", true) => EntryKind::OwningGroup,
        ("group" | "g", false) => EntryKind::Group(id()?),
        ("mask" | "m", true) => EntryKind::Mask,
        ("other" | "o", true) => EntryKind::Other,
        _ => return None,
    };
    Some((kind, Permissions::parse(permissions)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_manual_reads_the_same() {
        // The three examples of acl(5), "ACL text forms", with numbers in place of names.
        let long = "user::rw-\nuser:7:rw-         #effective:r--\ngroup::r--\ngroup:8:rw-  #effective:r--\nmask::r--\nother::r--\n";
        let short = "u::rw-,u:7:rw-,g::r--,g:8:rw-,m::r--,o::r--";
        let digits = "g:8:rw,u:7:rw,u::wr,g::r,o::r,m::r";
        let acl: Acl = long.parse().unwrap();
        assert_eq!(short.parse::<Acl>().unwrap(), acl);
        assert_eq!(digits.parse::<Acl>().unwrap(), acl);
        assert_eq!(acl.to_string(), "user::rw-,user:7:rw-,group::r--,group:8:rw-,mask::r--,other::r--");
        assert_eq!(acl.to_string().parse::<Acl>().unwrap(), acl);
        assert_eq!("u::6,g::4,mask:4,other:0".parse::<Acl>().unwrap().mode(), 0o640);
    }

    #[test]
    fn half_an_acl_is_refused_and_nothing_is_guessed() {
        for bad in [
            "",
            "u::rw-",
            "u::rw-,g::r--",
            "u::rw-,u:7:r--,g::---,o::---",
            "u::rw-,u::r--,g::---,o::---",
            "u::rw-,u:root:r--,g::---,m::r--,o::---",
            "u::rw-,u:+7:r--,g::---,m::r--,o::---",
            "u::rw-,u:7:r--:x,g::---,m::r--,o::---",
            "u::rw-,g::---,o:5:---",
            "x::rw-",
            "user",
        ] {
            let error = bad.parse::<Acl>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{bad}");
        }
    }
}
