//! External account binding (RFC 8555 §7.3.4).

use serde_json::Value;

use crate::acme::jwk::Jwk;
use crate::acme::jws::{Jws, Signer};
use crate::acme::problem::{Problem, ProblemKind, malformed, unauthorized};
use crate::acme::world::World;

impl World {
    /// The external account that a new account proves to belong to.
    pub(crate) fn binding(&self, wish: &Value, key: &Jwk) -> Result<Option<String>, Problem> {
        let known = &self.settings.external_accounts;
        let Some(binding) = wish.get("externalAccountBinding") else {
            if known.is_empty() {
                return Ok(None);
            }
            let detail = "an account has to be bound to an external one: send `externalAccountBinding`";
            return Err(Problem::new(ProblemKind::ExternalAccountRequired, detail));
        };
        let jws = Jws::from_value(binding)?;
        if jws.algorithm != "HS256" {
            let detail = format!("an external account binding is signed with HS256, not with `{}`", jws.algorithm);
            let problem = Problem::new(ProblemKind::BadSignatureAlgorithm, detail);
            return Err(problem.with("algorithms", serde_json::json!(["HS256"])));
        }
        if jws.nonce.is_some() || jws.url != self.site.at("new-account") {
            return Err(malformed("an external account binding has no `nonce` and the `url` of the request around it"));
        }
        let Signer::Id(id) = &jws.signer else {
            return Err(malformed("an external account binding names its key with `kid`"));
        };
        let account = known.iter().find(|account| account.id == *id);
        let account = account.ok_or_else(|| unauthorized(format!("there is no external account `{id}`")))?;
        jws.verify_mac(&account.key)?;
        if Jwk::read(&jws.json()?)? != *key {
            return Err(malformed("the external account binding is for another account key"));
        }
        if self.index.is_bound(id) {
            return Err(unauthorized(format!("the external account `{id}` is bound already")));
        }
        Ok(Some(id.clone()))
    }
}
