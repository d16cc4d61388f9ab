//! What a verb did or found.

use certwright::report::{ErrorReport, Outcome, PlanReport, RunReport, StatusReport, VerifyReport};
use certwright::{Error, ErrorKind, Timestamp};
use serde::Serialize;

use crate::error::certwright_error;
use crate::guard::{Failure, look};
use crate::handle::{Boxed, free};
use crate::text::{Text, certwright_str, view};

/// What a verb did or found. It does not change; any thread may look at it.
#[derive(Debug)]
pub struct certwright_report {
    outcome: certwright_outcome,
    json: Text,
    lineages: Vec<Lineage>,
}

/// One lineage of it.
#[derive(Debug)]
struct Lineage {
    name: Text,
    outcome: certwright_outcome,
    changed: bool,
    generation: Option<Text>,
    not_after: Option<i64>,
    error: Option<certwright_error>,
}

impl Boxed for certwright_report {}

/// How a verb came out. The number is the exit status of the command `certwright`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_outcome {
    /// Well: done, or nothing to do.
    Well = 0,
    /// It failed or waits for its next try; nothing is worse than before.
    Failed = 1,
    /// The configuration cannot be meant.
    Invalid = 2,
    /// There is something to do, or something is not as wished.
    Finding = 3,
    /// A human is needed.
    Stuck = 4,
    /// Another run holds the lock.
    Busy = 5,
}

impl certwright_outcome {
    fn of(outcome: Outcome) -> Self {
        match outcome.exit_status() {
            0 => Self::Well,
            2 => Self::Invalid,
            3 => Self::Finding,
            4 => Self::Stuck,
            5 => Self::Busy,
            _ => Self::Failed,
        }
    }
}

impl Lineage {
    fn new(name: &str, outcome: Outcome, generation: Option<&String>, error: Option<&ErrorReport>) -> Self {
        Self {
            name: Text::new(name),
            outcome: certwright_outcome::of(outcome),
            changed: false,
            generation: generation.map(|generation| Text::new(generation)),
            not_after: None,
            error: error.map(certwright_error::reported),
        }
    }

    fn until(mut self, not_after: Option<&String>) -> Self {
        self.not_after = not_after.and_then(|time| time.parse::<Timestamp>().ok()).map(Timestamp::unix);
        self
    }

    const fn changed(mut self, changed: bool) -> Self {
        self.changed = changed;
        self
    }
}

impl certwright_report {
    fn new(outcome: Outcome, document: &impl Serialize, lineages: Vec<Lineage>) -> Result<Self, Failure> {
        let json = serde_json::to_string(document)
            .map_err(|source| Error::new(ErrorKind::Bug, "the report cannot be written as JSON").source(source))?;
        Ok(Self { outcome: certwright_outcome::of(outcome), json: Text::new(&json), lineages })
    }

    pub(crate) fn of_run(report: &RunReport) -> Result<Self, Failure> {
        let lineages = report.lineages.iter().map(|one| {
            Lineage::new(&one.lineage, one.outcome, one.generation.as_ref(), one.error.as_ref())
                .until(one.not_after.as_ref())
                .changed(one.changed)
        });
        Self::new(report.outcome, report, lineages.collect())
    }

    pub(crate) fn of_plan(report: &PlanReport) -> Result<Self, Failure> {
        let lineages =
            report.lineages.iter().map(|one| Lineage::new(&one.lineage, one.outcome, None, one.error.as_ref()));
        Self::new(report.outcome, report, lineages.collect())
    }

    pub(crate) fn of_verify(report: &VerifyReport) -> Result<Self, Failure> {
        let lineages = report
            .lineages
            .iter()
            .map(|one| Lineage::new(&one.lineage, one.outcome, one.generation.as_ref(), one.error.as_ref()));
        Self::new(report.outcome, report, lineages.collect())
    }

    pub(crate) fn of_status(report: &StatusReport) -> Result<Self, Failure> {
        let lineages = report.lineages.iter().map(|one| {
            Lineage::new(&one.lineage, one.outcome, one.generation.as_ref(), one.error.as_ref())
                .until(one.not_after.as_ref())
        });
        Self::new(report.outcome, report, lineages.collect())
    }
}

/// Looks at a report.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
unsafe fn of<T>(report: *const certwright_report, otherwise: T, see: impl FnOnce(&certwright_report) -> T) -> T {
    // SAFETY: the caller's promise.
    look(otherwise, || unsafe { report.as_ref() }.map(see))
}

/// Looks at one lineage of a report.
///
/// # Safety
///
/// As [`of`].
unsafe fn of_lineage<T>(
    report: *const certwright_report,
    index: usize,
    otherwise: T,
    see: impl FnOnce(&Lineage) -> Option<T>,
) -> T {
    // SAFETY: the caller's promise.
    look(otherwise, || see(unsafe { report.as_ref() }?.lineages.get(index)?))
}

/// How it came out: the worst of its lineages. `CERTWRIGHT_OUTCOME_FAILED` for NULL.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_outcome(report: *const certwright_report) -> certwright_outcome {
    // SAFETY: the caller's promise.
    unsafe { of(report, certwright_outcome::Failed, |report| report.outcome) }
}

/// All of it as JSON, as the command line prints it with `--json` (an `apply` there has its outcome at the end).
///
/// Ownership: the text is the report's. Threads: any. Effects: none. No text for NULL.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_json(report: *const certwright_report) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of(report, certwright_str::NONE, |report| report.json.view()) }
}

/// How many lineages it is about; they are in the order of their names. 0 for NULL.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_lineages_len(report: *const certwright_report) -> usize {
    // SAFETY: the caller's promise.
    unsafe { of(report, 0, |report| report.lineages.len()) }
}

/// The name of a lineage, from 0.
///
/// Ownership: the text is the report's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_lineage_name(
    report: *const certwright_report,
    index: usize,
) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of_lineage(report, index, certwright_str::NONE, |lineage| Some(lineage.name.view())) }
}

/// How a lineage came out, from 0. `CERTWRIGHT_OUTCOME_FAILED` for NULL, and beyond the end.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_lineage_outcome(
    report: *const certwright_report,
    index: usize,
) -> certwright_outcome {
    // SAFETY: the caller's promise.
    unsafe { of_lineage(report, index, certwright_outcome::Failed, |lineage| Some(lineage.outcome)) }
}

/// Whether a generation became active, from 0. `false` for the verbs that change nothing, for NULL, and beyond the end.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_lineage_changed(report: *const certwright_report, index: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { of_lineage(report, index, false, |lineage| Some(lineage.changed)) }
}

/// The generation that is active now, from 0; no text where there is none or the verb does not look.
///
/// Ownership: the text is the report's. Threads: any. Effects: none.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_lineage_generation(
    report: *const certwright_report,
    index: usize,
) -> certwright_str {
    // SAFETY: the caller's promise.
    unsafe { of_lineage(report, index, certwright_str::NONE, |lineage| Some(view(lineage.generation.as_ref()))) }
}

/// The last moment of validity of what is active, in seconds since 1970-01-01T00:00:00Z, from 0; `INT64_MIN` where it is not
/// known.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_lineage_not_after(report: *const certwright_report, index: usize) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { of_lineage(report, index, i64::MIN, |lineage| lineage.not_after) }
}

/// Why a lineage failed, from 0; NULL where it did not.
///
/// Ownership: the error is the report's: it must not be freed. Threads: any. Effects: none.
///
/// # Safety
///
/// `report` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_lineage_error(
    report: *const certwright_report,
    index: usize,
) -> *const certwright_error {
    let none = std::ptr::null();
    // SAFETY: the caller's promise.
    unsafe { of_lineage(report, index, none, |lineage| lineage.error.as_ref().map(std::ptr::from_ref)) }
}

/// Ends it. NULL is nothing.
///
/// # Safety
///
/// `report` is NULL, or came from a verb and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_report_free(report: *mut certwright_report) {
    // SAFETY: the caller's promise.
    unsafe { free(report) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_exit_statuses() {
        for outcome in
            [Outcome::Well, Outcome::Failed, Outcome::Invalid, Outcome::Finding, Outcome::Stuck, Outcome::Busy]
        {
            assert_eq!(certwright_outcome::of(outcome) as u32, u32::from(outcome.exit_status()));
        }
    }
}
