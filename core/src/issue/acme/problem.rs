//! Problem documents (RFC 8555 §6.7, RFC 9457): what an authority says when it says no, shown whole, and what to do about it.

use std::time::Duration;

use serde_json::Value;

use crate::ground::error::{Error, ErrorKind, Public, Retry};
use crate::ground::time::Timestamp;
use crate::issue::http::{Answer, bounded};

const NAMESPACE: &str = "urn:ietf:params:acme:error:";
/// More parts of a problem than anybody reads in an error.
const MOST_PARTS: usize = 20;
/// When to come back to an authority that limits without saying for how long.
const UNSAID_LIMIT: Duration = Duration::from_secs(3600);

/// What was being done when the problem came up: the same word means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A request of ours was refused.
    Request,
    /// The authority looked for the answer to a challenge.
    Validation,
}

/// A problem document, cut to what an error can show. Whatever is of the wrong type is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Problem {
    kind: String,
    detail: String,
    instance: String,
    parts: Vec<Part>,
    /// How many parts were left out.
    more: usize,
}

/// What a subproblem says about one identifier (RFC 8555 §6.7.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Part {
    identifier: String,
    kind: String,
    detail: String,
}

impl Problem {
    /// The problem that this value is; `None` when it says neither what kind it is nor anything else.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |value: &Value, name: &str| bounded(value.get(name).and_then(Value::as_str).unwrap_or_default());
        let kind = |value: &Value| {
            let kind = text(value, "type");
            kind.strip_prefix(NAMESPACE).map_or(kind.clone(), str::to_owned)
        };
        let parts = value.get("subproblems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let part = |part: &Value| Part {
            identifier: part.get("identifier").map(|one| text(one, "value")).unwrap_or_default(),
            kind: kind(part),
            detail: text(part, "detail"),
        };
        let mut detail = text(value, "detail");
        if detail.is_empty() {
            detail = text(value, "title");
        }
        let problem = Self {
            kind: kind(value),
            detail,
            instance: text(value, "instance"),
            parts: parts.iter().take(MOST_PARTS).map(part).collect(),
            more: parts.len().saturating_sub(MOST_PARTS),
        };
        (!problem.kind.is_empty() || !problem.detail.is_empty()).then_some(problem)
    }

    /// The problem that an answer is, or that stands in its `error`.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let value: Value = serde_json::from_slice(&answer.body).ok()?;
        if answer.status.is_success() { Self::read(value.get("error")?) } else { Self::read(&value) }
    }

    /// Whether it is of this kind of RFC 8555.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// The error that it is, with every part of it.
    pub(super) fn error(&self, stage: Stage, told: Option<Duration>, now: Timestamp) -> Error {
        let limited = self.is("rateLimited") || self.parts.iter().any(|part| part.kind == "rateLimited");
        let (kind, message) = match (self.kind.as_str(), stage) {
            _ if limited => (ErrorKind::RateLimited, "the authority limits how often it is asked"),
            ("badNonce", _) => (ErrorKind::Network, "the authority goes on refusing its own nonces"),
            ("serverInternal", _) => (ErrorKind::Network, "the authority has trouble of its own"),
            ("caa" | "rejectedIdentifier" | "unsupportedIdentifier", _) => {
                (ErrorKind::Refused, "the authority will not issue for an identifier")
            }
            (_, Stage::Validation) => (ErrorKind::ChallengeFailed, "the authority could not validate an identifier"),
            _ => (ErrorKind::Refused, "the authority refused"),
        };
        let mut error = Error::new(kind, message).context("problem", Public(or_unsaid(&self.kind)));
        if !self.detail.is_empty() {
            error = error.context("detail", Public(&self.detail));
        }
        for part in &self.parts {
            error = error.context("about", Public(&part.shown()));
        }
        if self.more > 0 {
            error = error.context("more", self.more);
        }
        if let Some(hint) = self.hint(kind, stage) {
            error = error.hint(hint);
        }
        error.retry(match (kind, told) {
            (_, Some(told)) => Retry::After(now.saturating_add(told)),
            (ErrorKind::RateLimited, None) => Retry::After(now.saturating_add(UNSAID_LIMIT)),
            (ErrorKind::Network, None) => Retry::Now,
            _ => Retry::Never,
        })
    }

    /// What to do about it.
    fn hint(&self, kind: ErrorKind, stage: Stage) -> Option<String> {
        let hint = match self.kind.as_str() {
            _ if kind == ErrorKind::RateLimited => "wait: the next `apply` after that time asks again",
            "accountDoesNotExist" => {
                "move `account.json` of this issuer away, so that the next run registers the same key again"
            }
            "externalAccountRequired" => {
                "put the key identifier and the MAC key that the authority gave you into `eab`"
            }
            "userActionRequired" if !self.instance.is_empty() => {
                return Some(format!("open {} in a browser and do what it asks for", self.instance.escape_debug()));
            }
            "userActionRequired" => "sign in at the authority and agree to its new terms",
            "invalidContact" | "unsupportedContact" => "correct `contact`: most authorities take `mailto:` alone",
            "invalidProfile" => "correct `profile`, or leave it out",
            "caa" => "add the authority to the CAA records of the domain, or choose another issuer",
            "rejectedIdentifier" | "unsupportedIdentifier" => {
                "remove the identifier, or choose an issuer that takes it"
            }
            "badCSR" | "badPublicKey" => "choose another algorithm in `key`",
            "serverInternal" => {
                "run the same command again later; if it goes on, see what the authority says of its state"
            }
            "alreadyRevoked" => "nothing is left to do: it is revoked",
            "connection" => {
                "let the authority reach this name from outside: DNS records (AAAA too), firewall, port forwarding"
            }
            "dns" => "look the name up at its authoritative servers, and wait until every one of them answers",
            "tls" => "let nothing else answer TLS for this name while the challenge is being met",
            "incorrectResponse" | "unauthorized" if stage == Stage::Validation => {
                "make sure that the authority meets this machine, and no other server or cache, under this name"
            }
            "unauthorized" => "see with `certwright account show` whether the account is still valid",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl Part {
    fn shown(&self) -> String {
        let parts = [&self.identifier, &self.kind, &self.detail];
        parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(": ")
    }
}

fn or_unsaid(kind: &str) -> &str {
    if kind.is_empty() { "about:blank" } else { kind }
}

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// We know it ourselves.
    Ours(Error),
    /// The client library gave up; what the authority answered last says why.
    Library(instant_acme::Error),
    /// The authority answered, and not with success.
    Answered,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<instant_acme::Error> for Fault {
    fn from(error: instant_acme::Error) -> Self {
        match error {
            // Our own errors pass through the library in a box.
            instant_acme::Error::Other(boxed) => match boxed.downcast::<Error>() {
                Ok(ours) => Self::Ours(*ours),
                Err(other) => Self::Library(instant_acme::Error::Other(other)),
            },
            other => Self::Library(other),
        }
    }
}

/// Whether trying the same call again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// At once, with the nonce that came with the refusal.
    Nonce,
    /// After a while: a broken connection, or trouble on the other side.
    Later,
    /// No.
    No,
}

impl Fault {
    /// Whether trying again may help, going by what was answered last.
    pub(super) fn again(&self, last: Option<&Answer>) -> Again {
        match (self, last) {
            (Self::Ours(error), _) if error.kind() == ErrorKind::Network => Again::Later,
            (Self::Ours(_), _) | (_, None) => Again::No,
            (_, Some(answer)) if answer.status.is_server_error() => Again::Later,
            (_, Some(answer)) => match Problem::of(answer) {
                Some(problem) if problem.is("badNonce") => Again::Nonce,
                Some(problem) if problem.is("serverInternal") => Again::Later,
                _ => Again::No,
            },
        }
    }

    /// The error to return.
    pub(super) fn explain(self, call: &'static str, last: Option<&Answer>, now: Timestamp) -> Error {
        let (source, answer) = match (self, last) {
            (Self::Ours(error), _) => return error,
            (Self::Library(source), None) => {
                return Error::new(ErrorKind::Protocol, "the authority's answer cannot be used")
                    .context("call", call)
                    .source(source);
            }
            (Self::Answered, None) => return Error::new(ErrorKind::Bug, "an answer was lost").context("call", call),
            (Self::Library(source), Some(answer)) => (Some(source), answer),
            (Self::Answered, Some(answer)) => (None, answer),
        };
        let told = answer.retry_after(now);
        let error = match Problem::of(answer) {
            Some(problem) => problem.error(Stage::Request, told, now),
            None => no_problem(answer, told, now),
        };
        let error = match source {
            Some(source) if answer.status.is_success() => error.source(source),
            _ => error,
        };
        error
            .context("call", call)
            .context("url", Public(&bounded(&answer.url)))
            .context("status", answer.status.as_u16())
    }
}

/// The error for an answer that is no problem document.
fn no_problem(answer: &Answer, told: Option<Duration>, now: Timestamp) -> Error {
    let after = |otherwise| told.map_or(otherwise, |told| Retry::After(now.saturating_add(told)));
    let html = answer.body.trim_ascii().starts_with(b"<");
    match answer.status.as_u16() {
        429 => Error::new(ErrorKind::RateLimited, "the authority limits how often it is asked")
            .retry(after(Retry::After(now.saturating_add(UNSAID_LIMIT)))),
        500.. => Error::new(ErrorKind::Network, "the authority has trouble of its own").retry(after(Retry::Now)),
        200..=299 => Error::new(ErrorKind::Protocol, "the authority's answer cannot be read"),
        _ if html => Error::new(ErrorKind::Protocol, "a web page was answered in place of an ACME server")
            .hint("check `directory`, and whether a proxy answers for the authority"),
        _ => Error::new(ErrorKind::Protocol, "the authority refused without saying why"),
    }
}

#[cfg(test)]
mod tests;
