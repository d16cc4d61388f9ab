//! The seam to whatever answers challenges.

use std::fmt;

use super::persistent::{Persistent, Reach};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::Identifier;
use crate::ground::secret::SecretBytes;
use crate::plan::spec::ChallengeKind;

/// An answerer of challenges (RFC 8555 §8).
///
/// Implementers must keep to this:
///
/// - **Repeating.** `present` of an answer that is there already is no error, and neither is `clean_up` of one that is gone:
///   a run that was killed in between is repeated whole.
/// - **Partial success.** `clean_up` is called after every `present`, a failed one too, and removes what that left behind.
///   Answers of other challenges for the same name are left alone: a wildcard and its base name share one record name.
/// - **Cancelling.** `present` and `wait` look at `cancel` at least every second. `clean_up` cannot be cancelled and ends by
///   itself within seconds.
/// - **Threads.** Calls may come from several threads at once, for the same name too.
/// - **Logs.** Tokens and key authorizations are in no log and no error.
/// - **Lasting answers.** The record of a `dns-persist-01` challenge is one that stays: `present` leaves one alone that says
///   what is needed, and `clean_up` takes nothing away.
/// - **Input.** The token was chosen by the authority: [`Challenge::token`] has been checked to be base64url (RFC 8555 §8.3),
///   nothing else may be taken on trust.
pub trait Solver: fmt::Debug + Send + Sync {
    /// Put the answer in place.
    ///
    /// # Errors
    ///
    /// Whatever hinders it, naming the place. [`ErrorKind::Unsupported`] means that this solver does not answer such a
    /// challenge, so that nothing was done and another kind or another solver may be tried.
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()>;

    /// Take the answer away again.
    ///
    /// # Errors
    ///
    /// Whatever hinders it. The certificate is issued all the same.
    fn clean_up(&self, challenge: &Challenge) -> Result<()>;

    /// The kinds that this solver answers, in the order of preference; those that have a token when left out.
    fn kinds(&self) -> &[ChallengeKind] {
        &ChallengeKind::WITH_TOKEN
    }

    /// Return once the answer can be seen from where the authority looks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) naming where it is not to be seen; `Cancelled`.
    fn wait(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        let _ = challenge;
        cancel.check()
    }
}

/// One challenge to answer.
#[derive(Clone)]
pub struct Challenge {
    kind: ChallengeKind,
    identifier: Identifier,
    token: String,
    key_authorization: SecretBytes,
    persistent: Option<Persistent>,
}

impl Challenge {
    /// The longest token that is believed; authorities use 43 characters.
    const LONGEST_TOKEN: usize = 128;

    /// A challenge for this identifier, without `*.` for a wildcard, to be answered with token and account thumbprint.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`] when the token is not base64url: it would become a file name, an argument, a URL.
    /// [`ErrorKind::Unsupported`] for a kind without token.
    pub fn new(kind: ChallengeKind, identifier: Identifier, token: &str, thumbprint: &str) -> Result<Self> {
        if kind == ChallengeKind::DnsPersist01 {
            return Err(Error::new(ErrorKind::Unsupported, "a challenge of this kind has no token")
                .context("challenge", Public(kind.word()))
                .hint("make it with `Challenge::lasting`"));
        }
        let fits = !token.is_empty() && token.len() <= Self::LONGEST_TOKEN;
        if !fits || !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(Error::new(ErrorKind::Protocol, "the authority sent a token that is not base64url")
                .context("identifier", &identifier)
                .context("challenge", Public(kind.word()))
                .hint("ask the authority: RFC 8555 section 8.3 allows letters, digits, `-` and `_` only"));
        }
        let key_authorization = format!("{token}.{thumbprint}").into_bytes().into();
        Ok(Self { kind, identifier, token: token.to_owned(), key_authorization, persistent: None })
    }

    /// A `dns-persist-01` challenge for this identifier, with its `*.` for a wildcard, of the authority that goes by one of
    /// these domain names, to be answered for this account (draft-ietf-acme-dns-persist-01).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`] when one of them cannot be written into a record; [`ErrorKind::Unsupported`] for an address.
    pub fn lasting(identifier: &Identifier, issuer_domain_names: &[&str], account_uri: &str) -> Result<Self> {
        let (name, reach) = match identifier {
            Identifier::Dns(name) => (name, Reach::Name),
            Identifier::Wildcard(name) => (name, Reach::Below),
            Identifier::Ip(_) => {
                return Err(Error::new(ErrorKind::Unsupported, "an address has no record that could stay")
                    .context("identifier", identifier)
                    .hint("prove addresses by http-01 or tls-alpn-01"));
            }
        };
        let persistent = Persistent::new(issuer_domain_names, account_uri, reach)
            .map_err(|error| error.context("identifier", identifier))?;
        Ok(Self {
            kind: ChallengeKind::DnsPersist01,
            identifier: Identifier::Dns(name.clone()),
            token: String::new(),
            key_authorization: Vec::new().into(),
            persistent: Some(persistent),
        })
    }

    /// What is to be answered.
    pub fn kind(&self) -> ChallengeKind {
        self.kind
    }

    /// What the certificate is to be for; the base name where a wildcard was asked for.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// The token: base64url, safe as a file name. Empty for `dns-persist-01`, which has none.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Token, dot, thumbprint of the account key (RFC 8555 §8.1): the body of an `http-01` answer. Empty for `dns-persist-01`.
    pub fn key_authorization(&self) -> &SecretBytes {
        &self.key_authorization
    }

    /// What the record of a `dns-persist-01` challenge has to say; `None` for every other kind.
    pub fn persistent(&self) -> Option<&Persistent> {
        self.persistent.as_ref()
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("kind", &self.kind)
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}
