//! The file as its authors meet it: what is accepted and what it means, what is refused and in which words.

mod faults;
mod lineage;
mod meaning;
mod pieces;
mod solver;
mod step_ca;

use std::fmt::Write as _;
use std::path::Path;

use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::plan::spec::{Config, Principal, Spec};

const HEAD: &str = "version = 1\nroot = \"/srv/certs\"\n[issuer.lab]\ntype = \"local\"\n";

fn parse(text: &str) -> Result<Config> {
    Config::parse(text, Path::new("certwright.toml"))
}

/// The one lineage of a file that consists of the head and this body.
fn spec(body: &str) -> Spec {
    let text = format!("{HEAD}[lineage.www]\nidentifiers = [\"www.example.org\", \"example.org\"]\n{body}");
    let config = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    config.lineages.into_values().next().unwrap()
}

/// Every fault of a text, as `line:column key: message; hint`.
fn faults(text: &str) -> Vec<String> {
    let error = parse(text).map(|_| ()).expect_err(text);
    assert_eq!((error.kind(), error.phase()), (ErrorKind::InvalidSpec, Some(Phase::Plan)), "{error:?}");
    assert_eq!(error.fact("file"), Some("certwright.toml"));
    let told: Vec<String> =
        error.facts().filter(|(name, _)| *name == "fault").map(|(_, told)| told.to_owned()).collect();
    if told.is_empty() { vec![one_line(&error)] } else { told }
}

fn one_line(error: &Error) -> String {
    let fact = |name| error.fact(name).unwrap_or_default();
    let mut line = format!("line {}, column {}: {}", fact("line"), fact("column"), fact("key"));
    if error.fact("key").is_some() {
        line.push_str(": ");
    }
    line.push_str(error.message());
    if let Some(hint) = error.hint_text() {
        let _ = write!(line, "; {hint}");
    }
    line
}

fn user(name: &str) -> Principal {
    Principal::User(name.to_owned())
}
