//! A reload by a command of the operator.

use super::{ReloadContext, Reloaded, Reloader};
use crate::deploy::command::{shown, succeed};
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;
use crate::place;
use crate::plan::spec::Command;

/// Runs a command that tells the service. It sees `CERTWRIGHT_LINEAGE` and `CERTWRIGHT_GENERATION`.
#[derive(Debug)]
pub(super) struct CommandReload(Command);

impl CommandReload {
    pub(super) fn new(command: Command) -> Self {
        Self(command)
    }
}

impl Reloader for CommandReload {
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        let variables = context.variables();
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let hint = "run the command by hand, and see whether the service runs";
        // Exit status 0 says that the service was told: nginx answers so and keeps the old certificate on a bad pair.
        succeed(&self.0, &variables, "the reload", hint, cancel).map(|_| Reloaded::Asked)
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        place::command::preflight(&self.0)
    }

    fn describe(&self) -> String {
        format!("command `{}`", shown(&self.0))
    }
}
