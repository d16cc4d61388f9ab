//! Rate limits, on the clock of the world.

use super::*;
use crate::settings::{Limit, Limits};

const HOUR: Duration = Duration::from_secs(3_600);

fn limited(limits: Limits) -> Client {
    Client::registered(Settings { limits, ..Settings::default() })
}

const fn limit(count: u32, within: Duration) -> Option<Limit> {
    Some(Limit { count, within })
}

/// What the refusal of an order says, and how long to wait.
fn refused(client: &mut Client, wish: &Value) -> (String, u64) {
    let url = client.url("new-order");
    let header = client.header(&url);
    let body = sign(&client.key, &header, &wish.to_string());
    let reply = client.send("POST", &url, body.to_string().as_bytes());
    let document: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(
        (reply.status, &document["type"]),
        (429, &json!("urn:ietf:params:acme:error:rateLimited")),
        "{document}"
    );
    let wait = field(&reply, "Retry-After").unwrap().parse().unwrap();
    let when = client.world.now().saturating_add(Duration::from_secs(wait)).to_string();
    let detail = document["detail"].as_str().unwrap().to_owned();
    let when = format!("retry after {}", when.replace('T', " ").replace('Z', " UTC"));
    assert!(detail.contains(&when), "{detail}: {when}");
    assert!(fields(&reply, "Link").contains(&"<https://letsencrypt.org/docs/rate-limits>;rel=\"help\""));
    (detail, wait)
}

fn wish(names: &[&str]) -> Value {
    json!({ "identifiers": identifiers(names) })
}

#[test]
fn orders_of_an_account_come_back_one_at_a_time() {
    let mut client = limited(Limits { orders_per_account: limit(3, 3 * HOUR), ..Limits::default() });
    for name in ["a.example", "b.example", "c.example"] {
        client.order_for(&[name]);
    }
    let (detail, wait) = refused(&mut client, &wish(&["d.example"]));
    // In the words of Let's Encrypt.
    assert!(
        detail.starts_with("too many new orders (3) from this account in the last 3h0m0s, retry after "),
        "{detail}"
    );
    assert!(detail.ends_with(" UTC: see https://letsencrypt.org/docs/rate-limits/#new-orders-per-account"), "{detail}");
    assert!((3_590..=3_600).contains(&wait), "{wait}");
    client.world.clock.advance(HOUR);
    client.order_for(&["d.example"]);
    refused(&mut client, &wish(&["e.example"]));
    (client.key, client.account) = (new_key(), None);
    client.register(&json!({})).unwrap();
    client.order_for(&["e.example"]);
}

#[test]
fn certificates_are_counted_by_domain_and_by_set_and_renewals_are_free() {
    let week = 7 * DAY;
    let limits = Limits {
        certificates_per_domain: limit(2, week),
        certificates_per_set: limit(2, week),
        orders_per_account: limit(5, 100 * week),
        ..Limits::default()
    };
    let mut client = limited(limits);
    let first = client.issue(&["a.site.example"]);
    client.issue(&["b.site.example"]);
    let (detail, _) = refused(&mut client, &wish(&["x.example", "c.site.example"]));
    assert!(
        detail.starts_with("too many certificates (2) already issued for \"site.example\" in the last 168h0m0s"),
        "{detail}"
    );
    // The same set again is counted by set alone.
    client.issue(&["a.site.example"]);
    let (detail, _) = refused(&mut client, &wish(&["a.site.example"]));
    let expected = "too many certificates (2) already issued for this exact set of identifiers in the last 168h0m0s";
    assert!(detail.starts_with(expected), "{detail}");
    // What says which certificate it replaces is counted by nothing.
    let (_, chain) = client.fetch(&first);
    let id = crate::acme::renewal::certificate_id(&chain[0]).unwrap();
    client.order(&json!({ "identifiers": identifiers(&["a.site.example"]), "replaces": id })).unwrap();
    client.world.clock.advance(week);
    client.order_for(&["c.site.example"]);
}

#[test]
fn failures_and_accounts_are_counted() {
    let limits = Limits {
        failures_per_identifier: limit(1, HOUR),
        accounts_per_address: limit(2, 3 * HOUR),
        ..Limits::default()
    };
    let mut client = limited(limits);
    let problem = Problem::new(ProblemKind::Dns, "no such name");
    let verdict = crate::faults::Verdict::Invalid(problem);
    client.world.script.judge(None, None, crate::faults::Occurrence::Only(1), verdict);
    let (_, order) = client.order_for(&["*.a.example"]);
    client.authorize(&order);
    let (detail, _) = refused(&mut client, &wish(&["a.example"]));
    assert!(detail.starts_with("too many failed authorizations (1) for \"a.example\" in the last 1h0m0s"), "{detail}");
    client.order_for(&["b.example"]);
    client.world.clock.advance(HOUR);
    client.order_for(&["a.example"]);

    let mut register = || {
        (client.key, client.account) = (new_key(), None);
        client.register(&json!({}))
    };
    register().unwrap();
    assert_eq!(register().unwrap_err(), ProblemKind::RateLimited);
    client.world.clock.advance(2 * HOUR);
    client.register(&json!({})).unwrap();
}

#[test]
fn nothing_is_limited_by_default() {
    let mut client = Client::registered(Settings::default());
    for _ in 0..400 {
        client.order_for(&["a.example"]);
    }
}
