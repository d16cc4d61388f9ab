//! The authority's side of ACME (RFC 8555): [`world`] is what it knows, and each file beside it adds one concept.

pub(crate) mod account;
pub(crate) mod authorization;
pub(crate) mod certificate;
pub(crate) mod csr;
pub(crate) mod der;
pub(crate) mod external;
pub(crate) mod front;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzed;
pub(crate) mod index;
pub(crate) mod jwk;
pub(crate) mod jws;
pub(crate) mod key_change;
pub(crate) mod limit;
pub(crate) mod mint;
pub(crate) mod moment;
pub(crate) mod nonce;
pub(crate) mod order;
pub(crate) mod problem;
pub(crate) mod renewal;
pub(crate) mod route;
pub(crate) mod strict;
pub(crate) mod validate;
pub(crate) mod world;
