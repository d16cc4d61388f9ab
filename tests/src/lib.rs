//! The test kit: what the suites of this workspace have in common. A test that fails may panic, and so may what it is made
//! of.
//!
//! - [`model_fs`]: a file system in memory with power cuts and faults; [`crash`] tries them all; [`stage_play`] is the
//!   lineage with a service that they are tried on, and [`world`] what happens to it from run to run.
//! - [`conformance`]: one suite per seam, run over every implementation; [`differ`] compares two by random acts.
//! - [`fuzzing`]: one function per fuzz target, shared by the fuzzer and the replay of its corpus.
//! - [`servers`], [`served`], [`load`], [`http`]: real servers on loopback, what they serve, and clients, without end or
//!   for one request.
//! - [`bed`]: our ACME issuer against the server of `testbed/`.
//! - [`cli`], [`site`], [`host`]: the command line, a lineage, and a lineage with its server; [`until`] waits for what comes.
//! - [`campaign`]: how long suites run, and what they say of it.
//! - [`program`], [`process`], [`namespace`]: the real programs, ended in time, and mounts of a test's own.
//! - [`scratch`], [`ports`], [`openssl`], [`materials`], [`prng`]: directories that go away, free ports, a second opinion
//!   on certificates, keys and certificates, seeded numbers.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a failing test may panic"))]

pub mod bed;
pub mod campaign;
pub mod cli;
pub mod conformance;
pub mod crash;
pub mod differ;
pub mod exposition;
pub mod fuzzing;
pub mod host;
pub mod http;
pub mod load;
pub mod materials;
pub mod model_fs;
pub mod namespace;
pub mod openssl;
pub mod ports;
pub mod prng;
pub mod process;
pub mod program;
pub mod raw;
pub mod renewing;
pub mod rush;
pub mod scratch;
pub mod served;
pub mod servers;
pub mod site;
pub mod stage_play;
pub mod until;
pub mod world;
