//! Who may do what with an inode: the stored form, the kernel's answer, and the reasons.

pub(crate) mod acl;
pub(crate) mod explain;
pub(crate) mod inode;
pub(crate) mod model;
mod mount;
pub(crate) mod permissions;
mod text;
pub(crate) mod trust;
pub(crate) mod verdict;
pub(crate) mod walk;
