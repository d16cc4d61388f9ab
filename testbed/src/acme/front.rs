//! The front door: a signed request is let in, or told why not (RFC 8555 §6).

use std::net::IpAddr;

use serde_json::Value;

use crate::acme::account::{Account, Standing};
use crate::acme::jwk::Jwk;
use crate::acme::jws::{Jws, Signer};
use crate::acme::problem::{Problem, ProblemKind, malformed, unauthorized};
use crate::acme::route::{Endpoint, Route};
use crate::acme::world::World;
use crate::faults::Fault;

/// What longer bodies are answered without being read.
pub(crate) const LONGEST: usize = 256 * 1024;

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    /// Its whole URL.
    pub(crate) url: &'a str,
    pub(crate) content_type: &'a str,
    /// What the client would like to have (RFC 9110 §12.5.1); empty for anything.
    pub(crate) accept: &'a str,
    /// Whom it came from.
    pub(crate) from: IpAddr,
    pub(crate) body: &'a [u8],
}

/// What somebody has signed.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) jws: Jws,
    /// The account, when it was named.
    pub(crate) account: Option<usize>,
    /// The key that signed.
    pub(crate) key: Jwk,
}

impl Signed {
    /// POST-as-GET (RFC 8555 §6.3).
    pub(crate) fn is_fetch(&self) -> bool {
        self.jws.payload.is_empty()
    }

    /// The payload, which has to be an object.
    pub(crate) fn object(&self) -> Result<Value, Problem> {
        let payload = self.jws.json()?;
        if payload.is_object() { Ok(payload) } else { Err(malformed("the payload is no JSON object")) }
    }

    /// Nothing but POST-as-GET is meant here.
    pub(crate) fn must_fetch(&self) -> Result<(), Problem> {
        if self.is_fetch() { Ok(()) } else { Err(malformed("this is fetched with an empty payload (POST-as-GET)")) }
    }

    /// The account that signed.
    pub(crate) fn account(&self) -> Result<usize, Problem> {
        self.account.ok_or_else(|| malformed("this is asked for with `kid`, the URL of an account"))
    }
}

impl World {
    pub(crate) fn open(&mut self, asked: &Asked<'_>, endpoint: Endpoint, faults: &[Fault]) -> Result<Signed, Problem> {
        if asked.body.len() > LONGEST {
            return Err(malformed(format!("the body is longer than {LONGEST} bytes")).with_status(413));
        }
        if asked.content_type != "application/jose+json" {
            let detail =
                format!("a signed request has the media type application/jose+json, not {:?}", asked.content_type);
            return Err(malformed(detail).with_status(415));
        }
        let jws = Jws::read(asked.body)?;
        let nonce = jws.nonce.as_deref().ok_or_else(|| bad_nonce("the protected header has no `nonce`"))?;
        if !self.nonces.take(nonce) {
            return Err(bad_nonce("this nonce was not given out, or was used before"));
        }
        if faults.contains(&Fault::BadNonce) {
            return Err(bad_nonce("this good nonce is refused, as the test wishes"));
        }
        if jws.url != asked.url {
            // RFC 8555 §6.4.
            let detail = format!("`url` of the protected header is `{}`, sent to `{}`", jws.url, asked.url);
            return Err(unauthorized(detail).with_status(401));
        }
        let by_key = matches!(endpoint, Endpoint::NewAccount | Endpoint::RevokeCertificate);
        let signed = match jws.signer.clone() {
            Signer::Key(key) if by_key => {
                jws.verify(&key)?;
                Signed { account: None, key, jws }
            }
            Signer::Id(id) if endpoint != Endpoint::NewAccount => {
                let account = self.account_at(&id)?;
                let known = self.accounts.get(account).ok_or_else(|| unknown(&id))?;
                jws.verify(&known.key)?;
                if known.standing != Standing::Valid {
                    return Err(unauthorized("the account was deactivated").with_status(401));
                }
                if !matches!(endpoint, Endpoint::Account | Endpoint::KeyChange) {
                    self.agreed(known)?;
                }
                Signed { account: Some(account), key: known.key.clone(), jws }
            }
            _ if endpoint == Endpoint::NewAccount => {
                return Err(malformed("a new account is asked for with `jwk`, the key that it is to have"));
            }
            _ if endpoint == Endpoint::RevokeCertificate => {
                let detail =
                    "this is asked for with `kid`, the URL of an account, or `jwk`, the key of the certificate";
                return Err(malformed(detail));
            }
            _ => return Err(malformed("this is asked for with `kid`, the URL of an account")),
        };
        Ok(signed)
    }

    /// Whether the terms that hold now were agreed to (RFC 8555 §7.3.3).
    fn agreed(&self, account: &Account) -> Result<(), Problem> {
        let Some(terms) = self.settings.terms.as_ref().filter(|terms| account.agreed.as_ref() != Some(*terms)) else {
            return Ok(());
        };
        let detail = format!("the terms of service are others now: read {terms}, and agree to them in the account");
        Err(Problem::new(ProblemKind::UserActionRequired, detail)
            .with("instance", terms.as_str().into())
            .with_header("Link", format!("<{terms}>;rel=\"terms-of-service\"")))
    }

    /// The account of a URL.
    fn account_at(&self, url: &str) -> Result<usize, Problem> {
        let route = self.site.path(url).map(Route::of).filter(|route| route.endpoint == Endpoint::Account);
        route.map(|route| route.first).filter(|number| *number < self.accounts.len()).ok_or_else(|| unknown(url))
    }
}

fn unknown(url: &str) -> Problem {
    Problem::new(ProblemKind::AccountDoesNotExist, format!("there is no account `{url}`"))
}

fn bad_nonce(detail: &str) -> Problem {
    Problem::new(ProblemKind::BadNonce, detail)
}

/// What parsing a request shows of it, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub(crate) fn seen(body: &[u8]) -> Result<Value, Value> {
    use serde_json::json;

    let jws = Jws::read(body).map_err(|problem| problem.document())?;
    let signer = match &jws.signer {
        Signer::Key(key) => json!({ "thumbprint": key.thumbprint(), "verified": jws.verify(key).is_ok() }),
        Signer::Id(id) => json!({ "kid": id, "verified": jws.verify_mac(b"key").is_ok() }),
        Signer::Neither => Value::Null,
    };
    Ok(
        json!({ "alg": jws.algorithm, "url": jws.url, "nonce": jws.nonce, "signer": signer, "json": jws.json().is_ok() }),
    )
}
