//! Who owns what a pointer points to. Every object that C sees is a box that C holds, or a borrow from one.

use crate::guard::Failure;

/// An object that C holds by a pointer of its own and frees with `certwright_…_free`.
pub(crate) trait Boxed: Sized {
    /// Hands it to C.
    fn into_c(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }
}

/// Ends an object that C gives back; NULL is nothing.
///
/// # Safety
///
/// `pointer` is NULL or came from [`Boxed::into_c`], was not freed, and nobody uses it any more.
pub(crate) unsafe fn free<T: Boxed>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: it came from a box, and this is the only time that it goes back into one.
        crate::guard::quietly(|| drop(unsafe { Box::from_raw(pointer) }));
    }
}

/// An object that C lends for one call.
///
/// # Errors
///
/// When it is NULL.
///
/// # Safety
///
/// `pointer` is NULL or points to an object that lives and that nobody changes while the result lives.
pub(crate) unsafe fn lent<'a, T>(name: &'static str, pointer: *const T) -> Result<&'a T, Failure> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| Failure::null(name))
}

/// An object that C lends for one call, to be changed.
///
/// # Errors
///
/// When it is NULL.
///
/// # Safety
///
/// `pointer` is NULL or points to an object that lives and that nobody else uses while the result lives.
pub(crate) unsafe fn lent_mut<'a, T>(name: &'static str, pointer: *mut T) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }.ok_or_else(|| Failure::null(name))
}
