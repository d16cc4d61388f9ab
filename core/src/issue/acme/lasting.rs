//! `dns-persist-01` challenges (draft-ietf-acme-dns-persist-01): they have no token, and say what their record is to say. The
//! client library knows nothing of that, so the authorization is read again.

use serde_json::Value;

use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::Identifier;
use crate::issue::http::Origin;
use crate::issue::solver::Challenge;
use crate::plan::spec::ChallengeKind;

/// The challenge of this kind in an authorization for an identifier, to be answered for the account at this URL.
///
/// A record says whom *other* authorities may issue for as well: one that names an authority and an account that is not ours
/// would give the name away for as long as it stays. So the account has to be at the host of this authority: the one that the
/// challenge names (by which the authority knows ours) if it is, otherwise our own, which has to be accepted (section 4.1).
///
/// # Errors
///
/// `Protocol` when there is none, or it cannot be answered.
pub(super) fn challenge(body: &[u8], identifier: &Identifier, account: &str, directory: &str) -> Result<Challenge> {
    let fault = |message: &'static str| {
        Error::new(ErrorKind::Protocol, message).context("challenge", Public(ChallengeKind::DnsPersist01.word()))
    };
    let value: Value =
        serde_json::from_slice(body).map_err(|source| fault("the authority's answer cannot be read").source(source))?;
    let challenges = value.get("challenges").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let offered = challenges
        .iter()
        .find(|one| text(one, "type").as_deref() == Some(ChallengeKind::DnsPersist01.word()))
        .ok_or_else(|| fault("the authority does not offer this challenge any more"))?;
    let names = offered.get("issuer-domain-names").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap_or_default()).collect();
    let origin = |url: &str| url.parse().ok().and_then(|url| Origin::of(&url));
    let here = |url: &String| origin(url).is_some_and(|there| Some(there) == origin(directory));
    let theirs = text(offered, "accounturi").filter(here);
    let account = theirs.or_else(|| Some(account.to_owned()).filter(here)).ok_or_else(|| {
        fault("the account is not at the host of the authority, and no lasting record is made for it")
            .context("account", Public(&crate::issue::http::bounded(account)))
            .hint("use another kind of challenge with this authority")
    })?;
    Challenge::lasting(identifier, &names, &account)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIRECTORY: &str = "https://ca.example/directory";
    const OURS: &str = "https://ca.example/acct/123";

    fn made(offered: &Value, account: &str) -> Result<Challenge> {
        let body = json!({ "challenges": [{ "type": "http-01", "token": "x" }, offered] }).to_string();
        challenge(body.as_bytes(), &"*.a.example".parse().unwrap(), account, DIRECTORY)
    }

    fn offered(account: &Value, names: &Value) -> Value {
        json!({ "type": "dns-persist-01", "url": "u", "status": "pending", "accounturi": account, "issuer-domain-names": names })
    }

    #[test]
    fn the_example_of_the_draft_and_of_the_one_before() {
        let names = json!(["authority.example", "ca.example.net"]);
        for theirs in [json!(OURS), Value::Null] {
            let challenge = made(&offered(&theirs, &names), OURS).unwrap();
            assert_eq!((challenge.kind(), challenge.token()), (ChallengeKind::DnsPersist01, ""));
            assert_eq!(challenge.identifier().to_string(), "a.example");
            let wanted = challenge.persistent().unwrap();
            assert_eq!(wanted.value(None), format!("authority.example; accounturi={OURS}; policy=wildcard"));
        }
        // By which the authority knows the account, at its own host.
        let other = made(&offered(&json!("https://ca.example/hash/5SQm7n"), &names), OURS).unwrap();
        assert_eq!(other.persistent().unwrap().account_uri(), "https://ca.example/hash/5SQm7n");
    }

    /// An authority that is asked for one certificate must not get us to let another account at another authority have all.
    #[test]
    fn a_record_is_for_an_account_at_this_authority_alone() {
        let names = json!(["other-authority.example"]);
        for theirs in [
            "https://other-authority.example/acct/666",
            "https://ca.example:8443/acct/666",
            "https://ca.example@other-authority.example/acct/666",
            "http://ca.example/acct/666",
            "acct:666",
        ] {
            let challenge = made(&offered(&json!(theirs), &names), OURS).unwrap();
            assert_eq!(challenge.persistent().unwrap().account_uri(), OURS, "{theirs}");
        }
        let error = made(&offered(&Value::Null, &names), "https://other-authority.example/acct/666").unwrap_err();
        assert_eq!((error.kind(), error.hint_text().is_some()), (ErrorKind::Protocol, true));
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for names in
            [json!([]), json!("a.example"), json!([5]), json!(["a.example; x=y"]), json!(vec!["a.example"; 11])]
        {
            assert_eq!(made(&offered(&json!(OURS), &names), OURS).unwrap_err().kind(), ErrorKind::Protocol, "{names}");
        }
        assert_eq!(made(&json!({ "type": "dns-01" }), OURS).unwrap_err().kind(), ErrorKind::Protocol);
    }
}
