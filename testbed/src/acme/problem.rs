//! Problem documents (RFC 9457) with the types of ACME (RFC 8555 §6.7).

use std::borrow::Cow;
use std::fmt;

use serde_json::{Value, json};

/// What went wrong, by the names of the registry "ACME Error Types".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is described in RFC 8555 §6.7, RFC 9773 §5 or the profiles draft")]
pub enum ProblemKind {
    AccountDoesNotExist,
    AlreadyReplaced,
    AlreadyRevoked,
    BadCsr,
    BadNonce,
    BadPublicKey,
    BadRevocationReason,
    BadSignatureAlgorithm,
    Caa,
    Compound,
    Connection,
    Dns,
    ExternalAccountRequired,
    IncorrectResponse,
    InvalidContact,
    InvalidProfile,
    Malformed,
    OrderNotReady,
    RateLimited,
    RejectedIdentifier,
    ServerInternal,
    Tls,
    Unauthorized,
    UnsupportedContact,
    UnsupportedIdentifier,
    UserActionRequired,
    /// Any other URI, as it is to be written.
    Other(String),
}

impl ProblemKind {
    /// Those of the registry.
    const KNOWN: [Self; 26] = [
        Self::AccountDoesNotExist,
        Self::AlreadyReplaced,
        Self::AlreadyRevoked,
        Self::BadCsr,
        Self::BadNonce,
        Self::BadPublicKey,
        Self::BadRevocationReason,
        Self::BadSignatureAlgorithm,
        Self::Caa,
        Self::Compound,
        Self::Connection,
        Self::Dns,
        Self::ExternalAccountRequired,
        Self::IncorrectResponse,
        Self::InvalidContact,
        Self::InvalidProfile,
        Self::Malformed,
        Self::OrderNotReady,
        Self::RateLimited,
        Self::RejectedIdentifier,
        Self::ServerInternal,
        Self::Tls,
        Self::Unauthorized,
        Self::UnsupportedContact,
        Self::UnsupportedIdentifier,
        Self::UserActionRequired,
    ];

    /// From the `type` of a problem document.
    pub fn read(uri: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|kind| kind.to_string() == uri);
        known.unwrap_or_else(|| Self::Other(uri.to_owned()))
    }

    /// Its name in the registry, and the status that goes with it.
    fn facts(&self) -> (&str, u16) {
        match self {
            Self::AccountDoesNotExist => ("accountDoesNotExist", 400),
            Self::AlreadyReplaced => ("alreadyReplaced", 409),
            Self::AlreadyRevoked => ("alreadyRevoked", 400),
            Self::BadCsr => ("badCSR", 400),
            Self::BadNonce => ("badNonce", 400),
            Self::BadPublicKey => ("badPublicKey", 400),
            Self::BadRevocationReason => ("badRevocationReason", 400),
            Self::BadSignatureAlgorithm => ("badSignatureAlgorithm", 400),
            Self::Caa => ("caa", 403),
            Self::Compound => ("compound", 400),
            Self::Connection => ("connection", 400),
            Self::Dns => ("dns", 400),
            Self::ExternalAccountRequired => ("externalAccountRequired", 403),
            Self::IncorrectResponse => ("incorrectResponse", 403),
            Self::InvalidContact => ("invalidContact", 400),
            Self::InvalidProfile => ("invalidProfile", 400),
            Self::Malformed => ("malformed", 400),
            Self::OrderNotReady => ("orderNotReady", 403),
            Self::RateLimited => ("rateLimited", 429),
            Self::RejectedIdentifier => ("rejectedIdentifier", 400),
            Self::ServerInternal => ("serverInternal", 500),
            Self::Tls => ("tls", 400),
            Self::Unauthorized => ("unauthorized", 403),
            Self::UnsupportedContact => ("unsupportedContact", 400),
            Self::UnsupportedIdentifier => ("unsupportedIdentifier", 400),
            Self::UserActionRequired => ("userActionRequired", 403),
            Self::Other(uri) => (uri, 400),
        }
    }
}

impl fmt::Display for ProblemKind {
    /// As the `type` of a problem document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(uri) => f.write_str(uri),
            known => write!(f, "urn:ietf:params:acme:error:{}", known.facts().0),
        }
    }
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What went wrong.
    pub kind: ProblemKind,
    /// The status of the answer.
    pub status: u16,
    /// A sentence for people.
    pub detail: String,
    /// More fields of the document, by their names (RFC 9457 §3.2).
    pub more: Vec<(Cow<'static, str>, Value)>,
    /// Header fields of the answer, such as `Retry-After`.
    pub headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A refusal with the status that goes with its kind.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let status = kind.facts().1;
        Self { kind, status, detail: detail.into(), more: Vec::new(), headers: Vec::new() }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: Value) -> Self {
        self.more.push((name.into(), value));
        self
    }

    /// The same with one more header field.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// One refusal for several identifiers, each with its own reason in `subproblems` (RFC 8555 §6.7.1). Its kind is that of
    /// all of them, or `compound`.
    pub(crate) fn of_identifiers(detail: impl Into<String>, parts: Vec<(Value, Self)>) -> Self {
        let first = parts.first().map(|(_, problem)| (problem.kind.clone(), problem.status));
        let same = first.filter(|(kind, _)| parts.iter().all(|(_, problem)| problem.kind == *kind));
        let (kind, status) = same.unwrap_or((ProblemKind::Compound, 400));
        let shown = parts.into_iter().map(|(identifier, problem)| {
            let mut document = problem.document();
            if let Some(fields) = document.as_object_mut() {
                fields.remove("status");
                fields.insert("identifier".to_owned(), identifier);
            }
            document
        });
        Self::new(kind, detail).with_status(status).with("subproblems", shown.collect())
    }

    /// From a document that was written here.
    pub(crate) fn read(document: &Value) -> Self {
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        let status = document.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let fields = document.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "type" | "detail" | "status"));
        let problem = Self::new(ProblemKind::read(text("type")), text("detail"));
        let problem = fields.fold(problem, |problem, (name, value)| problem.with(name.clone(), value.clone()));
        match status {
            Some(status) => problem.with_status(status),
            None => problem,
        }
    }

    /// The document.
    pub fn document(&self) -> Value {
        let mut document = json!({ "type": self.kind.to_string(), "detail": self.detail, "status": self.status });
        for (name, value) in &self.more {
            if let Some(fields) = document.as_object_mut() {
                fields.insert(name.clone().into_owned(), value.clone());
            }
        }
        document
    }
}

pub(crate) fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::Malformed, detail)
}

pub(crate) fn unauthorized(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::Unauthorized, detail)
}

/// An error of the library that should not happen here.
pub(crate) fn internal(error: &certwright::Error) -> Problem {
    Problem::new(ProblemKind::ServerInternal, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_reasons_are_one_document() {
        let part = |name: &str, kind| (json!({ "type": "dns", "value": name }), Problem::new(kind, "no"));
        let same = vec![part("a.example", ProblemKind::Caa), part("b.example", ProblemKind::Caa)];
        let same = Problem::of_identifiers("refused", same);
        assert_eq!((&same.kind, same.status), (&ProblemKind::Caa, 403));
        let expected = json!({
            "type": "urn:ietf:params:acme:error:caa", "detail": "no", "identifier": { "type": "dns", "value": "b.example" },
        });
        assert_eq!(same.document()["subproblems"][1], expected);
        let mixed = vec![part("a.example", ProblemKind::Caa), part("b.example", ProblemKind::Dns)];
        assert_eq!(Problem::of_identifiers("refused", mixed).kind, ProblemKind::Compound);
    }

    #[test]
    fn a_document_has_the_shape_of_rfc_8555() {
        let problem = Problem::new(ProblemKind::BadSignatureAlgorithm, "no").with("algorithms", json!(["ES256"]));
        let expected = json!({
            "type": "urn:ietf:params:acme:error:badSignatureAlgorithm",
            "detail": "no", "status": 400, "algorithms": ["ES256"],
        });
        assert_eq!(problem.document(), expected);
        assert_eq!(ProblemKind::Other("about:blank".to_owned()).to_string(), "about:blank");
        assert_eq!(Problem::read(&expected), problem);
        assert_eq!(ProblemKind::read("about:blank"), ProblemKind::Other("about:blank".to_owned()));
    }
}
