//! The embedded CA under every crash and every error of the disk: what it returned is kept, what is half-made is
//! completed, and nobody else reads its keys for an instant.

#![expect(clippy::print_stdout, reason = "the number of states tried is told")]

use std::path::Path;
use std::sync::Arc;

use certwright::{
    Cancel, Chain, Clock, Error, ErrorKind, Identity, Issuer, KeyAlgorithm, LocalCa, LocalIssuer, ManualClock,
    PrivateKey, Question, Request, Result, Sans, Severity, Timestamp, inspect,
};
use certwright_tests::crash::{Crash, Points, for_each_crash, for_each_errno};
use certwright_tests::model_fs::{Counted, ModelFs};
use rustix::io::Errno;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// 2026-11-24T08:00:00Z.
const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);
/// Nearly five years later, when the intermediate has to be renewed.
const LATER: Timestamp = Timestamp::from_unix(1_795_507_200 + 1_820 * 86_400);

const ROOT: &str = "/var/lib/certwright";

fn start() -> std::io::Result<ModelFs> {
    let fs = ModelFs::default();
    fs.plant_directory("/var/lib", 0o755)?;
    Ok(fs)
}

/// A root and a chain below it, from the CA on this disk at that time.
fn issue(fs: &ModelFs, at: Timestamp) -> Result<(String, Chain)> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(at));
    let ca = LocalCa::new("lab".parse()?, LocalIssuer::default(), Arc::new(fs.clone()), Path::new(ROOT), clock);
    let (lineage, names) = ("www".parse()?, Sans::new(vec!["www.example.org".parse()?])?);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let issued = ca.issue(&Request::new(&lineage, &names, &key), &Cancel::new())?;
    Ok((ca.root_pem(&Cancel::new())?, issued.chain))
}

/// A chain that leads to its root at that time.
fn sound(root: &str, chain: &Chain, at: Timestamp) -> Result<(), String> {
    let text = chain.fullchain_pem();
    let mut question = Question::at(at);
    question.roots = Some(certwright::Input::new("root", root.as_bytes()));
    let inspection = inspect(&[certwright::Input::new("chain", text.as_bytes())], &question);
    match inspection.findings.iter().find(|finding| finding.severity == Severity::Error) {
        Some(finding) => Err(finding.to_string()),
        None => Ok(()),
    }
}

/// What must be true of a disk after anything: a new process issues twice from one and the same CA, and nobody else reads.
fn recovers(fs: &ModelFs, at: Timestamp) -> Result<String, String> {
    let shown = |error: Error| format!("{error:#}");
    let (root, chain) = issue(fs, at).map_err(shown)?;
    let (again, second) = issue(fs, at).map_err(shown)?;
    sound(&root, &chain, at)?;
    if again != root || second.intermediates() != chain.intermediates() {
        return Err("the CA is another one at the second call".to_owned());
    }
    closed(fs)?;
    Ok(root)
}

fn closed(fs: &ModelFs) -> Result<(), String> {
    let outsider = Identity::new(4_000_000_000, 4_000_000_000, Vec::new());
    match fs.look(|view| view.leaks(&outsider, b"PRIVATE KEY")) {
        leaks if leaks.is_empty() => Ok(()),
        leaks => Err(format!("an outsider reads {leaks:?}")),
    }
}

#[test]
fn a_crash_while_it_is_made_costs_nothing_that_was_returned() -> Outcome {
    let (points, made) = Points::of(&start()?, |fs| issue(fs, NOW));
    let (returned, _) = made?;
    let tally = for_each_crash(&points, &[Crash::Kill, Crash::PowerCut { most: 100 }], |crashed| {
        closed(&crashed.fs)?;
        let root = recovers(&crashed.fs, NOW)?;
        let finished = crashed.number + 1 == points.len();
        if finished && root != returned { Err("a root that was returned is gone".to_owned()) } else { Ok(()) }
    });
    println!("making the embedded CA: {tally}");
    assert!(tally.points > 5, "{tally}");
    tally.verdict()?;
    Ok(())
}

#[test]
fn a_crash_while_the_intermediate_is_renewed_keeps_the_root() -> Outcome {
    let fs = start()?;
    let (root, before) = issue(&fs, NOW)?;
    fs.settle();
    let (points, made) = Points::of(&fs, |fs| issue(fs, LATER));
    let (_, after) = made?;
    assert_ne!(before.intermediates(), after.intermediates());
    let tally = for_each_crash(&points, &[Crash::Kill, Crash::PowerCut { most: 100 }], |crashed| {
        closed(&crashed.fs)?;
        if recovers(&crashed.fs, LATER)? == root { Ok(()) } else { Err("another root".to_owned()) }
    });
    println!("renewing its intermediate: {tally}");
    tally.verdict()?;
    Ok(())
}

#[test]
fn an_error_of_the_disk_is_told_and_the_next_call_goes_on() -> Outcome {
    let tally = for_each_errno(
        &start()?,
        Counted::Every,
        &[Errno::IO, Errno::NOSPC],
        |fs| issue(fs, NOW),
        |failed| {
            closed(&failed.fs)?;
            let root = recovers(&failed.fs, NOW)?;
            match failed.result {
                Ok((returned, _)) if returned != root => Err("a root that was returned is gone".to_owned()),
                Ok((returned, chain)) => sound(&returned, &chain, NOW),
                Err(error) if error.kind() == ErrorKind::Bug => Err(format!("{error:#}")),
                Err(_) => Ok(()),
            }
        },
    );
    println!("errors while the embedded CA is made: {tally}");
    tally.verdict()?;
    Ok(())
}
