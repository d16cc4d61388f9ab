//! `cargo xtask VERB`: every habit of the project is one of these.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its terminal")]

use std::process::ExitCode;

use xtask::{Outcome, bench, campaign, demo, fuzz, header, install, interop, services, test, tidy};

/// One habit.
struct Verb {
    name: &'static str,
    usage: &'static str,
    line: &'static str,
    run: fn(&[String]) -> Outcome,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "demo",
        usage: "",
        line: "the main job over ACME with a real nginx, on one screen; installs nginx when it is missing",
        run: demo::verb,
    },
    Verb {
        name: "test",
        usage: "",
        line: "everything that must hold, from set-up to summary; needs root",
        run: test::verb,
    },
    Verb {
        name: "services",
        usage: "[bench]",
        line: "install the programs that the tests (or the benchmark) run against; starts none of them",
        run: services::verb,
    },
    Verb {
        name: "interop",
        usage: "[--write] [CLIENT…]",
        line: "certificates from the test bed for the clients that people have; needs root",
        run: interop::verb,
    },
    Verb { name: "tidy", usage: "", line: "floors, file sizes, words and links", run: tidy::verb },
    Verb {
        name: "fuzz",
        usage: "[TARGET] [SECONDS]",
        line: "feed a parser with hostile input, every target for 30 seconds unless told otherwise",
        run: fuzz::verb,
    },
    Verb {
        name: "bench",
        usage: "[--full] [LINE…]",
        line: "ours beside a peer or a limit, in turn, with the goal; --full goes up to 100,000 lineages",
        run: bench::verb,
    },
    Verb {
        name: "campaign",
        usage: "[--short | --full] [GOAL…]",
        line: "the long versions of the tests, added up; a quarter of an hour, or days; needs root",
        run: campaign::verb,
    },
    Verb {
        name: "install",
        usage: "[--prefix DIR] [--libdir DIR] [--destdir DIR] [--built DIR]",
        line: "build the C library as released and put it where `pkg-config` finds it",
        run: install::verb,
    },
    Verb { name: "header", usage: "", line: "write `certwright.h` anew from the sources", run: header::verb },
    Verb { name: "help", usage: "", line: "this list", run: help },
];

fn help(_: &[String]) -> Outcome {
    println!("cargo xtask VERB\n");
    for verb in VERBS {
        println!("  {:<26}{}", format!("{} {}", verb.name, verb.usage), verb.line);
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.trim_start_matches('-'), rest),
        None => ("help", [].as_slice()),
    };
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        eprintln!("xtask: there is no verb `{name}`; `cargo xtask help` lists them");
        return ExitCode::from(2);
    };
    match (verb.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("xtask {name}: {fault}");
            ExitCode::FAILURE
        }
    }
}
