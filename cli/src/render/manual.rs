//! Manual pages: one for the whole command, and one for each verb, as packages install them.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::{Arguments, EXIT_STATUS};

/// What lets old formatters draw an apostrophe. Once a page is enough.
const LEAD: [&str; 2] = [".ie \\n(.g .ds Aq \\(aq", ".el .ds Aq '"];

/// A page and the name of its file.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// The command, then each verb with the options of its own.
pub(crate) fn whole() -> io::Result<Page> {
    let command = Arguments::command();
    let man = Man::new(command.clone());
    let mut text = title("certwright").into_bytes();
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    heading("VERBS").to_writer(&mut text)?;
    for verb in command.get_subcommands() {
        section(verb, "certwright", &mut text)?;
    }
    exit_status().to_writer(&mut text)?;
    places().to_writer(&mut text)?;
    Ok(page("certwright", &text))
}

/// The whole one, then one for each verb and the verbs of this verb.
pub(crate) fn all() -> io::Result<Vec<Page>> {
    let mut pages = vec![whole()?];
    let mut command = Arguments::command();
    command.build();
    command.get_subcommands().try_for_each(|verb| of_verb(verb, &mut pages))?;
    Ok(pages)
}

fn of_verb(verb: &Command, pages: &mut Vec<Page>) -> io::Result<()> {
    let man = Man::new(verb.clone());
    let name = verb.get_display_name().unwrap_or_else(|| verb.get_name()).to_owned();
    let mut text = title(&name).into_bytes();
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if let Some(more) = verb.get_after_help() {
        let mut roff = heading("NOTES");
        roff.text([roman(more.to_string())]);
        roff.to_writer(&mut text)?;
    }
    exit_status().to_writer(&mut text)?;
    let mut roff = heading("SEE ALSO");
    roff.text([bold("certwright"), roman("(1)")]);
    roff.to_writer(&mut text)?;
    pages.push(page(&name, &text));
    verb.get_subcommands().try_for_each(|verb| of_verb(verb, pages))
}

fn page(name: &str, text: &[u8]) -> Page {
    let text = String::from_utf8_lossy(text);
    let body = text.lines().filter(|line| !LEAD.contains(line));
    let text = LEAD.into_iter().chain(body).flat_map(|line| [line, "\n"]).collect();
    Page { file: format!("{name}.1"), text }
}

/// Without a date: the same source makes the same page on every day.
fn title(name: &str) -> String {
    format!(".TH {name} 1 \"\" \"certwright {}\" \"User Commands\"\n", env!("CARGO_PKG_VERSION"))
}

fn heading(name: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [name]);
    roff
}

/// A verb below its own heading, and the verbs of this verb below theirs.
fn section(verb: &Command, above: &str, text: &mut Vec<u8>) -> io::Result<()> {
    let name = format!("{above} {}", verb.get_name());
    let below = |text: &mut Vec<u8>| verb.get_subcommands().try_for_each(|verb| section(verb, &name, text));
    if verb.is_subcommand_required_set() {
        return below(text);
    }
    let man = Man::new(verb.clone().disable_help_flag(true).disable_version_flag(true).bin_name(&name));
    let mut roff = Roff::new();
    roff.control("SS", [name.as_str()]);
    roff.text([roman(verb.get_about().map(ToString::to_string).unwrap_or_default())]);
    roff.control("PP", []);
    roff.to_writer(text)?;
    text.extend(without_headings(|text| man.render_synopsis_section(text))?);
    text.extend(without_headings(|text| man.render_options_section(text))?);
    if let Some(more) = verb.get_after_help() {
        let mut roff = Roff::new();
        roff.control("PP", []);
        roff.text([roman(more.to_string())]);
        roff.to_writer(text)?;
    }
    below(text)
}

/// A section that stands below a heading of ours.
fn without_headings(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    render(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    Ok(text
        .lines()
        .filter(|line| !line.starts_with(".SH"))
        .flat_map(|line| [line, "\n"])
        .collect::<String>()
        .into_bytes())
}

fn exit_status() -> Roff {
    let mut roff = heading("EXIT STATUS");
    for line in EXIT_STATUS.lines().skip(1) {
        if let Some((code, meaning)) = line.trim().split_once("  ") {
            item(&mut roff, code, meaning);
        }
    }
    roff.control("PP", []);
    roff.text([roman("With several lineages all are tried, and the worst counts: 4, 2, 1, 5, 3, 0.")]);
    roff
}

fn places() -> Roff {
    let mut roff = heading("ENVIRONMENT");
    item(&mut roff, "CERTWRIGHT_CONFIG", "The configuration, unless -c names one.");
    item(&mut roff, "NO_COLOR", "When it is not empty: no colour.");
    item(&mut roff, "CLICOLOR", "When it is 0: no colour.");
    item(&mut roff, "CLICOLOR_FORCE", "When it is neither empty nor 0: colour for pipes, too.");
    roff.control("SH", ["FILES"]);
    item(&mut roff, "/etc/certwright/certwright.toml", "The configuration, unless another is named.");
    item(&mut roff, "/var/lib/certwright", "The lineages, unless the configuration or --root names another directory.");
    roff
}

fn item(roff: &mut Roff, name: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    roff.text([roman(meaning)]);
}
