//! Why a verb came to no report: what was said cannot be meant, or it could not be done.

use certwright::Error;
use certwright::report::Outcome;

/// What ends a verb early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line names something that is not there.
    Usage(Error),
    /// The library says no.
    Run(Error),
}

/// The exit status of a verb, or why it came to none.
pub(crate) type Done = Result<u8, Failure>;

impl Failure {
    /// How the verb came out.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Usage(_) => Outcome::Invalid,
            Self::Run(error) => Outcome::of(error),
        }
    }

    /// The six facts.
    pub(crate) fn error(&self) -> &Error {
        let (Self::Usage(error) | Self::Run(error)) = self;
        error
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Run(error)
    }
}
