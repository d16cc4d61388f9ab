//! The certificates that answer `tls-alpn-01` challenges (RFC 8737), for the time of an order.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::sign::CertifiedKey;

use super::slot::certified;
use crate::ground::error::Result;
use crate::ground::time::Timestamp;
use crate::issue::solver::Challenge;
use crate::pki::acme_identifier::{self, server_name};
use crate::pki::chain::Chain;
use crate::pki::material::Material;

/// Answers by the name that an authority asks for; several orders may be in flight for one name.
#[derive(Default)]
pub(super) struct Answers(RwLock<BTreeMap<String, Vec<Answer>>>);

struct Answer {
    token: String,
    key: Arc<CertifiedKey>,
}

impl Answers {
    /// Make the answer and keep it until it is taken away.
    pub(super) fn add(&self, challenge: &Challenge, now: Timestamp) -> Result<()> {
        let authorization = challenge.key_authorization().expose();
        let (answer, key) = acme_identifier::certificate(challenge.identifier(), authorization, now)?;
        let key = certified(&Material::new(key, Chain::from_certificates(vec![answer])?)?)?;
        let mut answers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let of_name = answers.entry(server_name(challenge.identifier())).or_default();
        of_name.retain(|answer| answer.token != challenge.token());
        of_name.push(Answer { token: challenge.token().to_owned(), key: Arc::new(key) });
        Ok(())
    }

    /// Forget the answer, and those of other orders not.
    pub(super) fn remove(&self, challenge: &Challenge) {
        let mut answers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name = server_name(challenge.identifier());
        if let Some(of_name) = answers.get_mut(&name) {
            of_name.retain(|answer| answer.token != challenge.token());
            if of_name.is_empty() {
                answers.remove(&name);
            }
        }
    }

    /// What to show to an authority that asks for this name: the answer that was presented last.
    pub(super) fn find(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let answers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(name)?.last().map(|answer| answer.key.clone())
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}
