//! A reload that the program does itself.

use std::ffi::c_void;

use certwright::{Cancel, ReloadContext, Reloaded};

use crate::callback::failure::certwright_failure;
use crate::callback::{Data, certwright_destroy, given, version};
use crate::cancel::certwright_cancel;
use crate::guard::Failure;
use crate::text::{Text, certwright_str, text};

/// Makes a service re-read its certificate. Its functions are called from any thread, for one lineage never by two at once;
/// they must not call verbs of the lifecycle, and must return (no `longjmp`, no C++ exception).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct certwright_reloader {
    /// 1.
    pub version: u32,
    /// Given to each function.
    pub data: *mut c_void,
    /// What is done, in a few words for reports. Copied.
    pub name: certwright_str,
    /// Makes the service re-read. `bundle` is key, leaf and chain in PEM, for this call alone: a secret. A second call for
    /// the same generation leaves what one call leaves; after a failed probe it is called for the generation before. Returns
    /// `CERTWRIGHT_RESULT_OK`, or another number and says why: `CERTWRIGHT_RESULT_NOT_FOUND` when the service does not run.
    /// Must not be NULL.
    pub reload: Option<
        unsafe extern "C" fn(
            data: *mut c_void,
            lineage: certwright_str,
            generation: certwright_str,
            bundle: certwright_str,
            cancel: *const certwright_cancel,
            failure: *const certwright_failure,
        ) -> u32,
    >,
    /// Ends `data`, once, when nobody needs the reloader any more; may be NULL.
    pub destroy: certwright_destroy,
}

#[derive(Debug)]
pub(crate) struct Reloader {
    data: Data,
    name: String,
    structure: certwright_reloader,
}

// SAFETY: the structure demands that its functions and its data may be used from any thread; its views are not used.
unsafe impl Send for Reloader {}
// SAFETY: as above.
unsafe impl Sync for Reloader {}

impl Reloader {
    /// # Safety
    ///
    /// `reloader.name` is good for [`text`].
    pub(crate) unsafe fn new(reloader: &certwright_reloader) -> Result<Self, Failure> {
        version("reloader", reloader.version)?;
        given("reloader.reload", reloader.reload)?;
        // SAFETY: the caller's promise.
        let name = unsafe { text("reloader.name", reloader.name.data, reloader.name.len) }?.as_str().to_owned();
        Ok(Self { data: Data::new(reloader.data, reloader.destroy), name, structure: *reloader })
    }
}

impl certwright::Reloader for Reloader {
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> certwright::Result<Reloaded> {
        cancel.check()?;
        let Some(reload) = self.structure.reload else {
            return Err(certwright_failure::bug("a reloader without its function"));
        };
        let (lineage, generation) = (Text::new(context.lineage.as_str()), Text::new(&context.generation.to_string()));
        let bundle = context.bundle.expose();
        // No copy of the key is made, so that there is no NUL behind it.
        let bundle = certwright_str { data: bundle.as_ptr().cast(), len: bundle.len() };
        let (cancel, failure) = (certwright_cancel(cancel.clone()), certwright_failure::default());
        // SAFETY: the structure promises that it may be called so; everything outlives the call.
        let number = unsafe {
            reload(self.data.pointer, lineage.view(), generation.view(), bundle, &raw const cancel, &raw const failure)
        };
        failure.judge(number, "the program could not reload its service")?;
        Ok(Reloaded::Asked)
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}
