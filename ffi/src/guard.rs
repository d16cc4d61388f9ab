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
