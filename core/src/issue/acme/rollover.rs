//! Another key for the same account (RFC 8555 §7.3.5).
//!
//! The new key is durable before the authority is asked and takes the old one's place after it agreed. A run that is cut off
//! in between is settled by the next one, which asks the authority which of the two it knows.

use serde_json::json;

use super::account::{Account, Wish, find};
use super::account_file as file;
use super::directory::Directory;
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::pki::jws::{AccountKey, By};
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::place::state::StateDirectory;

/// Give the account a fresh key on P-256. The lock is held.
pub(super) fn roll_over(
    state: &StateDirectory,
    account: Account,
    session: &Session<'_>,
    directory: &Directory,
) -> Result<Account> {
    let Some(url) = &directory.key_change else {
        return Err(Error::new(ErrorKind::Unsupported, "the authority does not change account keys")
            .context("account", Public(&account.facts.url))
            .hint("deactivate the account and make a new one"));
    };
    let fresh = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    file::write_next_key(state, &fresh)?;
    let signer = AccountKey::new(&fresh)?;
    let old_key: serde_json::Value = serde_json::from_str(account.key.jwk()).unwrap_or_default();
    let inner = json!({ "account": account.facts.url, "oldKey": old_key }).to_string();
    let inner = signer.sign(By::Key, None, url, inner.as_bytes())?;
    let asked = session.post("key change", &account.key, By::Account(&account.facts.url), url, inner.as_bytes());
    match asked {
        Ok(_) => {}
        // It may have been done all the same: the next run finds out.
        Err(error) if matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Cancelled) => {
            return Err(error);
        }
        Err(error) => {
            file::forget_next_key(state)?;
            return Err(error);
        }
    }
    file::write_key(state, &fresh)?;
    file::forget_next_key(state)?;
    Ok(Account { key: signer, facts: account.facts })
}

/// Finish or undo a rollover that was cut off. The lock is held.
pub(super) fn settle(
    state: &StateDirectory,
    wish: &Wish<'_>,
    session: &Session<'_>,
    directory: &Directory,
) -> Result<()> {
    let Some(next) = file::next_key(state)? else { return Ok(()) };
    let is_in_place = file::key(state)?.is_some_and(|key| key.fingerprint() == next.fingerprint());
    if !is_in_place && Account::kept(state, wish)?.is_some() {
        match find(session, &AccountKey::new(&next)?, directory) {
            Ok(_) => file::write_key(state, &next)?,
            Err(error) if error.kind() == ErrorKind::Refused => {}
            Err(error) => return Err(error),
        }
    }
    file::forget_next_key(state)
}
