//! Floor 1: bytes and facts: sign, verify, read. Pure: times are passed in, nothing is looked up.

pub(crate) mod digest;
pub mod key;
