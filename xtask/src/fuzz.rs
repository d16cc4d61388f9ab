//! `cargo xtask fuzz [TARGET] [SECONDS]`: libFuzzer over the parsers, without another tool to install.
//!
//! The flags are those of cargo-fuzz, whose layout `fuzz/` has, so `cargo fuzz` works there too. They need a nightly
//! compiler because of the address sanitizer: our code is free of `unsafe`, the C and assembler in ring are not.

use std::fs;
use std::process::Command;

use crate::Outcome;
use crate::run::{answer, command, run};

const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "-Ccodegen-units=1",
    "-Zsanitizer=address",
];
const SECONDS: u32 = 30;
/// One input may take this long and this much memory, in seconds and MiB.
const SLOW: &str = "-timeout=5";
const LARGE: &str = "-rss_limit_mb=1024";

/// The verb.
///
/// # Errors
///
/// When a target is unknown, the build fails, or an input breaks a target; the input is kept in `fuzz/artifacts/`.
pub fn verb(arguments: &[String]) -> Outcome {
    let all = targets()?;
    let (wanted, seconds) = parse(arguments, &all)?;
    let host = build(&wanted)?;
    for target in wanted {
        run(feed(&host, target, seconds)?)?;
    }
    Ok(())
}

/// Build these targets; for which host is part of where they are.
pub(crate) fn build<S: AsRef<str>>(targets: &[S]) -> Result<String, String> {
    let host = answer(command("rustc", ["+nightly", "-vV"]))
        .and_then(|version| version.lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned)))
        .ok_or(
            "the address sanitizer needs a nightly compiler: `rustup toolchain install nightly --profile minimal`",
        )?;

    let mut build = command("cargo", ["+nightly", "build", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--target", &host]).env("RUSTFLAGS", COVERAGE.join(" "));
    for target in targets {
        build.args(["--bin", target.as_ref()]);
    }
    run(build)?;
    Ok(host)
}

/// The command that feeds a target for so long. It ends badly at an input that breaks it, and keeps that input.
pub(crate) fn feed(host: &str, target: &str, seconds: u32) -> Result<Command, String> {
    let artifacts = crate::root().join("fuzz/artifacts").join(target);
    fs::create_dir_all(&artifacts).map_err(|fault| format!("cannot make `{}`: {fault}", artifacts.display()))?;
    // New inputs go to the first folder, so that the seeds in the second stay as they were chosen.
    let found = crate::root().join("fuzz/target/corpus").join(target);
    fs::create_dir_all(&found).map_err(|fault| format!("cannot make `{}`: {fault}", found.display()))?;
    let program = format!("fuzz/target/{host}/release/{target}");
    let mut fuzz = command(&program, [SLOW, LARGE, "-print_final_stats=1", "-verbosity=0"]);
    fuzz.arg(format!("-max_total_time={seconds}"));
    fuzz.arg(format!("-artifact_prefix={}/", artifacts.display()));
    fuzz.arg(found).arg(format!("fuzz/corpus/{target}"));
    Ok(fuzz)
}

/// The names of the files in `fuzz/fuzz_targets/`.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn targets() -> Result<Vec<String>, String> {
    let folder = crate::root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|fault| format!("cannot read `{}`: {fault}", folder.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned)).collect();
    names.sort_unstable();
    Ok(names)
}

fn parse<'a>(arguments: &'a [String], all: &'a [String]) -> Result<(Vec<&'a str>, u32), String> {
    let (mut wanted, mut seconds): (Vec<&str>, u32) = (all.iter().map(String::as_str).collect(), SECONDS);
    for argument in arguments {
        if let Ok(number) = argument.parse() {
            seconds = number;
        } else if all.contains(argument) {
            wanted = vec![argument];
        } else {
            return Err(format!("there is no target `{argument}`; there are {}", all.join(", ")));
        }
    }
    Ok((wanted, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_target_and_seconds_in_any_order() {
        let all = ["spec".to_owned(), "txn".to_owned()];
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parse(&[], &all), Ok((vec!["spec", "txn"], SECONDS)));
        assert_eq!(parse(&words("txn 5"), &all), Ok((vec!["txn"], 5)));
        assert_eq!(parse(&words("7"), &all), Ok((vec!["spec", "txn"], 7)));
        assert!(parse(&words("nothing"), &all).is_err());
    }
}
