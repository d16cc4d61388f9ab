//! What is kept of an account: `account.pem`, the key, and `account.json`, what belongs to it. Both for nobody else (0600).
//!
//! The key is durable before the authority hears of it, so that no crash can leave an account whose key is lost.

use serde::{Deserialize, Serialize};

use crate::ground::error::{Error, ErrorKind, Result};
use crate::pki::key::PrivateKey;
use crate::place::state::StateDirectory;

const KEY: &str = "account.pem";
const FACTS: &str = "account.json";
/// The key that is to take the place of [`KEY`], from before the authority is asked until it has agreed.
const NEXT_KEY: &str = "account-next.pem";
const VERSION: u32 = 1;

/// The shape of `account.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    version: u32,
    /// The directory that the account is with.
    pub(super) directory: String,
    /// The account's URL.
    pub(super) url: String,
    /// The contacts that the authority knows.
    pub(super) contact: Vec<String>,
    /// The terms of service that were agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) terms: Option<String>,
    pub(super) state: State,
}

/// Whether the account is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Valid,
    Deactivated,
}

impl Facts {
    pub(super) fn new(directory: &str, url: String, contact: Vec<String>, terms: Option<String>) -> Self {
        Self { version: VERSION, directory: directory.to_owned(), url, contact, terms, state: State::Valid }
    }

    /// What is kept of it; `None` when there is none yet.
    pub(super) fn read(state: &StateDirectory) -> Result<Option<Self>> {
        let Some(bytes) = state.read(FACTS)? else { return Ok(None) };
        let facts: Self = serde_json::from_slice(&bytes).map_err(|source| damaged(state, FACTS).source(source))?;
        if facts.version != VERSION {
            return Err(damaged(state, FACTS).context("version", facts.version));
        }
        Ok(Some(facts))
    }

    pub(super) fn write(&self, state: &StateDirectory) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|source| Error::new(ErrorKind::Bug, "an account cannot be written down").source(source))?;
        state.write(FACTS, &bytes)
    }
}

/// The key; `None` when there is none yet.
pub(super) fn key(state: &StateDirectory) -> Result<Option<PrivateKey>> {
    read_key(state, KEY)
}

/// The key that a rollover was about to bring; `None` when none is under way.
pub(super) fn next_key(state: &StateDirectory) -> Result<Option<PrivateKey>> {
    read_key(state, NEXT_KEY)
}

pub(super) fn write_key(state: &StateDirectory, key: &PrivateKey) -> Result<()> {
    state.write(KEY, key.to_pem().expose())
}

pub(super) fn write_next_key(state: &StateDirectory, key: &PrivateKey) -> Result<()> {
    state.write(NEXT_KEY, key.to_pem().expose())
}

/// The rollover is settled, whichever way.
pub(super) fn forget_next_key(state: &StateDirectory) -> Result<()> {
    state.remove(NEXT_KEY)
}

fn read_key(state: &StateDirectory, name: &'static str) -> Result<Option<PrivateKey>> {
    let Some(bytes) = state.read(name)?.map(zeroize::Zeroizing::new) else { return Ok(None) };
    PrivateKey::from_pem(&bytes).map(Some).map_err(|source| damaged(state, name).source(source))
}

fn damaged(state: &StateDirectory, name: &'static str) -> Error {
    Error::new(ErrorKind::Unfit, "a file of the account is damaged")
        .context("path", state.path().join(name).as_path())
        .hint("restore it from a backup; moving the issuer's directory away makes a new account")
}
