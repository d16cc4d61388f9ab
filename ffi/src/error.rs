//! Errors as objects that C owns or borrows.

use certwright::report::ErrorReport;
use certwright::{ErrorKind, Timestamp};

use crate::guard::{Failure, look};
use crate::handle::{Boxed, free};
use crate::result::certwright_result;
use crate::text::{Text, certwright_str, view};

/// What went wrong, where, about what, what is true now, what to do, and when to try again.
///
/// One that a call wrote to `error_out` is the caller's, until `certwright_error_free`. One that was asked of a report is the
/// report's. It does not change; any thread may look at it.
#[derive(Debug)]
pub struct certwright_error {
    result: certwright_result,
    phase: Option<Text>,
    message: Text,
    hint: Option<Text>,
    context: Vec<(Text, Text)>,
    causes: Vec<Text>,
    aftermath: certwright_aftermath,
    generation: Option<Text>,
    commands: Vec<Text>,
    retry: certwright_retry,
    retry_at: i64,
    json: Text,
}

/// What is true on the machine after an error.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_aftermath {
    /// What was active before is active now and was not touched.
    Untouched = 0,
    /// A switch was undone; the generation before is active again and was observed to be.
    RolledBack = 1,
    /// The new generation stays active although it could not be seen to be served.
    Kept = 2,
    /// Undoing failed. The error's commands bring the machine back by hand.
    Stuck = 3,
}

/// When the same call may be tried again.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_retry {
    /// Not before something was changed.
    Never = 0,
    /// At once.
    Now = 1,
    /// From a moment on: `certwright_error_retry_at`.
    After = 2,
}

impl Boxed for certwright_error {}

impl certwright_error {
    pub(crate) fn new(failure: &Failure) -> Self {
        Self::of(failure.result, &ErrorReport::from(&failure.error))
    }

    /// An error inside a report.
    pub(crate) fn reported(report: &ErrorReport) -> Self {
        let kind = ErrorKind::ALL.iter().copied().find(|kind| kind.code() == report.kind);
        Self::of(kind.map_or(certwright_result::Bug, certwright_result::of), report)
    }

    fn of(result: certwright_result, report: &ErrorReport) -> Self {
        let texts = |texts: &[String]| texts.iter().map(|text| Text::new(text)).collect();
        let (retry, retry_at) = match report.retry.as_str() {
            "never" => (certwright_retry::Never, 0),
            "now" => (certwright_retry::Now, 0),
            time => (certwright_retry::After, time.parse::<Timestamp>().map_or(0, Timestamp::unix)),
        };
        Self {
            result,
            phase: report.phase.map(Text::new),
            message: Text::new(&report.message),
            hint: report.hint.as_deref().map(Text::new),
            context: report.context.iter().map(|(name, value)| (Text::new(name), Text::new(value))).collect(),
            causes: texts(&report.causes),
            aftermath: match report.aftermath {
                "rolled_back" => certwright_aftermath::RolledBack,
                "kept" => certwright_aftermath::Kept,
                "stuck" => certwright_aftermath::Stuck,
                _ => certwright_aftermath::Untouched,
            },
            generation: report.generation.as_deref().map(Text::new),
            commands: texts(&report.commands),
            retry,
            retry_at,
            json: Text::new(&serde_json::to_string(report).unwrap_or_default()),
        }
    }
}

/// Looks at an error.
///
/// # Safety
///
/// `error` is NULL or points to one that lives.
unsafe fn of<T>(error: *const certwright_error, otherwise: T, see: impl FnOnce(&certwright_error) -> Option<T>) -> T {
    // SAFETY: the caller's promise.
    look(otherwise, || see(unsafe { error.as_ref() }?))
}

/// What failed, with its phase and context, in one line without full stop.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_message(error: *const certwright_error) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| Some(error.message.view())) }
}

/// What to do next, in one sentence; no text where nothing is known.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_hint(error: *const certwright_error) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| Some(view(error.hint.as_ref()))) }
}

/// The arrow in which it happened: `plan`, `issue`, `stage`, `prove`, `activate`, `probe`, `commit`, `rollback` or `record`.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_phase(error: *const certwright_error) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| Some(view(error.phase.as_ref()))) }
}

/// The generation that the aftermath is about.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_generation(error: *const certwright_error) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| Some(view(error.generation.as_ref()))) }
}

/// All of it as one JSON object, as in the reports of the command line.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_json(error: *const certwright_error) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| Some(error.json.view())) }
}

/// How many facts there are about it: lineage, path, identifier and the like.
///
/// Threads: any. Effects: none. 0 for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_context_len(error: *const certwright_error) -> usize {
    // SAFETY: the caller's promise.
    unsafe { of(error, 0, |error| Some(error.context.len())) }
}

/// The name of a fact, in order from 0.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_context_name(error: *const certwright_error, index: usize) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| error.context.get(index).map(|fact| fact.0.view())) }
}

/// The value of a fact, in order from 0.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_context_value(
    error: *const certwright_error,
    index: usize,
) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| error.context.get(index).map(|fact| fact.1.view())) }
}

/// How many errors below it caused it.
///
/// Threads: any. Effects: none. 0 for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_causes_len(error: *const certwright_error) -> usize {
    // SAFETY: the caller's promise.
    unsafe { of(error, 0, |error| Some(error.causes.len())) }
}

/// What caused it, outermost first, from 0.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_cause(error: *const certwright_error, index: usize) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| error.causes.get(index).map(|cause| cause.view())) }
}

/// How many commands bring the machine back by hand.
///
/// Threads: any. Effects: none. 0 for NULL.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_commands_len(error: *const certwright_error) -> usize {
    // SAFETY: the caller's promise.
    unsafe { of(error, 0, |error| Some(error.commands.len())) }
}

/// A command that brings the machine back by hand, in order from 0.
///
/// Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_command(error: *const certwright_error, index: usize) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_str::NONE, |error| error.commands.get(index).map(|command| command.view())) }
}

/// The kind of the error, as the call returned it. `CERTWRIGHT_RESULT_OK` for NULL.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_kind(error: *const certwright_error) -> certwright_result {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_result::Ok, |error| Some(error.result)) }
}

/// What is true on the machine now. `CERTWRIGHT_AFTERMATH_UNTOUCHED` for NULL.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_aftermath(error: *const certwright_error) -> certwright_aftermath {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_aftermath::Untouched, |error| Some(error.aftermath)) }
}

/// When the same call may be tried again. `CERTWRIGHT_RETRY_NEVER` for NULL.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_retry(error: *const certwright_error) -> certwright_retry {
    // SAFETY: the caller's promise.
    unsafe { of(error, certwright_retry::Never, |error| Some(error.retry)) }
}

/// The moment from which on the same call may be tried again, in seconds since 1970-01-01T00:00:00Z; 0 unless
/// `certwright_error_retry` is `CERTWRIGHT_RETRY_AFTER`.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `error` is NULL or points to an error that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_retry_at(error: *const certwright_error) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { of(error, 0, |error| Some(error.retry_at)) }
}

/// Ends an error that is the caller's. NULL is nothing.
///
/// # Safety
///
/// `error` is NULL, or came from `error_out` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_error_free(error: *mut certwright_error) {
    // SAFETY: the caller's promise.
    unsafe { free(error) }
}
