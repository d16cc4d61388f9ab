//! Every type of problem that ACME has, provoked: here and, where it has the feature, by the same request from Pebble.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

#[path = "problems/challenges.rs"]
mod challenges;
#[path = "problems/ours.rs"]
mod ours;
#[path = "problems/requests.rs"]
mod requests;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use certwright::{Csr, KeyAlgorithm, PrivateKey, Sans};
use certwright_testbed::{Names, Real, Settings, Validation};
use certwright_tests::bed::Bed;
use certwright_tests::http::Answer;
use certwright_tests::raw::{Raw, encode};
use certwright_tests::servers::challtestsrv::ChallTestSrv;
use certwright_tests::servers::pebble::{BLOCKED, Options, Pebble};
use certwright_tests::until::until;
use serde_json::{Value, json};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// An authority and what is around it.
struct Side<'a> {
    raw: Raw,
    http: SocketAddr,
    tls: SocketAddr,
    names: &'a ChallTestSrv,
}

/// What was answered: a status, and the type of the problem without what all types begin with.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    status: u64,
    kind: String,
    detail: String,
}

impl Told {
    fn of(problem: &Value) -> Self {
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let kind = text("type");
        let kind = kind.strip_prefix("urn:ietf:params:acme:error:").unwrap_or(&kind).to_owned();
        Self { status: problem["status"].as_u64().unwrap_or_default(), kind, detail: text("detail") }
    }

    fn heard(answer: &Answer) -> Self {
        let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let status = u64::from(answer.status);
        match answer.status {
            200..300 => Self { status, kind: "no problem".to_owned(), detail: String::new() },
            _ => Self { status, ..Self::of(&problem) },
        }
    }
}

/// What Pebble says to the same request.
enum Pebbles {
    /// A problem of the same type.
    Same,
    /// Another one, and why ours is so.
    Other(&'static str, &'static str),
}

/// One way to provoke a problem.
struct Provocation {
    what: &'static str,
    kind: &'static str,
    pebbles: Pebbles,
    act: fn(&Side<'_>) -> io::Result<Told>,
}

impl Side<'_> {
    /// The URL of an order whose authorizations are valid, and the order.
    fn ready(&self, name: &str) -> io::Result<(String, Value)> {
        let (url, order) = self.raw.order(&[name])?;
        let answers = challenges::Answers::right(self.http, self.raw.key.thumbprint())?;
        self.names.set_addresses(&format!("{name}."), &[&self.http.ip().to_string()])?;
        self.respond(&order, "http-01")?;
        let order = until(Duration::from_secs(30), "the order is ready", || {
            let order = self.raw.fetch(&url)?;
            if order["status"] == "ready" { Ok(order) } else { Err(io::Error::other(order.to_string())) }
        })?;
        drop(answers);
        Ok((url, order))
    }

    /// Says that the answer to the challenge of the first authorization is in place: the URL of the authorization.
    fn respond(&self, order: &Value, kind: &str) -> io::Result<String> {
        let authorization = order["authorizations"][0].as_str().unwrap_or_default().to_owned();
        let shown = self.raw.fetch(&authorization)?;
        let challenges = shown["challenges"].as_array().cloned().unwrap_or_default();
        let challenge = challenges.iter().find(|one| one["type"] == kind);
        let url = challenge.and_then(|one| one["url"].as_str()).ok_or_else(|| io::Error::other(shown.to_string()))?;
        self.raw.post(url, "{}")?.success(url)?;
        Ok(authorization)
    }

    fn finalize(&self, order: &Value, csr: &[u8]) -> io::Result<Told> {
        let url = order["finalize"].as_str().unwrap_or_default();
        Ok(Told::heard(&self.raw.post(url, &json!({ "csr": encode(csr) }).to_string())?))
    }
}

fn csr(names: &[&str]) -> Vec<u8> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let names = Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap();
    Csr::new(&key, &names).unwrap().der().to_vec()
}

/// Both authorities, one after the other.
fn both(mut act: impl FnMut(bool, &Side<'_>)) -> Outcome {
    let names = ChallTestSrv::start([127, 0, 0, 1].into())?;
    let validation = Validation::Real(Real { names: Names::Server(names.dns), ..Real::default() });
    let bed = Bed::with(Settings { validation, blocked: vec![BLOCKED.parse()?], ..Settings::default() })?;
    let mut raw = Raw::new(bed.server.directory(), &bed.trust())?;
    raw.register()?;
    act(true, &Side { raw, http: bed.http, tls: bed.tls, names: &names });

    let pebble = Pebble::start(Options::default())?;
    let mut raw = Raw::new(&pebble.directory, &pebble.trust)?;
    raw.register()?;
    act(false, &Side { raw, http: pebble.http, tls: pebble.tls, names: &pebble.names });
    Ok(())
}

fn provoke(provocations: &[&[Provocation]]) -> Outcome {
    let mut wrong = Vec::new();
    both(|ours, side| {
        for Provocation { what, kind, pebbles, act } in provocations.iter().copied().flatten() {
            let expected = match (ours, pebbles) {
                (true, _) | (false, Pebbles::Same) => kind,
                (false, Pebbles::Other(kind, _)) => kind,
            };
            let whose = if ours { "the test bed" } else { "Pebble" };
            match act(side) {
                Ok(told) if told.kind == *expected && (!ours || told.detail.len() > 15) => {}
                told => wrong.push(format!("{what}: {whose} says {told:?}, not {expected}")),
            }
        }
    })?;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn requests_are_refused_as_pebble_does() -> Outcome {
    provoke(&[requests::REQUESTS, requests::CERTIFICATES])
}

#[test]
fn challenges_fail_as_pebbles_do() -> Outcome {
    provoke(&[challenges::CHALLENGES])
}

/// What is said differently is in the documentation, with its reason.
#[test]
fn differences_are_written_down() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/testbed.md")).unwrap();
    let all = [requests::REQUESTS, requests::CERTIFICATES, challenges::CHALLENGES, ours::BINDING, ours::TERMS];
    for Provocation { what, kind, pebbles, .. } in all.into_iter().flatten() {
        if let Pebbles::Other(other, why) = pebbles {
            let row = format!("| {what} | `{kind}` | `{other}` | {why} |");
            assert!(page.contains(&row), "docs/testbed.md lacks the row\n{row}");
        }
    }
}

/// Nothing of the registry is left out.
#[test]
fn every_type_is_provoked() {
    let all = [requests::REQUESTS, requests::CERTIFICATES, challenges::CHALLENGES, ours::BINDING, ours::TERMS];
    let mut provoked: Vec<&str> = all.into_iter().flatten().map(|one| one.kind).collect();
    provoked.extend(ours::KINDS);
    // RFC 8555 §6.7, RFC 9773 §7.3, and the profiles draft.
    for kind in [
        "accountDoesNotExist",
        "alreadyRevoked",
        "badCSR",
        "badNonce",
        "badPublicKey",
        "badRevocationReason",
        "badSignatureAlgorithm",
        "caa",
        "compound",
        "connection",
        "dns",
        "externalAccountRequired",
        "incorrectResponse",
        "invalidContact",
        "malformed",
        "orderNotReady",
        "rateLimited",
        "rejectedIdentifier",
        "serverInternal",
        "tls",
        "unauthorized",
        "unsupportedContact",
        "unsupportedIdentifier",
        "userActionRequired",
        "alreadyReplaced",
        "invalidProfile",
    ] {
        assert!(provoked.contains(&kind), "nothing provokes {kind}");
    }
}
