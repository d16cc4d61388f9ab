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
        // Bytes, because thousands of these are read in a run and searching in short text is slow.
        for line in text.as_bytes().split(|byte| *byte == b'\n') {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            for entry in line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty()) {
                parse_entry(entry).and_then(|(kind, permissions)| parts.put(kind, permissions)).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidSpec, "this is no ACL entry")
                        .context("entry", Public(&String::from_utf8_lossy(entry)))
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

fn parse_entry(entry: &[u8]) -> Option<(EntryKind, Permissions)> {
    let mut fields = entry.split(|byte| *byte == b':').map(<[u8]>::trim_ascii);
    let (kind, name, permissions) = match (fields.next()?, fields.next()?, fields.next()) {
        (kind, name, Some(permissions)) => (kind, name, permissions),
        // One of the forms of acl(5) leaves out the name field of the two entries that never have a name.
        (kind @ (b"mask" | b"m" | b"other" | b"o"), permissions, None) => (kind, [].as_slice(), permissions),
        _ => return None,
    };
    if fields.next().is_some() {
        return None;
    }
    let kind = match (kind, name) {
        (b"user" | b"u", []) => EntryKind::Owner,
        (b"user" | b"u", id) => EntryKind::User(number(id)?),
        (b"group" | b"g", []) => EntryKind::OwningGroup,
        (b"group" | b"g", id) => EntryKind::Group(number(id)?),
        (b"mask" | b"m", []) => EntryKind::Mask,
        (b"other" | b"o", []) => EntryKind::Other,
        _ => return None,
    };
    Some((kind, Permissions::from_text(permissions)?))
}

/// Digits alone: `parse` would take a sign.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
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
