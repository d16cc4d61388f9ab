//! `certwright access`.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use certwright::access::{Capabilities, Grantee, Names, PathFacts, PathVerdict, Permissions, who_can_read};
use certwright::report::REPORT_VERSION;
use certwright::{Error, ErrorKind, Identity, OsFilesystem, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{Access, Shared};
use crate::screen::{Form, Screen, Tone};

pub(crate) fn run(shared: &Shared, these: &Access, screen: &mut Screen) -> Result<u8> {
    if shared.json.as_deref() == Some("-") {
        return answer_lines(screen);
    }
    if these.paths.is_empty() {
        return Err(Error::new(ErrorKind::InvalidSpec, "no path is named")
            .hint("write `certwright access PATH`, or put questions on standard input with `--json -`"));
    }
    let paths: Vec<PathBuf> = these.paths.iter().map(|path| absolute(path)).collect::<Result<_>>()?;
    match identity(these)? {
        Some(who) => ask(&paths, &who, screen),
        None => list(&paths, screen),
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|source| Error::io("the path cannot be made absolute", source).context("path", path))
}

fn identity(these: &Access) -> Result<Option<Identity>> {
    match (&these.user, these.uid) {
        (Some(name), _) => Names::system().user(name).map(Some),
        (None, Some(uid)) => Ok(Some(Identity::new(uid, these.gid.unwrap_or(uid), these.groups.clone()))),
        (None, None) => Ok(None),
    }
}

/// Whether one identity can read each path; denied is a finding.
fn ask(paths: &[PathBuf], who: &Identity, screen: &mut Screen) -> Result<u8> {
    let mut status = 0;
    let mut answers = Vec::new();
    for path in paths {
        let verdict = PathFacts::read(&OsFilesystem::new(), path)?.explain(who, Capabilities::NONE, Permissions::READ);
        if !verdict.is_allow() {
            status = 3;
        }
        let (tone, word) = if verdict.is_allow() { (Tone::Good, "can read") } else { (Tone::Bad, "cannot read") };
        screen.line(&format!("{who} {} {}: {verdict}", screen.paint(tone, word), path.display()));
        answers.push(json!({ "path": path, "r": verdict.is_allow(), "why": verdict.to_string() }));
    }
    if screen.form() == Form::Json {
        screen.json(&json!({ "version": REPORT_VERSION, "answers": answers }));
    }
    Ok(status)
}

/// Everybody who can read each path, and by which rule.
fn list(paths: &[PathBuf], screen: &mut Screen) -> Result<u8> {
    let names = Names::system();
    let mut answers = Vec::new();
    for path in paths {
        let grants = who_can_read(&PathFacts::read(&OsFilesystem::new(), path)?, &names)?;
        screen.line(&format!("{}", path.display()));
        let mut readers = Vec::new();
        for grant in &grants {
            let who = grantee(&grant.who);
            screen.detail(&format!("{who}: {}", grant.verdict));
            readers.push(json!({ "who": who, "why": grant.verdict.to_string() }));
        }
        if grants.is_empty() {
            screen.detail("nobody can read it");
        }
        answers.push(json!({ "path": path, "readers": readers }));
    }
    if screen.form() == Form::Json {
        screen.json(&json!({ "version": REPORT_VERSION, "answers": answers }));
    }
    Ok(0)
}

fn grantee(who: &Grantee) -> String {
    match who {
        Grantee::User { uid, name } => format!("user {name} ({uid})"),
        Grantee::Group { gid, name, members } if members.is_empty() => format!("group {name} ({gid})"),
        Grantee::Group { gid, name, members } => format!("group {name} ({gid}), with {}", members.join(", ")),
        Grantee::Everybody => "everybody".to_owned(),
        Grantee::Capable(held) => format!("processes with {held}"),
        other => format!("{other:?}"),
    }
}

/// One question a line; keys that are not known are left alone, so that questions can carry their own notes.
#[derive(Deserialize)]
struct Line {
    path: PathBuf,
    uid: u32,
    gid: u32,
    #[serde(default)]
    groups: Vec<u32>,
}

fn answer_lines(screen: &mut Screen) -> Result<u8> {
    let fs = OsFilesystem::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|source| Error::io("standard input cannot be read", source))?;
        if line.trim().is_empty() {
            continue;
        }
        screen.json(&answer(&fs, &line).unwrap_or_else(|error| json!({ "error": error })));
    }
    Ok(0)
}

fn answer(fs: &OsFilesystem, line: &str) -> Result<Value, String> {
    let question: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let who = Identity::new(question.uid, question.gid, question.groups);
    let facts = PathFacts::read(fs, &question.path).map_err(|error| format!("{error:#}"))?;
    let verdict = |want| facts.explain(&who, Capabilities::NONE, want);
    let (read, write, execute) =
        (verdict(Permissions::READ), verdict(Permissions::WRITE), verdict(Permissions::EXECUTE));
    let allowed = |verdict: &PathVerdict| verdict.is_allow();
    Ok(json!({ "r": allowed(&read), "w": allowed(&write), "x": allowed(&execute), "why": read.to_string() }))
}
