//! Floor 4: where certificates come from. The only place, with the probes, that speaks to the network.

pub(crate) mod issuer;
pub(crate) mod local;
pub(crate) mod solver;
