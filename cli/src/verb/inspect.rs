//! `certwright inspect`.

use std::path::Path;

use certwright::report::REPORT_VERSION;
use certwright::{Clock, Input, Inspection, Question, Result, SecretBytes, Severity, SystemClock};
use serde_json::{Value, json};

use crate::args::{Inspect, Shared};
use crate::load;
use crate::screen::{Form, Screen, Tone};

pub(crate) fn run(_: &Shared, these: &Inspect, screen: &mut Screen) -> Result<u8> {
    let files: Vec<Named> = these.files.iter().map(|path| Named::read(path)).collect::<Result<_>>()?;
    let key = these.key.as_deref().map(Named::read).transpose()?;
    let roots = these.trust.as_deref().map(Named::read).transpose()?;
    let inputs: Vec<Input<'_>> = files.iter().map(Named::input).collect();
    let mut question = Question::at(these.at.unwrap_or_else(|| SystemClock.now()));
    question.key = key.as_ref().map(Named::input);
    question.roots = roots.as_ref().map(Named::input);
    question.name = these.name.as_deref();
    let inspection = certwright::inspect(&inputs, &question);
    let accepted = inspection.worst() != Some(Severity::Error);
    if screen.form() == Form::Json {
        screen.json(&as_json(&inspection, accepted));
    } else {
        show(&inspection, accepted, screen);
    }
    Ok(if accepted { 0 } else { 3 })
}

/// A file's name and what is in it, which may be a key.
struct Named {
    name: String,
    bytes: SecretBytes,
}

impl Named {
    fn read(path: &Path) -> Result<Self> {
        Ok(Self { name: path.display().to_string(), bytes: load::read(path)?.into() })
    }

    fn input(&self) -> Input<'_> {
        Input::new(&self.name, self.bytes.expose())
    }
}

fn as_json(inspection: &Inspection, accepted: bool) -> Value {
    let parts = inspection.parts.iter().map(|part| {
        let facts: serde_json::Map<String, Value> =
            part.facts.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
        json!({ "source": part.source, "kind": part.kind, "facts": facts })
    });
    let findings = inspection.findings.iter().map(|finding| {
        json!({
            "severity": finding.severity.code(), "code": finding.code, "reference": finding.reference,
            "about": finding.about, "message": finding.message,
        })
    });
    json!({
        "version": REPORT_VERSION, "accepted": accepted,
        "parts": parts.collect::<Vec<_>>(), "findings": findings.collect::<Vec<_>>(),
    })
}

fn show(inspection: &Inspection, accepted: bool, screen: &mut Screen) {
    for part in &inspection.parts {
        screen.line(&format!("{}: {}", part.source, part.kind));
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
        screen.line(&format!(
            "{severity}: {}: {} [{}, {}]",
            finding.about, finding.message, finding.code, finding.reference
        ));
    }
    let verdict = if accepted {
        screen.paint(Tone::Good, "would be accepted as a server's certificate")
    } else {
        screen.paint(Tone::Bad, "would not be accepted as a server's certificate")
    };
    screen.line(&verdict);
}
