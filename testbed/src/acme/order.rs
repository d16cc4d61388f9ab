//! Orders (RFC 8555 §7.1.3, §7.4).

use std::collections::BTreeSet;

use certwright::{DnsName, Identifier, Timestamp};
use serde_json::{Value, json};

use crate::acme::authorization::{State, Status};
use crate::acme::front::Signed;
use crate::acme::moment;
use crate::acme::problem::{Problem, ProblemKind, malformed, unauthorized};
use crate::acme::world::World;
use crate::wire::reply::Reply;

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) account: usize,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) authorizations: Vec<usize>,
    pub(crate) expires: Timestamp,
    /// When the certificate shall begin and end, where somebody wished it.
    pub(crate) begin: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
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
        let account = signed.account()?;
        let wish = signed.object()?;
        let identifiers = self.identifiers(&wish)?;
        let profile = self.profile(&wish)?;
        let (begin, end) = self.period(&wish, profile.as_deref())?;
        let replaces = self.replaced(&wish, account, &identifiers)?;
        self.limit_order(account, &identifiers, replaces.as_deref())?;
        let authorizations = identifiers.iter().map(|identifier| self.authorize(account, identifier)).collect();
        let expires = self.now().saturating_add(self.settings.patience);
        let number = self.orders.len();
        if let Some(account) = self.accounts.get_mut(account) {
            account.orders.push(number);
        }
        if let Some(id) = &replaces {
            self.index.add_replacing(id, number);
        }
        self.orders.push(Order {
            account,
            identifiers,
            authorizations,
            expires,
            begin,
            end,
            profile,
            replaces,
            progress: Progress::Open,
        });
        let shown = self.show_order(number)?;
        Ok(Reply::json(201, &shown).with("Location", self.site.order(number)))
    }

    pub(crate) fn order(&self, signed: &Signed, number: usize) -> Result<Reply, Problem> {
        signed.must_fetch()?;
        let waits = self.own_order(signed, number)?.progress == Progress::Processing;
        let reply = self.show_order(number).map(|shown| Reply::json(200, &shown))?;
        Ok(if waits { self.patient(reply) } else { reply })
    }

    pub(crate) fn own_order(&self, signed: &Signed, number: usize) -> Result<&Order, Problem> {
        let account = signed.account()?;
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
                let now = self.now();
                let statuses = order.authorizations.iter().filter_map(|number| self.authorizations.get(*number));
                let mut statuses = statuses.map(|authorization| authorization.status_at(now));
                if order.expires <= now || statuses.clone().any(Status::is_final) {
                    "invalid"
                } else if statuses.all(|status| status == Status::Valid) {
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
        for (name, moment) in [("notBefore", order.begin), ("notAfter", order.end)] {
            if let Some(moment) = moment {
                shown[name] = moment.to_string().into();
            }
        }
        match &order.progress {
            Progress::Valid(certificate) => shown["certificate"] = self.site.certificate(*certificate).into(),
            Progress::Invalid(problem) => shown["error"] = problem.document(),
            Progress::Open => {
                if let Some(problem) = self.failure(order) {
                    shown["error"] = problem.document();
                }
            }
            Progress::Processing => {}
        }
        Ok(shown)
    }

    /// Why an order can come to nothing: what its authorizations failed for.
    fn failure(&self, order: &Order) -> Option<Problem> {
        let authorizations = order.authorizations.iter().filter_map(|number| self.authorizations.get(*number));
        let failed = authorizations.flat_map(|have| {
            have.challenges.iter().filter_map(|challenge| match &challenge.state {
                State::Invalid(problem) => Some((written(&have.identifier), problem.clone())),
                _ => None,
            })
        });
        let failed: Vec<(Value, Problem)> = failed.collect();
        (!failed.is_empty()).then(|| Problem::of_identifiers("not every identifier was authorized", failed))
    }

    /// When the certificate shall begin and end: inside of what its profile allows.
    fn period(&self, wish: &Value, profile: Option<&str>) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let moment = |name: &str| match wish.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().and_then(moment::read).map(Some).ok_or_else(|| {
                malformed(format!("`{name}` is a time as RFC 3339 has it, such as 2026-11-24T08:00:00Z"))
            }),
        };
        let (begin, end) = (moment("notBefore")?, moment("notAfter")?);
        let (now, longest) = (self.now(), self.lifetime(profile));
        let from = begin.unwrap_or(now);
        if begin.is_some_and(|begin| begin.saturating_add(longest) < now) {
            return Err(malformed("`notBefore` is too long ago: no certificate of this order would still be valid"));
        }
        match end {
            Some(end) if end <= from || end <= now => Err(malformed("`notAfter` is not after `notBefore` and now")),
            Some(end) if end > from.saturating_add(longest) => {
                let most = from.saturating_add(longest);
                Err(malformed(format!("`notAfter` is too late: a certificate ends at {most} at the latest")))
            }
            _ => Ok((begin, end)),
        }
    }

    /// The identifiers of an order. What is wrong with several is said of each.
    fn identifiers(&self, wish: &Value) -> Result<Vec<Identifier>, Problem> {
        let entries = entries(wish)?;
        let mut identifiers = Vec::new();
        let mut wrong = Vec::new();
        for entry in entries {
            match identifier(entry).and_then(|read| self.is_allowed(&read).map(|()| read)) {
                Ok(read) => identifiers.push(read),
                // What is no identifier at all cannot be named in a subproblem.
                Err(problem) if problem.kind == ProblemKind::Malformed => return Err(problem),
                Err(problem) => wrong.push((entry.clone(), problem)),
            }
        }
        if let [(_, only)] = wrong.as_slice()
            && entries.len() == 1
        {
            return Err(only.clone());
        }
        if !wrong.is_empty() {
            let detail = format!("nothing is issued for {} of the {} identifiers", wrong.len(), entries.len());
            return Err(Problem::of_identifiers(detail, wrong));
        }
        if identifiers.iter().collect::<BTreeSet<_>>().len() != identifiers.len() {
            return Err(malformed("an identifier is there twice"));
        }
        Ok(identifiers)
    }

    /// Whether anything is issued for it.
    pub(crate) fn is_allowed(&self, identifier: &Identifier) -> Result<(), Problem> {
        let name = match identifier {
            Identifier::Dns(name) | Identifier::Wildcard(name) => name.as_str(),
            _ => return Ok(()),
        };
        let below = |blocked: &DnsName| {
            name.strip_suffix(blocked.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        match self.settings.blocked.iter().find(|blocked| below(blocked)) {
            Some(blocked) => {
                let detail =
                    format!("`{identifier}`: nothing is issued for `{}` and below, by policy", blocked.as_str());
                Err(Problem::new(ProblemKind::RejectedIdentifier, detail))
            }
            None => Ok(()),
        }
    }

    fn profile(&self, wish: &Value) -> Result<Option<String>, Problem> {
        let profiles = &self.settings.profiles;
        let Some(wished) = wish.get("profile") else {
            return Ok(profiles.first().map(|profile| profile.name.clone()));
        };
        let name = wished.as_str().ok_or_else(|| malformed("`profile` is a name"))?;
        match profiles.iter().find(|profile| profile.name == name) {
            Some(profile) => Ok(Some(profile.name.clone())),
            None => {
                let known: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
                let detail = format!("there is no profile `{name}`, but: {}", known.join(", "));
                Err(Problem::new(ProblemKind::InvalidProfile, detail))
            }
        }
    }
}

/// An identifier of the protocol.
pub(crate) fn written(identifier: &Identifier) -> Value {
    let kind = if matches!(identifier, Identifier::Ip(_)) { "ip" } else { "dns" };
    json!({ "type": kind, "value": identifier.to_string() })
}

fn entries(wish: &Value) -> Result<&[Value], Problem> {
    let entries =
        wish.get("identifiers").and_then(Value::as_array).ok_or_else(|| malformed("`identifiers` is a list"))?;
    if entries.is_empty() || entries.len() > MOST {
        return Err(malformed(format!("an order has 1 to {MOST} identifiers")));
    }
    Ok(entries)
}

pub(crate) fn identifier(entry: &Value) -> Result<Identifier, Problem> {
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
        for odd in
            [json!({}), json!({"identifiers": []}), json!({"identifiers": {}}), json!({"identifiers": vec![0; 101]})]
        {
            assert!(entries(&odd).is_err(), "{odd}");
        }
    }
}
