//! The account: made once, kept, found again by its key, changed and given up.

use serde_json::{Value, json};

use super::account_file::{self as file, Facts, State};
use super::directory::{Binding, Directory};
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::IssuerName;
use crate::ground::secret::SecretBytes;
use crate::issue::http::bounded;
use crate::pki::jws::{AccountKey, By, binding};
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::place::state::StateDirectory;

/// An account, ready to sign.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) key: AccountKey,
    pub(super) facts: Facts,
}

/// What an account is to be like.
#[derive(Debug)]
pub(super) struct Wish<'w> {
    pub(super) issuer: &'w IssuerName,
    pub(super) directory: &'w str,
    pub(super) contact: &'w [String],
    /// Key identifier and MAC key of the account elsewhere.
    pub(super) external: Option<(&'w str, SecretBytes)>,
}

impl Account {
    /// The account as it is on disk; `None` when it was never finished.
    pub(super) fn kept(state: &StateDirectory, wish: &Wish<'_>) -> Result<Option<Self>> {
        let (Some(facts), Some(key)) = (Facts::read(state)?, file::key(state)?) else { return Ok(None) };
        let fault = |kind, message: &'static str| Error::new(kind, message).context("path", state.path());
        if facts.directory != wish.directory {
            return Err(fault(ErrorKind::InvalidSpec, "the account that is kept here is with another authority")
                .context("kept", Public(&facts.directory))
                .context("configured", Public(wish.directory))
                .hint("give the issuer for another authority another name"));
        }
        if facts.state == State::Deactivated {
            return Err(fault(ErrorKind::Refused, "the account was deactivated")
                .context("account", Public(&facts.url))
                .hint("move this directory away, so that the next run makes a new account"));
        }
        Ok(Some(Self { key: AccountKey::new(&key)?, facts }))
    }

    /// Whether nothing has to be changed. A wish without contacts leaves those alone that there are.
    pub(super) fn is_as(&self, wish: &Wish<'_>) -> bool {
        wish.contact.is_empty() || self.facts.contact == wish.contact
    }

    /// Register a key, new or left by a run that was cut off: authorities answer with the account that has it already
    /// (RFC 8555 §7.3.1).
    pub(super) fn make(
        state: &StateDirectory,
        wish: &Wish<'_>,
        session: &Session<'_>,
        directory: &Directory,
    ) -> Result<Self> {
        let key = match file::key(state)? {
            Some(key) => key,
            None => {
                let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
                file::write_key(state, &key)?;
                key
            }
        };
        let key = AccountKey::new(&key)?;
        let mut payload = json!({ "termsOfServiceAgreed": true });
        if let Some(members) = payload.as_object_mut() {
            if !wish.contact.is_empty() {
                members.insert("contact".to_owned(), json!(wish.contact));
            }
            match (&wish.external, directory.binding) {
                (Some((kid, mac_key)), _) => {
                    let bound = binding(kid, mac_key, &directory.new_account, key.jwk())?;
                    members.insert("externalAccountBinding".to_owned(), bound);
                }
                (None, Binding::Required) => return Err(unbound(wish)),
                (None, Binding::Optional) => {}
            }
        }
        let url = register(session, &key, directory, &payload).map_err(|error| advise(error, wish))?;
        let facts = Facts::new(wish.directory, url, wish.contact.to_vec(), directory.terms.clone());
        facts.write(state)?;
        Ok(Self { key, facts })
    }

    /// The same account with the contacts that are wished (RFC 8555 §7.3.2).
    pub(super) fn with_contact(
        mut self,
        state: &StateDirectory,
        wish: &Wish<'_>,
        session: &Session<'_>,
    ) -> Result<Self> {
        self.post(session, "contact change", &self.facts.url, &json!({ "contact": wish.contact }))?;
        self.facts.contact = wish.contact.to_vec();
        self.facts.write(state)?;
        Ok(self)
    }

    /// Give the account up at the authority (RFC 8555 §7.3.6). The files stay, so that nothing makes a new one by itself.
    pub(super) fn deactivate(mut self, state: &StateDirectory, session: &Session<'_>) -> Result<Self> {
        session.directory()?;
        self.post(session, "account deactivation", &self.facts.url, &json!({ "status": "deactivated" }))?;
        self.facts.state = State::Deactivated;
        self.facts.write(state)?;
        Ok(self)
    }

    /// The account as the authority sees it: its status and contacts (RFC 8555 §7.1.2).
    pub(super) fn seen(&self, session: &Session<'_>) -> Result<(String, Vec<String>)> {
        session.directory()?;
        let answer = session.post("account", &self.key, By::Account(&self.facts.url), &self.facts.url, b"")?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let contact = value.get("contact").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let contact = contact.iter().filter_map(Value::as_str).map(bounded).collect();
        Ok((bounded(value.get("status").and_then(Value::as_str).unwrap_or("unknown")), contact))
    }

    fn post(&self, session: &Session<'_>, call: &'static str, url: &str, payload: &Value) -> Result<()> {
        let payload = payload.to_string();
        session.post(call, &self.key, By::Account(&self.facts.url), url, payload.as_bytes()).map(drop)
    }
}

/// The URL of the account that has this key.
pub(super) fn find(session: &Session<'_>, key: &AccountKey, directory: &Directory) -> Result<String> {
    register(session, key, directory, &json!({ "onlyReturnExisting": true }))
}

fn register(session: &Session<'_>, key: &AccountKey, directory: &Directory, payload: &Value) -> Result<String> {
    let payload = payload.to_string();
    let answer = session.post("account", key, By::Key, &directory.new_account, payload.as_bytes())?;
    let url = answer.header("location").filter(|url| url.starts_with("https://"));
    url.map(str::to_owned).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "the authority does not say the URL of the account")
            .context("url", Public(&bounded(&answer.url)))
            .hint("report it to the authority: RFC 8555 section 7.3 asks for the header `Location`")
    })
}

/// Some authorities take no account without a contact, and have no word of their own for that (RFC 8555 §7.3 leaves it out).
fn advise(error: Error, wish: &Wish<'_>) -> Error {
    let silent = error.kind() == ErrorKind::Refused && error.hint_text().is_none();
    if silent && wish.contact.is_empty() {
        error.hint("state a `contact` of this issuer: some authorities take no account without one")
    } else {
        error
    }
}

fn unbound(wish: &Wish<'_>) -> Error {
    Error::new(ErrorKind::Refused, "the authority takes accounts only that are bound to one elsewhere")
        .context("issuer", wish.issuer)
        .context("problem", "externalAccountRequired")
        .hint("put the key identifier and the MAC key that the authority gave you into `eab`")
}
