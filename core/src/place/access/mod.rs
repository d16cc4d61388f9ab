//! Who may do what with an inode: the wish, the stored form, the kernel's answer, and the reasons.

pub(crate) mod acl;
pub(crate) mod permissions;
mod text;
