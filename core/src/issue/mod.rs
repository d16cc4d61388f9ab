//! Floor 4: where certificates come from. The only place, with the probes, that speaks to the network.

#[cfg(feature = "acme")]
pub(crate) mod acme;
#[cfg(feature = "https")]
mod call;
#[cfg(feature = "https")]
mod header;
#[cfg(feature = "https")]
mod http;
pub(crate) mod issuer;
pub(crate) mod local;
pub(crate) mod persistent;
pub(crate) mod solve;
pub(crate) mod solver;
#[cfg(feature = "step-ca")]
pub(crate) mod step_ca;
