//! `cargo xtask test`: everything that must hold, from set-up to summary.

use std::process::Command;
use std::time::Instant;

use crate::run::{answer, cargo, command, run};
use crate::services::{self, Purpose, is_root};
use crate::{Outcome, tidy};

/// Tests that take on foreign identities, mount, or start programs as other users say so in their path.
const AS_ROOT: &str = "as_root";

/// Makes a tree of directories that belong to the root of the namespace.
const NAMESPACE: &str = include_str!("test/namespace.sh");

/// The verb.
///
/// # Errors
///
/// The first step that fails; and always for an ordinary user, since something was left out.
pub fn verb(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("takes no arguments; for a part of it use `cargo test` itself".to_owned());
    }
    let start = Instant::now();
    let everything = is_root();
    if everything {
        services::install(Purpose::Tests)?;
    } else {
        println!("not root: foreign identities and real servers are left out, the rest runs in a user namespace");
        for program in services::missing(Purpose::Tests) {
            println!("  not installed: {} (package {}), which only root can install", program.name, program.package);
        }
    }
    components()?;
    tidy::verb(&[])?;
    run(cargo(["fmt", "--all", "--check"]))?;
    for workspace in ["fuzz/Cargo.toml", "tests/both-providers/Cargo.toml"] {
        run(cargo(["fmt", "--manifest-path", workspace, "--check"]))?;
    }
    run(cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    run(documentation())?;
    // The end-to-end suites run the command itself and link the C library, which are no dependencies of theirs. Built with
    // everything else, they have the features that the tests have, and nothing is built a second time.
    run(cargo(["build", "--workspace", "--all-targets"]))?;
    if everything {
        run(cargo(["test", "--workspace"]))?;
        run(both_providers())?;
    } else {
        ordinary_user()?;
    }
    println!("\ntest: everything holds, in {} s", start.elapsed().as_secs());
    Ok(())
}

/// A process that links two providers of TLS is a workspace of its own. What both workspaces build alike is built once.
fn both_providers() -> Command {
    cargo(["test", "--manifest-path", "tests/both-providers/Cargo.toml", "--target-dir", "target"])
}

fn documentation() -> Command {
    let mut command = cargo(["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// A toolchain of the minimal profile has neither formatter nor linter.
fn components() -> Outcome {
    for (part, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if answer(cargo([part, "--version"])).is_none() {
            println!("installing the toolchain's component {component}");
            run(command("rustup", ["component", "add", component]))?;
        }
    }
    Ok(())
}

/// Root of a namespace of one's own: ACLs and modes can be set, but there is nobody else to be.
fn ordinary_user() -> Outcome {
    let tests = ["test", "--workspace", "--no-fail-fast", "--", "--skip", AS_ROOT];
    let inner = cargo(tests);
    let mut outer = command("unshare", ["--user", "--map-root-user", "--mount", "sh", "-euc"]);
    outer.args([NAMESPACE, "tests"]).arg(inner.get_program()).args(inner.get_args());
    let outcome = run(outer);

    let all = answer(cargo(["test", "--workspace", "--quiet", "--", "--list"])).unwrap_or_default();
    let left_out: Vec<&str> =
        all.lines().filter_map(|line| line.strip_suffix(": test")).filter(|name| name.contains(AS_ROOT)).collect();
    println!("\nleft out, because they need root:");
    for name in &left_out {
        println!("  {name}");
    }
    outcome?;
    Err(format!(
        "what ran holds, but {} tests were left out; run it as root, in a container for instance",
        left_out.len()
    ))
}
