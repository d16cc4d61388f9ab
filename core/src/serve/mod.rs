//! Floor 7: certificates that this very process serves, and challenges that it answers itself.
//!
//! Above the pipeline, and without a decision of its own: what is active was decided, proved and switched below.

#[cfg(feature = "rustls")]
pub(crate) mod active;
#[cfg(feature = "rustls")]
mod answers;
#[cfg(feature = "rustls")]
mod follow;
pub(crate) mod http;
#[cfg(feature = "rustls")]
mod names;
#[cfg(feature = "rustls")]
pub(crate) mod renewed;
#[cfg(feature = "rustls")]
mod resolve;
#[cfg(feature = "rustls")]
mod shared;
#[cfg(feature = "rustls")]
pub(crate) mod slot;
#[cfg(feature = "rustls")]
#[cfg(test)]
mod tests;
#[cfg(feature = "rustls")]
pub(crate) mod told;
