//! What an authority answers, as our client reads it, and what a client asks, as the test bed reads it.

use std::time::Duration;

use certwright::Timestamp;
use certwright::fuzzing::acme as read;
use certwright_testbed::fuzzing::front_door;

/// 2026-11-24T08:00:00Z.
const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);
const DAY: Duration = Duration::from_secs(86_400);

/// The body of an answer, read as each kind that there is.
///
/// # Panics
///
/// When something that was accepted could harm: a token as a file name, a text on a terminal, a window that ends before it
/// begins.
pub fn acme_answers(data: &[u8]) {
    if let Err(error) = read::directory(data) {
        presentable(&error);
    }
    if let Some(urls) = read::order(data) {
        // Authorizations and where to finalize; each is compared with the host of the directory when it is used.
        assert!(!urls.is_empty());
    }
    if let Ok(identifier) = "www.example.org".parse() {
        for challenge in read::authorization(data, &identifier).into_iter().flatten() {
            if let Some(wanted) = challenge.persistent() {
                let (value, plain) = (wanted.value(None), |byte: u8| byte == b' ' || byte.is_ascii_graphic());
                assert!(
                    value.bytes().all(plain) && value.matches(';').count() == 1,
                    "{value:?} says more than it should"
                );
                let account = wanted.account_uri().to_ascii_lowercase();
                let rest = account.strip_prefix("https://ca.example").map(|rest| rest.trim_start_matches(":443"));
                let here = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
                assert!(here, "{value:?} is for somebody else");
                continue;
            }
            let token = challenge.token();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert!(!token.is_empty() && token.len() <= 128 && token.bytes().all(plain), "{token:?} is no file name");
            assert!(challenge.key_authorization().expose().starts_with(token.as_bytes()));
            assert!(!format!("{challenge:?}").contains("thumbprint"), "a key authorization is shown");
        }
    }
    if let Some(error) = read::problem(data, NOW) {
        presentable(&error);
    }
    if let Some(window) = read::window(data) {
        assert!(window.start < window.end);
    }
}

/// A header field: how long to wait, when it was, what else there is.
///
/// # Panics
///
/// When a wait has no end, or a link was made up.
pub fn acme_headers(data: &[u8]) {
    let Ok(value) = str::from_utf8(data) else { return };
    if let Some(wait) = read::retry_after(value, NOW) {
        assert!(wait <= 7 * DAY, "{value:?} stops a client for {wait:?}");
    }
    if let Some(moment) = read::date(value) {
        assert!((Timestamp::MIN..=Timestamp::MAX).contains(&moment));
        // The same moment, seen from itself, is no wait; digits alone are never a date.
        assert_eq!(read::retry_after(value, moment), Some(Duration::ZERO));
    }
    for url in read::alternates(value, "https://ca.example/certificate/1") {
        let target = url.strip_prefix("https://ca.example").unwrap_or(&url);
        assert!(value.contains(target), "{url:?} is not in {value:?}");
    }
}

/// The body of a signed request.
///
/// # Panics
///
/// When it is refused without a problem document, or judged differently a second time.
pub fn acme_requests(data: &[u8]) {
    let seen = front_door(data);
    assert_eq!(seen, front_door(data));
    if let Err(problem) = seen {
        let kind = problem.get("type").and_then(serde_json::Value::as_str).unwrap_or_default();
        assert!(kind.starts_with("urn:ietf:params:acme:error:"), "{problem}");
    }
}

/// The payload of a signed request: the first byte chooses the place.
///
/// # Panics
///
/// When it is answered with something else than JSON, a chain or a problem document, or with an error of the server.
pub fn acme_payloads(data: &[u8]) {
    let Some((place, payload)) = data.split_first() else { return };
    let Ok((status, kind, body)) = certwright_testbed::fuzzing::payload(*place, payload) else {
        panic!("there is no world to ask")
    };
    assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&body));
    match (status, kind.as_str()) {
        (200..=299, "application/json") => {
            assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok_and(|body| body.is_object()));
        }
        (200..=299, "application/pem-certificate-chain") => assert!(certwright::Chain::from_pem(&body).is_ok()),
        (200, "") => assert!(body.is_empty()),
        (400..=499, "application/problem+json") => {
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let kind = problem.get("type").and_then(serde_json::Value::as_str).unwrap_or_default();
            assert!(kind.starts_with("urn:ietf:params:acme:error:"), "{problem}");
            assert!(problem.get("status").and_then(serde_json::Value::as_u64) == Some(status.into()), "{problem}");
        }
        other => panic!("{other:?}"),
    }
}

fn presentable(error: &certwright::Error) {
    let shown = format!("{error:#}");
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert!(shown.len() < 200_000, "an error of {} bytes", shown.len());
}
