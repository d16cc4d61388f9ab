//! An account that is there and as wished: from disk, made, changed, or taken over from another client.

use std::time::Duration;

use super::account::{Account, Wish, find};
use super::account_file::{self as file, Facts};
use super::rollover::{roll_over, settle};
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::pki::jws::AccountKey;
use crate::pki::key::PrivateKey;
use crate::place::state::StateDirectory;

/// How long making an account may take in another process.
pub(super) const LOCK_LIMIT: Duration = Duration::from_secs(120);

/// The account, from disk when it is there and as wished. Otherwise it is made or changed, under the lock.
pub(super) fn ready(state: &StateDirectory, wish: &Wish<'_>, session: &Session<'_>) -> Result<Account> {
    if let Some(account) = Account::kept(state, wish)?.filter(|account| account.is_as(wish))
        && file::next_key(state)?.is_none()
    {
        return Ok(account);
    }
    let _lock = state.lock(LOCK_LIMIT, session.cancel())?;
    let directory = session.directory()?;
    settle(state, wish, session, &directory)?;
    match Account::kept(state, wish)? {
        Some(account) if account.is_as(wish) => Ok(account),
        Some(account) => account.with_contact(state, wish, session),
        None => Account::make(state, wish, session, &directory),
    }
}

/// Take over the account that has this key. A key that is not on P-256 is changed at once. The lock is held.
pub(super) fn adopt(
    state: &StateDirectory,
    wish: &Wish<'_>,
    key: &PrivateKey,
    session: &Session<'_>,
) -> Result<Account> {
    if Facts::read(state)?.is_some() {
        return Err(Error::new(ErrorKind::Conflict, "this issuer has an account already")
            .context("path", state.path())
            .hint("move this directory away, or import into an issuer with another name"));
    }
    let directory = session.directory()?;
    let signer = AccountKey::new(key)?;
    let url = find(session, &signer, &directory)?;
    let is_p256 = signer.is_p256();
    let facts = Facts::new(wish.directory, url, Vec::new(), directory.terms.clone());
    let mut account = Account { key: signer, facts };
    account.facts.contact = account.seen(session)?.1;
    // The key first: with it alone, the next run finds the account again.
    file::write_key(state, key)?;
    account.facts.write(state)?;
    if is_p256 { Ok(account) } else { roll_over(state, account, session, &directory) }
}
