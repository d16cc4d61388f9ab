//! Floor 0: the words everything else is written in. Nothing here performs I/O or reads a clock.

pub mod cancel;
pub mod duration;
pub mod error;
pub mod id;
pub mod identity;
pub mod name;
mod parse;
pub mod secret;
pub mod time;
