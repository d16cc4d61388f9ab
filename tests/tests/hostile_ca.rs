//! The ACME issuer against an authority that means no good, or cannot help it: whatever comes, the answer is a typed error in
//! time, nothing is believed that was not asked for, and what was there before stays.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

#[path = "hostile_ca/bodies.rs"]
mod bodies;
#[path = "hostile_ca/certificates.rs"]
mod certificates;
#[path = "hostile_ca/connections.rs"]
mod connections;
#[path = "hostile_ca/refusals.rs"]
mod refusals;
#[path = "hostile_ca/renewal.rs"]
mod renewal;
#[path = "hostile_ca/strings.rs"]
mod strings;
#[path = "hostile_ca/traced.rs"]
mod traced;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certwright::{AcmeClient, Error, ErrorKind, Issued};
use certwright_testbed::{Endpoint, Fault, Occurrence, Problem, ProblemKind};
use certwright_tests::bed::{Bed, Idle, order};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Everything that an order for a name meets on its way, account included.
const WAY: [Endpoint; 8] = [
    Endpoint::Directory,
    Endpoint::NewNonce,
    Endpoint::NewAccount,
    Endpoint::NewOrder,
    Endpoint::Authorization,
    Endpoint::Challenge,
    Endpoint::Finalize,
    Endpoint::Certificate,
];

/// A client of a bed that believes, with so much time for an order, and the solver that it asks.
fn client(bed: &Bed, limit: Duration) -> (AcmeClient, Arc<Idle>) {
    let solver = Arc::new(Idle::default());
    let mut wish = bed.wish();
    wish.limit = limit;
    (bed.client_with(wish, vec![solver.clone()]).unwrap(), solver)
}

/// The files below a directory, by their paths in it.
fn files(below: &Path) -> BTreeSet<String> {
    fn walk(at: &Path, below: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, below, found);
            } else {
                found.insert(path.strip_prefix(below).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(below, below, &mut found);
    found
}

/// What a client may leave behind: its account, and nothing that was named by the authority.
fn only_the_account(bed: &Bed) {
    let expected =
        [".issuers/public/.lock", ".issuers/public/account.json", ".issuers/public/account.pem", "trust.pem"];
    let strange: Vec<String> =
        files(bed.scratch.path()).into_iter().filter(|file| !expected.contains(&file.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

/// An error that people can read, whatever the authority wrote: no control characters, and not without end.
fn presentable(error: &Error) {
    let shown = format!("{error}\n{error:#}\n{:?}", error.hint_text());
    let control = shown.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
    assert_eq!(control, None, "{shown:?}");
    assert!(shown.len() < 64 * 1024, "an error of {} bytes", shown.len());
    assert_ne!(error.kind(), ErrorKind::Bug, "{shown}");
}

fn problem(kind: ProblemKind) -> Fault {
    Fault::Refuse(Problem::new(kind, "as the test wishes"))
}
