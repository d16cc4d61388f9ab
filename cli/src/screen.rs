//! Where a verb writes: reports to standard output, errors to standard error, and never a panic when either is gone.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use certwright::report::ErrorReport;
use certwright::{Error, ErrorKind, Watch};
use serde::Serialize;

use crate::args::Shared;
use crate::closed;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::render::error;
use crate::render::json::{Document, Failed};
use crate::render::paint::{Paint, Reader, Tone};

/// Enough that a hundred thousand lines are few writes.
const BUFFER: usize = 1 << 16;

/// How a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Tables, for people.
    Table,
    /// Plain lines, for pipes.
    Lines,
    /// For programs.
    Json,
    /// Not at all.
    Silent,
}

/// Standard output and standard error.
#[derive(Debug)]
pub(crate) struct Screen {
    verb: &'static str,
    form: Form,
    quiet: bool,
    out: BufWriter<Stdout>,
    reader: Reader,
    paint: Paint,
    alarm: Paint,
    progress: Option<Progress>,
    /// Whether the output is what was asked for, and not something that is told beside.
    asked: bool,
    broken: Option<io::ErrorKind>,
}

impl Screen {
    pub(crate) fn new(verb: &'static str, shared: &Shared) -> Self {
        let reader = |terminal: bool| if terminal { Reader::Person } else { Reader::Program };
        let (out, err) = (reader(io::stdout().is_terminal()), reader(io::stderr().is_terminal()));
        let form = match (shared.json, shared.quiet, out) {
            (true, _, _) => Form::Json,
            (_, true, _) => Form::Silent,
            (_, _, Reader::Person) => Form::Table,
            (_, _, Reader::Program) => Form::Lines,
        };
        Self {
            verb,
            form,
            quiet: shared.quiet,
            out: BufWriter::with_capacity(BUFFER, io::stdout()),
            reader: out,
            paint: Paint::choose(out),
            alarm: Paint::choose(err),
            progress: None,
            asked: form == Form::Json,
            broken: None,
        }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// The colours of standard output.
    pub(crate) fn colours(&self) -> Paint {
        self.paint
    }

    /// From now on it can take long. Whoever is told about each arrow, when people look.
    pub(crate) fn watch(&mut self) -> Option<Watch> {
        if self.progress.is_none() && !self.quiet {
            self.progress = Progress::begin(self.verb);
        }
        self.progress.as_ref().map(Progress::watch)
    }

    /// A line on standard output, for people and pipes.
    pub(crate) fn line(&mut self, text: &str) {
        if matches!(self.form, Form::Table | Form::Lines) {
            self.raw(format!("{text}\n").as_bytes());
            if self.reader == Reader::Person {
                self.flush();
            }
        }
    }

    /// An indented line that says more about the one before.
    pub(crate) fn detail(&mut self, text: &str) {
        self.line(&format!("  {text}"));
    }

    /// A word in the colour of its meaning.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        self.paint.paint(tone, text)
    }

    /// Text as it is, whatever the form.
    pub(crate) fn text(&mut self, text: &str) {
        self.asked = true;
        self.raw(text.as_bytes());
        if !text.ends_with('\n') {
            self.raw(b"\n");
        }
    }

    /// A document on one line.
    pub(crate) fn json(&mut self, document: &impl Serialize) {
        self.json_part(document);
        self.raw(b"\n");
    }

    /// A part of a document.
    pub(crate) fn json_part(&mut self, part: &impl Serialize) {
        match serde_json::to_vec(part) {
            Ok(bytes) => self.raw(&bytes),
            Err(error) => self.broken = Some(io::Error::from(error).kind()),
        }
    }

    /// Bytes on standard output. After the first failure nothing more is tried; the work goes on.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if self.broken.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.broken = Some(error.kind());
        }
    }

    /// What was written so far is seen now.
    pub(crate) fn flush(&mut self) {
        if let Some(progress) = &self.progress {
            progress.clear();
        }
        if self.broken.is_none()
            && let Err(error) = self.out.flush()
        {
            self.broken = Some(error.kind());
        }
    }

    /// An error of one lineage. Programs have it in their document.
    pub(crate) fn lineage_error(&mut self, lineage: &str, report: &ErrorReport) {
        if self.form != Form::Json {
            self.complain(&error::of_lineage(lineage, report, self.alarm));
        }
    }

    /// What ended the verb early; answers the exit status.
    pub(crate) fn failure(&mut self, failure: &Failure) -> u8 {
        if self.form == Form::Json {
            let error = ErrorReport::from(failure.error());
            self.json(&Document::new(self.verb, failure.outcome(), Failed { error }));
        }
        self.complain(&error::of_verb(failure.error(), self.alarm));
        failure.outcome().exit_status()
    }

    /// One line about what is wrong.
    pub(crate) fn error_line(&mut self, message: &str) {
        self.complain(&error::plain(message, self.alarm));
    }

    /// What is told beside a command whose standard output is its own.
    #[cfg(feature = "testbed")]
    pub(crate) fn aside(&mut self, lines: &str) {
        self.complain(lines);
    }

    /// Lines on standard error, after what standard output has.
    fn complain(&mut self, lines: &str) {
        self.flush();
        let _ = io::stderr().lock().write_all(lines.as_bytes());
    }

    /// Everything is seen; answers the exit status. A report that nobody can read is a failure.
    pub(crate) fn finish(mut self, status: u8) -> u8 {
        self.flush();
        self.progress = None;
        let status_without_report = if status == 0 { 1 } else { status };
        match self.broken {
            None if self.asked && closed::standard_output() => {
                let error = Error::new(ErrorKind::Io, "the report could not be written: standard output is closed")
                    .hint("give it a standard output, or leave out what asks for one; what was done stays done");
                let _ = io::stderr().lock().write_all(error::of_verb(&error, self.alarm).as_bytes());
                status_without_report
            }
            None => status,
            // Whoever read went away, and knows.
            Some(io::ErrorKind::BrokenPipe) => status_without_report,
            Some(kind) => {
                let error = Error::new(ErrorKind::Io, "the report could not be written").source(io::Error::from(kind));
                let _ = io::stderr().lock().write_all(error::of_verb(&error, self.alarm).as_bytes());
                status_without_report
            }
        }
    }
}
