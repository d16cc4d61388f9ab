//! Why an order became invalid: which identifier, what the authority tried and got, and what is seen from here.

use instant_acme::AuthorizationStatus;
use serde_json::Value;

use super::desk::Desk;
use super::problem::{Problem, Stage};
use crate::ground::error::{Error, ErrorKind, Public, Retry};
use crate::ground::name::Identifier;
use crate::issue::http::bounded;
use crate::issue::solver::Challenge;
use crate::plan::spec::ChallengeKind;

/// More attempts of an authority than anybody reads.
const MOST_ATTEMPTS: usize = 5;

/// The error for an order that is invalid, after these challenges were answered.
pub(super) fn invalid(desk: &Desk<'_>, order: &mut instant_acme::Order, answered: &[Challenge]) -> Error {
    let of_order = desk.session.last().and_then(|answer| Problem::of(&answer));
    match failed_challenge(desk, order, answered) {
        Ok(Some(error)) => error,
        // Asking on is a help, not a must.
        Ok(None) | Err(_) => match of_order {
            Some(problem) => problem.error(Stage::Request, None, desk.session.now()),
            None => Error::new(ErrorKind::Refused, "the authority gave the order up without saying why")
                .hint("run the same command again; if it goes on, ask the authority with the URL of the order")
                .retry(Retry::Now),
        },
    }
    .context("order", Public(&bounded(order.url())))
}

/// Look for the challenge that failed. Each authorization is fetched until it is found.
fn failed_challenge(
    desk: &Desk<'_>,
    order: &mut instant_acme::Order,
    answered: &[Challenge],
) -> crate::ground::error::Result<Option<Error>> {
    for at in 0..order.state().authorizations.len() {
        let state = desk.session.call("authorization", async || {
            let mut authorizations = order.authorizations();
            for _ in 0..at {
                if let Some(before) = authorizations.next().await {
                    before?;
                }
            }
            let Some(authorization) = authorizations.next().await else { return Ok(None) };
            let authorization = authorization?;
            Ok(Some((authorization.status, authorization.identifier().to_string())))
        })?;
        if let Some((AuthorizationStatus::Invalid, shown)) = state
            && let Some(body) = desk.session.last()
            && let Ok(body) = serde_json::from_str::<Value>(&without_answers(&body.body, answered))
        {
            return Ok(explained(desk, &body, &shown, answered));
        }
    }
    Ok(None)
}

/// The text of an answer without what only the authority and the solver should know: it may say which URL it asked, and what
/// it expected there. A token is base64url (RFC 8555 §8.1), so that it stands in JSON as it is.
fn without_answers(body: &[u8], answered: &[Challenge]) -> String {
    answered.iter().fold(String::from_utf8_lossy(body).into_owned(), |text, challenge| {
        let answer = String::from_utf8_lossy(challenge.key_authorization().expose());
        text.replace(answer.as_ref(), "…").replace(challenge.token(), "…")
    })
}

fn explained(desk: &Desk<'_>, authorization: &Value, shown: &str, answered: &[Challenge]) -> Option<Error> {
    let challenges = authorization.get("challenges").and_then(Value::as_array)?;
    let failed = challenges.iter().find(|challenge| challenge.get("error").is_some_and(Value::is_object))?;
    let problem = Problem::read(failed.get("error")?)?;
    let kind = failed.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut error = desk.validation_error(&problem);
    error = error.context("identifier", Public(&bounded(shown))).context("challenge", Public(&bounded(kind)));
    for attempt in attempts(failed) {
        error = error.context("tried", Public(&attempt));
    }
    if let Some(seen) = seen_from_here(desk, shown, answered) {
        error = error.context("seen_from_here", Public(&seen));
    }
    Some(error)
}

/// Where the authority says it went: the member `validationRecord`, which RFC 8555 does not have and the largest public
/// authority sends.
fn attempts(challenge: &Value) -> Vec<String> {
    let records = challenge.get("validationRecord").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let shown = |record: &Value| {
        let text = |name: &str| bounded(record.get(name).and_then(Value::as_str).unwrap_or_default());
        let address = text("addressUsed");
        let place = [text("url"), text("hostname")].into_iter().find(|place| !place.is_empty()).unwrap_or_default();
        match (place.is_empty(), address.is_empty()) {
            (true, true) => None,
            (false, true) => Some(place),
            (true, false) => Some(address),
            (false, false) => Some(format!("{place} at {address}")),
        }
    };
    records.iter().filter_map(shown).take(MOST_ATTEMPTS).collect()
}

/// The addresses of the name as this machine's resolver knows them, where the authority connects to one of them.
fn seen_from_here(desk: &Desk<'_>, shown: &str, answered: &[Challenge]) -> Option<String> {
    let name = shown.trim_start_matches("*.");
    let connects = |challenge: &&Challenge| {
        !matches!(challenge.kind(), ChallengeKind::Dns01 | ChallengeKind::DnsPersist01)
            && matches!(challenge.identifier(), Identifier::Dns(identifier) if identifier.as_str() == name)
    };
    answered.iter().find(connects)?;
    let addresses: Vec<String> = desk.session.addresses(name).iter().map(ToString::to_string).collect();
    Some(if addresses.is_empty() { "no address".to_owned() } else { addresses.join(", ") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_not_repeated() {
        let made = Challenge::new(ChallengeKind::Http01, "a.example".parse().unwrap(), "to-ken_1", "thumb").unwrap();
        let text =
            without_answers(br#"{"url":"http://a.example/x/to-ken_1","detail":"expected to-ken_1.thumb"}"#, &[made]);
        assert_eq!(text, r#"{"url":"http://a.example/x/…","detail":"expected …"}"#);
    }

    #[test]
    fn where_the_authority_went_is_told() {
        let challenge = json!({ "validationRecord": [
            { "url": "http://a.example/.well-known/acme-challenge/x", "hostname": "a.example", "port": "80",
              "addressesResolved": ["192.0.2.1"], "addressUsed": "192.0.2.1" },
            { "hostname": "a.example" },
            { "addressUsed": "2001:db8::1" },
            {}, 5, "x"
        ] });
        assert_eq!(
            attempts(&challenge),
            ["http://a.example/.well-known/acme-challenge/x at 192.0.2.1", "a.example", "2001:db8::1"]
        );
        assert!(attempts(&json!({ "validationRecord": 7 })).is_empty());
    }
}
