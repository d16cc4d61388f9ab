//! The configuration: read from text, or put together by calls.

use std::ffi::c_char;
use std::path::Path;

use certwright::{AcmeIssuer, Config, IssuerSpec, LocalIssuer, SolverSpec};

use crate::error::certwright_error;
use crate::guard::{Failure, call, make};
use crate::handle::{Boxed, free, lent, lent_mut};
use crate::result::certwright_result;
use crate::spec::certwright_spec;
use crate::text::{certwright_str, optional_text, text, texts};

/// Where lineages live, who issues, what is wished. It is not for two threads at once while it is changed.
#[derive(Debug)]
pub struct certwright_config(pub(crate) Config);

impl Boxed for certwright_config {}

/// Reads the text of a `certwright.toml`.
///
/// Parameters: `toml`, the text; `path`, the name of the file for messages, to whose directory relative names are relative.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` with line and column, and the nearest name for a key that
/// there is not.
///
/// Ownership: `*out` is the caller's, until `certwright_config_free`. Threads: any. Effects: none.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `out` and `error_out` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_config_parse(
    toml: *const c_char,
    toml_len: usize,
    path: *const c_char,
    path_len: usize,
    out: *mut *mut certwright_config,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let toml = unsafe { text("toml", toml, toml_len) }?;
        // SAFETY: the caller's promise.
        let path = unsafe { text("path", path, path_len) }?;
        Ok(certwright_config(Config::parse(&toml, Path::new(&*path))?).into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// A configuration without issuers and lineages, to be filled by calls.
///
/// Parameters: `root`, the directory that holds every lineage; absolute.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when `root` is not absolute.
///
/// Ownership: `*out` is the caller's, until `certwright_config_free`. Threads: any. Effects: none.
///
/// # Safety
///
/// As [`certwright_config_parse`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_config_new(
    root: *const c_char,
    root_len: usize,
    out: *mut *mut certwright_config,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let root = unsafe { text("root", root, root_len) }?;
        if !Path::new(&*root).is_absolute() {
            return Err(Failure::argument("root", "the root is not an absolute path"));
        }
        Ok(certwright_config(Config::new(&*root)).into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Adds the embedded CA under a name, or replaces the issuer that has it.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name.
///
/// Threads: one at a time. Effects: none; the CA is made when it first issues.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `config` is used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_config_add_local_issuer(
    config: *mut certwright_config,
    name: *const c_char,
    name_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let config = unsafe { lent_mut("config", config) }?;
        // SAFETY: the caller's promise.
        let name = unsafe { text("name", name, name_len) }?.parse()?;
        config.0.issuers.insert(name, IssuerSpec::Local(LocalIssuer::default()));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Adds an ACME server (RFC 8555) under a name, or replaces the issuer that has it.
///
/// Parameters: `directory`, the URL of its directory; `contacts`, URLs such as `mailto:ops@example.org`, or NULL with 0;
/// `webroot`, the document root of a server that answers `http-01`, or NULL with 0 when
/// `certwright_builder_add_solver` brings who answers.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name. What is wrong with the rest is said
/// by `certwright_builder_build`.
///
/// Threads: one at a time. Effects: none; the account is made when it first issues.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `config` is used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_config_add_acme_issuer(
    config: *mut certwright_config,
    name: *const c_char,
    name_len: usize,
    directory: *const c_char,
    directory_len: usize,
    contacts: *const certwright_str,
    contacts_len: usize,
    webroot: *const c_char,
    webroot_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let config = unsafe { lent_mut("config", config) }?;
        // SAFETY: the caller's promise.
        let name = unsafe { text("name", name, name_len) }?.parse()?;
        // SAFETY: the caller's promise.
        let directory = unsafe { text("directory", directory, directory_len) }?;
        // SAFETY: the caller's promise.
        let contacts = unsafe { texts("contacts", contacts, contacts_len) }?;
        // SAFETY: the caller's promise.
        let webroot = unsafe { optional_text("webroot", webroot, webroot_len) }?;
        let mut issuer =
            AcmeIssuer::new(&*directory, SolverSpec::HttpWebroot(webroot.map_or("", |it| it.as_str()).into()));
        if webroot.is_none() {
            issuer.solvers.clear();
        }
        issuer.contact = contacts.iter().map(|contact| contact.as_str().to_owned()).collect();
        config.0.issuers.insert(name, IssuerSpec::Acme(Box::new(issuer)));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Adds a copy of the wish for one lineage, or replaces the one of this name.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when the wish has no identifiers.
///
/// Ownership: `spec` stays the caller's. Threads: one at a time. Effects: none.
///
/// # Safety
///
/// `config` and `spec` are NULL or live, and are used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_config_add_lineage(
    config: *mut certwright_config,
    spec: *const certwright_spec,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let config = unsafe { lent_mut("config", config) }?;
        // SAFETY: the caller's promise.
        let spec = unsafe { lent("spec", spec) }?.wish()?;
        config.0.lineages.insert(spec.name.clone(), spec);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Ends it. NULL is nothing.
///
/// # Safety
///
/// `config` is NULL, or came from `certwright_config_parse` or `certwright_config_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_config_free(config: *mut certwright_config) {
    // SAFETY: the caller's promise.
    unsafe { free(config) }
}
