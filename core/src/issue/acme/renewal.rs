//! When the authority suggests to renew (RFC 9773).

use std::time::Duration;

use instant_acme::CertificateIdentifier;
use serde_json::Value;

use super::directory::Directory;
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::{Timestamp, Window};
use crate::issue::issuer::RenewalInfo;
use crate::pki::jws::base64url;
use crate::pki::leaf::Certificate;

/// When to ask again where the authority does not say.
const UNSAID: Duration = Duration::from_secs(6 * 3600);
/// What is believed of what it says (RFC 9773 §4.3.2 asks for such limits).
const SOONEST: Duration = Duration::from_secs(60);
const LATEST: Duration = Duration::from_secs(86_400);

/// The name that a certificate has in renewal information (RFC 9773 §4.1); `None` without an authority key identifier.
pub(super) fn certificate_id(leaf: &Certificate) -> Option<CertificateIdentifier<'static>> {
    Some(CertificateIdentifier {
        authority_key_identifier: base64url(leaf.authority_key_id()?).into(),
        serial: base64url(leaf.serial_bytes()).into(),
    })
}

/// Ask; `None` where the authority has no opinion.
pub(super) fn ask(leaf: &Certificate, session: &Session<'_>, directory: &Directory) -> Result<Option<RenewalInfo>> {
    let (Some(url), Some(id)) = (&directory.renewal_info, certificate_id(leaf)) else { return Ok(None) };
    let url = format!("{}/{id}", url.trim_end_matches('/'));
    let answer = session.get("renewal information", &url)?;
    let window = window(&answer.body).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "the renewal information cannot be read").context("url", Public(&url))
    })?;
    let now = session.now();
    let wait = answer.retry_after(now).unwrap_or(UNSAID).clamp(SOONEST, LATEST);
    let info = RenewalInfo::new(window, now.saturating_add(wait));
    Ok(Some(answer.date().map_or(info, |theirs| info.at(theirs))))
}

/// The suggested window. One whose end is not after its start is none (RFC 9773 §4.2).
pub(super) fn window(body: &[u8]) -> Option<Window> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let window = value.get("suggestedWindow")?;
    let moment = |name: &str| window.get(name)?.as_str()?.parse::<Timestamp>().ok();
    let window = Window::new(moment("start")?, moment("end")?);
    (window.start < window.end).then_some(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9773 §4.1: both parts base64url without padding, the serial number with the zero that DER puts before it.
    #[test]
    fn certificates_are_named_as_in_rfc_9773() {
        let family = crate::pki::forge::Family::new(&["a.example"]);
        let id = certificate_id(&family.leaf).unwrap();
        let bytes = |text: &str| crate::pki::jws::from_base64url(text).unwrap();
        assert_eq!(bytes(&id.authority_key_identifier), family.intermediate.subject_key_id().unwrap());
        let hex: String = bytes(&id.serial).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, family.leaf.serial());
        assert_eq!(base64url(&[0, 0x87, 0x65, 0x43, 0x21]), "AIdlQyE", "the serial number of the RFC's example");
    }

    /// RFC 9773 §4.2, the example, and the same with fractions of a second as some authorities send them.
    #[test]
    fn the_window_of_rfc_9773() {
        let wanted = Window::new("2025-01-02T04:00:00Z".parse().unwrap(), "2025-01-03T04:00:00Z".parse().unwrap());
        for (start, end) in [
            ("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Z"),
            ("2025-01-02T04:00:00.123456789Z", "2025-01-03T06:00:00+02:00"),
        ] {
            let body = format!(r#"{{"suggestedWindow":{{"start":"{start}","end":"{end}"}},"explanationURL":"x"}}"#);
            assert_eq!(window(body.as_bytes()), Some(wanted), "{start}");
        }
        for body in [
            "",
            "{}",
            r#"{"suggestedWindow":{"start":"2025-01-03T04:00:00Z","end":"2025-01-02T04:00:00Z"}}"#,
            r#"{"suggestedWindow":{"start":"2025-01-02T04:00:00Z"}}"#,
            r#"{"suggestedWindow":{"start":1,"end":2}}"#,
        ] {
            assert_eq!(window(body.as_bytes()), None, "{body}");
        }
    }
}
