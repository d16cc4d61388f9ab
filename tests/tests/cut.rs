//! The command killed in the middle of an order, at the test bed: what it left is taken up, or taken away, by the next run.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use certwright::report::{Outcome, StatusReport};
use certwright::{
    Builder, Cancel, Challenge, ChallengeKind, Config, Error, ErrorKind, Lifecycle, Options, PrivateKey, Selection,
    Solver,
};
use certwright_testbed::{Endpoint, Fault, Occurrence, Problem, ProblemKind};
use certwright_tests::bed::Bed;
use certwright_tests::cli::{self, Ran, certwright};
use certwright_tests::until::until;
use rustix::process::{Pid, Signal, kill_process};

const LIMIT: Duration = Duration::from_secs(60);

/// A lineage whose answers are files in a document root, at a test bed that believes them.
struct Stage {
    bed: Bed,
}

impl Stage {
    fn new() -> Self {
        let bed = Bed::believing().unwrap();
        fs::create_dir(bed.scratch.join("web")).unwrap();
        let stage = Self { bed };
        let web = stage.bed.scratch.join("web");
        stage.configure(&format!("{{ type = \"http-01\", webroot = \"{}\" }}", web.display()));
        stage
    }

    fn configure(&self, solver: &str) {
        let at = |name: &str| self.bed.scratch.join(name).display().to_string();
        let text = format!(
            "version = 1\nroot = \"{}\"\n[issuer.public]\ntype = \"acme\"\ndirectory = \"{}\"\ntrust = \"{}\"\n\
             limit = \"60s\"\nsolver = {solver}\n\
             [lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"public\"\n",
            at("store"),
            self.bed.server.directory(),
            at("trust.pem"),
        );
        fs::write(self.config(), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.bed.scratch.join("certwright.toml")
    }

    fn certwright(&self, verb: &str) -> Ran {
        certwright([verb.as_ref(), "-c".as_ref(), self.config().as_os_str()]).unwrap()
    }

    /// Start `apply`, and kill it once it waits for an answer of this endpoint.
    fn killed_at(&self, endpoint: Endpoint) {
        self.bed.server.faults().on(endpoint, Occurrence::Every, Fault::Hang);
        let mut apply = cli::command(["apply".as_ref(), "-c".as_ref(), self.config().as_os_str()]);
        let mut running = Running(apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        until(LIMIT, "the command waits", || match self.count(endpoint) {
            0 => Err(io::Error::other("nothing was asked there yet")),
            _ => Ok(()),
        })
        .unwrap();
        let pid = Pid::from_child(&running.0);
        kill_process(pid, Signal::KILL).unwrap();
        assert_eq!(running.0.wait().unwrap().code(), None, "it was not killed");
        self.bed.server.faults().clear();
        self.bed.server.clear_log();
    }

    fn count(&self, endpoint: Endpoint) -> usize {
        self.bed.server.log().iter().filter(|entry| entry.endpoint == endpoint).count()
    }

    /// What is in the document root.
    fn answers(&self) -> Vec<PathBuf> {
        let challenges = self.bed.scratch.join("web/.well-known/acme-challenge");
        fs::read_dir(challenges).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The order was finalized: the authority has issued, and nobody fetched it.
#[test]
fn killed_between_finalize_and_download_the_same_certificate_is_fetched() {
    let stage = Stage::new();
    stage.killed_at(Endpoint::Certificate);
    let [issued] = stage.bed.server.issued().try_into().unwrap();
    let kept = fs::read_to_string(stage.bed.scratch.join("store/www/order/order.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let key = PrivateKey::from_pem(kept["key"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(key.fingerprint(), issued.key_fingerprint());

    let ran = stage.certwright("apply");
    assert_eq!(ran.code, 0, "{}", ran.said());
    // Neither ordered nor finalized again, and no answer given.
    let asked = [Endpoint::NewOrder, Endpoint::Finalize, Endpoint::Challenge, Endpoint::Certificate];
    assert_eq!(asked.map(|endpoint| stage.count(endpoint)), [0, 0, 0, 1]);
    assert_eq!(stage.bed.server.issued().len(), 1);
    let current = stage.bed.scratch.join("store/www/current");
    let leaf = certwright::Chain::from_pem(&fs::read(current.join("fullchain.pem")).unwrap()).unwrap();
    assert_eq!(leaf.leaf().fingerprint(), issued.fingerprint());
    let placed = PrivateKey::from_pem(&fs::read(current.join("key.pem")).unwrap()).unwrap();
    assert_eq!(placed.fingerprint(), key.fingerprint());
    assert!(!stage.bed.scratch.join("store/www/order").exists(), "the key stays where it is of no use any more");
    assert_eq!(stage.certwright("apply").code, 0);
    assert_eq!(stage.count(Endpoint::NewOrder), 0);
}

#[test]
fn killed_with_an_answer_in_place_the_next_run_takes_it_away() {
    let stage = Stage::new();
    stage.killed_at(Endpoint::Challenge);
    let [left] = stage.answers().try_into().unwrap();
    let status = stage.certwright("status");
    assert_eq!(status.code, 1, "{}", status.said());
    let told = "the answer to the http-01 challenge of public for www.example.org may be in place still";
    assert!(status.stdout.contains(told), "{}", status.said());
    let token = left.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(!status.said().contains(&token), "a token is shown: {}", status.said());
    // The authority has forgotten the order: nothing but our own record tells of that answer.
    let gone = Problem::new(ProblemKind::Malformed, "there is no such order").with_status(404);
    stage.bed.server.faults().on(Endpoint::Order, Occurrence::Only(1), Fault::Refuse(gone));
    let ran = stage.certwright("apply");
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!((stage.answers(), stage.count(Endpoint::NewOrder)), (Vec::<PathBuf>::new(), 1));
    let status = stage.certwright("status");
    assert_eq!(status.code, 0, "{}", status.said());
}

/// A solver that cannot take away what it put in place, so many times.
#[derive(Debug, Default)]
struct Reluctant {
    presented: AtomicU32,
    refusals: AtomicU32,
    cleaned: AtomicU32,
}

impl Solver for Reluctant {
    fn present(&self, _: &Challenge, _: &Cancel) -> certwright::Result<()> {
        self.presented.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn clean_up(&self, challenge: &Challenge) -> certwright::Result<()> {
        assert!(!challenge.key_authorization().expose().is_empty());
        let refuses = self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if refuses.is_ok() {
            return Err(Error::new(ErrorKind::Network, "the name server cannot be reached"));
        }
        self.cleaned.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Dns01]
    }
}

fn unsettled(lifecycle: &Lifecycle) -> (Outcome, Vec<String>) {
    let StatusReport { lineages, .. } = lifecycle.status(&Selection::All).unwrap();
    (lineages[0].outcome, lineages[0].unsettled.clone())
}

#[test]
fn a_clean_up_that_fails_costs_no_certificate_and_is_tried_again_at_every_run() {
    let stage = Stage::new();
    stage.configure("[]");
    let text = fs::read_to_string(stage.config()).unwrap();
    let solver = Arc::new(Reluctant::default());
    // A lifecycle as a new process would make it: it knows what is on disk.
    let lifecycle = || {
        let config = Config::parse(&text, &stage.config()).unwrap();
        Builder::new(config).solver(solver.clone()).build().unwrap()
    };
    let apply = || lifecycle().apply(&Selection::All, &Options::default()).unwrap().lineages.remove(0);
    let told = |times: u32| {
        format!(
            "the answer to the dns-01 challenge of public for www.example.org could not be taken away \
             ({times} times): the name server cannot be reached"
        )
    };
    // Two tries in the run that gave it.
    solver.refusals.store(2, Ordering::Relaxed);
    let report = apply();
    assert_eq!((report.outcome, report.changed), (Outcome::Well, true), "{report:?}");
    assert!(report.notes.iter().any(|note| note.starts_with(&told(1))), "{:?}", report.notes);
    let (outcome, sentences) = unsettled(&lifecycle());
    assert_eq!(outcome, Outcome::Failed);
    assert!(sentences.len() == 1 && sentences[0].starts_with(&told(1)), "{sentences:?}");
    // One in the next, which has nothing else to do, and says when it is tried again.
    solver.refusals.store(1, Ordering::Relaxed);
    let report = apply();
    assert_eq!((report.outcome, report.changed), (Outcome::Well, false));
    assert!(report.notes[0].starts_with(&told(2)), "{:?}", report.notes);
    assert!(report.next < report.renewal, "{:?} is not before the renewal", report.next);
    assert!(unsettled(&lifecycle()).1[0].starts_with(&told(2)));
    // And then it works, once.
    let report = apply();
    assert_eq!((report.outcome, report.changed, report.notes.len()), (Outcome::Well, false, 0), "{report:?}");
    assert_eq!(unsettled(&lifecycle()), (Outcome::Well, Vec::new()));
    apply();
    assert_eq!([&solver.presented, &solver.cleaned].map(|count| count.load(Ordering::Relaxed)), [1, 1]);
    assert_eq!(stage.count(Endpoint::NewOrder), 1);
}

#[test]
fn an_answer_that_nobody_can_take_away_any_more_goes_into_the_history() {
    let stage = Stage::new();
    stage.killed_at(Endpoint::Challenge);
    assert_eq!(stage.answers().len(), 1);
    stage.configure(&format!("{{ type = \"tls-alpn-01\", listen = \"{}\" }}", stage.bed.tls));
    let ran = stage.certwright("apply");
    assert_eq!(ran.code, 0, "{}", ran.said());
    let config = Config::parse(&fs::read_to_string(stage.config()).unwrap(), &stage.config()).unwrap();
    let status = Lifecycle::open(config).unwrap().status(&Selection::All).unwrap();
    let event = status.lineages[0].history.iter().find(|event| event.event == "answer_left").unwrap();
    assert!(
        event.detail.as_ref().unwrap().contains("no solver that is configured gives such answers any more"),
        "{event:?}"
    );
    assert_eq!(status.outcome, Outcome::Well);
}
