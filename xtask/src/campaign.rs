//! `cargo xtask campaign [--short | --full] [GOAL…]`: the long versions of what the tests do, added up in one table.
//!
//! The suites are those of `cargo xtask test`; environment variables make them try more. `docs/campaign.md` names them.

mod goals;
mod table;

use std::fs;
use std::time::Instant;

use self::goals::{GOALS, Goal, Size, Way};
use self::table::Line;
use crate::run::{cargo, run, run_logged};
use crate::services::is_root;
use crate::{Outcome, fuzz};

/// Where figures and logs of the last campaign are, below the top of the source tree.
const FOLDER: &str = "target/campaign";

/// The verb.
///
/// # Errors
///
/// When a goal is unknown, something does not build, or anything at all was violated.
pub fn verb(arguments: &[String]) -> Outcome {
    let (size, goals) = parse(arguments)?;
    if !is_root() {
        return Err("readers are other users: run it as root, in a container for instance".to_owned());
    }
    let folder = crate::root().join(FOLDER);
    fs::create_dir_all(&folder).map_err(|fault| format!("cannot make `{}`: {fault}", folder.display()))?;
    // Built first, so that the seconds of a goal are its own.
    run(cargo(["build", "--package", "certwright-cli"]))?;
    let mut build = cargo(["test", "--package", "certwright-tests", "--no-run"]);
    for goal in &goals {
        if let Way::Suite { test, .. } = goal.way {
            build.args(["--test", test]);
        }
    }
    run(build)?;
    let host = match goals.iter().any(|goal| matches!(goal.way, Way::Fuzz)) {
        true => fuzz::build(&fuzz::targets()?)?,
        false => String::new(),
    };
    let mut lines = Vec::new();
    for goal in goals {
        match goal.way {
            Way::Suite { .. } => lines.extend(suite(goal, size)?),
            Way::Fuzz => lines.extend(feed_all(&host, size)?),
        }
    }
    println!("\n{}", table::drawn(&lines));
    match lines.iter().filter(|line| !line.is_well()).count() {
        0 => Ok(()),
        bad => Err(format!("{bad} of {} lines are not as they must be; the logs are in {FOLDER}/", lines.len())),
    }
}

/// One test suite, with the figures that it told.
fn suite(goal: &Goal, size: Size) -> Result<Vec<Line>, String> {
    let Way::Suite { test, filter, knobs } = goal.way else { return Ok(Vec::new()) };
    let told = crate::root().join(FOLDER).join(format!("{}.tsv", goal.name));
    match fs::remove_file(&told) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("cannot remove `{}`: {fault}", told.display()));
        }
        _ => {}
    }
    let mut command = cargo(["test", "--package", "certwright-tests", "--test", test, "--", "--nocapture", filter]);
    command.env("CERTWRIGHT_TALLY", &told);
    for knob in knobs {
        command.env(knob.name, knob.value(size));
    }
    let start = Instant::now();
    let outcome = run_logged(command, &format!("campaign/{}.log", goal.name));
    let seconds = start.elapsed().as_secs();
    let text = fs::read_to_string(&told).unwrap_or_default();
    Ok(table::of_suite(goal.name, &text, &outcome, seconds))
}

/// Every fuzz target, one after the other.
fn feed_all(host: &str, size: Size) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for target in fuzz::targets()? {
        let command = fuzz::feed(host, &target, goals::fuzz_seconds(size))?;
        let start = Instant::now();
        let log = format!("campaign/fuzz-{target}.log");
        let outcome = run_logged(command, &log);
        let text = fs::read_to_string(crate::root().join("target").join(log)).unwrap_or_default();
        lines.push(table::of_fuzz(&target, &text, &outcome, start.elapsed().as_secs()));
    }
    Ok(lines)
}

fn parse(arguments: &[String]) -> Result<(Size, Vec<&'static Goal>), String> {
    let (flags, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    let size = match flags.as_slice() {
        [] => Size::Short,
        [flag] if *flag == "--short" => Size::Short,
        [flag] if *flag == "--full" => Size::Full,
        _ => return Err("usage: cargo xtask campaign [--short | --full] [GOAL…]".to_owned()),
    };
    if names.is_empty() {
        return Ok((size, GOALS.iter().collect()));
    }
    let find = |name: &&String| GOALS.iter().find(|goal| goal.name == **name).ok_or_else(|| (*name).clone());
    let goals = names.iter().map(find).collect::<Result<_, _>>();
    let all = || GOALS.iter().map(|goal| goal.name).collect::<Vec<_>>().join(", ");
    Ok((size, goals.map_err(|name| format!("there is no goal `{name}`; there are {}", all()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn takes_a_size_and_goals() {
        assert_eq!(parse(&[]).unwrap().1.len(), GOALS.len());
        let (size, goals) = parse(&words("--full kill fuzz")).unwrap();
        assert_eq!((size, goals.iter().map(|goal| goal.name).collect::<Vec<_>>()), (Size::Full, vec!["kill", "fuzz"]));
        for wrong in ["--short --full", "--long", "nothing"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_goal_and_knob_is_in_the_documentation() {
        let text = fs::read_to_string(crate::root().join("docs/campaign.md")).unwrap();
        for goal in GOALS {
            assert!(text.contains(&format!("| `{}` |", goal.name)), "{}", goal.name);
            let Way::Suite { knobs, .. } = goal.way else { continue };
            for knob in knobs {
                assert!(text.contains(&format!("`{}`", knob.name)), "{}", knob.name);
            }
        }
    }
}
