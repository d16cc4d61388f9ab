//! Who opens a file, as the kernel sees it: numbers, not names.

use std::fmt;

/// The numbers of a process that decide what it may open (credentials(7)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Identity {
    /// The user id used for files (fsuid).
    pub uid: u32,
    /// The primary group id (fsgid).
    pub gid: u32,
    /// Supplementary group ids, sorted, without duplicates.
    pub groups: Vec<u32>,
}

impl Identity {
    /// An identity; the groups are sorted and made unique.
    pub fn new(uid: u32, gid: u32, mut groups: Vec<u32>) -> Self {
        groups.sort_unstable();
        groups.dedup();
        Self { uid, gid, groups }
    }

    /// Whether `gid` is the primary group or one of the supplementary ones.
    pub fn is_member(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.binary_search(&gid).is_ok()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {} gid {}", self.uid, self.gid)?;
        if !self.groups.is_empty() {
            let groups: Vec<String> = self.groups.iter().map(u32::to_string).collect();
            write!(f, " groups {}", groups.join(","))?;
        }
        Ok(())
    }
}
