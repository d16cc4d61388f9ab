//! An observation that the host program makes itself.

use std::fmt;

use super::{Observation, Probe};
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;

/// A [`Probe`] from a name and a closure, for what cannot be asked by a TLS connection from here.
///
/// # Examples
///
/// ```
/// use certwright::{Error, ErrorKind, Observation, Place, Probe, ProbeCallback};
///
/// let probe = ProbeCallback::new("the load balancer's API", |_cancel| {
///     let place = Place::Named("listener 7".to_owned());
///     // Seen::from_der([certificate_of_listener(7)?.as_slice()])
///     Ok(vec![Observation::new(place, Err(Error::new(ErrorKind::Network, "the API does not answer")))])
/// });
/// assert_eq!(probe.describe(), "the load balancer's API");
/// ```
pub struct ProbeCallback<F> {
    name: String,
    call: F,
}

impl<F> ProbeCallback<F>
where
    F: Fn(&Cancel) -> Result<Vec<Observation>> + Send + Sync,
{
    /// A probe that calls `call`, which is bound by the contract of [`Probe::observe`].
    pub fn new(name: impl Into<String>, call: F) -> Self {
        Self { name: name.into(), call }
    }
}

impl<F> fmt::Debug for ProbeCallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeCallback").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<F> Probe for ProbeCallback<F>
where
    F: Fn(&Cancel) -> Result<Vec<Observation>> + Send + Sync,
{
    fn observe(&self, cancel: &Cancel) -> Result<Vec<Observation>> {
        cancel.check()?;
        (self.call)(cancel)
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}
