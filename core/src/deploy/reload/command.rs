//! A reload by a command of the operator.

use super::{ReloadContext, Reloaded, Reloader};
use crate::deploy::command::{shown, succeed};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::place;
use crate::plan::spec::Command;

/// Runs a command that tells the service. It sees `CERTWRIGHT_LINEAGE` and `CERTWRIGHT_GENERATION`.
#[derive(Debug)]
pub(super) struct CommandReload(Command);

impl CommandReload {
    pub(super) fn new(command: Command) -> Self {
        Self(command)
    }

    /// That the program is not there says nothing of whether the service runs, as `NotFound` would.
    fn absent(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        Error::new(ErrorKind::ReloadFailed, "the program that reloads the service cannot be found")
            .context("command", Public(&shown(&self.0)))
            .hint("install it, or correct its path")
            .source(error)
    }
}

impl Reloader for CommandReload {
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        let variables = context.variables();
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let hint = "run the command by hand, and see whether the service runs";
        // Exit status 0 says that the service was told: nginx answers so and keeps the old certificate on a bad pair.
        let told = succeed(&self.0, &variables, "the reload", hint, cancel).map(|_| Reloaded::Asked);
        told.map_err(|error| self.absent(error))
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        place::command::preflight(&self.0).map_err(|error| self.absent(error))
    }

    fn describe(&self) -> String {
        format!("command `{}`", shown(&self.0))
    }
}
