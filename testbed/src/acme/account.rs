//! Accounts (RFC 8555 §7.3): made, found again, changed, ended.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::acme::front::Signed;
use crate::acme::jwk::Jwk;
use crate::acme::order::Progress;
use crate::acme::problem::{Problem, ProblemKind, malformed, unauthorized};
use crate::acme::world::World;
use crate::wire::reply::Reply;

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) key: Jwk,
    pub(crate) contact: Vec<String>,
    pub(crate) standing: Standing,
    /// The id of the external account that it is bound to.
    pub(crate) bound_to: Option<String>,
    /// The terms that it agreed to.
    pub(crate) agreed: Option<String>,
    /// Its orders.
    pub(crate) orders: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Valid,
    Deactivated,
}

impl Standing {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Deactivated => "deactivated",
        }
    }
}

/// How many orders one page of the list holds.
const PAGE: usize = 50;

impl World {
    pub(crate) fn new_account(&mut self, signed: &Signed, from: IpAddr) -> Result<Reply, Problem> {
        let wish = signed.object()?;
        if let Some(number) = self.index.account(&signed.key) {
            let account = self.accounts.get(number);
            if account.is_some_and(|account| account.standing != Standing::Valid) {
                return Err(unauthorized("the account of this key was deactivated").with_status(401));
            }
            return self.account_reply(200, number).map(|reply| reply.with("Location", self.site.account(number)));
        }
        if flag(&wish, "onlyReturnExisting")? {
            return Err(Problem::new(ProblemKind::AccountDoesNotExist, "no account has this key"));
        }
        let contact = contacts(&wish)?.unwrap_or_default();
        let agreed = flag(&wish, "termsOfServiceAgreed")?;
        if let Some(terms) = self.settings.terms.as_ref().filter(|_| !agreed) {
            let detail = format!("the terms of service have to be agreed to: {terms}");
            let problem = Problem::new(ProblemKind::UserActionRequired, detail).with("instance", terms.as_str().into());
            return Err(problem.with_header("Link", format!("<{terms}>;rel=\"terms-of-service\"")));
        }
        let bound_to = self.binding(&wish, &signed.key)?;
        self.limit_account(from)?;
        let number = self.accounts.len();
        self.index.add_account(&signed.key, number);
        if let Some(external) = &bound_to {
            self.index.bind(external);
        }
        let agreed = self.settings.terms.clone().filter(|_| agreed);
        let standing = Standing::Valid;
        self.accounts.push(Account {
            key: signed.key.clone(),
            contact,
            standing,
            bound_to,
            agreed,
            orders: Vec::new(),
        });
        self.account_reply(201, number).map(|reply| reply.with("Location", self.site.account(number)))
    }

    /// Shows an account, or changes it.
    pub(crate) fn account(&mut self, signed: &Signed, number: usize) -> Result<Reply, Problem> {
        self.is_own(signed, number)?;
        if !signed.is_fetch() {
            let wish = signed.object()?;
            let (contact, agreed) = (contacts(&wish)?, flag(&wish, "termsOfServiceAgreed")?);
            let terms = self.settings.terms.clone().filter(|_| agreed);
            let account = self.accounts.get_mut(number).ok_or_else(no_account)?;
            match wish.get("status").map(|status| status.as_str().unwrap_or_default()) {
                None | Some("valid") => {}
                Some("deactivated") => account.standing = Standing::Deactivated,
                Some(other) => {
                    return Err(malformed(format!(
                        "an account can be made `deactivated`, and nothing else: `{other}`"
                    )));
                }
            }
            if let Some(contact) = contact {
                account.contact = contact;
            }
            account.agreed = terms.or_else(|| account.agreed.take());
            if account.standing == Standing::Deactivated {
                self.end_orders(number);
            }
        }
        self.account_reply(200, number)
    }

    /// What was not finished when the account ended is not finished any more (RFC 8555 §7.3.6).
    fn end_orders(&mut self, account: usize) {
        let orders = self.accounts.get(account).map(|account| account.orders.clone()).unwrap_or_default();
        for number in orders {
            if let Some(order) = self.orders.get_mut(number)
                && matches!(order.progress, Progress::Open | Progress::Processing)
            {
                order.progress = Progress::Invalid(unauthorized("the account was deactivated").with_status(401));
            }
        }
    }

    /// A page of the orders (RFC 8555 §7.1.2.1), from this one on. Those that are invalid are left out.
    pub(crate) fn orders_of(&self, signed: &Signed, number: usize, from: usize) -> Result<Reply, Problem> {
        self.is_own(signed, number)?;
        signed.must_fetch()?;
        let orders = self.accounts.get(number).map(|account| account.orders.as_slice()).unwrap_or_default();
        let start = orders.partition_point(|order| *order < from);
        let alive = orders
            .iter()
            .skip(start)
            .copied()
            .filter(|order| self.orders.get(*order).is_some_and(|order| self.order_status(order) != "invalid"));
        let mut page: Vec<usize> = alive.take(PAGE + 1).collect();
        let next = page.get(PAGE).copied();
        page.truncate(PAGE);
        let urls: Vec<String> = page.into_iter().map(|order| self.site.order(order)).collect();
        let reply = Reply::json(200, &json!({ "orders": urls }));
        Ok(match next {
            Some(next) => {
                let url = self.site.at(format_args!("account/{number}/orders/{next}"));
                reply.with("Link", format!("<{url}>;rel=\"next\""))
            }
            None => reply,
        })
    }

    fn is_own(&self, signed: &Signed, number: usize) -> Result<(), Problem> {
        if signed.account()? == number { Ok(()) } else { Err(unauthorized("this is another account's")) }
    }

    pub(crate) fn account_reply(&self, status: u16, number: usize) -> Result<Reply, Problem> {
        Ok(Reply::json(status, &self.show_account(number)?))
    }

    pub(crate) fn show_account(&self, number: usize) -> Result<Value, Problem> {
        let account = self.accounts.get(number).ok_or_else(no_account)?;
        let mut shown = json!({
            "status": account.standing.word(),
            "contact": account.contact,
            "orders": self.site.at(format_args!("account/{number}/orders")),
        });
        if let Some(terms) = &self.settings.terms {
            shown["termsOfServiceAgreed"] = (account.agreed.as_ref() == Some(terms)).into();
        }
        Ok(shown)
    }
}

fn no_account() -> Problem {
    malformed("there is no such account").with_status(404)
}

/// A member that is true, false or absent.
fn flag(wish: &Value, name: &str) -> Result<bool, Problem> {
    match wish.get(name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| malformed(format!("`{name}` is true or false"))),
    }
}

/// The most contacts of one account.
const MOST: usize = 10;

/// The contacts that are asked for; `None` when nothing is said about them.
fn contacts(wish: &Value) -> Result<Option<Vec<String>>, Problem> {
    let Some(contact) = wish.get("contact") else { return Ok(None) };
    let entries = contact.as_array().ok_or_else(|| malformed("`contact` is a list"))?;
    if entries.len() > MOST {
        let detail = format!("an account has at most {MOST} contacts, not {}", entries.len());
        return Err(Problem::new(ProblemKind::InvalidContact, detail));
    }
    entries.iter().map(one_contact).collect::<Result<_, _>>().map(Some)
}

fn one_contact(contact: &Value) -> Result<String, Problem> {
    let text = contact.as_str().ok_or_else(|| malformed("a contact is a URL"))?;
    let Some(address) = text.strip_prefix("mailto:") else {
        let detail = format!("`{text}` is no mailto URL, and no other scheme is supported");
        return Err(Problem::new(ProblemKind::UnsupportedContact, detail));
    };
    // One address and no header fields (RFC 8555 §7.3).
    let parts: Vec<&str> = address.split('@').collect();
    match parts.as_slice() {
        [local, domain]
            if !local.is_empty()
                && domain.contains('.')
                && address.is_ascii()
                && !address.contains([',', '?', ' '])
                && !address.contains(char::is_control) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(Problem::new(ProblemKind::InvalidContact, format!("`{address}` is not one mail address"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_single_mail_addresses() {
        let read = |text: &str| one_contact(&json!(text)).map_err(|problem| problem.kind);
        assert_eq!(read("mailto:ops@example.org").unwrap(), "mailto:ops@example.org");
        assert_eq!(read("tel:+1"), Err(ProblemKind::UnsupportedContact));
        for odd in [
            "mailto:",
            "mailto:a@b",
            "mailto:a@b.example,c@d.example",
            "mailto:a@b.example?cc=x",
            "mailto:@b.example",
            "mailto:a@b.example\n",
            "mailto:ä@b.example",
        ] {
            assert_eq!(read(odd), Err(ProblemKind::InvalidContact), "{odd}");
        }
        assert_eq!(contacts(&json!({})).unwrap(), None);
        assert!(contacts(&json!({"contact": "mailto:a@b.example"})).is_err());
        assert!(contacts(&json!({"contact": vec!["mailto:a@b.example"; MOST + 1]})).is_err());
    }
}
