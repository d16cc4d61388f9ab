//! Orders (RFC 8555 §7.1.3, §7.4).

use std::collections::BTreeSet;

use certwright::{Identifier, Timestamp};
use serde_json::{Value, json};

use crate::acme::authorization::Status;
use crate::acme::front::Signed;
use crate::acme::problem::{Problem, ProblemKind, malformed, unauthorized};
use crate::acme::world::World;
use crate::wire::reply::Reply;

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) account: usize,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) authorizations: Vec<usize>,
    pub(crate) expires: Timestamp,
    pub(crate) profile: Option<String>,
    /// The id (RFC 9773 §4.1) of the certificate that it is to take the place of.
    pub(crate) replaces: Option<String>,
    pub(crate) progress: Progress,
}

/// How far it has come after its authorizations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Progress {
    Open,
    Processing,
    Valid(usize),
    Invalid(Problem),
}

/// The most identifiers in an order.
const MOST: usize = 100;

impl World {
    pub(crate) fn new_order(&mut self, signed: &Signed) -> Result<Reply, Problem> {
        let account = Self::signer(signed)?;
        let wish = signed.object()?;
        if wish.get("notBefore").is_some() || wish.get("notAfter").is_some() {
            return Err(malformed("the validity is chosen by the server: `notBefore` and `notAfter` are not accepted"));
        }
        let identifiers = identifiers(&wish)?;
        let profile = self.profile(&wish)?;
        let replaces = self.replaced(&wish, account, &identifiers)?;
        let authorizations = identifiers.iter().map(|identifier| self.authorize(account, identifier)).collect();
        let expires = self.now().saturating_add(self.settings.patience);
        let number = self.orders.len();
        self.orders.push(Order {
            account,
            identifiers,
            authorizations,
            expires,
            profile,
            replaces,
            progress: Progress::Open,
        });
        let shown = self.show_order(number)?;
        Ok(Reply::json(201, &shown).with("Location", self.site.order(number)))
    }

    pub(crate) fn order(&self, signed: &Signed, number: usize) -> Result<Reply, Problem> {
        signed.must_fetch()?;
        self.own_order(signed, number)?;
        self.show_order(number).map(|shown| Reply::json(200, &shown))
    }

    pub(crate) fn own_order(&self, signed: &Signed, number: usize) -> Result<&Order, Problem> {
        let account = Self::signer(signed)?;
        let order = self.orders.get(number).ok_or_else(|| malformed("there is no such order").with_status(404))?;
        if order.account == account { Ok(order) } else { Err(unauthorized("this is another account's order")) }
    }

    /// What has become of it, by its authorizations and by the time.
    pub(crate) fn order_status(&self, order: &Order) -> &'static str {
        match &order.progress {
            Progress::Processing => "processing",
            Progress::Valid(_) => "valid",
            Progress::Invalid(_) => "invalid",
            Progress::Open => {
                let statuses: Vec<Status> = order
                    .authorizations
                    .iter()
                    .filter_map(|number| self.authorizations.get(*number))
                    .map(|authorization| authorization.status_at(self.now()))
                    .collect();
                if order.expires <= self.now() || statuses.iter().any(|status| status.is_final()) {
                    "invalid"
                } else if statuses.iter().all(|status| *status == Status::Valid) {
                    "ready"
                } else {
                    "pending"
                }
            }
        }
    }

    pub(crate) fn show_order(&self, number: usize) -> Result<Value, Problem> {
        let order = self.orders.get(number).ok_or_else(|| malformed("there is no such order").with_status(404))?;
        let urls: Vec<String> = order.authorizations.iter().map(|number| self.site.authorization(*number)).collect();
        let mut shown = json!({
            "status": self.order_status(order),
            "expires": order.expires.to_string(),
            "identifiers": order.identifiers.iter().map(written).collect::<Vec<_>>(),
            "authorizations": urls,
            "finalize": self.site.at(format_args!("order/{number}/finalize")),
        });
        if let Some(profile) = &order.profile {
            shown["profile"] = profile.as_str().into();
        }
        if let Some(replaces) = &order.replaces {
            shown["replaces"] = replaces.as_str().into();
        }
        match &order.progress {
            Progress::Valid(certificate) => shown["certificate"] = self.site.certificate(*certificate).into(),
            Progress::Invalid(problem) => shown["error"] = problem.document(),
            Progress::Open | Progress::Processing => {}
        }
        Ok(shown)
    }

    fn profile(&self, wish: &Value) -> Result<Option<String>, Problem> {
        let profiles = &self.settings.profiles;
        let Some(wished) = wish.get("profile") else {
            return Ok(profiles.first().map(|profile| profile.name.clone()));
        };
        let name = wished.as_str().ok_or_else(|| malformed("`profile` is a name"))?;
        match profiles.iter().find(|profile| profile.name == name) {
            Some(profile) => Ok(Some(profile.name.clone())),
            None => Err(Problem::new(ProblemKind::InvalidProfile, format!("there is no profile `{name}`"))),
        }
    }
}

/// An identifier of the protocol.
pub(crate) fn written(identifier: &Identifier) -> Value {
    let kind = if matches!(identifier, Identifier::Ip(_)) { "ip" } else { "dns" };
    json!({ "type": kind, "value": identifier.to_string() })
}

fn identifiers(wish: &Value) -> Result<Vec<Identifier>, Problem> {
    let entries =
        wish.get("identifiers").and_then(Value::as_array).ok_or_else(|| malformed("`identifiers` is a list"))?;
    if entries.is_empty() || entries.len() > MOST {
        return Err(malformed(format!("an order has 1 to {MOST} identifiers")));
    }
    let identifiers = entries.iter().map(identifier).collect::<Result<Vec<_>, _>>()?;
    if identifiers.iter().collect::<BTreeSet<_>>().len() != identifiers.len() {
        return Err(malformed("an identifier is there twice"));
    }
    Ok(identifiers)
}

fn identifier(entry: &Value) -> Result<Identifier, Problem> {
    let field =
        |name| entry.get(name).and_then(Value::as_str).ok_or_else(|| malformed("an identifier has `type` and `value`"));
    let (kind, value) = (field("type")?, field("value")?);
    if !matches!(kind, "dns" | "ip") {
        let detail = format!("identifiers of the type `{kind}` are not known");
        return Err(Problem::new(ProblemKind::UnsupportedIdentifier, detail));
    }
    let rejected = |why: &str| Problem::new(ProblemKind::RejectedIdentifier, format!("`{value}`: {why}"));
    let read: Identifier = value.parse().map_err(|error: certwright::Error| rejected(&error.to_string()))?;
    if matches!(read, Identifier::Ip(_)) != (kind == "ip") {
        return Err(rejected("this is not of the type that it is said to be"));
    }
    if read.to_string() != value {
        return Err(rejected("this is not written in its shortest form, in lower case and in A-labels"));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, value: &str) -> Result<String, ProblemKind> {
        identifier(&json!({ "type": kind, "value": value }))
            .map(|read| read.to_string())
            .map_err(|problem| problem.kind)
    }

    #[test]
    fn identifiers_are_taken_as_they_are_written_or_refused() {
        for (kind, value) in [("dns", "a.example"), ("dns", "*.a.example"), ("ip", "192.0.2.1"), ("ip", "2001:db8::1")]
        {
            assert_eq!(read(kind, value).unwrap(), value);
        }
        for (kind, value) in [
            ("dns", "A.example"),
            ("dns", "192.0.2.1"),
            ("ip", "a.example"),
            ("ip", "2001:DB8::1"),
            ("dns", "bücher.example"),
            ("dns", "a..b"),
            ("dns", "a.example."),
        ] {
            assert_eq!(read(kind, value), Err(ProblemKind::RejectedIdentifier), "{value}");
        }
        assert_eq!(read("email", "a@b.example"), Err(ProblemKind::UnsupportedIdentifier));
        let twice =
            json!({"identifiers": [{"type": "dns", "value": "a.example"}, {"type": "dns", "value": "a.example"}]});
        assert!(identifiers(&twice).is_err() && identifiers(&json!({"identifiers": []})).is_err());
    }
}
