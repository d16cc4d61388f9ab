//! The verbs: each calls the library once and shows what it answers.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod apply;
pub(crate) mod ca;
pub(crate) mod deploy;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod issuer;
pub(crate) mod manual;
pub(crate) mod plan;
pub(crate) mod revoke;
pub(crate) mod rollback;
pub(crate) mod run;
pub(crate) mod status;
#[cfg(feature = "testbed")]
pub(crate) mod testbed;
pub(crate) mod verify;
