//! `cargo xtask bench`: each line measures ours and a peer or a limit in turn in one run, and prints the median ratio with
//! its spread, the goal, and whether it is met. Nothing is asserted: a figure belongs to the machine it was measured on.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its terminal")]

mod access;
mod acme;
mod authority;
mod bare;
mod batch;
mod certbot;
mod deploy;
mod idle;
mod machine;
mod measure;
mod site;
mod status;
mod testbed;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What goes wrong is for the person at the terminal.
type Fault = Box<dyn std::error::Error>;

/// Measures and prints, working in this directory.
type Line = fn(&Path, idle::Most) -> Result<(), Fault>;

const LINES: &[(&str, Line)] = &[
    ("deploy", |folder, _| deploy::line(folder)),
    ("batch", |folder, _| batch::line(folder)),
    ("idle", idle::lines),
    ("access", |folder, _| access::lines(folder)),
    ("ca", |folder, _| authority::line(folder)),
    ("status", |folder, _| status::line(folder)),
    ("acme", |folder, _| acme::lines(folder)),
    ("testbed", testbed::lines),
];

fn run(arguments: &[String]) -> Result<(), Fault> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["peak", root, count] => return idle::peak(Path::new(root), count.parse()?),
        ["one-deployment", folder] => return deploy::once(Path::new(folder)),
        ["one-look", root] => return idle::once(Path::new(root)),
        ["look", root, count] => return idle::again(Path::new(root), count.parse()?),
        ["one-order", order @ ..] => return acme::ours(&acme::Job::read(order)?),
        ["testbed-server", trust] => return testbed::serve(Path::new(trust)),
        ["one-bare-order", order @ ..] => return acme::bare(&acme::Job::read(order)?),
        _ => {}
    }
    let (flags, wanted): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with("--"));
    let most = match flags.as_slice() {
        [] => idle::Most::TenThousand,
        ["--full"] => idle::Most::HundredThousand,
        _ => return Err("the only flag is --full".into()),
    };
    if let Some(unknown) = wanted.iter().find(|word| LINES.iter().all(|(name, _)| name != *word)) {
        let names: Vec<&str> = LINES.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no line `{unknown}`; there are {}", names.join(", ")).into());
    }
    let folder = PathBuf::from(std::env::var_os("CERTWRIGHT_BENCH").unwrap_or_else(|| "/var/tmp".into()));
    machine::head(&folder);
    for (name, line) in LINES {
        if wanted.is_empty() || wanted.contains(name) {
            line(&folder, most)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}
