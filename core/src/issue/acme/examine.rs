//! Whether an authority can be used, without an order: its directory, its clock, the account, the terms.

use super::account::Account;
use super::client::AcmeClient;
use super::directory::{Binding, Directory};
use super::session::Session;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::issue::issuer::{Examined, clocks};

/// Look at directory, clock and account, in this order.
pub(super) fn look(client: &AcmeClient, cancel: &Cancel) -> Vec<Examined> {
    let looked = client.with_session(cancel, |session| {
        let answer = session.get("directory", &client.wish.directory)?;
        let there = answer.date().map(|there| (session.now(), there));
        let directory = Directory::read(&answer.body, &client.wish.directory)?;
        let found = vec![
            Examined::new("directory", Ok(told(&directory))),
            Examined::new("clock", clocks(there)),
            Examined::new("profile", profile(client, &directory)),
            Examined::new("account", account(client, session, &directory)),
        ];
        Ok(found)
    });
    looked.unwrap_or_else(|error| vec![Examined::new("directory", Err(error))])
}

fn told(directory: &Directory) -> String {
    match &directory.renewal_info {
        Some(_) => "it answers, and suggests when to renew".to_owned(),
        None => "it answers".to_owned(),
    }
}

fn profile(client: &AcmeClient, directory: &Directory) -> Result<String> {
    let offered = directory.profiles.as_deref().unwrap_or_default();
    match &client.wish.profile {
        None => Ok("the authority's default".to_owned()),
        Some(wished) if offered.contains(wished) => Ok(format!("`{wished}` is offered")),
        Some(wished) => Err(Error::new(ErrorKind::InvalidSpec, "the authority does not offer this profile")
            .context("profile", Public(wished))
            .context("offered", Public(&offered.join(", ")))
            .hint("write one that is offered, or leave `profile` out")),
    }
}

fn account(client: &AcmeClient, session: &Session<'_>, directory: &Directory) -> Result<String> {
    let kept = Account::kept(&client.state()?, &client.account_wish(None))?;
    let Some(account) = kept else {
        let bound = client.wish.external_account.is_some();
        return match directory.binding {
            Binding::Required if !bound => {
                Err(Error::new(ErrorKind::InvalidSpec, "the authority wants accounts to be bound to one elsewhere")
                    .hint("write `eab` with the key identifier and the MAC key that the authority gives out"))
            }
            _ => Ok(match &directory.terms {
                Some(terms) => format!("it is made at the first order, which agrees to {terms}"),
                None => "it is made at the first order".to_owned(),
            }),
        };
    };
    let (status, _) = account.seen(session)?;
    if status == "valid" {
        return Ok(format!("{} is valid", account.facts.url));
    }
    Err(Error::new(ErrorKind::Refused, "the authority does not take orders from this account any more")
        .context("account", Public(&account.facts.url))
        .context("account_status", Public(&status))
        .hint("move the issuer's directory away, so that the next run makes a new account"))
}
