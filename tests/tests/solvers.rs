//! Those who answer challenges, seen with the eyes of an authority: real name servers, real clients of HTTP and TLS, and
//! scripts that were written for other clients.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

#[path = "solvers/knot.rs"]
mod knot;
#[path = "solvers/lasting.rs"]
mod lasting;
#[path = "solvers/listeners.rs"]
mod listeners;
#[path = "solvers/orders.rs"]
mod orders;
#[path = "solvers/scripts.rs"]
mod scripts;
#[path = "solvers/updates.rs"]
mod updates;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use certwright::{Challenge, OsFilesystem, Solver, SolverSpec, SystemClock, solver};
use certwright_tests::conformance::solver::THUMBPRINT;
use certwright_tests::process::run;
use certwright_tests::program::program;

const LIMIT: Duration = Duration::from_secs(60);

fn made(spec: &SolverSpec) -> Arc<dyn Solver> {
    solver(spec, Arc::new(OsFilesystem::new()), Arc::new(SystemClock)).unwrap()
}

/// Token, dot, thumbprint: what an authority expects (RFC 8555 §8.1).
fn authorization(challenge: &Challenge) -> String {
    format!("{}.{THUMBPRINT}", challenge.token())
}

/// Its digest in hexadecimal, and in base64url without padding, by OpenSSL and basenc(1).
fn digests(challenge: &Challenge) -> (String, String) {
    let script = "printf %s \"$1\" | \"$2\" dgst -sha256 -r | cut -d' ' -f1
                  printf %s \"$1\" | \"$2\" dgst -sha256 -binary | basenc --base64url | tr -d =";
    let mut command = Command::new("sh");
    command.args(["-euc", script, "sh", &authorization(challenge)]).arg(program("openssl"));
    let printed = String::from_utf8(run(&mut command, LIMIT).unwrap().stdout).unwrap();
    let (hex, base64) = printed.trim().split_once('\n').unwrap();
    (hex.to_owned(), base64.to_owned())
}
