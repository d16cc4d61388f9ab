//! What an inspection has to say, each with the rule that it comes from.

use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Against a rule or a recommendation, but accepted in practice.
    Warning,
    /// A careful client or CA does not accept it.
    Error,
}

impl Severity {
    /// The stable word used in reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One thing found by [`inspect`](crate::inspect()).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// A stable name, such as `name-missing`.
    pub code: &'static str,
    /// The rule: a section of an RFC, or of the Baseline Requirements of the CA/Browser Forum (`BR`, version 2.1).
    pub reference: &'static str,
    /// What it is about, such as ``leaf `www.example.org` ``.
    pub about: String,
    /// What was found, in one line.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} ({}, {})", self.severity, self.about, self.message, self.code, self.reference)
    }
}

/// Collects findings about one thing.
#[derive(Debug)]
pub(super) struct Findings {
    about: String,
    found: Vec<Finding>,
}

impl Findings {
    pub(super) fn about(about: impl Into<String>) -> Self {
        Self { about: about.into(), found: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        reference: &'static str,
        message: impl Into<String>,
    ) {
        self.found.push(Finding { severity, code, reference, about: self.about.clone(), message: message.into() });
    }

    pub(super) fn error(&mut self, code: &'static str, reference: &'static str, message: impl Into<String>) {
        self.add(Severity::Error, code, reference, message);
    }

    pub(super) fn warn(&mut self, code: &'static str, reference: &'static str, message: impl Into<String>) {
        self.add(Severity::Warning, code, reference, message);
    }

    pub(super) fn note(&mut self, code: &'static str, reference: &'static str, message: impl Into<String>) {
        self.add(Severity::Notice, code, reference, message);
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}
