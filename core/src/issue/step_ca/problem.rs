//! What a refusal means. The CA says little on purpose ("see the logs"), so that the rest has to be said here.

use http::StatusCode;
use serde_json::Value;

use crate::ground::error::{Error, ErrorKind, Public, Retry};
use crate::ground::time::Timestamp;
use crate::issue::http::{Answer, bounded};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something that everybody may read.
    Reading,
    /// A certificate for a one-time token.
    Sign,
    /// A certificate in the place of another one.
    Renewal,
    /// The end of a certificate.
    Revocation,
}

/// The message of an error (`{ "status": …, "message": … }`), when it has one.
pub(super) fn said(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let message = value.get("message")?.as_str()?.trim();
    (!message.is_empty()).then(|| bounded(message))
}

/// The error that an answer without success is.
pub(super) fn refusal(asked: Asked, answer: &Answer, now: Timestamp) -> Error {
    let said = said(&answer.body);
    let message = said.as_deref().unwrap_or_default();
    let error = match answer.status {
        StatusCode::UNAUTHORIZED => {
            let (why, hint) = unauthorized(asked, message);
            Error::new(ErrorKind::Refused, why).hint(hint).retry(Retry::Never)
        }
        StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            let (why, hint) = forbidden(asked, message);
            Error::new(ErrorKind::Refused, why).hint(hint).retry(Retry::Never)
        }
        StatusCode::NOT_FOUND => Error::new(ErrorKind::Protocol, "the CA knows nothing at this URL").hint(
            "write `url` without a path, such as `https://ca.internal:9000`, and see with `curl` what answers there",
        ),
        StatusCode::NOT_IMPLEMENTED => {
            Error::new(ErrorKind::Unsupported, "the CA cannot do this").hint("read the CA's own log for the reason")
        }
        StatusCode::TOO_MANY_REQUESTS => {
            Error::new(ErrorKind::RateLimited, "the CA says not now").hint("wait; the next try comes by itself")
        }
        status if status.is_server_error() => Error::new(ErrorKind::Network, "the CA has trouble of its own")
            .hint("read the CA's own log: the request that failed has an entry there")
            .retry(Retry::Now),
        _ => Error::new(ErrorKind::Protocol, "the CA answers with a status that does not belong here")
            .hint("see with `curl` what answers at the configured `url`: it may be no step-ca, or a proxy in between"),
    };
    let mut error = error.context("url", Public(&bounded(&answer.url))).context("status", answer.status.as_u16());
    if !message.is_empty() {
        error = error.context("said", Public(message));
    }
    if let Some(request) = answer.header("x-request-id") {
        error = error.context("request_id", Public(&bounded(request)));
    }
    match answer.retry_after(now) {
        Some(wait) => error.retry(Retry::After(now.saturating_add(wait))),
        None => error,
    }
}

/// A token, or a certificate in its place, was not believed.
fn unauthorized(asked: Asked, message: &str) -> (&'static str, &'static str) {
    let known = |part: &str| message.contains(part);
    match asked {
        _ if known("already used") => (
            "the CA has seen this one-time token before",
            "make a fresh token, or configure the key of the provisioner so that one is made each time",
        ),
        Asked::Renewal if known("revoked") => (
            "the certificate is revoked, so the CA does not renew it",
            "have a new one signed: configure a `provisioner`",
        ),
        Asked::Renewal => (
            "the CA does not renew this certificate",
            "it may be revoked or have expired, its provisioner may be gone or have `disableRenewal`; configure a \
             `provisioner` so that a new one can be signed, or set `allowRenewalAfterExpiry` at the CA",
        ),
        _ => (
            "the CA does not believe the one-time token",
            "see in the CA's log why: the host in `url` has to be among its `dnsNames`, the provisioner has to be in its \
             `ca.json` with this very key, and a token has to be younger than the CA's last start",
        ),
    }
}

/// What was asked for is not allowed.
fn forbidden(asked: Asked, message: &str) -> (&'static str, &'static str) {
    let known = |part: &str| message.contains(part);
    match asked {
        Asked::Sign if known("duration") || known("notAfter") || known("notBefore") => (
            "the CA does not issue for this long or this short a time",
            "change `lifetime`, or `minTLSCertDuration` and `maxTLSCertDuration` of the provisioner at the CA",
        ),
        Asked::Sign if known("template") => {
            ("the provisioner's template does not work with this request", "compare `template_data` with what it reads")
        }
        Asked::Renewal if known("missing client certificate") => (
            "the CA did not get to see the certificate",
            "let the proxy in front of the CA pass TLS through; a renewal by token was tried as well",
        ),
        _ => (
            "the CA does not allow this",
            "compare the identifiers with the policy of the provisioner; the CA's log has the reason in full",
        ),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            url: "https://ca.example/sign".to_owned(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn each_refusal_says_what_and_where_and_what_to_do() {
        let used = r#"{"status":401,"message":"authority.authorizeToken: token already used"}"#;
        let long = r#"{"status":403,"message":"requested duration of 48h is more than the authorized maximum"}"#;
        for (asked, status, body, kind, words) in [
            (Asked::Sign, 401, used, ErrorKind::Refused, "seen this one-time token before"),
            (Asked::Sign, 401, "", ErrorKind::Refused, "does not believe"),
            (Asked::Sign, 403, long, ErrorKind::Refused, "this long or this short"),
            (Asked::Renewal, 401, "{}", ErrorKind::Refused, "does not renew"),
            (Asked::Reading, 404, "<html>", ErrorKind::Protocol, "knows nothing"),
            (Asked::Sign, 500, "\0", ErrorKind::Network, "trouble of its own"),
            (Asked::Sign, 429, "", ErrorKind::RateLimited, "not now"),
            (Asked::Revocation, 501, "", ErrorKind::Unsupported, "cannot do this"),
            (Asked::Reading, 302, "", ErrorKind::Protocol, "does not belong"),
        ] {
            let error = refusal(asked, &answer(status, body), NOW);
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert!(error.message().contains(words), "{error}");
            assert_eq!(error.fact("url"), Some("https://ca.example/sign"));
            assert!(error.hint_text().is_some(), "{error}");
        }
    }

    #[test]
    fn a_wait_that_is_told_is_kept_to() {
        let mut told = answer(429, "");
        told.headers.insert("retry-after", "120".parse().unwrap());
        let after = NOW.saturating_add(std::time::Duration::from_secs(120));
        assert_eq!(refusal(Asked::Sign, &told, NOW).retry_when(), Retry::After(after));
    }
}
