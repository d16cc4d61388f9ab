//! A database of users and groups: the system's, or one made up.

use std::fmt;

use crate::ground::error::Result;

/// A user as passwd(5) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserEntry {
    pub(super) name: String,
    pub(super) uid: u32,
    /// The primary group.
    pub(super) gid: u32,
}

/// A group as group(5) has it: without those whose primary group it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupEntry {
    pub(super) name: String,
    pub(super) gid: u32,
    pub(super) members: Vec<String>,
}

/// Where users and groups are looked up. `None` is a certain "there is none"; a failure is an error.
pub(super) trait People: fmt::Debug + Send + Sync {
    fn user(&self, name: &str) -> Result<Option<UserEntry>>;
    fn user_with(&self, uid: u32) -> Result<Option<UserEntry>>;
    fn group(&self, name: &str) -> Result<Option<GroupEntry>>;
    fn group_with(&self, gid: u32) -> Result<Option<GroupEntry>>;
    /// All groups of a user, the primary one included.
    fn groups_of(&self, user: &UserEntry) -> Result<Vec<u32>>;
    /// Names of the users whose primary group this is.
    fn with_primary_group(&self, gid: u32) -> Result<Vec<String>>;
}

/// A database made up for a test or a question "what if".
#[derive(Debug, Default)]
pub(super) struct Fixed {
    pub(super) users: Vec<UserEntry>,
    pub(super) groups: Vec<GroupEntry>,
}

impl People for Fixed {
    fn user(&self, name: &str) -> Result<Option<UserEntry>> {
        Ok(self.users.iter().find(|user| user.name == name).cloned())
    }

    fn user_with(&self, uid: u32) -> Result<Option<UserEntry>> {
        Ok(self.users.iter().find(|user| user.uid == uid).cloned())
    }

    fn group(&self, name: &str) -> Result<Option<GroupEntry>> {
        Ok(self.groups.iter().find(|group| group.name == name).cloned())
    }

    fn group_with(&self, gid: u32) -> Result<Option<GroupEntry>> {
        Ok(self.groups.iter().find(|group| group.gid == gid).cloned())
    }

    fn groups_of(&self, user: &UserEntry) -> Result<Vec<u32>> {
        let named = self.groups.iter().filter(|group| group.members.contains(&user.name)).map(|group| group.gid);
        Ok([user.gid].into_iter().chain(named).collect())
    }

    fn with_primary_group(&self, gid: u32) -> Result<Vec<String>> {
        Ok(self.users.iter().filter(|user| user.gid == gid).map(|user| user.name.clone()).collect())
    }
}
