use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        url: "https://ca.example/order".to_owned(),
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

fn problem(kind: &str) -> Problem {
    Problem::read(&json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": "because" })).unwrap()
}

/// RFC 8555 §6.7.1, the example.
#[test]
fn every_subproblem_is_shown() {
    let value = json!({
        "type": "urn:ietf:params:acme:error:malformed",
        "detail": "Some of the identifiers requested were rejected",
        "subproblems": [
            { "type": "urn:ietf:params:acme:error:malformed",
              "detail": "Invalid underscore in DNS name \"_example.org\"",
              "identifier": { "type": "dns", "value": "_example.org" } },
            { "type": "urn:ietf:params:acme:error:rejectedIdentifier",
              "detail": "This CA will not issue for \"example.net\"",
              "identifier": { "type": "dns", "value": "example.net" } }
        ]
    });
    let error = Problem::read(&value).unwrap().error(Stage::Request, None, NOW);
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::Refused, Some("malformed")));
    let about: Vec<_> = error.facts().filter(|(name, _)| *name == "about").map(|(_, value)| value).collect();
    assert_eq!(
        about,
        [
            "_example.org: malformed: Invalid underscore in DNS name \"_example.org\"",
            "example.net: rejectedIdentifier: This CA will not issue for \"example.net\"",
        ]
    );
}

#[test]
fn kinds_say_what_a_program_should_do() {
    for (kind, stage, wanted) in [
        ("rateLimited", Stage::Request, ErrorKind::RateLimited),
        ("badCSR", Stage::Request, ErrorKind::Refused),
        ("rejectedIdentifier", Stage::Request, ErrorKind::Refused),
        ("caa", Stage::Validation, ErrorKind::Refused),
        ("connection", Stage::Validation, ErrorKind::ChallengeFailed),
        ("dns", Stage::Validation, ErrorKind::ChallengeFailed),
        ("tls", Stage::Validation, ErrorKind::ChallengeFailed),
        ("incorrectResponse", Stage::Validation, ErrorKind::ChallengeFailed),
        ("unauthorized", Stage::Validation, ErrorKind::ChallengeFailed),
        ("unauthorized", Stage::Request, ErrorKind::Refused),
        ("serverInternal", Stage::Request, ErrorKind::Network),
        ("accountDoesNotExist", Stage::Request, ErrorKind::Refused),
        ("externalAccountRequired", Stage::Request, ErrorKind::Refused),
        ("userActionRequired", Stage::Request, ErrorKind::Refused),
        ("somethingNew", Stage::Request, ErrorKind::Refused),
    ] {
        let error = problem(kind).error(stage, None, NOW);
        assert_eq!(error.kind(), wanted, "{kind}");
        assert_eq!((error.fact("problem"), error.fact("detail")), (Some(kind), Some("because")));
        assert_eq!(error.hint_text().is_none(), kind == "somethingNew", "{kind}");
    }
}

#[test]
fn a_limit_says_when_to_come_back() {
    let after = |told: Option<u64>| problem("rateLimited").error(Stage::Request, told.map(Duration::from_secs), NOW);
    assert_eq!(after(Some(90)).retry_when(), Retry::After(NOW.saturating_add(Duration::from_secs(90))));
    assert_eq!(after(None).retry_when(), Retry::After(NOW.saturating_add(UNSAID_LIMIT)));
    // A limit may hide in a compound problem.
    let value = json!({ "type": "urn:ietf:params:acme:error:compound", "subproblems": [
        { "type": "urn:ietf:params:acme:error:rateLimited" } ] });
    assert_eq!(Problem::read(&value).unwrap().error(Stage::Request, None, NOW).kind(), ErrorKind::RateLimited);
}

#[test]
fn hostile_documents_are_cut_and_cannot_draw() {
    let many: Vec<Value> = (0..1000).map(|_| json!({ "detail": "x".repeat(5000), "identifier": 5 })).collect();
    let value = json!({ "type": 7, "detail": "\u{1b}[2J$(id)\n", "status": "no", "subproblems": many });
    let error = Problem::read(&value).unwrap().error(Stage::Request, None, NOW);
    assert_eq!(error.fact("detail"), Some("\\u{1b}[2J$(id)\\n"));
    assert_eq!((error.fact("problem"), error.fact("more")), (Some("about:blank"), Some("980")));
    assert!(format!("{error:#}").len() < 40_000);
    let instance = json!({ "type": "urn:ietf:params:acme:error:userActionRequired", "instance": "\u{1b}x" });
    let error = Problem::read(&instance).unwrap().error(Stage::Request, None, NOW);
    assert!(!error.hint_text().unwrap().contains('\u{1b}'));
    for nothing in [json!({}), json!([]), json!("text"), json!({ "type": "", "detail": "" })] {
        assert_eq!(Problem::read(&nothing), None);
    }
}

#[test]
fn what_the_library_hides_comes_from_the_answer() {
    let library = || Fault::from(instant_acme::Error::Str("something"));
    for (status, body, kind, again) in [
        (502, "<html>Bad Gateway</html>", ErrorKind::Network, Again::Later),
        (503, "", ErrorKind::Network, Again::Later),
        (429, "", ErrorKind::RateLimited, Again::No),
        (403, "<html>proxy</html>", ErrorKind::Protocol, Again::No),
        (404, "", ErrorKind::Protocol, Again::No),
        (200, "not json", ErrorKind::Protocol, Again::No),
        (400, r#"{"type":"urn:ietf:params:acme:error:badNonce"}"#, ErrorKind::Network, Again::Nonce),
        (400, r#"{"type":"urn:ietf:params:acme:error:badCSR"}"#, ErrorKind::Refused, Again::No),
        // A challenge that was set ready may answer with its own failure.
        (200, r#"{"error":{"type":"urn:ietf:params:acme:error:caa"}}"#, ErrorKind::Refused, Again::No),
    ] {
        let answer = answer(status, body);
        assert_eq!(library().again(Some(&answer)), again, "{status} {body}");
        let error = library().explain("new order", Some(&answer), NOW);
        assert_eq!((error.kind(), error.fact("call")), (kind, Some("new order")), "{status} {body}");
        assert_eq!(error.fact("url"), Some("https://ca.example/order"));
    }
    assert_eq!(library().explain("x", None, NOW).kind(), ErrorKind::Protocol);
    let ours = Fault::from(instant_acme::Error::Other(Box::new(Error::new(ErrorKind::Untrusted, "ours"))));
    assert_eq!((ours.again(None), ours.explain("x", None, NOW).kind()), (Again::No, ErrorKind::Untrusted));
}
