//! Running other programs, said aloud before they start.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::Outcome;

/// A command in the source tree, without standard input.
pub(crate) fn command<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(crate::root()).stdin(Stdio::null());
    command
}

/// The cargo that runs this, so that one toolchain does everything.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// Run it, with its output on the terminal.
///
/// # Errors
///
/// When it cannot be started or does not end well.
pub(crate) fn run(mut command: Command) -> Outcome {
    println!("\n$ {}", shown(&command));
    let status = command.status().map_err(|fault| format!("cannot start `{}`: {fault}", shown(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(&command))) }
}

/// Run it and keep what it says in a file below `target/`; its last lines are shown when it fails.
///
/// # Errors
///
/// When it cannot be started or does not end well.
pub(crate) fn run_logged(mut command: Command, name: &str) -> Outcome {
    let shown = shown(&command);
    println!("\n$ {shown}");
    let output = command.output().map_err(|fault| format!("cannot start `{shown}`: {fault}"))?;
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let folder = crate::root().join("target");
    let path = folder.join(name);
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&path, &text))
        .map_err(|fault| format!("cannot write `{}`: {fault}", path.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(20)).copied().collect::<Vec<_>>().join("\n  ");
    Err(format!("`{shown}` failed: {}; all of it is in {}\n  {last}", output.status, path.display()))
}

/// Run it quietly and keep what it says on standard output; `None` when it does not end well.
pub(crate) fn answer(mut command: Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command as a person would type it: program name, arguments, and variables set for it alone.
fn shown(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| {
            let value = value?.to_string_lossy();
            let value = if value.contains(' ') { format!("'{value}'") } else { value.into_owned() };
            Some(format!("{}={value}", name.to_string_lossy()))
        })
        .collect();
    let program = command.get_program().to_string_lossy();
    words.push(program.rsplit('/').next().unwrap_or(&program).to_owned());
    let argument = |word: &OsStr| {
        let word = word.to_string_lossy();
        // A script is read in its file.
        if word.contains('\n') { "'…'".to_owned() } else { word.into_owned() }
    };
    words.extend(command.get_args().map(argument));
    words.join(" ")
}
