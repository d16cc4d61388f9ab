//! What a callback says when it fails.

use std::ffi::c_char;
use std::sync::Mutex;
use std::sync::PoisonError;

use certwright::{Error, ErrorKind, Public, Result};

use crate::guard::quietly;
use crate::result::certwright_result;
use crate::text::text;

/// Where a callback says why it failed. It lives as long as the call that it was given to.
#[derive(Debug, Default)]
pub struct certwright_failure {
    said: Mutex<(Option<String>, Option<String>)>,
}

impl certwright_failure {
    /// The error that a callback's number and words come to.
    pub(crate) fn judge(self, number: u32, what: &'static str) -> Result<()> {
        if number == certwright_result::Ok as u32 {
            return Ok(());
        }
        let (message, hint) = self.said.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut error = Error::new(certwright_result::kind(number), what);
        if let Some(message) = message {
            error = error.context("says", Public(&message));
        }
        if let Some(hint) = hint {
            error = error.hint(hint);
        }
        Err(error)
    }

    pub(crate) fn bug(what: &'static str) -> Error {
        Error::new(ErrorKind::Bug, what)
    }
}

/// Says why a callback fails, and what to do about it, before it returns another number than `CERTWRIGHT_RESULT_OK`. What is
/// said last counts.
///
/// Parameters: `message`, one line without secrets; `hint`, one sentence, or NULL with 0.
///
/// Ownership: both are copied. Threads: any, within the call. Effects: none. NULL is nothing.
///
/// # Safety
///
/// `failure` is NULL or the one of a call that has not returned; the others are NULL or point to as much as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_failure_say(
    failure: *const certwright_failure,
    message: *const c_char,
    message_len: usize,
    hint: *const c_char,
    hint_len: usize,
) {
    quietly(|| {
        // SAFETY: the caller's promise.
        let Some(failure) = (unsafe { failure.as_ref() }) else { return };
        // SAFETY: the caller's promise.
        let message = unsafe { text("message", message, message_len) }.ok().map(|text| text.as_str().to_owned());
        // SAFETY: the caller's promise.
        let hint = unsafe { text("hint", hint, hint_len) }.ok().map(|text| text.as_str().to_owned());
        *failure.said.lock().unwrap_or_else(PoisonError::into_inner) = (message, hint);
    });
}
