//! The test kit: what the suites of this workspace have in common. A test that fails may panic, and so may what it is made
//! of.
//!
//! - [`model_fs`]: a file system in memory with power cuts and faults.
//! - [`fuzzing`]: one function per fuzz target, shared by the fuzzer and the replay of its corpus.
//! - [`program`], [`prng`]: the real programs, and seeded numbers.

pub mod conformance;
pub mod crash;
pub mod fuzzing;
pub mod model_fs;
pub mod namespace;
pub mod openssl;
pub mod ports;
pub mod prng;
pub mod process;
pub mod program;
pub mod scratch;
