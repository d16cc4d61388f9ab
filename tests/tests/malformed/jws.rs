//! Signed requests that are not as RFC 8555 §6.2 has them.

use certwright_tests::raw::{JOSE, Key, encode};
use serde_json::json;

use super::*;

/// What is changed in a request: its protected header and its payload as text.
type Change = fn(&mut String, &mut String);

/// Changes before the signature is made, and what they are answered.
const CHANGES: &[(&str, &str, Change)] = &[
    ("none", "badSignatureAlgorithm", |header, _| swap(header, r#""ES256""#, r#""none""#)),
    ("a shared secret", "badSignatureAlgorithm", |header, _| swap(header, r#""ES256""#, r#""HS256""#)),
    ("another curve", "badSignatureAlgorithm", |header, _| swap(header, r#""ES256""#, r#""ES384""#)),
    ("an algorithm that is a number", "malformed", |header, _| swap(header, r#""ES256""#, "256")),
    ("no algorithm", "malformed", |header, _| swap(header, r#""alg":"ES256","#, "")),
    ("no nonce", "badNonce", |header, _| swap(header, r#""nonce":"#, r#""nounce":"#)),
    ("a nonce that was made up", "badNonce", |header, _| swap(header, r#""nonce":""#, r#""nonce":"A"#)),
    ("a nonce of nothing", "badNonce", |header, _| swap(header, r#""nonce":""#, r#""nonce":"","x":""#)),
    ("no url", "malformed", |header, _| swap(header, r#""url":"#, r#""uri":"#)),
    ("another url", "unauthorized", |header, _| swap(header, r#""url":"https://"#, r#""url":"https://a.example"#)),
    ("a url with a query", "unauthorized", |header, _| header.insert_str(header.len() - 2, "?a=b")),
    ("`crit`", "malformed", |header, _| swap(header, r#"{"alg""#, r#"{"crit":["b64"],"b64":false,"alg""#)),
    ("`alg` twice", "malformed", |header, _| swap(header, r#"{"alg""#, r#"{"alg":"none","alg""#)),
    ("a header that is a list", "malformed", |header, _| *header = format!("[{header}]")),
    ("a header that is no JSON", "malformed", |header, _| header.truncate(20)),
    ("a header that is deep", "malformed", |header, _| *header = "[".repeat(50_000)),
    ("a header of nothing", "malformed", |header, _| header.clear()),
];

/// Payloads that no place takes.
const PAYLOADS: &[&str] = &[
    "[]",
    "null",
    "0",
    "\"\"",
    "{",
    "{\"a\":1,\"a\":1}",
    "{\"status\":\"valid\",\"status\":\"deactivated\"}",
    "\u{0}",
    "{}{}",
    r#"{"identifiers":{"identifiers":[]}}"#,
];

fn swap(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "{text} has no {from}");
    *text = text.replacen(from, to, 1);
}

/// What is answered to a request for a place; whoever asks for an account shows a key.
fn asked(stage: &Stage, url: &str, payload: &str, change: Change) -> io::Result<Answer> {
    let mut payload = payload.to_owned();
    let mut header = header(stage, url)?;
    change(&mut header, &mut payload);
    let body = stage.raw.key.sign(header.as_bytes(), payload.as_bytes())?;
    stage.raw.send("POST", url, &[JOSE], body.to_string().as_bytes())
}

/// The protected header, with `url` at its end.
fn header(stage: &Stage, url: &str) -> io::Result<String> {
    let (nonce, jwk) = (stage.raw.nonce()?, stage.raw.key.jwk());
    let who = match url == stage.raw.url("newAccount") {
        true => format!(r#""jwk":{jwk}"#),
        false => format!(r#""kid":{}"#, json!(stage.raw.account)),
    };
    Ok(format!(r#"{{"alg":"ES256","nonce":"{nonce}",{who},"url":"{url}"}}"#))
}

#[test]
fn every_place_refuses_what_is_signed_wrongly() -> Outcome {
    let stage = Stage::new()?;
    for (url, payload) in stage.places() {
        for (what, kind, change) in CHANGES {
            let what = format!("{what}, at {url}");
            assert_eq!(refusal(&asked(&stage, &url, payload, *change)?, &what), *kind, "{what}");
        }
        // Both names of the signer, none, another's.
        let jwk = stage.raw.key.jwk().to_string();
        let (own, url_field) = (header(&stage, &url)?, format!(r#""url":"{url}""#));
        let (start, _) = own.split_once(if own.contains(r#""jwk""#) { r#""jwk""# } else { r#""kid""# }).unwrap();
        for (what, who, kind) in [
            ("both", format!(r#""jwk":{jwk},"kid":{},"#, json!(stage.raw.account)), "malformed"),
            ("neither", String::new(), "malformed"),
            ("a number", r#""kid":7,"#.to_owned(), "malformed"),
        ] {
            let header = format!("{start}{who}{url_field}}}");
            let body = stage.raw.key.sign(header.as_bytes(), payload.as_bytes())?.to_string();
            let answer = stage.raw.send("POST", &url, &[JOSE], body.as_bytes())?;
            assert_eq!(refusal(&answer, what), kind, "{what} at {url}");
            // The nonce was not looked at: it is still good for the next.
        }
        let forged = Key::new()?.sign(header(&stage, &url)?.as_bytes(), payload.as_bytes())?.to_string();
        assert_eq!(refusal(&stage.raw.send("POST", &url, &[JOSE], forged.as_bytes())?, "forged"), "malformed");
    }
    the_server_is_well(&stage)
}

#[test]
fn every_place_refuses_what_is_no_jws() -> Outcome {
    let stage = Stage::new()?;
    for (url, payload) in stage.places() {
        let whole = stage.raw.key.sign(header(&stage, &url)?.as_bytes(), payload.as_bytes())?.to_string();
        let with = |more: &str| format!("{{{more},{}", &whole[1..]);
        let mut bodies: Vec<(&str, Vec<u8>)> =
            (0..8).map(|part| ("truncated", whole.as_bytes()[..whole.len() * part / 8].to_vec())).collect();
        bodies.push(("deep", "[".repeat(100_000).into_bytes()));
        bodies.push(("deep objects", r#"{"a":"#.repeat(40_000).into_bytes()));
        bodies.push(("twice", with(r#""payload":"""#).into_bytes()));
        bodies.push(("unprotected header", with(r#""header":{"kid":"x"}"#).into_bytes()));
        bodies.push(("several signatures", with(r#""signatures":[]"#).into_bytes()));
        bodies.push(("bytes", vec![0xff; 1000]));
        bodies.push(("padded", whole.replace("\"}", "=\"}").into_bytes()));
        bodies.push(("compact", whole.replace(['{', '"', '}'], "").into_bytes()));
        bodies.push((
            "signature of another length",
            whole.replace(r#""signature":""#, r#""signature":"AAAA"#).into_bytes(),
        ));
        for (what, body) in bodies {
            let answer = stage.raw.send("POST", &url, &[JOSE], &body)?;
            assert_eq!(refusal(&answer, what), "malformed", "{what} at {url}");
        }
        let huge = stage.raw.send("POST", &url, &[JOSE], &vec![b' '; 4 << 20])?;
        assert_eq!((huge.status, refusal(&huge, "huge").as_str()), (413, "malformed"));
        for kind in ["application/json", "application/jose", "", "application/jose+json; charset=utf-8"] {
            let answer = stage.raw.send("POST", &url, &[("Content-Type", kind)], whole.as_bytes())?;
            assert_eq!((answer.status, refusal(&answer, kind).as_str()), (415, "malformed"), "{kind:?} at {url}");
        }
        for method in ["GET", "PUT", "DELETE", "PATCH", "BREW"] {
            let answer = stage.raw.send(method, &url, &[JOSE], whole.as_bytes())?;
            assert_eq!((answer.status, answer.field("Allow")), (405, Some("POST")), "{method} {url}");
        }
    }
    the_server_is_well(&stage)
}

#[test]
fn every_place_refuses_payloads_that_it_cannot_mean() -> Outcome {
    let stage = Stage::new()?;
    let deep = format!("{{\"a\":{}", "[".repeat(30_000));
    let long = format!("{{\"contact\":[{}\"\"]}}", "\"mailto:a@b.example\",".repeat(9_000));
    let odd = PAYLOADS.iter().copied().chain([deep.as_str()]);
    for (url, _) in stage.places() {
        for payload in odd.clone() {
            let answer = asked(&stage, &url, payload, |_, _| {})?;
            // An account that was made before is found, whatever else is said; an object that says nothing changes nothing.
            if answer.status == 200 && payload.starts_with(r#"{"identifiers":{"#) {
                continue;
            }
            assert_eq!(refusal(&answer, payload), "malformed", "{payload} at {url}");
        }
    }
    let answer = asked(&stage, &stage.raw.account.clone().unwrap(), &long, |_, _| {})?;
    assert_eq!(refusal(&answer, "many contacts"), "invalidContact");
    the_server_is_well(&stage)
}

#[test]
fn urls_that_lead_nowhere_are_said_to() -> Outcome {
    let stage = Stage::new()?;
    let base = stage.raw.url("newOrder").strip_suffix("/new-order").unwrap().to_owned();
    let far = "9".repeat(30);
    for path in [
        "order/77",
        "order/-1",
        "order/01",
        "account/99",
        "account/0/orders/99999999999999999999",
        "authorization/77",
        "challenge/0/9",
        "challenge/9/0",
        "certificate/77",
        "certificate/0/9",
        "order/0/finalise",
        "..",
        "%2e%2e/order/0",
        "order/%00",
        &far,
    ] {
        let url = format!("{base}/{path}");
        let answer = asked(&stage, &url, "", |_, _| {})?;
        assert!(matches!(answer.status, 401 | 403 | 404), "{path}: {answer:?}");
        refusal(&answer, path);
    }
    for id in ["a.b", "", ".", "aa.", &encode([0xff; 3000])] {
        let answer = stage.raw.send("GET", &format!("{base}/renewal-info/{id}"), &[], b"")?;
        assert_eq!(answer.status, 404, "{id}");
    }
    the_server_is_well(&stage)
}

/// An order goes through as ever.
pub(super) fn the_server_is_well(stage: &Stage) -> Outcome {
    let order = ready(&stage.raw, "after.example")?;
    let url = order["finalize"].as_str().unwrap();
    stage.raw.post(url, &csr::wish(&csr::of(&["after.example"])))?.success(url)?;
    assert_eq!(stage.bed.server.issued().len(), 2);
    Ok(())
}
