//! `certwright access`.

mod answer;
mod question;
mod show;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use certwright::access::{Capabilities, Names, PathFacts, Permissions, who_can_read};
use certwright::report::Outcome;
use certwright::{Error, ErrorKind, Identity, OsFilesystem};

use crate::args::Access;
use crate::failure::{Done, Failure};
use crate::render::json::Document;
use crate::screen::{Form, Screen};
use answer::{Answers, Asked, Listed};

pub(crate) fn run(these: &Access, screen: &mut Screen) -> Done {
    match these.paths.as_slice() {
        [only] if is_stdin(only) && screen.form() == Form::Json => return question::answer_all(screen),
        paths if paths.iter().any(|path| is_stdin(path)) => return Err(Failure::Usage(questions_are_json())),
        _ => {}
    }
    let names = Names::system();
    match identity(these, &names)? {
        Some(who) => ask(&these.paths, &who, &names, screen),
        None => list(&these.paths, &names, screen),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == OsStr::new("-")
}

fn questions_are_json() -> Error {
    Error::new(ErrorKind::InvalidSpec, "questions on standard input are JSON, and stand alone")
        .hint("write `certwright access --json -`, or `./-` for a file of this name")
}

/// Numbers that are all said are taken as they are; what is not said is looked up.
fn identity(these: &Access, names: &Names) -> Result<Option<Identity>, Failure> {
    let name = match (&these.user, these.uid, these.gid) {
        (Some(name), _, _) => name.clone(),
        (None, Some(uid), Some(gid)) => return Ok(Some(Identity::new(uid, gid, these.groups.clone()))),
        (None, Some(uid), None) => uid.to_string(),
        (None, None, _) => return Ok(None),
    };
    names.user(&name).map(Some).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::Usage(error.hint("write a user of this machine, or its number")),
        _ => Failure::Run(error),
    })
}

/// What is on the way to a path. One that is not there was named by mistake.
fn facts(path: &Path) -> Result<PathFacts, Failure> {
    let absolute = std::path::absolute(path)
        .map_err(|source| Error::io("the path cannot be made absolute", source).context("path", path))?;
    PathFacts::read(&OsFilesystem::new(), &absolute).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::Usage(error),
        _ => Failure::Run(error),
    })
}

/// Whether one identity can read each path; denied, or not known, is a finding.
fn ask(paths: &[PathBuf], who: &Identity, names: &Names, screen: &mut Screen) -> Done {
    let mut outcome = Outcome::Well;
    let mut answers = Vec::new();
    for path in paths {
        let facts = facts(path)?;
        let verdict = facts.explain(who, Capabilities::NONE, Permissions::READ);
        if !verdict.is_allow() {
            outcome = Outcome::Finding;
        }
        show::asked(path, who, names, &facts, &verdict, screen);
        answers.push(Asked::new(path, who, &facts, &verdict));
    }
    if screen.form() == Form::Json {
        screen.json(&Document::new("access", outcome, Answers { answers }));
    }
    Ok(outcome.exit_status())
}

/// Everybody who can read each path, and by which rule.
fn list(paths: &[PathBuf], names: &Names, screen: &mut Screen) -> Done {
    let mut answers = Vec::new();
    for path in paths {
        let facts = facts(path)?;
        let grants = who_can_read(&facts, names)?;
        show::listed(path, &grants, names, &facts, screen);
        answers.push(Listed::new(path, &grants, &facts));
    }
    if screen.form() == Form::Json {
        screen.json(&Document::new("access", Outcome::Well, Answers { answers }));
    }
    Ok(0)
}
