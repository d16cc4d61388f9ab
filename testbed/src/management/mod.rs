//! Management: what goes on, to look at, and the script of what is to happen, by plain HTTP on a listener of its own.

pub(crate) mod ask;
pub(crate) mod challtestsrv;
pub(crate) mod fields;
pub(crate) mod listener;
pub(crate) mod names;
pub(crate) mod page;
pub(crate) mod script;
pub(crate) mod set;
pub(crate) mod show;
