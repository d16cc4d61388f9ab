//! Floor 2: the wish and the decision. Pure: no I/O, no clock read.

pub(crate) mod file;
mod nearest;
pub(crate) mod policy;
pub(crate) mod preset;
pub(crate) mod spec;
mod word;
