//! Where a verb writes: plain lines for pipes, colour for people, JSON for programs, and never a panic on a closed pipe.

use std::io::{self, IsTerminal, Write};

use certwright::report::{ErrorReport, Outcome};
use certwright::{Aftermath, Error, Retry};
use serde::Serialize;

use crate::args::Shared;

/// How a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Not at all.
    Silent,
}

/// Standard output and standard error.
#[derive(Debug)]
pub(crate) struct Screen {
    form: Form,
    colour: Colour,
    broken: Option<io::ErrorKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    On,
    Off,
}

/// What a word means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Good,
    Bad,
    Notable,
    Quiet,
}

impl Screen {
    pub(crate) fn new(shared: &Shared) -> Self {
        let form = match (shared.json.is_some(), shared.quiet) {
            (true, _) => Form::Json,
            (false, true) => Form::Silent,
            (false, false) => Form::Text,
        };
        Self { form, colour: colour(), broken: None }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// A line on standard output.
    pub(crate) fn line(&mut self, text: &str) {
        if self.form == Form::Text {
            self.raw(format!("{text}\n").as_bytes());
        }
    }

    /// An indented line that says more about the one before.
    pub(crate) fn detail(&mut self, text: &str) {
        self.line(&format!("  {text}"));
    }

    /// Text as it is, whatever the form; answers 0.
    pub(crate) fn text(&mut self, text: &str) -> u8 {
        self.raw(text.as_bytes());
        if !text.ends_with('\n') {
            self.raw(b"\n");
        }
        0
    }

    /// A report as JSON on one line.
    pub(crate) fn json(&mut self, report: &impl Serialize) {
        match serde_json::to_vec(report) {
            Ok(mut bytes) => {
                bytes.push(b'\n');
                self.raw(&bytes);
            }
            Err(error) => self.broken = Some(io::Error::from(error).kind()),
        }
    }

    /// Bytes on standard output. After the first failure nothing more is tried.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if self.broken.is_none()
            && let Err(error) = io::stdout().lock().write_all(bytes)
        {
            self.broken = Some(error.kind());
        }
    }

    /// A word in the colour of its meaning.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Notable => "33",
            Tone::Quiet => "2",
        };
        match self.colour {
            Colour::On => format!("\x1b[{code}m{text}\x1b[0m"),
            Colour::Off => text.to_owned(),
        }
    }

    /// An outcome in the colour of its meaning.
    pub(crate) fn outcome(&self, outcome: Outcome) -> String {
        let (tone, word) = match outcome {
            Outcome::Well => (Tone::Good, "well"),
            Outcome::Finding => (Tone::Notable, "finding"),
            Outcome::Busy => (Tone::Notable, "busy"),
            Outcome::Failed => (Tone::Bad, "failed"),
            Outcome::Invalid => (Tone::Bad, "invalid"),
            _ => (Tone::Bad, "stuck"),
        };
        self.paint(tone, word)
    }

    /// An error that ends the whole run, on standard error; answers the exit status.
    pub(crate) fn error(&self, error: &Error) -> u8 {
        let report = ErrorReport::from(error);
        let mut lines = format!("{} {error}\n", self.paint(Tone::Bad, "error:"));
        for fault in report.context.iter().filter(|(name, _)| *name == "fault") {
            lines.push_str(&format!("  {}\n", fault.1));
        }
        for cause in &report.causes {
            lines.push_str(&format!("caused by: {cause}\n"));
        }
        lines.push_str(&after(error.aftermath(), error.hint_text(), error.retry_when()));
        let _ = io::stderr().lock().write_all(lines.as_bytes());
        Outcome::of(error).exit_status()
    }

    /// A line on standard error.
    pub(crate) fn complain(&self, text: &str) {
        let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
    }

    /// An error of one lineage, as part of a report.
    pub(crate) fn reported_error(&mut self, error: &ErrorReport) {
        let lead = self.paint(Tone::Bad, "error:");
        self.detail(&format!("{lead} {}", error.message));
        for cause in &error.causes {
            self.detail(&format!("caused by: {cause}"));
        }
        match (error.aftermath, &error.generation) {
            ("untouched", _) => self.detail("now: nothing was changed"),
            ("rolled_back", Some(id)) => self.detail(&format!("now: rolled back to {id}")),
            ("kept", Some(id)) => self.detail(&format!("now: {id} stays active")),
            _ => self.detail("now: stuck; run these commands:"),
        }
        for command in &error.commands {
            self.detail(&format!("  {command}"));
        }
        if let Some(hint) = &error.hint {
            self.detail(&format!("hint: {hint}"));
        }
        if error.retry != "never" {
            self.detail(&format!("retry: {}", error.retry));
        }
    }

    /// Flush, and answer the exit status: a report that could not be written is a failure, unless the reader went away.
    pub(crate) fn finish(mut self, status: u8) -> u8 {
        if self.broken.is_none()
            && let Err(error) = io::stdout().lock().flush()
        {
            self.broken = Some(error.kind());
        }
        match self.broken {
            None | Some(io::ErrorKind::BrokenPipe) => status,
            Some(kind) => {
                self.complain(&format!("error: the report could not be written: {kind}"));
                if status == 0 { 1 } else { status }
            }
        }
    }
}

fn after(aftermath: &Aftermath, hint: Option<&str>, retry: Retry) -> String {
    let mut lines = String::new();
    if *aftermath != Aftermath::Untouched {
        lines.push_str(&format!("now: {aftermath}\n"));
    }
    if let Some(hint) = hint {
        lines.push_str(&format!("hint: {hint}\n"));
    }
    if let Retry::After(time) = retry {
        lines.push_str(&format!("retry: {time}\n"));
    }
    lines
}

/// <https://no-color.org> first, then CLICOLOR_FORCE, then whether people look.
fn colour() -> Colour {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    if set("NO_COLOR") {
        Colour::Off
    } else if set("CLICOLOR_FORCE") || io::stdout().is_terminal() {
        Colour::On
    } else {
        Colour::Off
    }
}
