//! Floor 3: the only place that touches the disk, starts programs and reads the system's clock.

pub(crate) mod access;
pub(crate) mod atomic;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod filesystem;
pub(crate) mod lock;
pub(crate) mod os;
pub(crate) mod pause;
pub(crate) mod process;
#[cfg(test)]
pub(crate) mod scratch;
pub(crate) mod state;
pub(crate) mod wire;
