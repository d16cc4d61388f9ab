//! Floor 0: the words everything else is written in. Nothing here performs I/O or reads a clock.

pub(crate) mod cancel;
pub(crate) mod duration;
pub(crate) mod error;
pub(crate) mod id;
pub(crate) mod identity;
pub(crate) mod name;
mod parse;
pub(crate) mod secret;
pub(crate) mod time;
