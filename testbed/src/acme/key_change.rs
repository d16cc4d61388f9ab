//! A new key for an account (RFC 8555 §7.3.5).

use serde_json::Value;

use crate::acme::front::Signed;
use crate::acme::jwk::Jwk;
use crate::acme::jws::{Jws, Signer};
use crate::acme::problem::{Problem, malformed};
use crate::acme::world::World;
use crate::wire::reply::Reply;

impl World {
    pub(crate) fn key_change(&mut self, signed: &Signed) -> Result<Reply, Problem> {
        let number = signed.account()?;
        let inner = Jws::from_value(&signed.object()?)?;
        let Signer::Key(new) = &inner.signer else {
            return Err(malformed("the inner JWS names the new key with `jwk`"));
        };
        inner.verify(new)?;
        if inner.url != signed.jws.url || inner.nonce.is_some() {
            return Err(malformed("the inner JWS has the `url` of the outer one, and no `nonce`"));
        }
        let change = inner.json()?;
        if !change.is_object() {
            return Err(malformed("the payload of the inner JWS is no JSON object"));
        }
        if change.get("account").and_then(Value::as_str) != Some(&self.site.account(number)) {
            return Err(malformed("the change is for another account than the one that signed"));
        }
        if Jwk::read(change.get("oldKey").unwrap_or(&Value::Null))? != signed.key {
            return Err(malformed("`oldKey` is not the key of the account"));
        }
        if let Some(other) = self.index.account(new) {
            let problem = malformed("an account has the new key already").with_status(409);
            return Ok(Reply::from(problem).with("Location", self.site.account(other)));
        }
        let account = self.accounts.get_mut(number).ok_or_else(|| malformed("no such account").with_status(404))?;
        account.key = new.clone();
        self.index.change_key(&signed.key, new, number);
        self.account_reply(200, number)
    }
}
