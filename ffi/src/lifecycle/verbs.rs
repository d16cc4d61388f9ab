//! The verbs.

use std::ffi::c_char;

use certwright::{Depth, Endpoints, Lifecycle, LineageName, Options, Return, Selection};

use crate::error::certwright_error;
use crate::guard::{Failure, make};
use crate::handle::{Boxed, free, lent};
use crate::lifecycle::options::certwright_options;
use crate::material::certwright_material;
use crate::report::certwright_report;
use crate::result::certwright_result;
use crate::text::{certwright_str, optional_text, text, texts};

/// The managed certificates of one configuration. Any number of threads may call verbs on it at once; those that write
/// take turns by lineage. Every verb blocks.
#[derive(Debug)]
pub struct certwright_lifecycle(pub(crate) Lifecycle);

impl Boxed for certwright_lifecycle {}

/// Which lineages are meant: all when nobody is named.
///
/// # Safety
///
/// As [`texts`].
unsafe fn selection(names: *const certwright_str, len: usize) -> Result<Selection, Failure> {
    // SAFETY: the caller's promise.
    let names = unsafe { texts("lineages", names, len) }?;
    if names.is_empty() {
        return Ok(Selection::All);
    }
    Ok(Selection::Named(names.iter().map(|name| name.parse::<LineageName>()).collect::<Result<_, _>>()?))
}

/// # Safety
///
/// `options` is NULL or points to one that lives.
unsafe fn chosen(options: *const certwright_options) -> Options {
    // SAFETY: the caller's promise.
    unsafe { options.as_ref() }.map_or_else(Options::default, |options| options.0)
}

/// Says what [`certwright_apply`] would do and why. The outcome is `CERTWRIGHT_OUTCOME_FINDING` when there is something to do.
///
/// Parameters: `lineages`, names, or NULL with 0 for all.
///
/// Returns: `CERTWRIGHT_RESULT_OK` when there is a report, whatever it says; `CERTWRIGHT_RESULT_NOT_FOUND` for a lineage that
/// there is not.
///
/// Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: reads disk and endpoints.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `out` and `error_out` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_plan(
    lifecycle: *const certwright_lifecycle,
    lineages: *const certwright_str,
    lineages_len: usize,
    out: *mut *mut certwright_report,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let lifecycle = unsafe { lent("lifecycle", lifecycle) }?;
        // SAFETY: the caller's promise.
        let selection = unsafe { selection(lineages, lineages_len) }?;
        Ok(certwright_report::of_plan(&lifecycle.0.plan(&selection, Endpoints::Ask)?)?.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Issues, places, proves, switches, reloads and probes, for every lineage that needs it. A second run changes nothing.
///
/// Parameters: `lineages`, names, or NULL with 0 for all; `options`, or NULL for what is usual.
///
/// Returns: `CERTWRIGHT_RESULT_OK` when there is a report: look at its outcome; what went wrong with one lineage is in it, and
/// the others were tried all the same. `CERTWRIGHT_RESULT_NOT_FOUND` for a lineage that there is not.
///
/// Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: disk, the issuer, the service.
///
/// # Safety
///
/// As [`certwright_plan`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_apply(
    lifecycle: *const certwright_lifecycle,
    lineages: *const certwright_str,
    lineages_len: usize,
    options: *const certwright_options,
    out: *mut *mut certwright_report,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let lifecycle = unsafe { lent("lifecycle", lifecycle) }?;
        // SAFETY: the caller's promise.
        let selection = unsafe { selection(lineages, lineages_len) }?;
        // SAFETY: the caller's promise.
        let options = unsafe { chosen(options) };
        Ok(certwright_report::of_run(&lifecycle.0.apply(&selection, &options)?)?.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Deploys key and chain that another client obtained: places, proves, switches, reloads and probes them. Where check, reload
/// or probe fail, the generation before is active again.
///
/// Parameters: `lineage`, a name; `options`, or NULL for what is usual.
///
/// Returns: as [`certwright_apply`].
///
/// Ownership: `material` stays the caller's; `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects:
/// disk, the service.
///
/// # Safety
///
/// As [`certwright_plan`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_deploy(
    lifecycle: *const certwright_lifecycle,
    lineage: *const c_char,
    lineage_len: usize,
    material: *const certwright_material,
    options: *const certwright_options,
    out: *mut *mut certwright_report,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let lifecycle = unsafe { lent("lifecycle", lifecycle) }?;
        // SAFETY: the caller's promise.
        let lineage = unsafe { text("lineage", lineage, lineage_len) }?.parse()?;
        // SAFETY: the caller's promise.
        let material = unsafe { lent("material", material) }?;
        // SAFETY: the caller's promise.
        let options = unsafe { chosen(options) };
        Ok(certwright_report::of_run(&lifecycle.0.deploy(&lineage, &material.0, &options)?)?.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// How much `certwright_verify` looks at.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_depth {
    /// Files, access, expiry, and what the endpoints serve.
    Whole = 0,
    /// Files, access and expiry; no endpoint is asked.
    Disk = 1,
    /// Could this machine serve now: everything, and that the service and the fail-over daemon run.
    Ready = 2,
}

/// Compares what is there with the wish. The outcome is `CERTWRIGHT_OUTCOME_FINDING` when something is not as wished.
///
/// Parameters: `lineages`, names, or NULL with 0 for all; `depth`, a `certwright_depth`.
///
/// Returns: as [`certwright_plan`]; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a depth that is none.
///
/// Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: reads disk and endpoints.
///
/// # Safety
///
/// As [`certwright_plan`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_verify(
    lifecycle: *const certwright_lifecycle,
    lineages: *const certwright_str,
    lineages_len: usize,
    depth: u32,
    out: *mut *mut certwright_report,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let lifecycle = unsafe { lent("lifecycle", lifecycle) }?;
        // SAFETY: the caller's promise.
        let selection = unsafe { selection(lineages, lineages_len) }?;
        let depth = match depth {
            0 => Depth::Whole,
            1 => Depth::Disk,
            2 => Depth::Ready,
            _ => return Err(Failure::argument("depth", "the enumeration has no such number")),
        };
        Ok(certwright_report::of_verify(&lifecycle.0.verify(&selection, depth)?)?.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Goes back on purpose, and holds there until a newer issuance or a release.
///
/// Parameters: `lineage`, a name; `generation`, such as `0007-1a2b3c4d`, or NULL with 0 for the one before; `options`, or NULL
/// for what is usual.
///
/// Returns: as [`certwright_apply`].
///
/// Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: disk, the service.
///
/// # Safety
///
/// As [`certwright_plan`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_rollback(
    lifecycle: *const certwright_lifecycle,
    lineage: *const c_char,
    lineage_len: usize,
    generation: *const c_char,
    generation_len: usize,
    options: *const certwright_options,
    out: *mut *mut certwright_report,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let lifecycle = unsafe { lent("lifecycle", lifecycle) }?;
        // SAFETY: the caller's promise.
        let lineage = unsafe { text("lineage", lineage, lineage_len) }?.parse()?;
        // SAFETY: the caller's promise.
        let generation = unsafe { optional_text("generation", generation, generation_len) }?;
        let to = generation.map(|generation| generation.parse()).transpose()?.map_or(Return::Previous, Return::To);
        // SAFETY: the caller's promise.
        let options = unsafe { chosen(options) };
        Ok(certwright_report::of_run(&lifecycle.0.rollback(&lineage, to, &options)?)?.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Lets a lineage that is held go on by itself again, and one that waits for its next try be tried at the next `apply`.
///
/// Parameters, returns, ownership, threads, effects: as [`certwright_rollback`].
///
/// # Safety
///
/// As [`certwright_plan`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_release(
    lifecycle: *const certwright_lifecycle,
    lineage: *const c_char,
    lineage_len: usize,
    options: *const certwright_options,
    out: *mut *mut certwright_report,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let lifecycle = unsafe { lent("lifecycle", lifecycle) }?;
        // SAFETY: the caller's promise.
        let lineage = unsafe { text("lineage", lineage, lineage_len) }?.parse()?;
        // SAFETY: the caller's promise.
        let options = unsafe { chosen(options) };
        Ok(certwright_report::of_run(&lifecycle.0.rollback(&lineage, Return::Release, &options)?)?.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// What is active, until when, when it is renewed, and what is unfinished.
///
/// Parameters: `lineages`, names, or NULL with 0 for all.
///
/// Returns: as [`certwright_plan`].
///
/// Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: reads the disk.
///
/// # Safety
///
/// As [`certwright_plan`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_status(
    lifecycle: *const certwright_lifecycle,
    lineages: *const certwright_str,
    lineages_len: usize,
    out: *mut *mut certwright_report,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let lifecycle = unsafe { lent("lifecycle", lifecycle) }?;
        // SAFETY: the caller's promise.
        let selection = unsafe { selection(lineages, lineages_len) }?;
        Ok(certwright_report::of_status(&lifecycle.0.status(&selection)?)?.into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Ends it, and with it the callbacks that it was given: their `destroy` is called. NULL is nothing. No verb may be running.
///
/// # Safety
///
/// `lifecycle` is NULL, or came from `certwright_builder_build` and was not freed, and nobody uses it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_lifecycle_free(lifecycle: *mut certwright_lifecycle) {
    // SAFETY: the caller's promise.
    unsafe { free(lifecycle) }
}
