//! Key and chain that another client obtained, from memory.

use std::ffi::c_char;

use certwright::{Chain, Material, PrivateKey};

use crate::error::certwright_error;
use crate::guard::make;
use crate::handle::{Boxed, free};
use crate::result::certwright_result;
use crate::text::bytes;

/// A private key and the chain whose leaf was issued for it. The copy of the key that is in it is overwritten when it is
/// freed; the caller's own is the caller's to overwrite.
#[derive(Debug)]
pub struct certwright_material(pub(crate) Material);

impl Boxed for certwright_material {}

/// Brings a key and its chain together, both PEM, from memory: nothing touches a disk.
///
/// Parameters: `key`, a private key in PKCS#8, SEC1 or PKCS#1 (RFC 7468 §10, RFC 5915, RFC 8017); `fullchain`, the leaf and then its
/// intermediates.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` or `CERTWRIGHT_RESULT_UNFIT` when one of them cannot be
/// read or they do not belong together.
///
/// Ownership: `*out` is the caller's, until `certwright_material_free`. Threads: any. Effects: none.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `out` and `error_out` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_material_new(
    key: *const c_char,
    key_len: usize,
    fullchain: *const c_char,
    fullchain_len: usize,
    out: *mut *mut certwright_material,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let key = unsafe { bytes("key", key.cast(), key_len) }?;
        // SAFETY: the caller's promise.
        let fullchain = unsafe { bytes("fullchain", fullchain.cast(), fullchain_len) }?;
        let material = Material::new(PrivateKey::from_pem(key)?, Chain::from_pem(fullchain)?)?;
        Ok(certwright_material(material).into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Ends it. NULL is nothing.
///
/// # Safety
///
/// `material` is NULL, or came from `certwright_material_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_material_free(material: *mut certwright_material) {
    // SAFETY: the caller's promise.
    unsafe { free(material) }
}
