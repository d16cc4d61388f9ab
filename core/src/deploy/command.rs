//! The operator's commands: exit status 0, or an error that tells what was printed.

use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::place::command::{Status, Tail, run};
use crate::plan::spec::Command;

/// How many of the last lines that a command printed go into an error.
const LINES: usize = 5;

/// Run a command that must succeed. `what` begins the message of the error: "the check".
///
/// # Errors
///
/// `ReloadFailed` when it ended badly, with its exit status or signal and its last lines; `Timeout` when it was ended at
/// its limit; `Cancelled`; and those of a command that cannot be started.
///
/// # Effects
///
/// Those of the command.
pub(super) fn succeed(
    command: &Command,
    variables: &[(&str, &str)],
    what: &'static str,
    hint: &'static str,
    cancel: &Cancel,
) -> Result<Tail> {
    let outcome = run(command, variables, cancel)?;
    let shown = shown(command);
    let error = match outcome.status {
        Status::Exited(0) => return Ok(outcome.output),
        Status::Exited(code) => {
            Error::new(ErrorKind::ReloadFailed, format!("{what} failed")).context("exit_status", code)
        }
        Status::Signalled(signal) => {
            Error::new(ErrorKind::ReloadFailed, format!("{what} was ended by a signal")).context("signal", signal)
        }
        Status::TimedOut => {
            Error::new(ErrorKind::Timeout, format!("{what} did not end in time")).context("limit", command.limit)
        }
        Status::Cancelled => {
            return Err(Error::new(ErrorKind::Cancelled, format!("{what} was stopped as asked"))
                .context("command", Public(&shown))
                .hint("run the same command again to go on"));
        }
    };
    let error = error.context("command", Public(&shown)).hint(hint);
    let said = outcome.output.last_lines(LINES);
    Err(if said.is_empty() { error } else { error.context("output", Public(&said)) })
}

/// A command as it can be pasted into a shell.
pub(super) fn shown(command: &Command) -> String {
    let quoted = command.argv.iter().map(|argument| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&b);
        if !argument.is_empty() && argument.bytes().all(plain) {
            argument.clone()
        } else {
            format!("'{}'", argument.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fails(script: &str, limit: Duration) -> Error {
        let mut command = Command::new(["/bin/sh", "-c", script]);
        command.limit = limit;
        succeed(&command, &[], "the check", "correct it", &Cancel::new()).unwrap_err()
    }

    #[test]
    fn says_how_it_failed_and_what_it_printed() {
        let plenty = Duration::from_secs(60);
        let error = fails("echo one; echo 'bad option' >&2; exit 3", plenty);
        assert_eq!(
            error.to_string(),
            "the check failed (exit_status `3`, command `/bin/sh -c 'echo one; echo '\\''bad option'\\'' >&2; exit 3'`, \
             output `one | bad option`)"
        );
        assert_eq!((error.kind(), error.hint_text()), (ErrorKind::ReloadFailed, Some("correct it")));
        let error = fails("kill -KILL $$", plenty);
        assert_eq!((error.kind(), error.fact("signal")), (ErrorKind::ReloadFailed, Some("9")));
        assert_eq!(error.fact("output"), None);
        let error = fails("echo waiting; exec sleep 1000", Duration::from_millis(100));
        assert_eq!((error.kind(), error.fact("output")), (ErrorKind::Timeout, Some("waiting")));
    }

    #[test]
    fn shows_what_a_shell_would_read_back() {
        let argv = ["plain", "", "a b", "$(id)", "it's", "--x=/y,z"];
        assert_eq!(shown(&Command::new(argv)), "plain '' 'a b' '$(id)' 'it'\\''s' --x=/y,z");
    }
}
