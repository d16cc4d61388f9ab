//! A world that was written down and read again.

use super::*;
use crate::faults::{Occurrence, Verdict};
use crate::state::Kept;
use crate::wire::tls;

/// The world after its end, in a new process.
fn again(client: &mut Client) {
    let own = tls::root().unwrap();
    let text = Kept::of(&client.world, &own).text().unwrap();
    let mut next = World::new(client.world.settings.clone(), client.world.site.clone(), Arc::default()).unwrap();
    let kept: Kept = serde_json::from_slice(&text).unwrap();
    assert_eq!(kept.tls().unwrap().root.der(), own.root.der());
    kept.restore(&mut next).unwrap();
    client.world = next;
}

#[test]
fn everything_is_there_again() {
    let external_accounts = vec![ExternalAccount { id: "kid-1".into(), key: b"secret".to_vec() }];
    let terms = Some("https://127.0.0.1:1/terms".to_owned());
    let mut client = Client::new(Settings { terms, alternates: 1, ..Settings::default() });
    client.register(&json!({ "termsOfServiceAgreed": true, "contact": ["mailto:a@b.example"] })).unwrap();
    let problem = Problem::new(ProblemKind::Dns, "SERVFAIL").with("instance", json!("x"));
    client.world.script.judge(Some("c.example".parse().unwrap()), None, Occurrence::Every, Verdict::Invalid(problem));
    let certificate = client.issue(&["a.example", "*.a.example", "192.0.2.1"]);
    let (_, chain) = client.fetch(&certificate);
    let (pending, _) = client.order_for(&["b.example"]);
    let (failed, order) = client.order_for(&["c.example"]);
    client.authorize(&order);
    client.world.clock.advance(3 * DAY);
    client.world.settings.external_accounts = external_accounts;
    client.world.accounts[0].bound_to = Some("kid-1".to_owned());

    let account = client.account.clone().unwrap();
    let urls = [account.clone(), format!("{account}/orders"), pending.clone(), failed, "order/0".into()];
    let seen = |client: &mut Client| {
        let shown = urls.iter().map(|url| if url.starts_with("https") { url.clone() } else { client.url(url) });
        let shown: Vec<String> = shown.collect();
        shown.iter().map(|url| client.post(url, "").unwrap().1).collect::<Vec<_>>()
    };
    let before = seen(&mut client);
    let then = client.world.now();
    let roots: Vec<String> = client.world.ca.roots().iter().map(Certificate::pem).collect();
    again(&mut client);
    assert_eq!(seen(&mut client), before);
    assert!(client.world.now() >= then, "the time went back");
    assert!(client.world.ca.roots().iter().map(Certificate::pem).eq(roots));
    assert_eq!(client.fetch(&certificate).1, chain);
    assert!(client.world.index.is_bound("kid-1"));

    // And it goes on.
    let (_, order) = client.post(&pending, "").unwrap();
    client.authorize(&order);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let done = client.finalize(&order, &key, &["b.example"]).unwrap();
    let (_, other) = client.fetch(done["certificate"].as_str().unwrap());
    let roots = Roots::from_pem(client.world.ca.roots()[0].pem().as_bytes()).unwrap();
    roots.check(&Chain::from_certificates(other).unwrap(), client.world.now()).unwrap();
    let url = client.url("revoke-certificate");
    client.post(&url, &json!({ "certificate": encode(chain[0].der()), "reason": 4 }).to_string()).unwrap();
    again(&mut client);
    assert_eq!(client.world.certificates[0].revoked, Some(4));
}

#[test]
fn chance_does_not_begin_anew() {
    let mut client = Client::registered(Settings::default());
    let token = |client: &mut Client| {
        let (_, order) = client.order_for(&["a.example"]);
        let (_, shown) = client.post(order["authorizations"][0].as_str().unwrap(), "").unwrap();
        shown["challenges"][0]["token"].clone()
    };
    let mut seen = vec![token(&mut client)];
    for _ in 0..3 {
        again(&mut client);
        let next = token(&mut client);
        assert!(!seen.contains(&next), "a token came again");
        seen.push(next);
    }
}
