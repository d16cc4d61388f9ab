//! The calls: what is asked, and what the stand-in answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use certwright::{Certificate, Clock as _, Csr, Identifier, Result, Timestamp, Window};
use serde_json::{Value, json};

use super::authority::Ca;
use super::claims::{Claims, go};
use super::provisioner::Provisioners;
use super::token::Token;
use crate::clock::VirtualClock;
use crate::wire::reply::Reply;

/// What it says when it says nothing.
const SEE_THE_LOGS: &str = "The request lacked necessary authorization to be completed. Please see the certificate authority logs for more info.";

/// What the stand-in knows. It stays when the server is stopped.
#[derive(Debug)]
pub(super) struct World {
    pub(super) ca: Ca,
    pub(super) provisioners: Provisioners,
    pub(super) claims: Claims,
    pub(super) backdate: Duration,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) host: String,
    pub(super) started: Timestamp,
    used: BTreeSet<String>,
}

/// A request.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) bearer: Option<&'a str>,
    /// The certificate that was shown in TLS.
    pub(super) shown: Option<&'a Certificate>,
    pub(super) body: &'a [u8],
}

struct Refusal(u16, String);

impl Refusal {
    fn unauthorized() -> Self {
        Self(401, SEE_THE_LOGS.to_owned())
    }
}

type Answer = std::result::Result<Reply, Refusal>;

impl World {
    pub(super) fn new(
        ca: Ca,
        provisioners: Provisioners,
        claims: Claims,
        backdate: Duration,
        clock: Arc<VirtualClock>,
        host: String,
    ) -> Self {
        let started = clock.now();
        Self { ca, provisioners, claims, backdate, clock, host, started, used: BTreeSet::new() }
    }

    /// The answer to a request.
    pub(super) fn answer(&mut self, asked: &Asked<'_>) -> Reply {
        let (path, query) = asked.path.split_once('?').unwrap_or((asked.path, ""));
        let path = path.strip_prefix("/1.0").unwrap_or(path);
        let answer = match (asked.method, path) {
            ("GET", "/health") => Ok(Reply::json(200, &json!({ "status": "ok" }))),
            ("GET", "/version") => Ok(Reply::json(200, &json!({ "version": "stand-in" }))),
            // Created: so the real one says.
            ("GET", "/roots" | "/federation") => {
                let roots: Vec<String> = self.ca.roots.iter().map(Certificate::pem).collect();
                Ok(Reply::json(201, &json!({ "crts": roots })))
            }
            ("GET", "/provisioners") => Ok(self.provisioners(query)),
            ("GET", "/crl") => Err(Refusal(404, "no CRL is kept".to_owned())),
            ("POST", "/sign") => self.sign(asked.body),
            ("POST", "/renew") => self.renew(asked),
            ("POST", "/rekey") => self.rekey(asked),
            ("POST", "/revoke") => self.revoke(asked),
            ("GET", path) => self.named(path),
            _ => Err(Refusal(405, String::new())),
        };
        answer.unwrap_or_else(|Refusal(status, message)| {
            Reply::json(status, &json!({ "status": status, "message": message }))
        })
    }

    fn provisioners(&self, query: &str) -> Reply {
        let parameter = |name: &str| query.split('&').find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
        let from: usize = parameter("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        // Pages are small, so that clients meet more than one.
        let limit: usize = parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20).min(2);
        let all = self.provisioners.listed();
        let page: Vec<Value> = all.iter().skip(from).take(limit).cloned().collect();
        let next = if from + limit < all.len() { (from + limit).to_string() } else { String::new() };
        Reply::json(200, &json!({ "provisioners": page, "nextCursor": next }))
    }

    fn named(&self, path: &str) -> Answer {
        let unknown = || Refusal(404, "The requested resource could not be found.".to_owned());
        if let Some(fingerprint) = path.strip_prefix("/root/") {
            let wanted = fingerprint.replace('-', "").to_ascii_lowercase();
            let root =
                self.ca.roots.iter().find(|root| root.fingerprint().to_string() == wanted).ok_or_else(unknown)?;
            return Ok(Reply::json(200, &json!({ "ca": root.pem() })));
        }
        let kid = path.strip_prefix("/provisioners/").and_then(|rest| rest.strip_suffix("/encrypted-key"));
        if kid == Some(&self.provisioners.kid) {
            return Ok(Reply::json(200, &json!({ "key": self.provisioners.encrypted })));
        }
        Err(unknown())
    }

    /// A token counts once.
    fn believe(&mut self, text: &str, call: &str) -> std::result::Result<Token, Refusal> {
        let token = Token::read(text).ok_or_else(Refusal::unauthorized)?;
        if !self.used.insert(token.claim("jti").to_owned()) {
            return Err(Refusal::unauthorized());
        }
        let judged = token.judge(&self.provisioners, call, &self.host, self.clock.now(), self.started);
        judged.map_err(|_| Refusal::unauthorized())?;
        Ok(token)
    }

    fn sign(&mut self, body: &[u8]) -> Answer {
        let bad = |message: &str| Refusal(400, message.to_owned());
        let body: Value = serde_json::from_slice(body).map_err(|_| bad("error reading request body"))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let csr = Csr::from_pem(text("csr").as_bytes()).map_err(|_| bad("invalid csr"))?;
        let token = self.believe(text("ott"), "sign")?;
        let forbidden = |message: String| Refusal(403, message);
        let names: Vec<Identifier> = token.names().iter().filter_map(|name| name.parse().ok()).collect();
        let (mut asked, mut may) = (csr.identifiers().to_vec(), names.clone());
        asked.sort_unstable();
        may.sort_unstable();
        if asked != may {
            return Err(forbidden("certificate request does not contain the valid DNS names".to_owned()));
        }
        let now = self.clock.now();
        let (start, backdate) = match go(text("notBefore")) {
            Some(Ok(ahead)) => (now.saturating_add(ahead), Duration::ZERO),
            Some(Err(back)) => (now.saturating_sub(back), Duration::ZERO),
            None => (now, self.backdate),
        };
        let life = go(text("notAfter")).and_then(Result::ok).unwrap_or(self.claims.usual);
        let window = Window::new(start.saturating_sub(backdate), start.saturating_add(life));
        let length = window.length();
        if length < self.claims.least || length > self.claims.most + self.backdate {
            let (length, least, most) = (length.as_secs(), self.claims.least, self.claims.most);
            return Err(forbidden(format!("requested duration of {length}s is not between {least:?} and {most:?}")));
        }
        self.issue(csr.public_key_der(), &names, window)
    }

    fn issue(&mut self, key: &[u8], names: &[Identifier], window: Window) -> Answer {
        let chain = self.ca.sign(key, names, window).map_err(|error| Refusal(500, error.to_string()))?;
        Ok(Reply::json(201, &json!({ "crt": chain.first(), "ca": chain.get(1), "certChain": chain })))
    }

    fn renew(&mut self, asked: &Asked<'_>) -> Answer {
        let leaf = match (asked.shown, asked.bearer) {
            // The certificate wins over the token.
            (Some(shown), _) => shown.clone(),
            (None, Some(bearer)) => self.bearer(bearer)?,
            (None, None) => return Err(Refusal(400, "missing client certificate".to_owned())),
        };
        let key = leaf.public_key_der().to_vec();
        self.again(&leaf, &key)
    }

    fn bearer(&mut self, text: &str) -> std::result::Result<Certificate, Refusal> {
        let wrong = |message: &str| Refusal(401, format!("error validating renew token: {message}"));
        let token = Token::read(text).ok_or_else(|| wrong("damaged"))?;
        let leaf = token.chain("x5cInsecure").into_iter().next().ok_or_else(|| wrong("no certificate"))?;
        if self.ca.issued.get(&leaf.serial()).is_none_or(|known| known.der() != leaf.der()) {
            return Err(wrong("unknown certificate"));
        }
        token.signed_by_holder(&leaf).map_err(wrong)?;
        token.is_of_now(self.clock.now()).map_err(wrong)?;
        if !self.used.insert(token.claim("jti").to_owned()) {
            return Err(Refusal::unauthorized());
        }
        let audience = token.claim("aud");
        if token.claim("iss") != "step-ca-client/1.0" || !audience.ends_with("/renew") {
            return Err(wrong("invalid issuer or audience"));
        }
        Ok(leaf)
    }

    fn rekey(&mut self, asked: &Asked<'_>) -> Answer {
        let shown = asked.shown.ok_or_else(|| Refusal(400, "missing client certificate".to_owned()))?;
        let body: Value = serde_json::from_slice(asked.body).unwrap_or_default();
        let csr = body.get("csr").and_then(Value::as_str).and_then(|csr| Csr::from_pem(csr.as_bytes()).ok());
        let csr = csr.ok_or_else(|| Refusal(400, "invalid csr".to_owned()))?;
        self.again(shown, csr.public_key_der())
    }

    /// The same once more, from now on, for this key.
    fn again(&mut self, leaf: &Certificate, key: &[u8]) -> Answer {
        let now = self.clock.now();
        let ended = now > leaf.window().end && !self.claims.after_expiry;
        if self.claims.no_renewal || ended || now < leaf.window().start || self.ca.revoked.contains(&leaf.serial()) {
            return Err(Refusal::unauthorized());
        }
        let start = now.saturating_sub(self.backdate);
        let window = Window::new(start, start.saturating_add(leaf.window().length()));
        let names = leaf.identifiers().to_vec();
        self.issue(key, &names, window)
    }

    fn revoke(&mut self, asked: &Asked<'_>) -> Answer {
        let bad = |message: &str| Refusal(400, message.to_owned());
        let body: Value = serde_json::from_slice(asked.body).map_err(|_| bad("error reading request body"))?;
        let serial = body.get("serial").and_then(Value::as_str).unwrap_or_default().to_owned();
        if body.get("passive") != Some(&Value::Bool(true)) {
            return Err(Refusal(501, "non-passive revocation not implemented".to_owned()));
        }
        match (body.get("ott").and_then(Value::as_str), asked.shown) {
            (Some(token), _) => {
                let token = self.believe(token, "revoke")?;
                if token.claim("sub") != serial {
                    return Err(Refusal::unauthorized());
                }
            }
            (None, Some(shown)) if decimal(&shown.serial()) == serial => {}
            _ => return Err(bad("missing ott or client certificate")),
        }
        let known = self.ca.issued.keys().find(|known| decimal(known) == serial).cloned();
        let known = known.ok_or_else(|| Refusal(404, "no such certificate".to_owned()))?;
        if !self.ca.revoked.insert(known) {
            return Err(bad("certificate with serial number is already revoked"));
        }
        Ok(Reply::json(200, &json!({ "status": "ok" })))
    }
}

/// A number in hexadecimal digits, in decimal ones.
fn decimal(hex: &str) -> String {
    let mut digits = vec![0_u32];
    for digit in hex.chars().filter_map(|digit| digit.to_digit(16)) {
        let mut carry = digit;
        for place in &mut digits {
            let value = *place * 16 + carry;
            (*place, carry) = (value % 10, value / 10);
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10)).collect()
}
