//! Accounts (RFC 8555 §7.3): made, found again, changed, ended.

use serde_json::{Value, json};

use crate::acme::front::Signed;
use crate::acme::jwk::Jwk;
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Valid,
    Deactivated,
}

impl World {
    pub(crate) fn new_account(&mut self, signed: &Signed) -> Result<Reply, Problem> {
        let wish = signed.object()?;
        if let Some(number) = self.account_with(&signed.key) {
            let account = self.accounts.get(number);
            if account.is_some_and(|account| account.standing != Standing::Valid) {
                return Err(unauthorized("the account of this key was deactivated").with_status(401));
            }
            return self.account_reply(200, number).map(|reply| reply.with("Location", self.site.account(number)));
        }
        if wish.get("onlyReturnExisting") == Some(&Value::Bool(true)) {
            return Err(Problem::new(ProblemKind::AccountDoesNotExist, "no account has this key"));
        }
        let contact = contacts(&wish)?.unwrap_or_default();
        if self.settings.terms.is_some() && wish.get("termsOfServiceAgreed") != Some(&Value::Bool(true)) {
            let detail = "the terms of service in the directory have to be agreed to";
            return Err(Problem::new(ProblemKind::UserActionRequired, detail));
        }
        let bound_to = self.binding(&wish, &signed.key)?;
        let number = self.accounts.len();
        self.accounts.push(Account { key: signed.key.clone(), contact, standing: Standing::Valid, bound_to });
        self.account_reply(201, number).map(|reply| reply.with("Location", self.site.account(number)))
    }

    /// Shows an account, or changes it.
    pub(crate) fn account(&mut self, signed: &Signed, number: usize) -> Result<Reply, Problem> {
        self.is_own(signed, number)?;
        if !signed.is_fetch() {
            let wish = signed.object()?;
            let contact = contacts(&wish)?;
            let account = self.accounts.get_mut(number).ok_or_else(|| malformed("no such account").with_status(404))?;
            match wish.get("status").and_then(Value::as_str) {
                None => {}
                Some("deactivated") => account.standing = Standing::Deactivated,
                Some(other) => return Err(malformed(format!("an account cannot be made `{other}`"))),
            }
            if let Some(contact) = contact {
                account.contact = contact;
            }
        }
        self.account_reply(200, number)
    }

    pub(crate) fn orders_of(&self, signed: &Signed, number: usize) -> Result<Reply, Problem> {
        self.is_own(signed, number)?;
        signed.must_fetch()?;
        let orders = self.orders.iter().enumerate().filter(|(_, order)| order.account == number);
        let urls: Vec<String> = orders.map(|(number, _)| self.site.order(number)).collect();
        Ok(Reply::json(200, &json!({ "orders": urls })))
    }

    pub(crate) fn account_with(&self, key: &Jwk) -> Option<usize> {
        self.accounts.iter().position(|account| account.key == *key)
    }

    fn is_own(&self, signed: &Signed, number: usize) -> Result<(), Problem> {
        if Self::signer(signed)? == number { Ok(()) } else { Err(unauthorized("this is another account's")) }
    }

    fn account_reply(&self, status: u16, number: usize) -> Result<Reply, Problem> {
        let account = self.accounts.get(number).ok_or_else(|| malformed("no such account").with_status(404))?;
        let standing = match account.standing {
            Standing::Valid => "valid",
            Standing::Deactivated => "deactivated",
        };
        let mut shown = json!({
            "status": standing,
            "contact": account.contact,
            "orders": self.site.at(format_args!("account/{number}/orders")),
        });
        if self.settings.terms.is_some() {
            shown["termsOfServiceAgreed"] = true.into();
        }
        Ok(Reply::json(status, &shown))
    }
}

/// The contacts that are asked for; `None` when nothing is said about them.
fn contacts(wish: &Value) -> Result<Option<Vec<String>>, Problem> {
    let Some(contact) = wish.get("contact") else { return Ok(None) };
    let entries = contact.as_array().ok_or_else(|| malformed("`contact` is a list"))?;
    entries.iter().map(one_contact).collect::<Result<_, _>>().map(Some)
}

fn one_contact(contact: &Value) -> Result<String, Problem> {
    let text = contact.as_str().ok_or_else(|| malformed("a contact is a URL"))?;
    let Some(address) = text.strip_prefix("mailto:") else {
        let detail = format!("`{text}` is no mailto URL");
        return Err(Problem::new(ProblemKind::UnsupportedContact, detail));
    };
    // One address and no header fields (RFC 8555 §7.3).
    let parts: Vec<&str> = address.split('@').collect();
    match parts.as_slice() {
        [local, domain] if !local.is_empty() && domain.contains('.') && !address.contains([',', '?', ' ']) => {
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
        for odd in
            ["mailto:", "mailto:a@b", "mailto:a@b.example,c@d.example", "mailto:a@b.example?cc=x", "mailto:@b.example"]
        {
            assert_eq!(read(odd), Err(ProblemKind::InvalidContact), "{odd}");
        }
        assert_eq!(contacts(&json!({})).unwrap(), None);
        assert!(contacts(&json!({"contact": "mailto:a@b.example"})).is_err());
    }
}
