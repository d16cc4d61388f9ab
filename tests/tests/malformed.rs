//! What no client should send, at every place of the test bed: the right error, never a panic, and no memory that grows.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

#[path = "malformed/crowd.rs"]
mod crowd;
#[path = "malformed/csr.rs"]
mod csr;
#[path = "malformed/jws.rs"]
mod jws;

use std::io;

use certwright_testbed::{Settings, Validation};
use certwright_tests::bed::Bed;
use certwright_tests::http::Answer;
use certwright_tests::raw::Raw;
use serde_json::Value;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A test bed that believes, and a client that has an account and an order with a certificate.
struct Stage {
    bed: Bed,
    raw: Raw,
    order: Value,
    certificate: String,
}

impl Stage {
    fn new() -> io::Result<Self> {
        let bed = Bed::with(Settings { validation: Validation::Believed, ..Settings::default() })?;
        let mut raw = Raw::new(bed.server.directory(), &bed.trust())?;
        raw.register()?;
        let order = ready(&raw, "done.example")?;
        let url = order["finalize"].as_str().unwrap();
        let wish = csr::wish(&csr::of(&["done.example"]));
        let done = raw.post(url, &wish)?.success(url)?;
        let done: Value = serde_json::from_slice(&done.body)?;
        let certificate = done["certificate"].as_str().unwrap().to_owned();
        let order = ready(&raw, "a.example")?;
        Ok(Self { bed, raw, order, certificate })
    }

    /// Every place that takes signed requests, with a payload that it takes.
    fn places(&self) -> Vec<(String, &'static str)> {
        let account = self.raw.account.clone().unwrap();
        let authorization = self.order["authorizations"][0].as_str().unwrap().to_owned();
        let shown = self.raw.fetch(&authorization).unwrap();
        let challenge = shown["challenges"][0]["url"].as_str().unwrap().to_owned();
        let order = self.order["finalize"].as_str().unwrap().strip_suffix("/finalize").unwrap().to_owned();
        let identifier = r#"{"identifier":{"type":"dns","value":"a.example"}}"#;
        let identifiers = r#"{"identifiers":[{"type":"dns","value":"a.example"}]}"#;
        vec![
            (self.raw.url("newAccount"), r#"{"termsOfServiceAgreed":true}"#),
            (self.raw.url("newOrder"), identifiers),
            (self.raw.url("newAuthz"), identifier),
            (self.raw.url("keyChange"), "{}"),
            (self.raw.url("revokeCert"), "{}"),
            (format!("{account}/orders"), ""),
            (account, "{}"),
            (order.clone(), ""),
            (format!("{order}/finalize"), "{}"),
            (authorization, ""),
            (challenge, "{}"),
            (self.certificate.clone(), ""),
        ]
    }
}

/// An order whose authorizations are valid.
fn ready(raw: &Raw, name: &str) -> io::Result<Value> {
    let (url, order) = raw.order(&[name])?;
    let authorization = raw.fetch(order["authorizations"][0].as_str().unwrap())?;
    let challenge = authorization["challenges"][0]["url"].as_str().unwrap();
    raw.post(challenge, "{}")?.success(challenge)?;
    raw.fetch(&url)
}

/// The type of a refusal, which has to be a whole one: a problem document with its status, and a nonce for the next request.
fn refusal(answer: &Answer, what: &str) -> String {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{what}: {answer:?}"));
    assert_eq!(answer.field("Content-Type"), Some("application/problem+json"), "{what}: {problem}");
    assert_eq!(problem["status"], u64::from(answer.status), "{what}: {problem}");
    assert!(answer.status < 500, "{what}: {problem}");
    assert!(answer.field("Replay-Nonce").is_some(), "{what}: {}", answer.head);
    let kind = problem["type"].as_str().unwrap_or_default();
    kind.strip_prefix("urn:ietf:params:acme:error:").unwrap_or_else(|| panic!("{what}: {problem}")).to_owned()
}
