//! An error for somebody who was woken by it: what, why, what is true now, what to do, when it is tried again.

use certwright::Error;
use certwright::report::ErrorReport;

use super::paint::{Paint, Tone};

/// The fact under which a configuration's faults are listed.
const FAULT: &str = "fault";

/// An error that ended the verb. When nothing was begun, that nothing was changed goes without saying.
pub(crate) fn of_verb(error: &Error, paint: Paint) -> String {
    let report = ErrorReport::from(error);
    let faults: Vec<&str> = error.facts().filter(|(name, _)| *name == FAULT).map(|(_, value)| value).collect();
    let message = if faults.is_empty() { report.message.clone() } else { without_faults(error) };
    let mut lines = vec![first(paint, &message)];
    lines.extend(faults.iter().map(|fault| format!("  {fault}")));
    lines.extend(causes(&report, paint));
    if report.aftermath != "untouched" {
        lines.extend(now(&report, paint));
    }
    lines.extend(what_next(&report, paint));
    together(lines)
}

/// An error of one lineage.
pub(crate) fn of_lineage(lineage: &str, report: &ErrorReport, paint: Paint) -> String {
    let mut lines = vec![first(paint, &format!("{lineage}: {}", report.message))];
    lines.extend(causes(report, paint));
    lines.extend(now(report, paint));
    lines.extend(what_next(report, paint));
    together(lines)
}

/// Something else that went wrong, in one line.
pub(crate) fn plain(message: &str, paint: Paint) -> String {
    together(vec![first(paint, message)])
}

fn together(lines: Vec<String>) -> String {
    lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn first(paint: Paint, message: &str) -> String {
    format!("{} {message}", paint.paint(Tone::Bad, "error:"))
}

fn causes(report: &ErrorReport, paint: Paint) -> Vec<String> {
    let lead = paint.paint(Tone::Strong, "caused by:");
    report.causes.iter().map(|cause| format!("{lead} {cause}")).collect()
}

fn now(report: &ErrorReport, paint: Paint) -> Vec<String> {
    let truth = match (report.aftermath, report.generation.as_deref().unwrap_or("the generation")) {
        ("untouched", _) => "nothing was changed".to_owned(),
        ("rolled_back", id) => format!("rolled back to {id}"),
        ("kept", id) => format!("{id} stays active"),
        ("stuck", _) => "stuck, a human is needed; run, in this order:".to_owned(),
        (other, _) => other.replace('_', " "),
    };
    let mut lines = vec![format!("{} {truth}", paint.paint(Tone::Strong, "now:"))];
    // As they are, without a lead: they are copied and pasted.
    lines.extend(report.commands.iter().cloned());
    lines
}

fn what_next(report: &ErrorReport, paint: Paint) -> Vec<String> {
    let hint = report.hint.as_ref().map(|hint| format!("{} {hint}", paint.paint(Tone::Good, "hint:")));
    let retry = (report.retry != "never").then(|| format!("{} {}", paint.paint(Tone::Strong, "retry:"), report.retry));
    hint.into_iter().chain(retry).collect()
}

/// The first line of an error whose faults stand on lines of their own.
fn without_faults(error: &Error) -> String {
    let phase = error.phase().map(|phase| format!("{phase}: ")).unwrap_or_default();
    let facts = error.facts().filter(|(name, _)| *name != FAULT);
    let facts: Vec<String> = facts.map(|(name, value)| format!("{name} `{value}`")).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    format!("{phase}{}{facts}", error.message())
}

#[cfg(test)]
mod tests {
    use certwright::{Aftermath, ErrorKind, Phase, Retry};

    use super::*;

    #[test]
    fn a_stuck_lineage_says_what_to_paste() {
        let error = Error::new(ErrorKind::ReloadFailed, "the service could not be reloaded, and going back failed")
            .in_phase(Phase::Rollback)
            .source(Error::new(ErrorKind::Timeout, "it took longer than 10s"))
            .left(Aftermath::Stuck { commands: vec!["ln -sfn a b".to_owned(), "systemctl reload nginx".to_owned()] })
            .hint("do by hand what is said, then run `certwright verify`")
            .retry(Retry::After("2026-11-24T08:00:00Z".parse().unwrap()));
        assert_eq!(
            of_lineage("www", &ErrorReport::from(&error), Paint::Off),
            "error: www: rollback: the service could not be reloaded, and going back failed\n\
             caused by: it took longer than 10s\n\
             now: stuck, a human is needed; run, in this order:\n\
             ln -sfn a b\n\
             systemctl reload nginx\n\
             hint: do by hand what is said, then run `certwright verify`\n\
             retry: 2026-11-24T08:00:00Z\n"
        );
    }

    #[test]
    fn colour_is_around_the_leads_alone() {
        let error = Error::new(ErrorKind::Io, "no").hint("do");
        assert_eq!(of_verb(&error, Paint::On), "\x1b[1;31merror:\x1b[0m no\n\x1b[32mhint:\x1b[0m do\n");
    }
}
