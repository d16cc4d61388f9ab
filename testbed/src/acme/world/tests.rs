//! A client that signs by itself, and what the world answers it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certwright::{Certificate, Chain, Csr, KeyAlgorithm, PrivateKey, Roots, Sans};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

mod complete;
mod kept;
mod limits;

use super::*;
use crate::acme::problem::ProblemKind;
use crate::faults::Substitute;
use crate::settings::{ExternalAccount, Profile, Reuse, Validation};

const DAY: Duration = Duration::from_secs(86_400);

struct Client {
    world: World,
    key: EcdsaKeyPair,
    account: Option<String>,
    faults: Vec<Fault>,
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

fn jwk(key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sign(key: &EcdsaKeyPair, header: &Value, payload: &str) -> Value {
    let (protected, payload) = (encode(header.to_string()), encode(payload));
    let signature = key.sign(&SystemRandom::new(), format!("{protected}.{payload}").as_bytes()).unwrap();
    json!({ "protected": protected, "payload": payload, "signature": encode(signature) })
}

impl Client {
    fn new(settings: Settings) -> Self {
        let site = Site("https://127.0.0.1:1".to_owned());
        let settings = Settings { validation: Validation::Believed, ..settings };
        let world = World::new(settings, site, Arc::new(VirtualClock::new())).unwrap();
        Self { world, key: new_key(), account: None, faults: Vec::new() }
    }

    fn registered(settings: Settings) -> Self {
        let mut client = Self::new(settings);
        client.register(&json!({})).unwrap();
        client
    }

    fn url(&self, path: &str) -> String {
        self.world.site.at(path)
    }

    fn nonce(&mut self) -> String {
        let url = self.url("new-nonce");
        let reply = self.send("HEAD", &url, &[]);
        field(&reply, "Replay-Nonce").unwrap()
    }

    fn send(&mut self, method: &str, url: &str, body: &[u8]) -> Reply {
        let asked = Asked { body, ..asked(method, url) };
        let route = Route::of(self.world.site.path(url).unwrap());
        self.world.answer(&asked, &route, &self.faults).0
    }

    fn header(&mut self, url: &str) -> Value {
        let mut header = json!({ "alg": "ES256", "nonce": self.nonce(), "url": url });
        match &self.account {
            Some(account) => header["kid"] = account.as_str().into(),
            None => header["jwk"] = jwk(&self.key),
        }
        header
    }

    fn post(&mut self, url: &str, payload: &str) -> Result<(Reply, Value), ProblemKind> {
        let header = self.header(url);
        let body = sign(&self.key, &header, payload);
        outcome(self.send("POST", url, body.to_string().as_bytes()))
    }

    fn register(&mut self, wish: &Value) -> Result<(), ProblemKind> {
        let url = self.url("new-account");
        let (reply, _) = self.post(&url, &wish.to_string())?;
        self.account = field(&reply, "Location");
        Ok(())
    }

    fn order(&mut self, wish: &Value) -> Result<(String, Value), ProblemKind> {
        let url = self.url("new-order");
        let (reply, order) = self.post(&url, &wish.to_string())?;
        Ok((field(&reply, "Location").unwrap(), order))
    }

    fn order_for(&mut self, names: &[&str]) -> (String, Value) {
        self.order(&json!({ "identifiers": identifiers(names) })).unwrap()
    }

    /// Has every authorization of an order believed.
    fn authorize(&mut self, order: &Value) {
        for url in order["authorizations"].as_array().unwrap() {
            let (_, authorization) = self.post(url.as_str().unwrap(), "").unwrap();
            let challenge = authorization["challenges"][0]["url"].as_str().unwrap().to_owned();
            self.post(&challenge, "{}").unwrap();
        }
    }

    fn finalize(&mut self, order: &Value, key: &PrivateKey, names: &[&str]) -> Result<Value, ProblemKind> {
        let csr = Csr::new(key, &sans(names)).unwrap();
        let payload = json!({ "csr": encode(csr.der()) }).to_string();
        self.post(order["finalize"].as_str().unwrap(), &payload).map(|(_, order)| order)
    }

    /// From nothing to a certificate: its URL.
    fn issue(&mut self, names: &[&str]) -> String {
        let (_, order) = self.order_for(names);
        self.authorize(&order);
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let order = self.finalize(&order, &key, names).unwrap();
        order["certificate"].as_str().unwrap().to_owned()
    }

    fn fetch(&mut self, url: &str) -> (Reply, Vec<Certificate>) {
        let header = self.header(url);
        let body = sign(&self.key, &header, "");
        let reply = self.send("POST", url, body.to_string().as_bytes());
        assert_eq!(reply.status, 200);
        let chain: Vec<Certificate> =
            Chain::from_pem(&reply.body).map(|chain| chain.certificates().cloned().collect()).unwrap_or_default();
        (reply, chain)
    }
}

fn asked<'a>(method: &'a str, url: &'a str) -> Asked<'a> {
    let from = [127, 0, 0, 1].into();
    Asked { method, url, content_type: "application/jose+json", accept: "", from, body: &[] }
}

fn outcome(reply: Reply) -> Result<(Reply, Value), ProblemKind> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if reply.status < 300 {
        return Ok((reply, body));
    }
    assert_eq!(field(&reply, "Content-Type").unwrap(), "application/problem+json");
    assert_eq!(body["status"], u64::from(reply.status));
    let known = [
        ProblemKind::AccountDoesNotExist,
        ProblemKind::AlreadyReplaced,
        ProblemKind::AlreadyRevoked,
        ProblemKind::BadCsr,
        ProblemKind::BadNonce,
        ProblemKind::BadPublicKey,
        ProblemKind::BadRevocationReason,
        ProblemKind::BadSignatureAlgorithm,
        ProblemKind::ExternalAccountRequired,
        ProblemKind::InvalidProfile,
        ProblemKind::Malformed,
        ProblemKind::OrderNotReady,
        ProblemKind::RateLimited,
        ProblemKind::RejectedIdentifier,
        ProblemKind::Compound,
        ProblemKind::UnsupportedIdentifier,
        ProblemKind::Unauthorized,
        ProblemKind::UserActionRequired,
    ];
    let kind = known.into_iter().find(|kind| body["type"] == kind.to_string());
    Err(kind.unwrap_or_else(|| ProblemKind::Other(body.to_string())))
}

fn field(reply: &Reply, name: &str) -> Option<String> {
    reply.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
}

fn fields<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    reply.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

fn sans(names: &[&str]) -> Sans {
    Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
}

fn identifiers(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| json!({ "type": if name.starts_with("192.") { "ip" } else { "dns" }, "value": name }))
        .collect()
}

#[test]
fn a_certificate_is_obtained_with_its_alternates() {
    let mut client = Client::registered(Settings { alternates: 1, ..Settings::default() });
    let names = ["a.example", "*.a.example", "192.0.2.1"];
    let (url, order) = client.order_for(&names);
    assert_eq!((order["status"].as_str(), order["authorizations"].as_array().unwrap().len()), (Some("pending"), 3));
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    assert_eq!(client.finalize(&order, &key, &names).unwrap_err(), ProblemKind::OrderNotReady);
    client.authorize(&order);
    assert_eq!(client.post(&url, "").unwrap().1["status"], "ready");
    assert_eq!(client.finalize(&order, &key, &names[..2]).unwrap_err(), ProblemKind::BadCsr);
    let done = client.finalize(&order, &key, &names).unwrap();
    assert_eq!(done["status"], "valid");
    assert_eq!(client.finalize(&order, &key, &names).unwrap_err(), ProblemKind::OrderNotReady);

    let (reply, chain) = client.fetch(done["certificate"].as_str().unwrap());
    assert!(chain[0].identifiers().iter().eq(sans(&names).iter()));
    assert_eq!(chain[0].key_fingerprint(), key.fingerprint());
    let alternate =
        fields(&reply, "Link").into_iter().find_map(|link| link.strip_suffix(">;rel=\"alternate\"")).unwrap();
    let (_, other) = client.fetch(&alternate[1..]);
    for (number, chain) in [chain, other].into_iter().enumerate() {
        let roots = Roots::from_pem(client.world.ca.roots()[number].pem().as_bytes()).unwrap();
        roots.check(&Chain::from_certificates(chain).unwrap(), client.world.now()).unwrap();
    }
}

#[test]
fn a_wildcard_is_authorized_by_dns_alone_and_an_address_by_connections() {
    let mut client = Client::registered(Settings::default());
    let (_, order) = client.order_for(&["*.a.example", "192.0.2.1", "a.example"]);
    let mut kinds = Vec::new();
    for url in order["authorizations"].as_array().unwrap() {
        let (_, shown) = client.post(url.as_str().unwrap(), "").unwrap();
        let challenges = shown["challenges"].as_array().unwrap();
        kinds.push((shown["wildcard"] == true, challenges.iter().map(|one| one["type"].clone()).collect::<Vec<_>>()));
    }
    assert_eq!(kinds[0], (true, vec![json!("dns-01")]));
    assert_eq!(kinds[1], (false, vec![json!("http-01"), json!("tls-alpn-01")]));
    assert_eq!(kinds[2].1.len(), 3);
}

#[test]
fn the_front_door_refuses_what_is_not_in_order() {
    let mut client = Client::registered(Settings::default());
    let url = client.url("new-order");
    let good = json!({ "identifiers": identifiers(&["a.example"]) }).to_string();
    let refused = |client: &mut Client, change: &dyn Fn(&mut Value)| {
        let mut header = client.header(&url);
        change(&mut header);
        let body = sign(&client.key, &header, &good);
        outcome(client.send("POST", &url, body.to_string().as_bytes())).unwrap_err()
    };
    assert_eq!(refused(&mut client, &|header| header["nonce"] = "made-up".into()), ProblemKind::BadNonce);
    assert_eq!(
        refused(&mut client, &|header| header["url"] = "https://127.0.0.1:1/order/0".into()),
        ProblemKind::Unauthorized
    );
    assert_eq!(refused(&mut client, &|header| header["alg"] = "RS256".into()), ProblemKind::BadSignatureAlgorithm);
    assert_eq!(refused(&mut client, &|header| header["alg"] = "none".into()), ProblemKind::BadSignatureAlgorithm);
    let nobody = "https://127.0.0.1:1/account/7";
    assert_eq!(refused(&mut client, &|header| header["kid"] = nobody.into()), ProblemKind::AccountDoesNotExist);
    let other = jwk(&new_key());
    assert_eq!(refused(&mut client, &|header| header["jwk"] = other.clone()), ProblemKind::Malformed);

    // A nonce is good once, whatever came of the request.
    let header = client.header(&url);
    let body = sign(&client.key, &header, &good).to_string();
    outcome(client.send("POST", &url, body.as_bytes())).unwrap();
    assert_eq!(outcome(client.send("POST", &url, body.as_bytes())).unwrap_err(), ProblemKind::BadNonce);

    // Somebody else's signature, a changed payload, another media type, another method, no such place.
    let header = client.header(&url);
    let forged = sign(&new_key(), &header, &good).to_string();
    assert_eq!(outcome(client.send("POST", &url, forged.as_bytes())).unwrap_err(), ProblemKind::Malformed);
    let header = client.header(&url);
    let mut changed = sign(&client.key, &header, &good);
    changed["payload"] = encode("{}").into();
    assert_eq!(outcome(client.send("POST", &url, changed.to_string().as_bytes())).unwrap_err(), ProblemKind::Malformed);
    let asked = Asked { content_type: "application/json", body: body.as_bytes(), ..asked("POST", &url) };
    assert_eq!(client.world.answer(&asked, &Route::of("/new-order"), &[]).0.status, 415);
    assert_eq!(client.send("GET", &url, &[]).status, 405);
    assert_eq!(client.send("POST", &url, &[b'x'; 300 * 1024]).status, 413);
    let nowhere = client.url("nowhere");
    assert_eq!(client.send("GET", &nowhere, &[]).status, 404);
}

#[test]
fn nobody_reaches_what_is_anothers() {
    let mut client = Client::registered(Settings::default());
    let (order_url, order) = client.order_for(&["a.example"]);
    let certificate = client.issue(&["b.example"]);
    let account = client.account.clone().unwrap();
    let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
    (client.key, client.account) = (new_key(), None);
    client.register(&json!({})).unwrap();
    for url in [&order_url, &authorization, &certificate, &account, &format!("{account}/orders")] {
        assert_eq!(client.post(url, "").unwrap_err(), ProblemKind::Unauthorized, "{url}");
    }
}

#[test]
fn an_account_is_found_changed_and_ended() {
    let mut client = Client::new(Settings { terms: Some("https://127.0.0.1:1/terms".into()), ..Settings::default() });
    let existing = json!({ "onlyReturnExisting": true });
    assert_eq!(client.register(&existing).unwrap_err(), ProblemKind::AccountDoesNotExist);
    assert_eq!(client.register(&json!({})).unwrap_err(), ProblemKind::UserActionRequired);
    client.register(&json!({ "termsOfServiceAgreed": true, "contact": ["mailto:a@b.example"] })).unwrap();
    let account = client.account.take().unwrap();
    client.register(&existing).unwrap();
    assert_eq!(client.account.as_ref(), Some(&account));
    let (_, shown) = client.post(&account, r#"{"contact":[]}"#).unwrap();
    assert_eq!((shown["contact"].clone(), shown["status"].as_str()), (json!([]), Some("valid")));

    // A new key: the old one is a stranger's from then on.
    let (url, new) = (client.url("key-change"), new_key());
    let change = json!({ "account": account, "oldKey": jwk(&client.key) }).to_string();
    let header = json!({ "alg": "ES256", "jwk": jwk(&new), "url": url });
    let unproven = sign(&client.key, &header, &change).to_string();
    assert_eq!(client.post(&url, &unproven).unwrap_err(), ProblemKind::Malformed);
    let inner = sign(&new, &header, &change).to_string();
    client.post(&url, &inner).unwrap();
    assert_eq!(client.post(&account, "").unwrap_err(), ProblemKind::Malformed);
    client.key = new;
    client.post(&account, "").unwrap();

    assert_eq!(client.post(&account, r#"{"status":"deactivated"}"#).unwrap().1["status"], "deactivated");
    assert_eq!(client.post(&account, "").unwrap_err(), ProblemKind::Unauthorized);
    client.account = None;
    assert_eq!(client.register(&json!({ "termsOfServiceAgreed": true })).unwrap_err(), ProblemKind::Unauthorized);
}

#[test]
fn an_external_account_is_bound_once_by_its_key() {
    let external = ExternalAccount { id: "kid-1".into(), key: b"secret".to_vec() };
    let mut client = Client::new(Settings { external_accounts: vec![external], ..Settings::default() });
    assert_eq!(client.register(&json!({})).unwrap_err(), ProblemKind::ExternalAccountRequired);
    let url = client.url("new-account");
    let bind = |id: &str, key: &[u8], jwk: &Value| {
        let protected = encode(json!({ "alg": "HS256", "kid": id, "url": url }).to_string());
        let payload = encode(jwk.to_string());
        let mac = ring::hmac::sign(
            &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key),
            format!("{protected}.{payload}").as_bytes(),
        );
        let jws = json!({ "protected": protected, "payload": payload, "signature": encode(mac) });
        json!({ "externalAccountBinding": jws })
    };
    let own = jwk(&client.key);
    assert_eq!(client.register(&bind("kid-1", b"guess", &own)).unwrap_err(), ProblemKind::Unauthorized);
    assert_eq!(client.register(&bind("kid-2", b"secret", &own)).unwrap_err(), ProblemKind::Unauthorized);
    assert_eq!(client.register(&bind("kid-1", b"secret", &jwk(&new_key()))).unwrap_err(), ProblemKind::Malformed);
    client.register(&bind("kid-1", b"secret", &own)).unwrap();
    (client.key, client.account) = (new_key(), None);
    let own = jwk(&client.key);
    assert_eq!(client.register(&bind("kid-1", b"secret", &own)).unwrap_err(), ProblemKind::Unauthorized);
}

#[test]
fn a_certificate_is_revoked_by_its_account_or_by_its_key_and_once() {
    let mut client = Client::registered(Settings::default());
    let certificate = client.issue(&["a.example"]);
    let (_, chain) = client.fetch(&certificate);
    let url = client.url("revoke-certificate");
    let wish = |reason: u64| json!({ "certificate": encode(chain[0].der()), "reason": reason }).to_string();
    assert_eq!(client.post(&url, &wish(2)).unwrap_err(), ProblemKind::BadRevocationReason);
    let account = client.account.take();
    assert_eq!(client.post(&url, &wish(1)).unwrap_err(), ProblemKind::Unauthorized, "neither account nor key");
    client.account = account;
    let (_, info) = outcome({
        let url = client.url(&format!("renewal-info/{}", crate::acme::renewal::certificate_id(&chain[0]).unwrap()));
        client.send("GET", &url, &[])
    })
    .unwrap();
    assert!(info["suggestedWindow"]["start"].as_str().unwrap() > client.world.now().to_string().as_str());
    client.post(&url, &wish(4)).unwrap();
    assert_eq!(client.world.certificates[0].revoked, Some(4));
    assert_eq!(client.post(&url, &wish(4)).unwrap_err(), ProblemKind::AlreadyRevoked);
    let suggested = client.world.renewal_info(&crate::acme::renewal::certificate_id(&chain[0]).unwrap()).unwrap();
    let suggested: Value = serde_json::from_slice(&suggested.body).unwrap();
    assert!(
        suggested["suggestedWindow"]["end"].as_str().unwrap()
            < (client.world.now().saturating_add(3 * DAY)).to_string().as_str()
    );

    // By its key: the account key signs the request of an order of somebody else's, so that both are at hand.
    let other = client.issue(&["b.example"]);
    let (_, chain) = client.fetch(&other);
    let spki = crate::acme::jwk::Jwk::read(&jwk(&client.key)).unwrap().spki().to_vec();
    client.world.certificates[1].public_key = spki;
    client.account = None;
    let wish = json!({ "certificate": encode(chain[0].der()), "reason": 1 }).to_string();
    client.post(&url, &wish).unwrap();
}

#[test]
fn authorizations_are_used_again_when_the_world_is_so_and_expire() {
    let mut client = Client::registered(Settings { reuse: Reuse::Always, ..Settings::default() });
    client.issue(&["a.example"]);
    let (_, order) = client.order_for(&["a.example"]);
    assert_eq!(order["status"], "ready");
    let (url, order) = client.order_for(&["a.example", "b.example"]);
    assert_eq!(order["status"], "pending");
    client.world.clock.advance(8 * DAY);
    assert_eq!(client.post(&url, "").unwrap().1["status"], "invalid");
    let authorization = order["authorizations"][1].as_str().unwrap().to_owned();
    assert_eq!(client.post(&authorization, "").unwrap().1["status"], "expired");

    let (url, order) = client.order_for(&["c.example"]);
    let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
    client.post(&authorization, r#"{"status":"deactivated"}"#).unwrap();
    assert_eq!(client.post(&url, "").unwrap().1["status"], "invalid");
}

#[test]
fn profiles_and_replacements_are_checked() {
    let profile = |name: &str, days| Profile { name: name.into(), description: "…".into(), lifetime: days * DAY };
    let profiles = vec![profile("classic", 90), profile("shortlived", 6)];
    let mut client = Client::registered(Settings { profiles, ..Settings::default() });
    let wish = |profile: &str| json!({ "identifiers": identifiers(&["a.example"]), "profile": profile });
    assert_eq!(client.order(&wish("none")).unwrap_err(), ProblemKind::InvalidProfile);
    assert_eq!(client.order_for(&["a.example"]).1["profile"], "classic");
    let (_, order) = client.order(&wish("shortlived")).unwrap();
    client.authorize(&order);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let done = client.finalize(&order, &key, &["a.example"]).unwrap();
    let (_, chain) = client.fetch(done["certificate"].as_str().unwrap());
    assert_eq!(chain[0].window().length(), 6 * DAY);

    let id = crate::acme::renewal::certificate_id(&chain[0]).unwrap();
    let replace = |name: &str, id: &str| json!({ "identifiers": identifiers(&[name]), "replaces": id });
    assert_eq!(client.order(&replace("a.example", "no.such")).unwrap_err(), ProblemKind::Malformed);
    assert_eq!(client.order(&replace("b.example", &id)).unwrap_err(), ProblemKind::Malformed);
    assert_eq!(client.order(&replace("a.example", &id)).unwrap().1["replaces"], id.as_str());
    assert_eq!(client.order(&replace("a.example", &id)).unwrap_err(), ProblemKind::AlreadyReplaced);
}

#[test]
fn faults_stand_in_for_the_right_outcome() {
    let mut client = Client::registered(Settings::default());
    let url = client.issue(&["a.example"]);
    let (_, right) = client.fetch(&url);
    let mut with = |substitute| {
        client.faults = vec![Fault::Certificate(substitute)];
        let (reply, chain) = client.fetch(&url);
        (String::from_utf8(reply.body).unwrap(), chain)
    };
    let (_, wrong_key) = with(Substitute::WrongKey);
    assert_ne!(wrong_key[0].key_fingerprint(), right[0].key_fingerprint());
    let (_, names) = with(Substitute::Names(vec!["b.example".into()]));
    assert_eq!(names[0].identifiers(), ["b.example".parse().unwrap()]);
    assert_eq!(names[0].key_fingerprint(), right[0].key_fingerprint());
    let past =
        Window::new(right[0].window().start.saturating_sub(9 * DAY), right[0].window().start.saturating_sub(DAY));
    assert_eq!(with(Substitute::Window(past)).1[0].window(), past);
    assert_eq!(with(Substitute::NoChain).1.len(), 1);
    assert!(with(Substitute::Reversed).0.starts_with(&right[1].pem()));
    assert_eq!(with(Substitute::WithRoot).0.matches("BEGIN").count(), 3);
    assert!(!with(Substitute::Stranger).0.contains(&right[1].pem()));

    client.faults = vec![Fault::Refuse(Problem::new(ProblemKind::RateLimited, "no"))];
    let new_order = client.url("new-order");
    assert_eq!(client.post(&new_order, "{}").unwrap_err(), ProblemKind::RateLimited);
    client.faults = vec![Fault::BadNonce];
    assert_eq!(client.post(&new_order, "{}").unwrap_err(), ProblemKind::BadNonce);
    client.faults = Vec::new();
    let (_, order) = client.order_for(&["c.example"]);
    client.authorize(&order);
    client.faults = vec![Fault::Processing];
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    assert_eq!(client.finalize(&order, &key, &["c.example"]).unwrap()["status"], "processing");
}
