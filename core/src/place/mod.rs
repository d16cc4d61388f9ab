//! Floor 3: the only place that touches the disk, starts programs and reads the system's clock.

pub(crate) mod access;
pub(crate) mod atomic;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod contents;
pub(crate) mod filesystem;
pub(crate) mod generation;
pub(crate) mod group_sync;
#[cfg(feature = "acme")]
pub(crate) mod input;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod lineage;
pub(crate) mod lock;
pub(crate) mod machine;
pub(crate) mod manifest;
pub(crate) mod order;
pub(crate) mod os;
pub(crate) mod outputs;
pub(crate) mod pause;
pub(crate) mod process;
pub(crate) mod publish;
#[cfg(feature = "acme")]
pub(crate) mod resolvers;
pub(crate) mod schedule;
#[cfg(test)]
pub(crate) mod scratch;
#[cfg(feature = "acme")]
pub(crate) mod secret_file;
pub(crate) mod state;
pub(crate) mod store;
pub(crate) mod txn;
pub(crate) mod wake;
pub(crate) mod wanted;
pub(crate) mod webroot;
pub(crate) mod wire;
