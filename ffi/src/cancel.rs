//! Asking a call on another thread to stop.

use certwright::Cancel;

use crate::guard::{look, quietly};
use crate::handle::{Boxed, free};

/// A wish to stop. Given to `certwright_builder_set_cancel`, it stops every verb of that lifecycle at its next safe point; a
/// switch in progress is finished or undone first.
#[derive(Debug)]
pub struct certwright_cancel(pub(crate) Cancel);

impl Boxed for certwright_cancel {}

/// A wish that nobody has expressed yet.
///
/// Ownership: the caller's, until `certwright_cancel_free`; a lifecycle that it was given to keeps a share of its own.
/// Threads: any. Effects: none.
#[unsafe(no_mangle)]
pub extern "C" fn certwright_cancel_new() -> *mut certwright_cancel {
    look(std::ptr::null_mut(), || Some(certwright_cancel(Cancel::new()).into_c()))
}

/// Asks to stop. It cannot be taken back. May be called in a signal handler.
///
/// Threads: any, while other threads are within verbs. Effects: none of its own. NULL is nothing.
///
/// # Safety
///
/// `cancel` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_cancel_ask(cancel: *const certwright_cancel) {
    // SAFETY: the caller's promise.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        quietly(|| cancel.0.cancel());
    }
}

/// Whether stopping was asked for. `false` for NULL.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `cancel` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_cancel_is_asked(cancel: *const certwright_cancel) -> bool {
    // SAFETY: the caller's promise.
    look(false, || unsafe { cancel.as_ref() }.map(|cancel| cancel.0.is_cancelled()))
}

/// Ends it. NULL is nothing.
///
/// # Safety
///
/// `cancel` is NULL, or came from `certwright_cancel_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_cancel_free(cancel: *mut certwright_cancel) {
    // SAFETY: the caller's promise.
    unsafe { free(cancel) }
}
