//! Floor 2: the wish and the decision. Pure: no I/O, no clock read.

pub mod spec;
