//! Who may do what with an inode: the stored form, the kernel's answer and its reasons, the smallest access for a wish.

pub(crate) mod acl;
pub(crate) mod component;
pub(crate) mod drift;
pub(crate) mod explain;
pub(crate) mod inode;
mod kernel;
pub(crate) mod model;
mod mount;
pub(crate) mod names;
mod nss;
mod people;
pub(crate) mod permissions;
pub(crate) mod prove;
pub(crate) mod readership;
mod remedy;
pub(crate) mod solve;
mod text;
pub(crate) mod trust;
pub(crate) mod verdict;
pub(crate) mod walk;
