//! A reload that the host program does itself.

use std::fmt;

use super::{ReloadContext, Reloaded, Reloader};
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;

/// A [`Reloader`] from a name and a closure, for a program that serves the certificate itself.
///
/// # Examples
///
/// ```
/// use certwright::{ReloadCallback, Reloaded, Reloader};
///
/// let reload = ReloadCallback::new("the listener of this process", |context, _cancel| {
///     // load_into_listener(context.bundle.expose())?;
///     assert_eq!(context.lineage.as_str(), "www");
///     Ok(Reloaded::Confirmed)
/// });
/// assert_eq!(reload.describe(), "the listener of this process");
/// ```
pub struct ReloadCallback<F> {
    name: String,
    call: F,
}

impl<F> ReloadCallback<F>
where
    F: Fn(&ReloadContext<'_>, &Cancel) -> Result<Reloaded> + Send + Sync,
{
    /// A reloader that calls `call`, which is bound by the contract of [`Reloader::reload`].
    pub fn new(name: impl Into<String>, call: F) -> Self {
        Self { name: name.into(), call }
    }
}

impl<F> fmt::Debug for ReloadCallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadCallback").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<F> Reloader for ReloadCallback<F>
where
    F: Fn(&ReloadContext<'_>, &Cancel) -> Result<Reloaded> + Send + Sync,
{
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        cancel.check()?;
        (self.call)(context, cancel)
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}
