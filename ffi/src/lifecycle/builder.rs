//! Putting a lifecycle together: what is configured, and what the program brings itself.

use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

use certwright::{Builder, Config, LineageName};

use crate::callback::clock::{Clock, certwright_clock};
use crate::callback::log::{certwright_log, watch};
use crate::callback::probe::{Probe, certwright_probe};
use crate::callback::reloader::{Reloader, certwright_reloader};
use crate::callback::solver::{Solver, certwright_solver};
use crate::cancel::certwright_cancel;
use crate::config::certwright_config;
use crate::error::certwright_error;
use crate::guard::{Failure, call, make};
use crate::handle::{Boxed, free, lent, lent_mut};
use crate::lifecycle::verbs::certwright_lifecycle;
use crate::result::certwright_result;
use crate::text::text;

/// A lifecycle in the making. It is not for two threads at once.
///
/// Structures of callbacks are copied; what they say about `destroy` is in each. When a call that takes one fails, the
/// caller's data was not taken and `destroy` is not called.
#[derive(Debug)]
pub struct certwright_builder {
    /// `None` while a call changes it, and after a panic in one.
    making: Option<Builder>,
    config: Config,
}

impl Boxed for certwright_builder {}

impl certwright_builder {
    fn change(&mut self, change: impl FnOnce(Builder) -> Builder) -> Result<(), Failure> {
        let making = self.making.take().ok_or_else(|| Failure::argument("builder", "it was built already"))?;
        self.making = Some(change(making));
        Ok(())
    }
}

/// Everything as configured, on this machine.
///
/// Returns: `CERTWRIGHT_RESULT_OK`.
///
/// Ownership: `config` is copied and stays the caller's; `*out` is the caller's, until `certwright_builder_build` or
/// `certwright_builder_free`. Threads: any. Effects: none.
///
/// # Safety
///
/// `config` is NULL or lives; `out` and `error_out` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_new(
    config: *const certwright_config,
    out: *mut *mut certwright_builder,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let config = unsafe { lent("config", config) }?.0.clone();
        Ok(certwright_builder { making: Some(Builder::new(config.clone())), config }.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Gives it a wish to stop, which another thread expresses by `certwright_cancel_ask`.
///
/// Returns: `CERTWRIGHT_RESULT_OK`.
///
/// Ownership: `cancel` stays the caller's; a share of it is kept. Threads: one at a time. Effects: none.
///
/// # Safety
///
/// `builder` and `cancel` are NULL or live; `builder` is used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_set_cancel(
    builder: *mut certwright_builder,
    cancel: *const certwright_cancel,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        // SAFETY: the caller's promise.
        let cancel = unsafe { lent("cancel", cancel) }?.0.clone();
        builder.change(|making| making.cancel(cancel))
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// How long after a reload every service may go on serving the old certificate before that counts as a failure, in
/// milliseconds. When it is not said, the longest time limit of the lineage's endpoints counts.
///
/// Returns: `CERTWRIGHT_RESULT_OK`.
///
/// Threads: one at a time. Effects: none.
///
/// # Safety
///
/// `builder` is NULL or lives and is used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_set_patience(
    builder: *mut certwright_builder,
    milliseconds: u64,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        builder.change(|making| making.patience(Duration::from_millis(milliseconds)))
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Takes another clock than the system's.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a structure of an unknown version.
///
/// Ownership: see [`certwright_clock`]. Threads: one at a time. Effects: none.
///
/// # Safety
///
/// `builder` and `clock` are NULL or live; what the structure promises holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_set_clock(
    builder: *mut certwright_builder,
    clock: *const certwright_clock,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        // SAFETY: the caller's promise.
        let clock = Clock::new(unsafe { lent("clock", clock) }?)?;
        builder.change(|making| making.clock(Arc::new(clock)))
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Is told about each arrow as it begins.
///
/// Returns, threads, effects: as [`certwright_builder_set_clock`]. Ownership: see [`certwright_log`].
///
/// # Safety
///
/// `builder` and `log` are NULL or live; what the structure promises holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_set_log(
    builder: *mut certwright_builder,
    log: *const certwright_log,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        // SAFETY: the caller's promise.
        let told = watch(unsafe { lent("log", log) }?)?;
        builder.change(|making| making.watch(told))
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Takes an answerer of challenges, for every ACME server of the configuration; before those that are configured.
///
/// Returns, threads, effects: as [`certwright_builder_set_clock`]. Ownership: see [`certwright_solver`].
///
/// # Safety
///
/// `builder` and `solver` are NULL or live; what the structure promises holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_add_solver(
    builder: *mut certwright_builder,
    solver: *const certwright_solver,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        // SAFETY: the caller's promise.
        let solver = Solver::new(unsafe { lent("solver", solver) }?)?;
        builder.change(|making| making.solver(Arc::new(solver)))
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Takes a reloader for one lineage, in place of the configured one.
///
/// Returns: as [`certwright_builder_set_clock`], and `CERTWRIGHT_RESULT_NOT_FOUND` for a lineage that there is not. Ownership:
/// see [`certwright_reloader`]. Threads: one at a time. Effects: none.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; what the structure promises holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_set_reloader(
    builder: *mut certwright_builder,
    lineage: *const c_char,
    lineage_len: usize,
    reloader: *const certwright_reloader,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        // SAFETY: the caller's promise.
        let lineage = unsafe { known(builder, lineage, lineage_len) }?;
        // SAFETY: the caller's promise.
        let reloader = unsafe { Reloader::new(lent("reloader", reloader)?) }?;
        builder.change(|making| making.reloader(lineage, Arc::new(reloader)))
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// Takes a probe for one lineage, beside the configured ones.
///
/// Returns, threads, effects: as [`certwright_builder_set_reloader`]. Ownership: see [`certwright_probe`].
///
/// # Safety
///
/// As [`certwright_builder_set_reloader`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_add_probe(
    builder: *mut certwright_builder,
    lineage: *const c_char,
    lineage_len: usize,
    probe: *const certwright_probe,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        // SAFETY: the caller's promise.
        let lineage = unsafe { known(builder, lineage, lineage_len) }?;
        // SAFETY: the caller's promise.
        let probe = unsafe { Probe::new(lent("probe", probe)?) }?;
        builder.change(|making| making.probe(lineage, Arc::new(probe)))
    };
    // SAFETY: the caller's promise.
    unsafe { call(error_out, body) }
}

/// A lineage of the configuration.
///
/// # Safety
///
/// As [`text`].
unsafe fn known(builder: &certwright_builder, data: *const c_char, len: usize) -> Result<LineageName, Failure> {
    // SAFETY: the caller's promise.
    let name = unsafe { text("lineage", data, len) }?.parse()?;
    Ok(builder.config.lineage(&name)?.name.clone())
}

/// The lifecycle.
///
/// Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when the configuration cannot be meant: the builder is
/// used up then too.
///
/// Ownership: `*out` is the caller's, until `certwright_lifecycle_free`; the builder is still to be freed. Threads: one at a
/// time. Effects: none.
///
/// # Safety
///
/// `builder` is NULL or lives and is used by nobody else meanwhile; `out` and `error_out` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_build(
    builder: *mut certwright_builder,
    out: *mut *mut certwright_lifecycle,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let builder = unsafe { lent_mut("builder", builder) }?;
        let making = builder.making.take().ok_or_else(|| Failure::argument("builder", "it was built already"))?;
        Ok(certwright_lifecycle(making.build()?).into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Ends it. Callbacks that no lifecycle was built with are destroyed. NULL is nothing.
///
/// # Safety
///
/// `builder` is NULL, or came from `certwright_builder_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_builder_free(builder: *mut certwright_builder) {
    // SAFETY: the caller's promise.
    unsafe { free(builder) }
}
