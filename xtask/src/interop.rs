//! `cargo xtask interop`: the clients that people have get certificates from the test bed, each by every challenge that it
//! can do, in a network of its own.

pub mod clients;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::run::{answer, cargo, command, run};
use crate::services::{self, is_root};
use clients::{CLIENTS, Client, Column};

const PRELUDE: &str = include_str!("interop/prelude.sh");
/// For one case; the slowest takes half a minute.
const LIMIT: &str = "180";
/// A key for external account binding.
const EAB_ID: &str = "kid-1";
const EAB_KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// The verb.
///
/// # Errors
///
/// When a client cannot be had, or one does not get what it should.
pub fn verb(arguments: &[String]) -> Outcome {
    if !is_root() {
        return Err("clients are installed and take ports: run it as root, in a container for instance".to_owned());
    }
    let (options, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with('-'));
    let write = match options.as_slice() {
        [] => false,
        [word] if *word == "--write" && names.is_empty() => true,
        _ => return Err("usage: cargo xtask interop [--write], or cargo xtask interop CLIENT…".to_owned()),
    };
    let chosen: Vec<&Client> =
        CLIENTS.iter().filter(|client| names.is_empty() || names.iter().any(|name| *name == client.name)).collect();
    if chosen.is_empty() {
        return Err(format!("no such client; there are {}", CLIENTS.map(|client| client.name).join(", ")));
    }
    let programs: Vec<&str> =
        CLIENTS.iter().filter_map(|client| client.installed).chain(["nginx", "openssl"]).collect();
    services::install_named(&[programs, vec!["nsupdate", "curl", "ualpn"]].concat())?;
    run(cargo(["build", "--package", "certwright-cli"]))?;
    let certwright = crate::root().join("target/debug/certwright");
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for client in chosen {
        let program = client.program()?;
        let mut cells = Vec::new();
        for column in Column::ALL {
            if let Some(reason) = client.reason(column) {
                cells.push(table::Cell::Cannot(reason));
                continue;
            }
            let outcome = case(&certwright, client, &program, column);
            let word = if outcome.is_ok() { "yes" } else { "NO" };
            println!("{:<14} {:<12} {word}", client.name, column.word());
            match outcome {
                Ok(took) => cells.push(table::Cell::Done(took)),
                Err(fault) => {
                    failures.push(format!("{} {}: {fault}", client.name, column.word()));
                    cells.push(table::Cell::Failed);
                }
            }
        }
        rows.push(table::Row { client: client.name, version: client.version(&program), cells });
    }
    let text = table::text(&rows);
    println!("\n{text}");
    if write && failures.is_empty() {
        let path = crate::root().join("docs/interop.md");
        fs::write(&path, table::document(&text, &rows)).map_err(|fault| format!("{}: {fault}", path.display()))?;
        println!("wrote {}", path.display());
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// One client gets one certificate; how long that took, the start of the test bed included.
///
/// # Errors
///
/// What was said, when it did not get it, or got it in another way than it should.
pub fn case(certwright: &Path, client: &Client, program: &Path, column: Column) -> Result<Duration, String> {
    let folder = Folder::new(client.name, column)?;
    let script = [PRELUDE, client.script].concat();
    let io = |fault: std::io::Error| format!("`{}`: {fault}", folder.0.display());
    fs::write(folder.0.join("run.sh"), script).map_err(io)?;
    let bed = folder.0.join("bed");
    let mut words: Vec<String> =
        [LIMIT, &certwright.to_string_lossy(), "testbed", "--isolate", "--quiet", "--dir"].map(str::to_owned).to_vec();
    words.push(bed.to_string_lossy().into_owned());
    if column == Column::Eab {
        words.extend(["--eab".to_owned(), format!("{EAB_ID}:{EAB_KEY}")]);
    }
    words.extend(["--", "sh", "-euc", ". ./run.sh", "sh", column.word()].map(str::to_owned));
    let mut command = command("timeout", &words);
    command.current_dir(&folder.0).env("EAB_ID", EAB_ID).env("EAB_KEY", EAB_KEY).env(client.variable, program);
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output().map_err(|fault| format!("cannot be started: {fault}"))?;
    let took = begun.elapsed();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let last = |what: String| {
        let lines: Vec<&str> = said.lines().collect();
        let tail = lines.iter().skip(lines.len().saturating_sub(15)).copied().collect::<Vec<_>>().join("\n    ");
        format!("{what}\n    {tail}")
    };
    if !output.status.success() {
        return Err(last(format!("ended with {}", output.status)));
    }
    let story = fs::read_to_string(bed.join("story.json")).map_err(io)?;
    told(&story, &said, column).map_err(last)?;
    Ok(took)
}

/// Whether the server saw what the client says.
fn told(story: &str, said: &str, column: Column) -> Outcome {
    let serial = said.lines().rev().find_map(|line| line.strip_prefix("serial=")).unwrap_or_default();
    let bare = |text: &str| text.trim_start_matches('0').to_lowercase();
    if serial.is_empty() || !story.to_lowercase().contains(&bare(serial)) {
        return Err(format!("the certificate {serial} is not one that the server tells about"));
    }
    for wanted in column.seen() {
        if !story.contains(wanted) {
            return Err(format!("the server tells nothing of {wanted}"));
        }
    }
    Ok(())
}

/// A directory that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(client: &str, column: Column) -> Result<Self, String> {
        let name = format!("certwright-interop-{}-{client}-{}", std::process::id(), column.word());
        // It becomes part of command lines that shells read.
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let folder = std::env::temp_dir().join(name.chars().map(plain).collect::<String>());
        fs::create_dir_all(&folder).map_err(|fault| format!("cannot make `{}`: {fault}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The first word that looks like a version in what a program says about itself.
fn version_in(text: &str) -> Option<String> {
    let words = text.split([' ', '\n', '/', '(', ')', ',']);
    let is = |word: &&str| {
        word.contains('.') && word.trim_start_matches('v').starts_with(|letter: char| letter.is_ascii_digit())
    };
    words.map(|word| word.trim_end_matches('.')).find(is).map(|word| word.trim_start_matches('v').to_owned())
}

/// The version of a Debian package.
fn package_version(package: &str) -> Option<String> {
    answer(command("dpkg-query", ["--show", "--showformat=${source:Upstream-Version}", package]))
}
