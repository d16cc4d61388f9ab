//! The border: errors become objects, and no panic crosses it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use certwright::{Error, ErrorKind};

use crate::error::certwright_error;
use crate::handle::Boxed;
use crate::result::certwright_result;

/// Why a call failed: an error of the library, or one of the call itself.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) result: certwright_result,
    pub(crate) error: Error,
}

impl Failure {
    pub(crate) fn null(name: &'static str) -> Self {
        let error = Error::new(ErrorKind::InvalidSpec, "a pointer is NULL").context("argument", name);
        Self { result: certwright_result::NullPointer, error: error.hint("pass an object that lives") }
    }

    pub(crate) fn utf8(name: &'static str) -> Self {
        let error = Error::new(ErrorKind::InvalidSpec, "a text is not UTF-8").context("argument", name);
        Self { result: certwright_result::InvalidUtf8, error: error.hint("convert it to UTF-8 before the call") }
    }

    pub(crate) fn length(name: &'static str) -> Self {
        let error = Error::new(ErrorKind::InvalidSpec, "no object is as long as this or lies there");
        let error = error.context("argument", name).hint("pass the length in bytes, or in items for an array");
        Self { result: certwright_result::InvalidArgument, error }
    }

    pub(crate) fn argument(name: &'static str, why: &'static str) -> Self {
        let error = Error::new(ErrorKind::InvalidSpec, why).context("argument", name);
        Self { result: certwright_result::InvalidArgument, error: error.hint("see `certwright.h` for its values") }
    }

    fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        let error = Error::new(ErrorKind::Bug, "certwright panicked").source(text);
        Self {
            result: certwright_result::Panic,
            error: error.hint("report it with what was written to standard error"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { result: certwright_result::of(error.kind()), error }
    }
}

/// Runs the body of a call that can fail. Where C wants to know, the error goes to `error_out`.
///
/// # Safety
///
/// `error_out` is NULL or may be written to.
pub(crate) unsafe fn call(
    error_out: *mut *mut certwright_error,
    body: impl FnOnce() -> Result<(), Failure>,
) -> certwright_result {
    let caught = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(Failure::panic(payload.as_ref())));
    let Err(failure) = caught else { return certwright_result::Ok };
    let result = failure.result;
    if !error_out.is_null() {
        let shown = catch_unwind(AssertUnwindSafe(|| certwright_error::new(&failure).into_c()));
        // SAFETY: it is not NULL, and C lets us write there.
        unsafe { error_out.write(shown.unwrap_or(std::ptr::null_mut())) };
    }
    // The error of a foreign callback may hold anything; its end may not cross the border either.
    quietly(|| drop(failure));
    result
}

/// Runs the body of a call that makes something, which goes to `out` only when all went well.
///
/// # Safety
///
/// `out` and `error_out` are NULL or may be written to.
pub(crate) unsafe fn make<T>(
    out: *mut T,
    error_out: *mut *mut certwright_error,
    body: impl FnOnce() -> Result<T, Failure>,
) -> certwright_result {
    let body = || {
        if out.is_null() {
            return Err(Failure::null("out"));
        }
        let made = body()?;
        // SAFETY: it is not NULL, and C lets us write there.
        unsafe { out.write(made) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Runs the body of a call that only looks; what cannot be seen is `otherwise`.
pub(crate) fn look<T>(otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().flatten().unwrap_or(otherwise)
}

/// Runs what nobody waits for an answer of.
pub(crate) fn quietly(body: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(body));
}

#[cfg(test)]
#[expect(clippy::panic, reason = "it is what is to be caught")]
mod tests {
    use std::ffi::CStr;
    use std::ptr::null_mut;

    use super::*;
    use crate::error::{
        certwright_error_cause, certwright_error_free, certwright_error_hint, certwright_error_kind,
        certwright_error_message,
    };

    /// As every exported function is written: what panics inside has nowhere to go but back.
    unsafe extern "C" fn breaks(out: *mut u32, error_out: *mut *mut certwright_error) -> certwright_result {
        // SAFETY: the caller's promise.
        unsafe { make(out, error_out, || panic!("a defect of {} parts", 2)) }
    }

    extern "C" fn breaks_looking() -> u32 {
        look(7, || panic!("a defect"))
    }

    #[test]
    fn a_panic_comes_back_as_a_result() {
        let (mut out, mut error) = (5, null_mut());
        // SAFETY: both may be written to; views are read while the error lives.
        unsafe {
            assert_eq!(breaks(&raw mut out, &raw mut error), certwright_result::Panic);
            assert_eq!(out, 5, "an output was written by a call that failed");
            assert_eq!(certwright_error_kind(error), certwright_result::Panic);
            assert_eq!(CStr::from_ptr(certwright_error_message(error).data).to_str(), Ok("certwright panicked"));
            assert_eq!(CStr::from_ptr(certwright_error_cause(error, 0).data).to_str(), Ok("a defect of 2 parts"));
            assert!(!certwright_error_hint(error).data.is_null());
            certwright_error_free(error);
            // Nobody has to take the error.
            assert_eq!(breaks(&raw mut out, null_mut()), certwright_result::Panic);
        }
        assert_eq!(breaks_looking(), 7);
    }

    #[test]
    fn an_object_that_panics_at_its_end_does_not_cross() {
        struct Ends;
        impl Drop for Ends {
            fn drop(&mut self) {
                panic!("at its end");
            }
        }
        impl Boxed for Ends {}
        // SAFETY: it is freed once.
        unsafe { crate::handle::free(Ends.into_c()) };
    }
}
