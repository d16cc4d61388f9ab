//! How a verb that writes goes about it.

use std::time::Duration;

use certwright::{Endpoints, Options};

use crate::guard::{look, quietly};
use crate::handle::{Boxed, free};

/// How `apply`, `deploy`, `rollback` and `release` go about it. A verb that is given NULL takes what is usual.
#[derive(Debug)]
pub struct certwright_options(pub(crate) Options);

impl Boxed for certwright_options {}

/// What is usual: endpoints are asked, and another run on the same lineage is waited for up to five seconds.
///
/// Ownership: the caller's, until `certwright_options_free`. Threads: any. Effects: none.
#[unsafe(no_mangle)]
pub extern "C" fn certwright_options_new() -> *mut certwright_options {
    look(std::ptr::null_mut(), || Some(certwright_options(Options::default()).into_c()))
}

/// How long another run on the same lineage is waited for, in milliseconds. NULL is nothing.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// `options` is NULL or lives, and is used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_options_set_wait(options: *mut certwright_options, milliseconds: u64) {
    // SAFETY: the caller's promise.
    if let Some(options) = unsafe { options.as_mut() } {
        quietly(|| options.0 = options.0.with_wait(Duration::from_millis(milliseconds)));
    }
}

/// Whether endpoints are asked what they serve when nothing else is to be done. NULL is nothing.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_options_set_wait`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_options_set_ask_endpoints(options: *mut certwright_options, ask: bool) {
    // SAFETY: the caller's promise.
    if let Some(options) = unsafe { options.as_mut() } {
        let endpoints = if ask { Endpoints::Ask } else { Endpoints::Leave };
        quietly(|| options.0 = options.0.with_endpoints(endpoints));
    }
}

/// Ends it. NULL is nothing.
///
/// # Safety
///
/// `options` is NULL, or came from `certwright_options_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_options_free(options: *mut certwright_options) {
    // SAFETY: the caller's promise.
    unsafe { free(options) }
}
