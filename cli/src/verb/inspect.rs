//! `certwright inspect`.

use std::path::Path;

use certwright::report::Outcome;
use certwright::{Clock, Finding, Input, Inspection, Part, Question, SecretBytes, Severity, SystemClock};
use serde::{Serialize, Serializer};

use crate::args::Inspect;
use crate::failure::{Done, Failure};
use crate::input;
use crate::render::json::Document;
use crate::render::paint::Tone;
use crate::screen::{Form, Screen};

pub(crate) fn run(these: &Inspect, screen: &mut Screen) -> Done {
    let files: Vec<Named> = these.files.iter().map(|path| Named::read(path)).collect::<Result<_, _>>()?;
    let key = these.key.as_deref().map(Named::read).transpose()?;
    let roots = these.trust.as_deref().map(Named::read).transpose()?;
    let inputs: Vec<Input<'_>> = files.iter().map(Named::input).collect();
    let mut question = Question::at(these.at.unwrap_or_else(|| SystemClock.now()));
    question.key = key.as_ref().map(Named::input);
    question.roots = roots.as_ref().map(Named::input);
    question.name = these.name.as_deref();
    let inspection = certwright::inspect(&inputs, &question);
    let outcome = if inspection.is_accepted() { Outcome::Well } else { Outcome::Finding };
    if screen.form() == Form::Json {
        screen.json(&Document::new("inspect", outcome, Report::of(&inspection)));
    } else {
        show(&inspection, screen);
    }
    Ok(outcome.exit_status())
}

/// A file's name and what is in it, which may be a key.
struct Named {
    name: String,
    bytes: SecretBytes,
}

impl Named {
    fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self { name: path.display().to_string(), bytes: input::read_or_stdin(path)? })
    }

    fn input(&self) -> Input<'_> {
        Input::new(&self.name, self.bytes.expose())
    }
}

#[derive(Serialize)]
struct Report<'a> {
    accepted: bool,
    parts: Vec<PartReport<'a>>,
    findings: Vec<FindingReport<'a>>,
}

#[derive(Serialize)]
struct PartReport<'a> {
    source: &'a str,
    kind: &'a str,
    #[serde(serialize_with = "in_order")]
    facts: &'a [(&'static str, String)],
}

#[derive(Serialize)]
struct FindingReport<'a> {
    severity: &'static str,
    code: &'a str,
    reference: &'a str,
    about: &'a str,
    message: &'a str,
}

impl<'a> Report<'a> {
    fn of(inspection: &'a Inspection) -> Self {
        let part = |part: &'a Part| PartReport { source: &part.source, kind: &part.kind, facts: &part.facts };
        let finding = |finding: &'a Finding| FindingReport {
            severity: finding.severity.code(),
            code: finding.code,
            reference: finding.reference,
            about: &finding.about,
            message: &finding.message,
        };
        Self {
            accepted: inspection.is_accepted(),
            parts: inspection.parts.iter().map(part).collect(),
            findings: inspection.findings.iter().map(finding).collect(),
        }
    }
}

/// Facts as an object in their own order.
fn in_order<S: Serializer>(facts: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(facts.iter().map(|(name, value)| (name, value)))
}

fn show(inspection: &Inspection, screen: &mut Screen) {
    for part in &inspection.parts {
        let source = screen.paint(Tone::Strong, &part.source);
        screen.line(&format!("{source}: {}", part.kind));
        for (name, value) in &part.facts {
            screen.detail(&format!("{name:20} {value}"));
        }
    }
    for finding in &inspection.findings {
        let tone = match finding.severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Notable,
            _ => Tone::Quiet,
        };
        let severity = screen.paint(tone, finding.severity.code());
        let Finding { about, message, code, reference, .. } = finding;
        screen.line(&format!("{severity}: {about}: {message} [{code}, {reference}]"));
    }
    let verdict = match inspection.is_accepted() {
        true => screen.paint(Tone::Good, "would be accepted as a server's certificate"),
        false => screen.paint(Tone::Bad, "would not be accepted as a server's certificate"),
    };
    screen.line(&verdict);
}
