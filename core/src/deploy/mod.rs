//! Floor 5: from issued material to a service that is seen to serve it. Knows nothing of issuers.

pub(crate) mod check;
pub(crate) mod command;
pub mod probe;
pub mod reload;
pub(crate) mod running;
