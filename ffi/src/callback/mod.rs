//! What a program brings itself, as functions with data of its own.

pub(crate) mod clock;
pub(crate) mod failure;
pub(crate) mod log;
pub(crate) mod probe;
pub(crate) mod reloader;
pub(crate) mod solver;

use std::ffi::c_void;

use crate::guard::Failure;

/// Ends the data of callbacks, once, on whichever thread lets go of it last.
pub type certwright_destroy = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// The data that a program wants back in each call, and its end.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) pointer: *mut c_void,
    destroy: certwright_destroy,
}

// SAFETY: every structure of callbacks demands that its data may be used and destroyed from any thread.
unsafe impl Send for Data {}
// SAFETY: as above; where calls may overlap, the structure says so.
unsafe impl Sync for Data {}

impl Data {
    pub(crate) const fn new(pointer: *mut c_void, destroy: certwright_destroy) -> Self {
        Self { pointer, destroy }
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: it is the function that the program gave for this data, called once.
            unsafe { destroy(self.pointer) };
        }
    }
}

/// Structures begin with their version, so that they can grow at their end.
pub(crate) fn version(argument: &'static str, version: u32) -> Result<(), Failure> {
    match version {
        1 => Ok(()),
        _ => Err(Failure::argument(argument, "the structure has a version that this library does not know")),
    }
}

/// A function that has to be there.
pub(crate) fn given<T>(argument: &'static str, function: Option<T>) -> Result<T, Failure> {
    function.ok_or_else(|| Failure::null(argument))
}
