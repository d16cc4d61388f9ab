//! Names: an authoritative server for every name there is, with records, updates and faults by script.

pub(crate) mod answer;
pub(crate) mod apex;
pub(crate) mod faults;
pub(crate) mod file;
pub(crate) mod kind;
pub(crate) mod lines;
pub(crate) mod log;
pub(crate) mod name;
pub(crate) mod rdata;
pub(crate) mod react;
pub(crate) mod records;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod store;
pub(crate) mod tsig;
pub(crate) mod update;
pub(crate) mod wire;
