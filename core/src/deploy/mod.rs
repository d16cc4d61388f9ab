//! Floor 5: from issued material to a service that is seen to serve it, and back. Knows nothing of issuers.

pub(crate) mod activate;
pub(crate) mod attempt;
mod carry;
pub(crate) mod check;
pub(crate) mod command;
pub(crate) mod prepare;
pub(crate) mod probe;
pub(crate) mod prove;
pub(crate) mod recover;
pub(crate) mod reload;
pub(crate) mod render;
pub(crate) mod retire;
pub(crate) mod running;
pub(crate) mod settle;
pub(crate) mod stage;
pub(crate) mod turn;

pub(crate) use carry::carry_through;
