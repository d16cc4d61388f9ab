//! An observation that the program makes itself.

use std::ffi::{c_char, c_void};
use std::sync::{Mutex, PoisonError};

use certwright::{Cancel, Observation, Place, Seen};

use crate::callback::failure::certwright_failure;
use crate::callback::{Data, certwright_destroy, given, version};
use crate::cancel::certwright_cancel;
use crate::guard::{Failure, quietly};
use crate::text::{bytes, certwright_str, text};

/// Observes which certificate is really served. Its functions are called from any thread, several at once; they must not call
/// into the lifecycle, and must return (no `longjmp`, no C++ exception).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct certwright_probe {
    /// 1.
    pub version: u32,
    /// Given to each function.
    pub data: *mut c_void,
    /// What is asked, in a few words for reports. Copied.
    pub name: certwright_str,
    /// Looks anew, with fresh connections, and says each place that it saw by `certwright_seen_add`. Returns
    /// `CERTWRIGHT_RESULT_OK`, or another number and says why when nothing could be seen. Must not be NULL.
    pub observe: Option<
        unsafe extern "C" fn(
            data: *mut c_void,
            seen: *const certwright_seen,
            cancel: *const certwright_cancel,
            failure: *const certwright_failure,
        ) -> u32,
    >,
    /// Ends `data`, once, when nobody needs the probe any more; may be NULL.
    pub destroy: certwright_destroy,
}

/// Where a probe says what it saw. It lives as long as the call that it was given to.
#[derive(Debug, Default)]
pub struct certwright_seen {
    observations: Mutex<Vec<Observation>>,
}

/// Says that a certificate is served at a place.
///
/// Parameters: `place`, in a few words; `leaf`, the certificate in DER as it was sent.
///
/// Ownership: both are copied. Threads: any, within the call. Effects: none. What cannot be read counts as a place that serves
/// no certificate. NULL is nothing.
///
/// # Safety
///
/// `seen` is NULL or the one of a call that has not returned; the others are NULL or point to as much as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_seen_add(
    seen: *const certwright_seen,
    place: *const c_char,
    place_len: usize,
    leaf: *const u8,
    leaf_len: usize,
) {
    quietly(|| {
        // SAFETY: the caller's promise.
        let Some(seen) = (unsafe { seen.as_ref() }) else { return };
        // SAFETY: the caller's promise.
        let place =
            unsafe { text("place", place, place_len) }.map_or_else(|_| String::new(), |it| it.as_str().to_owned());
        // SAFETY: the caller's promise.
        let what = unsafe { bytes("leaf", leaf, leaf_len) }.map_err(|failure| failure.error);
        let what = what.and_then(|leaf| Seen::from_der([leaf]));
        let observation = Observation::new(Place::Named(place), what);
        seen.observations.lock().unwrap_or_else(PoisonError::into_inner).push(observation);
    });
}

#[derive(Debug)]
pub(crate) struct Probe {
    data: Data,
    name: String,
    structure: certwright_probe,
}

// SAFETY: the structure demands that its functions and its data may be used from any thread; its views are not used.
unsafe impl Send for Probe {}
// SAFETY: as above.
unsafe impl Sync for Probe {}

impl Probe {
    /// # Safety
    ///
    /// `probe.name` is good for [`text`].
    pub(crate) unsafe fn new(probe: &certwright_probe) -> Result<Self, Failure> {
        version("probe", probe.version)?;
        given("probe.observe", probe.observe)?;
        // SAFETY: the caller's promise.
        let name = unsafe { text("probe.name", probe.name.data, probe.name.len) }?.as_str().to_owned();
        Ok(Self { data: Data::new(probe.data, probe.destroy), name, structure: *probe })
    }
}

impl certwright::Probe for Probe {
    fn observe(&self, cancel: &Cancel) -> certwright::Result<Vec<Observation>> {
        cancel.check()?;
        let Some(observe) = self.structure.observe else {
            return Err(certwright_failure::bug("a probe without its function"));
        };
        let (seen, cancel, failure) =
            (certwright_seen::default(), certwright_cancel(cancel.clone()), certwright_failure::default());
        // SAFETY: the structure promises that it may be called so; everything outlives the call.
        let number = unsafe { observe(self.data.pointer, &raw const seen, &raw const cancel, &raw const failure) };
        failure.judge(number, "the program could not see what is served")?;
        Ok(seen.observations.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}
