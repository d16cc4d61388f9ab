//! Answers to challenges that the program gives itself.

use std::ffi::c_void;

use certwright::{Cancel, Challenge, ChallengeKind};

use crate::callback::failure::certwright_failure;
use crate::callback::{Data, certwright_destroy, given, version};
use crate::cancel::certwright_cancel;
use crate::guard::Failure;
use crate::text::{Text, certwright_str};

/// A challenge to answer (RFC 8555 §8). The texts are for one call alone.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct certwright_challenge {
    /// `http-01`, `dns-01` or `tls-alpn-01`.
    pub kind: certwright_str,
    /// The name or address; the base name where a wildcard was asked for.
    pub identifier: certwright_str,
    /// The token: base64url, safe as a file name.
    pub token: certwright_str,
    /// Token, dot, thumbprint of the account key: the body of an `http-01` answer.
    pub key_authorization: certwright_str,
}

/// One function of a solver. Returns `CERTWRIGHT_RESULT_OK`, or another number and says why.
pub type certwright_solve = Option<
    unsafe extern "C" fn(
        data: *mut c_void,
        challenge: *const certwright_challenge,
        cancel: *const certwright_cancel,
        failure: *const certwright_failure,
    ) -> u32,
>;

/// Answers challenges. Its functions are called from any thread, several at once, for the same name too; they must not call
/// into the lifecycle, and must return (no `longjmp`, no C++ exception).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct certwright_solver {
    /// 1.
    pub version: u32,
    /// Given to each function.
    pub data: *mut c_void,
    /// Puts the answer in place; one that is there already is well. `CERTWRIGHT_RESULT_UNSUPPORTED` says that this solver does
    /// not answer such a challenge, and nothing was done. Must not be NULL.
    pub present: certwright_solve,
    /// Takes the answer away again, after every `present`, a failed one too; one that is gone is well. Its `cancel` is never
    /// asked. Must not be NULL.
    pub clean_up: certwright_solve,
    /// Returns once the answer can be seen from where the authority looks; NULL when that is at once.
    pub wait: certwright_solve,
    /// Ends `data`, once, when nobody needs the solver any more; may be NULL.
    pub destroy: certwright_destroy,
}

#[derive(Debug)]
pub(crate) struct Solver {
    data: Data,
    structure: certwright_solver,
}

// SAFETY: the structure demands that its functions and its data may be used from any thread.
unsafe impl Send for Solver {}
// SAFETY: as above.
unsafe impl Sync for Solver {}

impl Solver {
    pub(crate) fn new(solver: &certwright_solver) -> Result<Self, Failure> {
        version("solver", solver.version)?;
        given("solver.present", solver.present)?;
        given("solver.clean_up", solver.clean_up)?;
        Ok(Self { data: Data::new(solver.data, solver.destroy), structure: *solver })
    }

    fn ask(
        &self,
        function: certwright_solve,
        challenge: &Challenge,
        cancel: &Cancel,
        what: &'static str,
    ) -> certwright::Result<()> {
        let Some(function) = function else { return Ok(()) };
        let (kind, identifier) = (Text::new(challenge.kind().word()), Text::new(&challenge.identifier().to_string()));
        let token = Text::new(challenge.token());
        let authorization = challenge.key_authorization().expose();
        let challenge = certwright_challenge {
            kind: kind.view(),
            identifier: identifier.view(),
            token: token.view(),
            // No copy is made of it, so that there is no NUL behind it.
            key_authorization: certwright_str { data: authorization.as_ptr().cast(), len: authorization.len() },
        };
        let (cancel, failure) = (certwright_cancel(cancel.clone()), certwright_failure::default());
        // SAFETY: the structure promises that it may be called so; everything outlives the call.
        let number =
            unsafe { function(self.data.pointer, &raw const challenge, &raw const cancel, &raw const failure) };
        failure.judge(number, what)
    }
}

impl certwright::Solver for Solver {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> certwright::Result<()> {
        cancel.check()?;
        self.ask(self.structure.present, challenge, cancel, "the program could not answer the challenge")
    }

    fn clean_up(&self, challenge: &Challenge) -> certwright::Result<()> {
        let what = "the program could not take back its answer to the challenge";
        self.ask(self.structure.clean_up, challenge, &Cancel::new(), what)
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &ChallengeKind::ALL
    }

    fn wait(&self, challenge: &Challenge, cancel: &Cancel) -> certwright::Result<()> {
        cancel.check()?;
        self.ask(self.structure.wait, challenge, cancel, "the program could not see the answer to the challenge")
    }
}
