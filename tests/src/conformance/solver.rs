//! What everyone who answers challenges must keep to, whatever kind it is.

use std::fmt::Debug;
use std::sync::Arc;
use std::thread;

use certwright::{Cancel, Challenge, ChallengeKind, ErrorKind, Solver};

/// The thumbprint of every account here.
pub const THUMBPRINT: &str = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

/// Whether one name may have several answers at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameName {
    /// Each is seen.
    Together,
    /// The authority says nothing but the name, so that there can be one at a time.
    OneAtATime,
}

/// One implementation with a way to look at what it answers.
pub struct Stage<'s> {
    /// Makes a solver as a new run would.
    pub solver: &'s (dyn Fn() -> Arc<dyn Solver> + Sync),
    /// The kind of the challenges.
    pub kind: ChallengeKind,
    /// Whether an authority that looks now sees the answer.
    pub seen: &'s (dyn Fn(&Challenge) -> bool + Sync),
    /// Whether one name may have several answers.
    pub same_name: SameName,
    /// Whether answers outlive the process that gave them.
    pub outlives: bool,
}

impl Debug for Stage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A challenge of the kind, with a token that is made of this word.
///
/// # Panics
///
/// When the name or the word cannot be meant.
#[expect(clippy::expect_used, reason = "the test that asked cannot go on")]
pub fn challenge(kind: ChallengeKind, name: &str, word: &str) -> Challenge {
    let identifier = name.parse().expect("a name");
    if kind == ChallengeKind::DnsPersist01 {
        let account = format!("https://ca.example/account/{word}");
        return Challenge::lasting(&identifier, &["ca.example"], &account).expect("a record");
    }
    let token = format!("{word}-DGyRejmCefe7v4NfDGDKfA");
    Challenge::new(kind, identifier, &token, THUMBPRINT).expect("a token")
}

/// Runs every case.
///
/// # Panics
///
/// When the implementation does not keep to one.
pub fn conforms(stage: &Stage<'_>) {
    stage.answers_repeat_and_go_away();
    stage.others_are_left_alone();
    stage.many_at_once();
    stage.a_new_run_cleans_up();
    stage.cancelled_is_not_begun();
    stage.other_kinds_are_refused();
    stage.nothing_secret_is_shown();
}

#[expect(clippy::expect_used, reason = "a suite that failed may panic")]
impl Stage<'_> {
    fn challenge(&self, name: &str, word: &str) -> Challenge {
        challenge(self.kind, name, word)
    }

    fn put(&self, solver: &Arc<dyn Solver>, challenge: &Challenge) {
        solver.present(challenge, &Cancel::new()).expect("presents");
        solver.wait(challenge, &Cancel::new()).expect("waits");
        assert!((self.seen)(challenge), "{challenge:?} is not to be seen");
    }

    fn take(&self, solver: &Arc<dyn Solver>, challenge: &Challenge) {
        solver.clean_up(challenge).expect("cleans up");
        assert!(!(self.seen)(challenge), "{challenge:?} is still to be seen");
    }

    fn answers_repeat_and_go_away(&self) {
        let (solver, one) = ((self.solver)(), self.challenge("a.example.org", "repeated"));
        self.take(&solver, &one);
        for _ in 0..2 {
            self.put(&solver, &one);
            self.put(&solver, &one);
            self.take(&solver, &one);
            self.take(&solver, &one);
        }
    }

    fn others_are_left_alone(&self) {
        let solver = (self.solver)();
        let second = match self.same_name {
            SameName::Together => "a.example.org",
            SameName::OneAtATime => "b.example.org",
        };
        let (one, other) = (self.challenge("a.example.org", "first"), self.challenge(second, "second"));
        self.put(&solver, &one);
        self.put(&solver, &other);
        assert!((self.seen)(&one), "the second answer took the place of the first");
        self.take(&solver, &one);
        assert!((self.seen)(&other), "the second answer went with the first");
        self.take(&solver, &other);
    }

    fn many_at_once(&self) {
        let solver = (self.solver)();
        thread::scope(|scope| {
            for number in 0..6 {
                let solver = &solver;
                scope.spawn(move || {
                    let name = match self.same_name {
                        SameName::Together => "a.example.org".to_owned(),
                        SameName::OneAtATime => format!("a{number}.example.org"),
                    };
                    for round in 0..3 {
                        let one = self.challenge(&name, &format!("many-{number}-{round}"));
                        self.put(solver, &one);
                        self.take(solver, &one);
                    }
                });
            }
        });
    }

    fn a_new_run_cleans_up(&self) {
        let one = self.challenge("a.example.org", "killed");
        let before = (self.solver)();
        self.put(&before, &one);
        if self.outlives {
            self.take(&(self.solver)(), &one);
        } else {
            drop(before);
            assert!(!(self.seen)(&one), "the answer outlived its solver");
        }
    }

    fn cancelled_is_not_begun(&self) {
        let (solver, one) = ((self.solver)(), self.challenge("a.example.org", "cancelled"));
        let cancel = Cancel::new();
        cancel.cancel();
        let error = solver.present(&one, &cancel).expect_err("presents although it was asked to stop");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        let error = solver.wait(&one, &cancel).expect_err("waits although it was asked to stop");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        self.take(&solver, &one);
    }

    fn other_kinds_are_refused(&self) {
        let solver = (self.solver)();
        assert!(solver.kinds().contains(&self.kind));
        for kind in ChallengeKind::ALL.into_iter().filter(|kind| !solver.kinds().contains(kind)) {
            let other = challenge(kind, "a.example.org", "other");
            let error = solver.present(&other, &Cancel::new()).expect_err("answers a kind that it does not say");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.hint_text().is_some());
        }
    }

    fn nothing_secret_is_shown(&self) {
        let (solver, one) = ((self.solver)(), self.challenge("a.example.org", "canary"));
        self.put(&solver, &one);
        let shown = format!("{solver:?} {one:?}");
        assert!(!shown.contains("canary") && !shown.contains(THUMBPRINT), "{shown}");
        self.take(&solver, &one);
    }
}
