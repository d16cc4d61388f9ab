//! `certwright status`.

use certwright::report::{Event, LineageStatus, Outcome};
use certwright::{Cancel, Clock, SystemClock, Timestamp};

use crate::args::{Named, Shared};
use crate::failure::Done;
use crate::load;
use crate::render::paint::Tone;
use crate::render::table::{GENERATION, MOMENT, Table};
use crate::screen::{Form, Screen};

/// How many events of the history are shown to people.
const EVENTS: usize = 5;

pub(crate) fn run(shared: &Shared, these: &Named, screen: &mut Screen) -> Done {
    let lifecycle = load::lifecycle(shared, Cancel::new(), None)?;
    let selection = load::selection(lifecycle.config(), these)?;
    let report = lifecycle.status(&selection)?;
    match (screen.form(), report.lineages.as_slice()) {
        (Form::Json, _) => screen.json(&report),
        (_, [one]) if !these.lineages.is_empty() => show(one, screen),
        (Form::Table, all) => table(all, screen),
        (_, all) => all.iter().for_each(|lineage| sentence(lineage, screen)),
    }
    for lineage in &report.lineages {
        if let Some(error) = &lineage.error {
            screen.lineage_error(&lineage.lineage, error);
        }
    }
    Ok(report.outcome.exit_status())
}

fn table(lineages: &[LineageStatus], screen: &mut Screen) {
    let width = lineages.iter().map(|lineage| lineage.lineage.len()).max().unwrap_or_default();
    let columns =
        [("lineage", width), ("active", GENERATION), ("valid until", MOMENT), ("renewal", MOMENT), ("unsettled", 0)];
    let table = Table::new(screen.colours(), &columns);
    screen.line(&table.heading());
    for lineage in lineages {
        let text = |value: &'_ Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        screen.line(&table.row(&[
            (Tone::Plain, &lineage.lineage),
            (Tone::Plain, &text(&lineage.generation)),
            (Tone::Plain, &text(&lineage.not_after)),
            (Tone::Plain, &text(&lineage.renewal)),
            (tone(lineage), &lineage.unsettled.join("; ")),
        ]));
    }
}

/// What is unsettled and yet well is held on purpose.
fn tone(lineage: &LineageStatus) -> Tone {
    if lineage.outcome == Outcome::Well { Tone::Plain } else { Tone::Notable }
}

fn sentence(lineage: &LineageStatus, screen: &mut Screen) {
    let mut parts = vec![format!("{} is active", lineage.generation.as_deref().unwrap_or("nothing"))];
    parts.extend(lineage.not_after.as_ref().map(|until| format!("valid until {until}")));
    parts.extend(lineage.renewal.as_ref().map(|renewal| format!("renewal {renewal}")));
    parts.extend(lineage.unsettled.iter().cloned());
    screen.line(&format!("{}: {}", lineage.lineage, parts.join("; ")));
}

fn show(lineage: &LineageStatus, screen: &mut Screen) {
    let active = lineage.generation.as_deref().unwrap_or("nothing");
    screen.line(&format!("{}: {active} is active", lineage.lineage));
    let now = SystemClock.now();
    let moment = |text: &Option<String>| text.as_ref().map(|text| from_now(text, now));
    let facts = [
        ("previous", lineage.previous.clone()),
        ("identifiers", (!lineage.identifiers.is_empty()).then(|| lineage.identifiers.join(", "))),
        ("issuer", lineage.issuer.clone()),
        ("fingerprint", lineage.fingerprint.clone()),
        ("valid from", lineage.not_before.clone()),
        ("valid until", moment(&lineage.not_after)),
        ("renewal", moment(&lineage.renewal).map(|when| why(&when, lineage.renewal_basis.as_deref()))),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            screen.detail(&format!("{name:12} {value}"));
        }
    }
    for text in &lineage.unsettled {
        let text = screen.paint(tone(lineage), text);
        screen.detail(&format!("{:12} {text}", "unsettled"));
    }
    for generation in &lineage.generations {
        let until = generation.not_after.as_deref().unwrap_or("-");
        let mut line = format!("{}  {:9}  valid until {until}", generation.generation, generation.role);
        line.extend(generation.repairs.iter().flat_map(|of| ["; repairs ", of]));
        screen.detail(&line);
    }
    for event in lineage.history.iter().take(EVENTS) {
        screen.detail(&told(event));
    }
}

fn why(when: &str, basis: Option<&str>) -> String {
    basis.map_or_else(|| when.to_owned(), |basis| format!("{when}, {basis}"))
}

/// A moment to come, and in how many days or hours it does.
fn from_now(text: &str, now: Timestamp) -> String {
    let left = text.parse::<Timestamp>().ok().and_then(|moment| moment.since(now));
    match left.map(|left| left.as_secs() / 3600) {
        Some(hours) if hours >= 48 => format!("{text}, in {} days", hours / 24),
        Some(hours) => format!("{text}, in {hours} hours"),
        None => text.to_owned(),
    }
}

fn told(event: &Event) -> String {
    let mut line = format!("{}  {}", Timestamp::from_unix(event.time), event.event);
    line.extend(event.generation.iter().flat_map(|generation| [" ", generation]));
    line.extend(event.detail.iter().flat_map(|detail| [": ", detail]));
    line
}
