//! Management: what goes on, to look at, and the script of what is to happen, by plain HTTP on a listener of its own.

pub(crate) mod ask;
pub(crate) mod listener;
