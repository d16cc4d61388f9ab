//! How things look: colour and tables for people, plain lines for pipes, documents for programs.

pub(crate) mod error;
#[cfg(feature = "testbed")]
pub(crate) mod hook;
pub(crate) mod json;
pub(crate) mod lineage;
pub(crate) mod manual;
pub(crate) mod paint;
#[cfg(feature = "testbed")]
pub(crate) mod story;
pub(crate) mod table;
