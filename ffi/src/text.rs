//! Text across the border: views that are borrowed, in both directions.

use std::ffi::c_char;
use std::ops::Deref;
use std::ptr;

use crate::guard::Failure;

/// A view of UTF-8 text that somebody else owns.
///
/// As a result it is valid as long as the object that it was asked of, and `data[len]` is a NUL, so that it can be printed
/// with `%s`; texts never contain one. Where there is no text, `data` is NULL and `len` is 0. As an argument it needs no NUL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct certwright_str {
    /// The first byte; NULL where there is no text.
    pub data: *const c_char,
    /// How many bytes there are, the NUL not counted.
    pub len: usize,
}

impl certwright_str {
    /// No text.
    pub(crate) const NONE: Self = Self { data: ptr::null(), len: 0 };

    /// A view of a text that lives as long as the program.
    pub(crate) const fn of_static(text: &'static std::ffi::CStr) -> Self {
        Self { data: text.as_ptr(), len: text.count_bytes() }
    }
}

/// Text that is handed out as a view: UTF-8 without NUL inside and with one behind.
#[derive(Clone, Debug)]
pub(crate) struct Text(Box<[u8]>);

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend(text.bytes().map(|byte| if byte == 0 { b'?' } else { byte }));
        bytes.push(0);
        Self(bytes.into_boxed_slice())
    }

    pub(crate) fn view(&self) -> certwright_str {
        certwright_str { data: self.0.as_ptr().cast(), len: self.0.len().saturating_sub(1) }
    }
}

/// The view of what may not be there.
pub(crate) fn view(text: Option<&Text>) -> certwright_str {
    text.map_or(certwright_str::NONE, Text::view)
}

/// Text that C lends for one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lent<'a>(&'a str);

impl<'a> Lent<'a> {
    pub(crate) const fn as_str(self) -> &'a str {
        self.0
    }
}

impl Deref for Lent<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

/// Bytes that C lends for one call.
///
/// # Errors
///
/// When the pointer is NULL, or no object can be as long as that.
///
/// # Safety
///
/// `data` is NULL or points to `len` bytes that nobody writes to while the result lives.
pub(crate) unsafe fn bytes<'a>(name: &'static str, data: *const u8, len: usize) -> Result<&'a [u8], Failure> {
    if data.is_null() {
        return Err(Failure::null(name));
    }
    if isize::try_from(len).is_err() {
        return Err(Failure::length(name));
    }
    // SAFETY: it is not NULL and not longer than any object can be; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// Text that C lends for one call.
///
/// # Errors
///
/// As [`bytes`], and when it is not UTF-8.
///
/// # Safety
///
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(name: &'static str, data: *const c_char, len: usize) -> Result<Lent<'a>, Failure> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { bytes(name, data.cast(), len) }?;
    std::str::from_utf8(bytes).map(Lent).map_err(|_| Failure::utf8(name))
}

/// Text that C lends for one call, or none: NULL with length 0.
///
/// # Errors
///
/// As [`text`].
///
/// # Safety
///
/// As [`bytes`].
pub(crate) unsafe fn optional_text<'a>(
    name: &'static str,
    data: *const c_char,
    len: usize,
) -> Result<Option<Lent<'a>>, Failure> {
    if data.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's promise is the same.
    unsafe { text(name, data, len) }.map(Some)
}

/// Texts that C lends for one call; NULL with length 0 is none.
///
/// # Errors
///
/// As [`text`].
///
/// # Safety
///
/// `items` is NULL or points to `len` views, each of which is good for [`text`].
pub(crate) unsafe fn texts<'a>(
    name: &'static str,
    items: *const certwright_str,
    len: usize,
) -> Result<Vec<Lent<'a>>, Failure> {
    if items.is_null() && len == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the caller's promise.
    let items = unsafe { slice(name, items, len) }?;
    // SAFETY: the caller's promise holds for each view.
    items.iter().map(|item| unsafe { text(name, item.data, item.len) }).collect()
}

/// Values that C lends for one call; NULL with length 0 is none.
///
/// # Errors
///
/// When the pointer is NULL or not aligned, or no object can be as long as that.
///
/// # Safety
///
/// `items` is NULL or points to `len` values that nobody writes to while the result lives.
pub(crate) unsafe fn slice<'a, T>(name: &'static str, items: *const T, len: usize) -> Result<&'a [T], Failure> {
    if items.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(Failure::null(name)) };
    }
    let size = len.checked_mul(size_of::<T>()).and_then(|size| isize::try_from(size).ok());
    if size.is_none() || !items.is_aligned() {
        return Err(Failure::length(name));
    }
    // SAFETY: not NULL, aligned, not longer than any object can be; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(items, len) })
}
