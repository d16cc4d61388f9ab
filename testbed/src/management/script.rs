//! Faults as JSON: a word, or an object with one field whose name is the word.

use std::time::Duration;

use serde_json::Value;

use crate::acme::problem::{Problem, ProblemKind};
use crate::acme::route::Endpoint;
use crate::dns::faults::NameFault;
use crate::faults::{Fault, Occurrence, Substitute, Verdict};
use crate::management::ask::Refusal;
use crate::management::fields::{Fields, milliseconds, nearest};

/// A word, with what belongs to it.
fn word(value: Value, what: &str) -> Result<(String, Value), Refusal> {
    match value {
        Value::String(word) => Ok((word, Value::Null)),
        Value::Object(fields) if fields.len() == 1 => {
            fields.into_iter().next().ok_or_else(|| Refusal::bad(format!("{what} is empty")))
        }
        _ => Err(Refusal::bad(format!("{what} is a word, or an object with one field"))),
    }
}

fn unknown(word: &str, what: &str, known: &[&str]) -> Refusal {
    let nearest = nearest(word, known.iter().copied()).unwrap_or_default();
    Refusal::bad(format!("there is no {what} `{word}`; is `{nearest}` meant?"))
}

fn wrong(word: &str, what: &str) -> impl Fn() -> Refusal {
    move || Refusal::bad(format!("`{word}` takes {what}"))
}

/// `"every"`, or one of the others with its number.
pub(crate) fn occurrence(value: Option<Value>) -> Result<Occurrence, Refusal> {
    let Some(value) = value else { return Ok(Occurrence::Every) };
    let (word, value) = word(value, "an occurrence")?;
    let number = || value.as_u64().and_then(|number| u32::try_from(number).ok()).ok_or_else(wrong(&word, "a number"));
    Ok(match word.as_str() {
        "every" => Occurrence::Every,
        "only" => Occurrence::Only(number()?),
        "first" => Occurrence::First(number()?),
        "from" => Occurrence::From(number()?),
        "percent" => {
            let chance = u8::try_from(number()?).ok().filter(|chance| *chance <= 100);
            Occurrence::Percent(chance.ok_or_else(wrong("percent", "a number up to 100"))?)
        }
        other => return Err(unknown(other, "occurrence", &["every", "only", "first", "from", "percent"])),
    })
}

const ENDPOINTS: &[(&str, Endpoint)] = &[
    ("directory", Endpoint::Directory),
    ("new_nonce", Endpoint::NewNonce),
    ("new_account", Endpoint::NewAccount),
    ("account", Endpoint::Account),
    ("orders", Endpoint::Orders),
    ("key_change", Endpoint::KeyChange),
    ("new_order", Endpoint::NewOrder),
    ("new_authorization", Endpoint::NewAuthorization),
    ("order", Endpoint::Order),
    ("authorization", Endpoint::Authorization),
    ("challenge", Endpoint::Challenge),
    ("finalize", Endpoint::Finalize),
    ("certificate", Endpoint::Certificate),
    ("revoke_certificate", Endpoint::RevokeCertificate),
    ("renewal_info", Endpoint::RenewalInfo),
    ("unknown", Endpoint::Unknown),
];

/// The endpoint of a word.
pub(crate) fn endpoint(word: &str) -> Result<Endpoint, Refusal> {
    let known = ENDPOINTS.iter().find(|(name, _)| *name == word).map(|(_, endpoint)| *endpoint);
    let names: Vec<&str> = ENDPOINTS.iter().map(|(name, _)| *name).collect();
    known.ok_or_else(|| unknown(word, "endpoint", &names))
}

/// The word of an endpoint.
pub(crate) fn endpoint_word(endpoint: Endpoint) -> &'static str {
    ENDPOINTS.iter().find(|(_, known)| *known == endpoint).map_or("unknown", |(name, _)| name)
}

/// `type` (the end of the URN, or a URI), `detail`, `status`, and what else the document is to say.
pub(crate) fn problem(value: Value) -> Result<Problem, Refusal> {
    let mut fields = Fields::from(value, "a problem")?;
    let kind = fields.text("type")?;
    let uri = if kind.contains(':') { kind } else { format!("urn:ietf:params:acme:error:{kind}") };
    let read = ProblemKind::read(&uri);
    if let ProblemKind::Other(other) = &read
        && let Some(word) = other.strip_prefix("urn:ietf:params:acme:error:")
    {
        return Err(Refusal::bad(format!("there is no type of problem `{word}` (RFC 8555 §6.7)")));
    }
    let mut problem = Problem::new(read, fields.optional_text("detail")?.unwrap_or_default());
    if let Some(status) = fields.optional_number("status")? {
        let status = u16::try_from(status).ok().filter(|status| (200..=599).contains(status));
        problem = problem.with_status(status.ok_or_else(|| Refusal::bad("`status` is a number from 200 to 599"))?);
    }
    if let Some(Value::Object(more)) = fields.value("fields") {
        problem.more.extend(more.into_iter().map(|(name, value)| (name.into(), value)));
    }
    if let Some(seconds) = fields.optional_number("retry_after")? {
        problem.headers.push(("Retry-After", seconds.to_string()));
    }
    fields.done()?;
    Ok(problem)
}

const FAULTS: &[&str] = &[
    "refuse",
    "bad_nonce",
    "delay_ms",
    "hang",
    "cut_after",
    "truncate",
    "drip_ms",
    "endless",
    "pad",
    "content_type",
    "header",
    "no_header",
    "status",
    "body",
    "replace",
    "remove",
    "every_string",
    "processing",
    "invalid",
    "certificate",
];

/// What goes wrong with a request.
pub(crate) fn fault(value: Value) -> Result<Fault, Refusal> {
    let (word, value) = word(value, "a fault")?;
    let name = word.as_str();
    let size =
        || value.as_u64().and_then(|size| usize::try_from(size).ok()).ok_or_else(wrong(name, "a number of bytes"));
    let text = || value.as_str().map(str::to_owned).ok_or_else(wrong(name, "a string"));
    let span = || milliseconds(&value).ok_or_else(wrong(name, "a number of milliseconds"));
    Ok(match name {
        "refuse" => Fault::Refuse(problem(value)?),
        "bad_nonce" => Fault::BadNonce,
        "delay_ms" => Fault::Delay(span()?),
        "hang" => Fault::Hang,
        "cut_after" => Fault::CutAfter(size()?),
        "truncate" => Fault::Truncate(size()?),
        "drip_ms" => Fault::Drip(span()?),
        "endless" => Fault::Endless,
        "pad" => Fault::Pad(value.as_u64().ok_or_else(wrong(name, "a number of bytes"))?),
        "content_type" => Fault::ContentType(text()?),
        "header" => {
            let mut fields = Fields::from(value, "a header field")?;
            let header = Fault::Header(fields.text("name")?, fields.text("value")?);
            fields.done()?;
            header
        }
        "no_header" => Fault::NoHeader(text()?),
        "status" => {
            let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
            Fault::Status(status.filter(|status| (200..=999).contains(status)).ok_or_else(wrong(name, "a status"))?)
        }
        "body" => Fault::Body(text()?.into_bytes()),
        "replace" => {
            let mut fields = Fields::from(value, "a replacement")?;
            let replace = Fault::Replace(fields.text("pointer")?, fields.value("value").unwrap_or_default());
            fields.done()?;
            replace
        }
        "remove" => Fault::Remove(text()?),
        "every_string" => Fault::EveryString(text()?),
        "processing" => Fault::Processing,
        "invalid" => Fault::Invalid(problem(value)?),
        "certificate" => Fault::Certificate(substitute(value)?),
        other => return Err(unknown(other, "fault", FAULTS)),
    })
}

fn substitute(value: Value) -> Result<Substitute, Refusal> {
    let (word, value) = word(value, "a certificate")?;
    Ok(match word.as_str() {
        "wrong_key" => Substitute::WrongKey,
        "names" => {
            let Value::Array(names) = value else { return Err(Refusal::bad("`names` takes a list of strings")) };
            let names = names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>();
            Substitute::Names(names.ok_or_else(wrong("names", "a list of strings"))?)
        }
        "window" => {
            let mut fields = Fields::from(value, "a window")?;
            let window = fields.window()?;
            fields.done()?;
            Substitute::Window(window)
        }
        "no_chain" => Substitute::NoChain,
        "reversed" => Substitute::Reversed,
        "with_root" => Substitute::WithRoot,
        "stranger" => Substitute::Stranger,
        other => {
            let known = ["wrong_key", "names", "window", "no_chain", "reversed", "with_root", "stranger"];
            return Err(unknown(other, "certificate", &known));
        }
    })
}

/// What comes of a challenge.
pub(crate) fn verdict(value: Value) -> Result<Verdict, Refusal> {
    let (word, value) = word(value, "a verdict")?;
    Ok(match word.as_str() {
        "valid" => Verdict::Valid,
        "pending" => Verdict::Pending,
        "invalid" => Verdict::Invalid(problem(value)?),
        other => return Err(unknown(other, "verdict", &["valid", "pending", "invalid"])),
    })
}

const NAME_FAULTS: &[&str] = &[
    "servfail",
    "nxdomain",
    "refused",
    "code",
    "no_data",
    "silent",
    "delay_ms",
    "truncated",
    "wrong_id",
    "wrong_question",
    "malformed",
    "not_authoritative",
    "late",
    "late_for_seconds",
    "bad_key",
    "bad_signature",
    "bad_time",
    "forged",
];

/// What goes wrong with a message to the name server.
pub(crate) fn name_fault(value: Value) -> Result<NameFault, Refusal> {
    let (word, value) = word(value, "a fault")?;
    let name = word.as_str();
    let number = || value.as_u64().ok_or_else(wrong(name, "a number"));
    Ok(match name {
        "servfail" => NameFault::SERVFAIL,
        "nxdomain" => NameFault::NXDOMAIN,
        "refused" => NameFault::REFUSED,
        "code" => {
            let code = u8::try_from(number()?).ok().filter(|code| *code < 16);
            NameFault::Code(code.ok_or_else(wrong(name, "a number up to 15"))?)
        }
        "no_data" => NameFault::NoData,
        "silent" => NameFault::Silent,
        "delay_ms" => NameFault::Delay(Duration::from_millis(number()?)),
        "truncated" => NameFault::Truncated,
        "wrong_id" => NameFault::WrongId,
        "wrong_question" => NameFault::WrongQuestion,
        "malformed" => NameFault::Malformed,
        "not_authoritative" => NameFault::NotAuthoritative,
        "late" => NameFault::Late(u32::try_from(number()?).unwrap_or(u32::MAX)),
        "late_for_seconds" => NameFault::LateFor(Duration::from_secs(number()?)),
        "bad_key" => NameFault::BadKey,
        "bad_signature" => NameFault::BadSignature,
        "bad_time" => NameFault::BadTime,
        "forged" => NameFault::Forged,
        other => return Err(unknown(other, "fault", NAME_FAULTS)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_word_is_understood_and_no_other() {
        let refusal = json!({"type": "rateLimited", "detail": "slow", "status": 503, "retry_after": 9});
        let with = |word: &str| match word {
            "refuse" | "invalid" => json!({ word: refusal }),
            "delay_ms" | "cut_after" | "truncate" | "drip_ms" | "pad" | "late" | "late_for_seconds" | "code" => {
                json!({ word: 7 })
            }
            "status" => json!({ word: 500 }),
            "header" => json!({ word: {"name": "a", "value": "b"} }),
            "replace" => json!({ word: {"pointer": "/a", "value": [1]} }),
            "certificate" => json!({ word: {"names": ["a.example"]} }),
            "content_type" | "no_header" | "body" | "remove" | "every_string" => json!({ word: "x" }),
            unit => json!(unit),
        };
        for word in FAULTS {
            fault(with(word)).unwrap();
        }
        for word in NAME_FAULTS {
            name_fault(with(word)).unwrap();
        }
        for (name, read) in ENDPOINTS {
            assert_eq!((endpoint(name), endpoint_word(*read)), (Ok(*read), *name));
        }
        assert_eq!(fault(json!("hangs")).unwrap_err().detail, "there is no fault `hangs`; is `hang` meant?");
        let Ok(Fault::Refuse(problem)) = fault(with("refuse")) else { panic!("refuse") };
        assert_eq!((problem.kind, problem.status), (ProblemKind::RateLimited, 503));
        assert_eq!(problem.headers, [("Retry-After", "9".to_owned())]);
        for broken in [
            json!({"delay_ms": -1}),
            json!({"refuse": {"type": "rateLimitd"}}),
            json!({"refuse": {"type": "dns", "statsu": 1}}),
            json!({"truncate": 1, "pad": 2}),
            json!({}),
            json!(7),
            json!({"certificate": "wrongkey"}),
        ] {
            assert_eq!(fault(broken.clone()).unwrap_err().status, 400, "{broken}");
        }
    }

    #[test]
    fn occurrences_are_every_one_unless_said() {
        assert_eq!(occurrence(None), Ok(Occurrence::Every));
        assert_eq!(occurrence(Some(json!({"only": 2}))), Ok(Occurrence::Only(2)));
        assert_eq!(occurrence(Some(json!({"percent": 100}))), Ok(Occurrence::Percent(100)));
        assert!(occurrence(Some(json!({"percent": 101}))).is_err() && occurrence(Some(json!("ever"))).is_err());
    }
}
