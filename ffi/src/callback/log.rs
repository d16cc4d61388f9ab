//! Being told what goes on.

use std::ffi::c_void;
use std::sync::Arc;

use certwright::Watch;

use crate::callback::{Data, certwright_destroy, given, version};
use crate::guard::Failure;
use crate::text::{Text, certwright_str};

/// Who is told about each arrow as it begins. Its functions are called from any thread, several at once; they must not block,
/// must not call into the lifecycle, and must return (no `longjmp`, no C++ exception).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct certwright_log {
    /// 1.
    pub version: u32,
    /// Given to each function.
    pub data: *mut c_void,
    /// An arrow begins for a lineage: `plan`, `issue`, `stage`, `prove`, `activate`, `probe`, `commit`, `rollback`, `record`.
    /// The texts are for this call alone. Must not be NULL.
    pub begins: Option<unsafe extern "C" fn(data: *mut c_void, lineage: certwright_str, phase: certwright_str)>,
    /// Ends `data`, once, when nobody needs it any more; may be NULL.
    pub destroy: certwright_destroy,
}

pub(crate) fn watch(log: &certwright_log) -> Result<Watch, Failure> {
    version("log", log.version)?;
    let begins = given("log.begins", log.begins)?;
    let data = Data::new(log.data, log.destroy);
    Ok(Arc::new(move |progress| {
        let (lineage, phase) = (Text::new(progress.lineage.as_str()), Text::new(progress.phase.code()));
        let data = &data;
        // SAFETY: the structure promises that it may be called so; both texts outlive the call.
        unsafe { begins(data.pointer, lineage.view(), phase.view()) };
    }))
}
