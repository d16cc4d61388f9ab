//! What a person asks of an account: to be shown, to get another key, to be given up, to be taken over.

use std::path::Path;

use super::account::{Account, Wish};
use super::client::AcmeClient;
use super::{enrol, rollover};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::secret::SecretBytes;
use crate::pki::key::PrivateKey;
use crate::place::input;

/// The largest key that is read.
const SMALL: usize = 64 * 1024;

/// An account at an authority, as both sides see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcmeAccount {
    /// The URL of the directory.
    pub directory: String,
    /// The account's URL.
    pub url: String,
    /// The status by the authority: `valid`, `deactivated`, `revoked`.
    pub status: String,
    /// The contacts that the authority has.
    pub contact: Vec<String>,
    /// The thumbprint of the account's key (RFC 7638), as authorities and DNS records show it.
    pub thumbprint: String,
    /// The terms of service that were agreed to.
    pub terms: Option<String>,
}

impl AcmeClient {
    /// The account, as it is kept here and as the authority has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is none yet; otherwise as [`Issuer::issue`](crate::Issuer::issue).
    ///
    /// # Effects
    ///
    /// Network; reads the disk.
    pub fn account(&self, cancel: &Cancel) -> Result<AcmeAccount> {
        self.with_session(cancel, |session| {
            let account = self.present_account()?;
            let (status, contact) = account.seen(session)?;
            Ok(AcmeAccount { status, contact, ..shown(&account) })
        })
    }

    /// Give the account a fresh key (RFC 8555 §7.3.5).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no account yet, [`ErrorKind::Unsupported`] when the authority cannot; otherwise
    /// as [`Issuer::issue`](crate::Issuer::issue). The old key goes on unless the authority has taken the new one, and a run
    /// that was cut off is settled by the next.
    ///
    /// # Effects
    ///
    /// Network and disk.
    pub fn roll_over(&self, cancel: &Cancel) -> Result<AcmeAccount> {
        self.with_session(cancel, |session| {
            let state = self.state()?;
            let _lock = state.lock(enrol::LOCK_LIMIT, cancel)?;
            let directory = session.directory()?;
            rollover::settle(&state, &self.account_wish(None), session, &directory)?;
            let account = rollover::roll_over(&state, self.present_account()?, session, &directory)?;
            Ok(shown(&account))
        })
    }

    /// Give the account up for good (RFC 8555 §7.3.6). Certificates that it was given stay valid.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is none; otherwise as [`Issuer::issue`](crate::Issuer::issue).
    ///
    /// # Effects
    ///
    /// Network and disk: nothing is ordered with this issuer any more until its directory is moved away.
    pub fn deactivate(&self, cancel: &Cancel) -> Result<AcmeAccount> {
        self.with_session(cancel, |session| {
            let state = self.state()?;
            let _lock = state.lock(enrol::LOCK_LIMIT, cancel)?;
            let account = self.present_account()?.deactivate(&state, session)?;
            Ok(AcmeAccount { status: "deactivated".to_owned(), ..shown(&account) })
        })
    }

    /// Take over the account of another client: certbot, lego, dehydrated or acme.sh. `from` is the directory that it keeps
    /// for the account, or the file with the key. A key that is not on P-256 is replaced by one that is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no key; [`ErrorKind::Conflict`] when this issuer has an account already;
    /// [`ErrorKind::Refused`] when the authority knows no account with this key; otherwise as
    /// [`Issuer::issue`](crate::Issuer::issue).
    ///
    /// # Effects
    ///
    /// Network and disk. The other client's files are read and left as they are; after a change of the key they are of no use
    /// any more.
    pub fn import(&self, from: &Path, cancel: &Cancel) -> Result<AcmeAccount> {
        let key = self.foreign_key(from)?;
        self.with_session(cancel, |session| {
            let state = self.state()?;
            let _lock = state.lock(enrol::LOCK_LIMIT, cancel)?;
            let account = enrol::adopt(&state, &self.account_wish(None), &key, session)?;
            Ok(shown(&account))
        })
    }

    /// The key of another client's account.
    fn foreign_key(&self, from: &Path) -> Result<PrivateKey> {
        // certbot; dehydrated; acme.sh; lego.
        const NAMES: [&str; 5] = ["private_key.json", "account_key.pem", "account.key", "keys/*.key", "*.key"];
        let (path, bytes) = input::first_of(&*self.files, from, &NAMES, SMALL)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no account key of another client here")
                .context("path", from)
                .context("looked_for", Public(&NAMES.join(", ")))
                .hint("name the directory that the other client keeps for this account, or the file with its key")
        })?;
        let bytes = zeroize::Zeroizing::new(bytes);
        let json = bytes.trim_ascii_start().starts_with(b"{");
        let key = if json { PrivateKey::from_jwk(&bytes) } else { PrivateKey::from_pem(&bytes) };
        key.map_err(|error| error.context("path", path.as_path()))
    }

    /// The account that is kept, or an error that says how to get one.
    pub(super) fn present_account(&self) -> Result<Account> {
        Account::kept(&self.state()?, &self.account_wish(None))?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "this issuer has no account yet")
                .context("path", self.path.as_path())
                .hint("the first `certwright apply` makes it, or import one with `certwright account import`")
        })
    }

    pub(super) fn account_wish<'w>(&'w self, external: Option<(&'w str, SecretBytes)>) -> Wish<'w> {
        Wish { issuer: &self.name, directory: &self.wish.directory, contact: &self.wish.contact, external }
    }
}

fn shown(account: &Account) -> AcmeAccount {
    AcmeAccount {
        directory: account.facts.directory.clone(),
        url: account.facts.url.clone(),
        status: "valid".to_owned(),
        contact: account.facts.contact.clone(),
        thumbprint: account.key.thumbprint(),
        terms: account.facts.terms.clone(),
    }
}
