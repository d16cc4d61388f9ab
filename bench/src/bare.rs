//! The other side: system calls written out by hand, as a program would make them that decides nothing.

pub(crate) mod look;
pub(crate) mod placement;
pub(crate) mod way;
