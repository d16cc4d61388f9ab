//! Floor 2: the wish and the decision. Pure: no I/O, no clock read.

pub(crate) mod agenda;
pub(crate) mod decide;
pub(crate) mod file;
#[cfg(test)]
mod fleet;
pub(crate) mod limits;
pub(crate) mod nearest;
pub(crate) mod observed;
pub(crate) mod policy;
pub(crate) mod preset;
pub(crate) mod reason;
pub(crate) mod renewal;
pub(crate) mod spec;
mod word;
