//! The service's own configuration test, after the switch and before the reload.

use super::command::succeed;
use super::reload::ReloadContext;
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;
use crate::plan::spec::Command;

/// Run the service's check on the generation that is active now. It sees `CERTWRIGHT_LINEAGE` and
/// `CERTWRIGHT_GENERATION`, and may be run again.
///
/// # Errors
///
/// `ReloadFailed` with the exit status and the last lines of output, `Timeout`, `Cancelled`, and those of a command that
/// cannot be started.
///
/// # Effects
///
/// Those of the command.
pub(crate) fn check(command: &Command, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<()> {
    let variables = context.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let hint = "run the command by hand; the service's configuration, not only the certificate, may be at fault";
    succeed(command, &variables, "the service's check", hint, cancel).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::reload::tests::with_context;
    use crate::ground::error::ErrorKind;

    #[test]
    fn knows_which_generation_it_checks() {
        with_context(b"", |context| {
            let sees = r#"test "$CERTWRIGHT_LINEAGE $CERTWRIGHT_GENERATION" = "www 0008-1f3a9c20""#;
            check(&Command::new(["/bin/sh", "-c", sees]), context, &Cancel::new()).unwrap();
        });
    }

    #[test]
    fn a_failing_check_is_told_with_its_words() {
        with_context(b"", |context| {
            let command = Command::new(["/bin/sh", "-c", "echo 'nginx: [emerg] unknown directive' >&2; exit 1"]);
            let error = check(&command, context, &Cancel::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReloadFailed);
            assert_eq!(error.fact("output"), Some("nginx: [emerg] unknown directive"));
            assert!(error.hint_text().is_some());
        });
    }
}
