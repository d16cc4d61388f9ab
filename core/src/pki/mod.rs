//! Floor 1: bytes and facts. Stub to be replaced.
pub mod key;
