//! An answer before it is sent.

use std::time::Duration;

use serde_json::Value;

use crate::acme::problem::Problem;

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", body.to_string().into_bytes())
    }

    pub(crate) fn of(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body }.with("Content-Type", kind)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The seconds that it asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let field = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Retry-After"));
        field.and_then(|(_, value)| value.parse().ok()).map(Duration::from_secs)
    }

    /// Takes every field of this name away.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let body = problem.document().to_string().into_bytes();
        let reply = Self::of(problem.status, "application/problem+json", body);
        problem.headers.into_iter().fold(reply, |reply, (name, value)| reply.with(name, value))
    }
}
