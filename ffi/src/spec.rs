//! The wish for one lineage, put together by calls.

use std::ffi::c_char;
use std::net::SocketAddr;

use certwright::{
    Address, Command, Endpoint, Identifier, IssuerName, LineageName, Output, Principal, Reload, Sans, Spec,
};

use crate::error::certwright_error;
use crate::guard::{Failure, call, make};
use crate::handle::{Boxed, free, lent_mut};
use crate::result::certwright_result;
use crate::text::{certwright_str, optional_text, text, texts};
use crate::value::{
    certwright_encoding, certwright_form, certwright_key_algorithm, certwright_starttls, certwright_strategy,
};

/// What is wished for one lineage. It is not for two threads at once.
#[derive(Debug)]
pub struct certwright_spec {
    name: LineageName,
    identifiers: Vec<Identifier>,
    /// All but the identifiers.
    rest: Spec,
}

impl Boxed for certwright_spec {}

impl certwright_spec {
    pub(crate) fn wish(&self) -> Result<Spec, Failure> {
        let mut spec = self.rest.clone();
        spec.name = self.name.clone();
        spec.identifiers = Sans::new(self.identifiers.clone())?;
        Ok(spec)
    }
}

/// A wish without identifiers: a P-256 key that nobody but the owner reads, no issuer, no service, no outputs.
///
/// Parameters: `name`, the lineage's name, which becomes a directory.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name.
///
/// Ownership: `*out` is the caller's, until `certwright_spec_free`. Threads: any. Effects: none.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `out` and `error_out` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_new(
    name: *const c_char,
    name_len: usize,
    out: *mut *mut certwright_spec,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let name: LineageName = unsafe { text("name", name, name_len) }?.parse()?;
        // A wish cannot be without identifiers; this one is replaced before anybody sees it.
        let rest = Spec::new(name.clone(), Sans::new(vec!["localhost".parse()?])?);
        Ok(certwright_spec { name, identifiers: Vec::new(), rest }.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Changes a wish by one text.
///
/// # Safety
///
/// As the public functions below.
unsafe fn with_text(
    spec: *mut certwright_spec,
    name: &'static str,
    data: *const c_char,
    len: usize,
    error_out: *mut *mut certwright_error,
    change: impl FnOnce(&mut certwright_spec, &str) -> Result<(), Failure>,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let spec = unsafe { lent_mut("spec", spec) }?;
        // SAFETY: the caller's promise.
        let said = unsafe { text(name, data, len) }?;
        change(spec, &said)
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Adds an identifier: a DNS name, a wildcard, an IPv4 or IPv6 address.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is none of these.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `spec` is used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_add_identifier(
    spec: *mut certwright_spec,
    identifier: *const c_char,
    identifier_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let change = |spec: &mut certwright_spec, said: &str| {
        spec.identifiers.push(said.parse()?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with_text(spec, "identifier", identifier, identifier_len, error_out, change) }
}

/// Adds an issuer, after those that were added before: the next is asked when one refuses.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_spec_add_identifier`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_add_issuer(
    spec: *mut certwright_spec,
    name: *const c_char,
    name_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let change = |spec: &mut certwright_spec, said: &str| {
        spec.rest.issuers.push(said.parse::<IssuerName>()?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with_text(spec, "name", name, name_len, error_out, change) }
}

/// Adds somebody who must be able to read key and certificates.
///
/// Parameters: `reader`, `user:NAME`, `user:NUMBER`, `group:NAME` or `group:NUMBER`.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is none of these. Whether there is such an
/// account is asked when access is proved.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_spec_add_identifier`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_add_reader(
    spec: *mut certwright_spec,
    reader: *const c_char,
    reader_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let change = |spec: &mut certwright_spec, said: &str| {
        let principal = match said.split_once(':') {
            Some(("user", name)) if !name.is_empty() => Principal::User(name.to_owned()),
            Some(("group", name)) if !name.is_empty() => Principal::Group(name.to_owned()),
            _ => return Err(Failure::argument("reader", "a reader is `user:NAME` or `group:NAME`")),
        };
        spec.rest.access.readers.push(principal);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with_text(spec, "reader", reader, reader_len, error_out, change) }
}

/// Wishes an algorithm for the key, a `certwright_key_algorithm`.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a number that is none.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// `spec` is NULL or lives, and is used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_set_key(
    spec: *mut certwright_spec,
    algorithm: u32,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let spec = unsafe { lent_mut("spec", spec) }?;
        spec.rest.key = certwright_key_algorithm::meant("algorithm", algorithm)?;
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Adds a file outside the lineage's directory, with the lineage's readers.
///
/// Parameters: `path`, absolute and outside the root; `strategy`, a `certwright_strategy`; `form`, a `certwright_form`;
/// `encoding`, a `certwright_encoding`.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a number that is none.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_spec_add_identifier`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_add_output(
    spec: *mut certwright_spec,
    path: *const c_char,
    path_len: usize,
    strategy: u32,
    form: u32,
    encoding: u32,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let change = |spec: &mut certwright_spec, said: &str| {
        let strategy = certwright_strategy::meant("strategy", strategy)?;
        let mut output = Output::new(said, strategy, certwright_form::meant("form", form)?);
        output.encoding = certwright_encoding::meant("encoding", encoding)?;
        spec.rest.outputs.push(output);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with_text(spec, "path", path, path_len, error_out, change) }
}

/// Reads an argument vector.
///
/// # Safety
///
/// As [`texts`].
unsafe fn command(argv: *const certwright_str, argv_len: usize) -> Result<Command, Failure> {
    // SAFETY: the caller's promise.
    let argv = unsafe { texts("argv", argv, argv_len) }?;
    if argv.is_empty() {
        return Err(Failure::argument("argv", "a command has at least the program"));
    }
    Ok(Command::new(argv.iter().map(|word| word.as_str())))
}

/// Wishes the service's own configuration test: an argument vector, never a shell. It ends with 0 when all is well.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is empty.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_spec_add_identifier`]; `argv` points to `argv_len` views.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_set_check(
    spec: *mut certwright_spec,
    argv: *const certwright_str,
    argv_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let spec = unsafe { lent_mut("spec", spec) }?;
        // SAFETY: the caller's promise.
        spec.rest.check = Some(unsafe { command(argv, argv_len) }?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Wishes that the service is made to re-read by a command: an argument vector, never a shell.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is empty.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_spec_set_check`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_set_reload_command(
    spec: *mut certwright_spec,
    argv: *const certwright_str,
    argv_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let spec = unsafe { lent_mut("spec", spec) }?;
        // SAFETY: the caller's promise.
        spec.rest.reload = Some(Reload::Command(unsafe { command(argv, argv_len) }?));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Wishes that the service is made to re-read by a signal to the process in a pid file.
///
/// Parameters: `signal`, its name without `SIG`: `HUP`, `USR1`, `USR2`; `pid_file`, absolute.
///
/// Returns: `CERTWRIGHT_RESULT_OK`. What is wrong with either is said when the service is reloaded, or by
/// `certwright_builder_build`.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_spec_add_identifier`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_set_reload_signal(
    spec: *mut certwright_spec,
    signal: *const c_char,
    signal_len: usize,
    pid_file: *const c_char,
    pid_file_len: usize,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let change = |spec: &mut certwright_spec, signal: &str| {
        // SAFETY: the caller's promise.
        let pid_file = unsafe { text("pid_file", pid_file, pid_file_len) }?;
        spec.rest.reload = Some(Reload::Signal { signal: signal.to_owned(), pid_file: pid_file.as_str().into() });
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with_text(spec, "signal", signal, signal_len, error_out, change) }
}

/// Adds a place that is asked which certificate it serves.
///
/// Parameters: `address`, `ADDRESS:PORT` with IPv6 addresses in brackets, or `NAME:PORT`; `server_name`, the name sent as SNI,
/// or NULL with 0; `starttls`, a `certwright_starttls`.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` or `CERTWRIGHT_RESULT_INVALID_SPEC` when one of them
/// cannot be meant.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// As [`certwright_spec_add_identifier`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_add_probe(
    spec: *mut certwright_spec,
    address: *const c_char,
    address_len: usize,
    server_name: *const c_char,
    server_name_len: usize,
    starttls: u32,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let change = |spec: &mut certwright_spec, said: &str| {
        let address = match (said.parse::<SocketAddr>(), said.rsplit_once(':')) {
            (Ok(address), _) => Address::Socket(address),
            (Err(_), Some((host, port))) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Address::Host(host.to_owned(), port.parse().unwrap_or_default())
            }
            _ => return Err(Failure::argument("address", "an address is `ADDRESS:PORT` or `NAME:PORT`")),
        };
        let mut endpoint = Endpoint::new(address);
        // SAFETY: the caller's promise.
        let server_name = unsafe { optional_text("server_name", server_name, server_name_len) }?;
        endpoint.server_name = server_name.map(|name| name.parse()).transpose()?;
        endpoint.starttls = certwright_starttls::meant(starttls)?;
        spec.rest.probes.push(endpoint);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with_text(spec, "address", address, address_len, error_out, change) }
}

/// Ends it. NULL is nothing.
///
/// # Safety
///
/// `spec` is NULL, or came from `certwright_spec_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_spec_free(spec: *mut certwright_spec) {
    // SAFETY: the caller's promise.
    unsafe { free(spec) }
}
