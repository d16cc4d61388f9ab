//! How things look: colour and tables for people, plain lines for pipes, documents for programs.

pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod lineage;
pub(crate) mod manual;
pub(crate) mod paint;
pub(crate) mod table;
