//! A clock of the program's own.

use std::ffi::c_void;

use certwright::Timestamp;

use crate::callback::{Data, certwright_destroy, given, version};
use crate::guard::Failure;

/// A clock. Its functions are called from any thread, several at once; they must not call into the lifecycle, and must return
/// (no `longjmp`, no C++ exception).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct certwright_clock {
    /// 1.
    pub version: u32,
    /// Given to each function.
    pub data: *mut c_void,
    /// The time, in seconds since 1970-01-01T00:00:00Z. Must not be NULL.
    pub now: Option<unsafe extern "C" fn(data: *mut c_void) -> i64>,
    /// Ends `data`, once, when nobody needs the clock any more; may be NULL.
    pub destroy: certwright_destroy,
}

#[derive(Debug)]
pub(crate) struct Clock {
    data: Data,
    now: unsafe extern "C" fn(*mut c_void) -> i64,
}

impl Clock {
    pub(crate) fn new(clock: &certwright_clock) -> Result<Self, Failure> {
        version("clock", clock.version)?;
        let now = given("clock.now", clock.now)?;
        Ok(Self { data: Data::new(clock.data, clock.destroy), now })
    }
}

impl certwright::Clock for Clock {
    fn now(&self) -> Timestamp {
        // SAFETY: the structure promises that it may be called so.
        Timestamp::from_unix(unsafe { (self.now)(self.data.pointer) })
    }
}
