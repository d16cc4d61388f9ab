//! The corners of RFC 8555.

use super::*;
use crate::faults::{Occurrence, Verdict};

/// The document of a refusal, with its answer.
fn refusal(client: &mut Client, url: &str, payload: &str) -> (Reply, Value) {
    let header = client.header(url);
    let body = sign(&client.key, &header, payload);
    let reply = client.send("POST", url, body.to_string().as_bytes());
    let document = serde_json::from_slice(&reply.body).unwrap();
    assert!(reply.status >= 400, "{document}");
    (reply, document)
}

#[test]
fn an_authorization_before_any_order_is_used_by_orders() {
    let mut client = Client::registered(Settings::default());
    let url = client.url("new-authorization");
    let wish = |name: &str| json!({ "identifier": { "type": "dns", "value": name } }).to_string();
    let (reply, shown) = client.post(&url, &wish("a.example")).unwrap();
    assert_eq!((reply.status, shown["status"].as_str()), (201, Some("pending")));
    let authorization = field(&reply, "Location").unwrap();
    // A pending one is not waited for by an order: it has its own.
    let (_, order) = client.order_for(&["a.example"]);
    assert_ne!(order["authorizations"][0], authorization.as_str());
    let challenge = shown["challenges"][0]["url"].as_str().unwrap().to_owned();
    client.post(&challenge, "{}").unwrap();
    let (_, order) = client.order_for(&["a.example"]);
    assert_eq!((order["status"].as_str(), &order["authorizations"][0]), (Some("ready"), &json!(authorization)));
    assert_eq!(client.order_for(&["*.a.example"]).1["status"], "pending");
    assert_eq!(client.post(&url, &wish("*.a.example")).unwrap_err(), ProblemKind::RejectedIdentifier);
    assert_eq!(client.post(&url, "{}").unwrap_err(), ProblemKind::Malformed);
    // Once it is given up, there is nothing to use.
    client.post(&authorization, r#"{"status":"deactivated"}"#).unwrap();
    assert_eq!(client.order_for(&["a.example"]).1["status"], "pending");
}

#[test]
fn a_wished_period_is_kept_or_refused() {
    let mut client = Client::registered(Settings::default());
    let now = client.world.now();
    let at = |days: u32| now.saturating_add(days * DAY).to_string();
    let wish = |begin: &str, end: &str| json!({ "identifiers": identifiers(&["a.example"]), "notBefore": begin, "notAfter": end });
    let (_, order) = client.order(&wish(&at(1), &at(8))).unwrap();
    assert_eq!((order["notBefore"].as_str(), order["notAfter"].as_str()), (Some(at(1).as_str()), Some(at(8).as_str())));
    client.authorize(&order);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let done = client.finalize(&order, &key, &["a.example"]).unwrap();
    let (_, chain) = client.fetch(done["certificate"].as_str().unwrap());
    let window = chain[0].window();
    assert_eq!((window.start.to_string(), window.end.to_string()), (at(1), at(8)));
    for (begin, end) in [(at(8), at(1)), (at(0), at(91)), ("soon".into(), at(1)), (at(0), at(0))] {
        assert_eq!(client.order(&wish(&begin, &end)).unwrap_err(), ProblemKind::Malformed, "{begin} to {end}");
    }
    let past = now.saturating_sub(100 * DAY).to_string();
    assert_eq!(client.order(&wish(&past, &at(1))).unwrap_err(), ProblemKind::Malformed);
}

#[test]
fn orders_are_listed_in_pages_without_those_that_are_invalid() {
    let mut client = Client::registered(Settings::default());
    let urls: Vec<String> = (0..121).map(|_| client.order_for(&["a.example"]).0).collect();
    let (_, failed) = client.post(&urls[7], "").unwrap();
    client.post(failed["authorizations"][0].as_str().unwrap(), r#"{"status":"deactivated"}"#).unwrap();
    let mut page = format!("{}/orders", client.account.clone().unwrap());
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let (reply, list) = client.post(&page, "").unwrap();
        seen.extend(list["orders"].as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()));
        pages += 1;
        let next = fields(&reply, "Link").into_iter().find_map(|link| link.strip_suffix(">;rel=\"next\""));
        match next {
            Some(next) => page = next[1..].to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    assert!(seen.iter().eq(urls.iter().filter(|url| **url != urls[7])));
}

#[test]
fn other_terms_have_to_be_agreed_to_anew() {
    let terms = |name: &str| Some(format!("https://127.0.0.1:1/{name}"));
    let mut client = Client::new(Settings { terms: terms("old"), ..Settings::default() });
    client.register(&json!({ "termsOfServiceAgreed": true })).unwrap();
    client.order_for(&["a.example"]);
    client.world.settings.terms = terms("new");
    let url = client.url("new-order");
    let (reply, document) =
        refusal(&mut client, &url, &json!({ "identifiers": identifiers(&["a.example"]) }).to_string());
    assert_eq!(document["type"], ProblemKind::UserActionRequired.to_string());
    assert_eq!(document["instance"], "https://127.0.0.1:1/new");
    assert!(fields(&reply, "Link").contains(&"<https://127.0.0.1:1/new>;rel=\"terms-of-service\""));
    let account = client.account.clone().unwrap();
    assert_eq!(client.post(&account, "").unwrap().1["termsOfServiceAgreed"], false);
    client.post(&account, r#"{"termsOfServiceAgreed":true}"#).unwrap();
    client.order_for(&["a.example"]);
}

#[test]
fn what_is_wrong_with_several_identifiers_is_said_of_each() {
    let blocked = vec!["blocked.example".parse().unwrap()];
    let mut client = Client::registered(Settings { blocked, ..Settings::default() });
    let url = client.url("new-order");
    let wish = json!({ "identifiers": identifiers(&["a.example", "A.example", "*.b.blocked.example"]) }).to_string();
    let (_, document) = refusal(&mut client, &url, &wish);
    assert_eq!(document["type"], ProblemKind::RejectedIdentifier.to_string());
    let named: Vec<&str> = document["subproblems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["identifier"]["value"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["A.example", "*.b.blocked.example"]);
    let mixed = json!({ "identifiers": [
        { "type": "dns", "value": "blocked.example" }, { "type": "email", "value": "a@b.example" },
    ] });
    assert_eq!(client.order(&mixed).unwrap_err(), ProblemKind::Compound);
    assert_eq!(
        client.order(&json!({ "identifiers": identifiers(&["blocked.example"]) })).unwrap_err(),
        ProblemKind::RejectedIdentifier
    );
    client.order_for(&["unblocked.example"]);
}

#[test]
fn what_fails_is_said_where_it_is_looked_for() {
    let mut client = Client::registered(Settings { ask_again: Some(Duration::from_secs(3)), ..Settings::default() });
    let problem = Problem::new(ProblemKind::Dns, "SERVFAIL");
    let script = client.world.script.clone();
    script.judge(Some("b.example".parse().unwrap()), None, Occurrence::Every, Verdict::Invalid(problem.clone()));
    script.judge(Some("c.example".parse().unwrap()), None, Occurrence::First(1), Verdict::Pending);
    let (url, order) = client.order_for(&["a.example", "b.example"]);
    client.authorize(&order);
    let (_, shown) = client.post(&url, "").unwrap();
    assert_eq!(
        (shown["status"].as_str(), shown["error"]["type"].as_str()),
        (Some("invalid"), Some("urn:ietf:params:acme:error:dns"))
    );
    assert_eq!(shown["error"]["subproblems"][0]["identifier"]["value"], "b.example");
    let (_, failed) = client.post(order["authorizations"][1].as_str().unwrap(), "").unwrap();
    assert_eq!((failed["status"].as_str(), failed["challenges"].as_array().unwrap().len()), (Some("invalid"), 1));
    assert_eq!(failed["challenges"][0]["error"], problem.document());

    let (url, order) = client.order_for(&["c.example"]);
    client.authorize(&order);
    let (reply, waiting) = client.post(order["authorizations"][0].as_str().unwrap(), "").unwrap();
    assert_eq!(
        (waiting["status"].as_str(), waiting["challenges"][0]["status"].as_str()),
        (Some("pending"), Some("processing"))
    );
    assert_eq!(field(&reply, "Retry-After").as_deref(), Some("3"));
    client.world.clock.advance(8 * DAY);
    assert_eq!(client.post(&url, "").unwrap().1["status"], "invalid");
}

#[test]
fn requests_for_certificates_are_looked_at() {
    let mut client = Client::registered(Settings::default());
    let (_, order) = client.order_for(&["a.example", "b.example"]);
    client.authorize(&order);
    let url = order["finalize"].as_str().unwrap().to_owned();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let csr = |names: &[&str]| Csr::new(&key, &sans(names)).unwrap();
    let wish = |der: &[u8]| json!({ "csr": encode(der) }).to_string();
    for (names, said) in [
        (["a.example"].as_slice(), "lacks identifiers of the order: b.example"),
        (&["a.example", "b.example", "c.example"], "the order has not: c.example"),
        (&["a.example", "c.example"], "c.example in place of b.example"),
    ] {
        let (_, document) = refusal(&mut client, &url, &wish(csr(names).der()));
        assert_eq!(document["type"], ProblemKind::BadCsr.to_string());
        assert!(document["detail"].as_str().unwrap().contains(said), "{document}");
    }
    let mut forged = csr(&["a.example", "b.example"]).der().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(client.post(&url, &wish(&forged)).unwrap_err(), ProblemKind::BadCsr);
    assert_eq!(client.post(&url, &wish(b"nonsense")).unwrap_err(), ProblemKind::BadCsr);
    assert_eq!(client.post(&url, r#"{"csr":"a="}"#).unwrap_err(), ProblemKind::Malformed);
    client.post(&url, &wish(csr(&["b.example", "a.example"]).der())).unwrap();
}

#[test]
fn a_certificate_comes_in_the_form_that_is_wished_for() {
    let mut client = Client::registered(Settings::default());
    let url = client.issue(&["a.example"]);
    let (_, chain) = client.fetch(&url);
    let mut with = |accept: &str| {
        let header = client.header(&url);
        let body = sign(&client.key, &header, "").to_string();
        let asked = Asked { accept, body: body.as_bytes(), ..asked("POST", &url) };
        client.world.answer(&asked, &Route::of("/certificate/0"), &[]).0
    };
    let leaf = with("application/pkix-cert");
    assert_eq!(
        (field(&leaf, "Content-Type").as_deref(), leaf.body.as_slice()),
        (Some("application/pkix-cert"), chain[0].der())
    );
    assert_eq!(with("text/html").status, 406);
}

#[test]
fn an_account_that_ends_takes_its_orders_with_it_and_its_key_stays_taken() {
    let mut client = Client::registered(Settings::default());
    let account = client.account.clone().unwrap();
    client.order_for(&["a.example"]);
    let certificate = client.issue(&["b.example"]);
    assert!(certificate.ends_with("/certificate/0"));
    client.post(&account, r#"{"status":"deactivated"}"#).unwrap();
    assert_eq!(client.world.order_status(&client.world.orders[0]), "invalid");
    assert_eq!(client.world.order_status(&client.world.orders[1]), "valid");

    // Another account cannot take the key, and is told whose it is.
    let old = std::mem::replace(&mut client.key, new_key());
    client.account = None;
    client.register(&json!({})).unwrap();
    let url = client.url("key-change");
    let change = json!({ "account": client.account, "oldKey": jwk(&client.key) }).to_string();
    let inner = sign(&old, &json!({ "alg": "ES256", "jwk": jwk(&old), "url": url }), &change).to_string();
    let (reply, _) = refusal(&mut client, &url, &inner);
    assert_eq!((reply.status, field(&reply, "Location")), (409, Some(account)));
}

#[test]
fn who_has_authorizations_for_all_names_revokes() {
    let mut client = Client::registered(Settings::default());
    let certificate = client.issue(&["a.example", "*.a.example"]);
    let (_, chain) = client.fetch(&certificate);
    (client.key, client.account) = (new_key(), None);
    client.register(&json!({})).unwrap();
    let url = client.url("revoke-certificate");
    let wish = json!({ "certificate": encode(chain[0].der()) }).to_string();
    let (_, order) = client.order_for(&["a.example"]);
    client.authorize(&order);
    assert_eq!(client.post(&url, &wish).unwrap_err(), ProblemKind::Unauthorized, "the wildcard is missing");
    let (_, order) = client.order_for(&["*.a.example"]);
    client.authorize(&order);
    client.post(&url, &wish).unwrap();
}
