//! Floor 4: where certificates come from. The only place, with the probes, that speaks to the network.

#[cfg(feature = "acme")]
pub(crate) mod acme;
pub(crate) mod issuer;
pub(crate) mod local;
pub(crate) mod persistent;
pub(crate) mod solve;
pub(crate) mod solver;
