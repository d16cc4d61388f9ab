//! The test kit: what the suites of this workspace have in common.
//!
//! - [`model_fs`]: a file system in memory with power cuts and faults; [`crash`] tries them all.
//! - [`conformance`]: one suite per seam, run over every implementation; [`differ`] compares two by random acts.
//! - [`scratch`], [`process`], [`ports`], [`openssl`], [`prng`]: directories that go away, programs that end, free ports,
//!   a second opinion on certificates, seeded numbers.

pub mod conformance;
pub mod crash;
pub mod model_fs;
pub mod namespace;
pub mod openssl;
pub mod ports;
pub mod prng;
pub mod process;
pub mod scratch;
