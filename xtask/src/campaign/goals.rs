//! What a campaign tries, and how much of it.

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// A quarter of an hour.
    Short,
    /// Days: before a release.
    Full,
}

/// One thing that must never happen, and the suite that tries to make it happen.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) name: &'static str,
    pub(super) way: Way,
}

/// How it is tried.
#[derive(Debug)]
pub(super) enum Way {
    /// A suite in `tests/tests/`, those of its tests whose path contains `filter`.
    Suite { test: &'static str, filter: &'static str, knobs: &'static [Knob] },
    /// Every fuzz target.
    Fuzz,
}

/// An environment variable that a suite reads.
#[derive(Debug)]
pub(super) struct Knob {
    pub(super) name: &'static str,
    short: &'static str,
    full: &'static str,
}

impl Knob {
    const fn new(name: &'static str, short: &'static str, full: &'static str) -> Self {
        Self { name, short, full }
    }

    pub(super) const fn value(&self, size: Size) -> &'static str {
        match size {
            Size::Short => self.short,
            Size::Full => self.full,
        }
    }
}

/// How long each fuzz target runs.
pub(super) const fn fuzz_seconds(size: Size) -> u32 {
    match size {
        Size::Short => 20,
        Size::Full => 86_400,
    }
}

/// Everything that is tried.
pub(super) const GOALS: &[Goal] = &[
    Goal {
        name: "crash",
        way: Way::Suite {
            test: "crash",
            filter: "",
            knobs: &[
                Knob::new("CERTWRIGHT_CUTS", "100", "10000"),
                Knob::new("CERTWRIGHT_ERRNOS", "8", "8"),
                Knob::new("CERTWRIGHT_NESTED", "0", "1"),
            ],
        },
    },
    Goal { name: "kill", way: Way::Suite { test: "kill", filter: "", knobs: &[] } },
    Goal {
        name: "access",
        way: Way::Suite { test: "access", filter: "kernel", knobs: &[Knob::new("CERTWRIGHT_TREES", "1000", "72000")] },
    },
    Goal {
        name: "race",
        way: Way::Suite { test: "access", filter: "race", knobs: &[Knob::new("CERTWRIGHT_TRIES", "25000", "2500000")] },
    },
    Goal {
        name: "torn",
        way: Way::Suite { test: "torn", filter: "", knobs: &[Knob::new("CERTWRIGHT_DEPLOYMENTS", "3000", "6000000")] },
    },
    Goal {
        name: "seconds",
        way: Way::Suite {
            test: "step_ca",
            filter: "ten_seconds",
            knobs: &[Knob::new("CERTWRIGHT_RENEWALS", "20", "10000")],
        },
    },
    Goal { name: "fuzz", way: Way::Fuzz },
];
