//! What takes another kind of server, and what Pebble 2.4 does not have.

use std::time::Duration;

use certwright_testbed::{
    Endpoint, ExternalAccount, Fault, Limit, Limits, Occurrence, Problem, ProblemKind, Profile, Settings,
};
use certwright_tests::raw::wish;
use certwright_tests::servers::pebble;

use super::*;

pub(super) const KINDS: [&str; 6] =
    ["caa", "compound", "alreadyReplaced", "invalidProfile", "rateLimited", "serverInternal"];

pub(super) const BINDING: &[Provocation] = &[Provocation {
    what: "an account that is bound to no external one",
    kind: "externalAccountRequired",
    pebbles: Pebbles::Same,
    act: |side| new_account(side, r#"{"termsOfServiceAgreed":true}"#),
}];

pub(super) const TERMS: &[Provocation] = &[Provocation {
    what: "an account without the terms agreed to",
    kind: "userActionRequired",
    pebbles: Pebbles::Other("agreementRequired", "RFC 8555 §6.7 has no type of that name"),
    act: |side| new_account(side, "{}"),
}];

fn new_account(side: &Side<'_>, payload: &str) -> io::Result<Told> {
    let other = side.raw.another()?;
    Ok(Told::heard(&other.post(&other.url("newAccount"), payload)?))
}

#[test]
fn accounts_are_made_on_conditions() -> Outcome {
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let external_account = Some(pebble::ExternalAccount { id: "kid-1", key });
    let names = ChallTestSrv::start([127, 0, 0, 1].into())?;
    let external = ExternalAccount { id: "kid-1".to_owned(), key: key.as_bytes().to_vec() };
    let terms = Some("https://127.0.0.1:1/terms".to_owned());
    for (list, options, settings) in [
        (
            BINDING,
            Options { external_account, ..Options::default() },
            Settings { external_accounts: vec![external], ..Settings::default() },
        ),
        (TERMS, Options::default(), Settings { terms, ..Settings::default() }),
    ] {
        let (bed, pebble) = (Bed::with(settings)?, Pebble::start(options)?);
        for Provocation { what, kind, pebbles, act } in list {
            let raw = Raw::new(bed.server.directory(), &bed.trust())?;
            let told = act(&Side { raw, http: bed.http, tls: bed.tls, names: &names })?;
            assert_eq!(told.kind, *kind, "{what}: {told:?}");
            let raw = Raw::new(&pebble.directory, &pebble.trust)?;
            let told = act(&Side { raw, http: pebble.http, tls: pebble.tls, names: &names })?;
            let expected = if let Pebbles::Other(other, _) = pebbles { other } else { kind };
            assert_eq!(told.kind, **expected, "{what}: {told:?}");
        }
    }
    Ok(())
}

fn believing(settings: Settings) -> io::Result<(Bed, Raw)> {
    let bed = Bed::with(Settings { validation: Validation::Believed, ..settings })?;
    let mut raw = Raw::new(bed.server.directory(), &bed.trust())?;
    raw.register()?;
    Ok((bed, raw))
}

fn ordered(raw: &Raw, wish: &Value) -> io::Result<Told> {
    Ok(Told::heard(&raw.post(&raw.url("newOrder"), &wish.to_string())?))
}

#[test]
fn what_pebble_lacks_is_provoked_here() -> Outcome {
    let hour = Duration::from_secs(3_600);
    let limits = Limits { orders_per_account: Some(Limit { count: 3, within: hour }), ..Limits::default() };
    let profile = Profile { name: "classic".into(), description: "…".into(), lifetime: 24 * hour };
    let blocked = vec![BLOCKED.parse()?];
    let (bed, raw) = believing(Settings { limits, blocked, profiles: vec![profile], ..Settings::default() })?;

    let email = json!({ "type": "email", "value": "a@b.example" });
    let mixed = json!({ "identifiers": [email, { "type": "dns", "value": BLOCKED }] });
    assert_eq!(ordered(&raw, &mixed)?.kind, "compound");
    let mut profiled = wish(&["a.example"]);
    profiled["profile"] = "none".into();
    let told = ordered(&raw, &profiled)?;
    assert_eq!((told.kind.as_str(), told.detail.contains("classic")), ("invalidProfile", true), "{told:?}");

    let (_, order) = raw.order(&["a.example"])?;
    let authorization = raw.fetch(order["authorizations"][0].as_str().unwrap())?;
    let challenge = authorization["challenges"][0]["url"].as_str().unwrap();
    raw.post(challenge, "{}")?.success(challenge)?;
    let url = order["finalize"].as_str().unwrap();
    raw.post(url, &json!({ "csr": encode(csr(&["a.example"])) }).to_string())?.success(url)?;
    let leaf = bed.server.issued().pop().ok_or("no certificate")?;
    let serial: Vec<u8> = (0..leaf.serial().len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&leaf.serial()[at..at + 2], 16).unwrap())
        .collect();
    let mut renewal = wish(&["a.example"]);
    renewal["replaces"] = format!("{}.{}", encode(leaf.authority_key_id().unwrap()), encode(serial)).into();
    assert_eq!(ordered(&raw, &renewal)?.status, 201);
    let told = ordered(&raw, &renewal)?;
    assert_eq!((told.kind.as_str(), told.status), ("alreadyReplaced", 409), "{told:?}");

    raw.order(&["b.example"])?;
    raw.order(&["c.example"])?;
    let answer = raw.post(&raw.url("newOrder"), &wish(&["d.example"]).to_string())?;
    let told = Told::heard(&answer);
    assert_eq!((told.kind.as_str(), told.status), ("rateLimited", 429), "{told:?}");
    assert!(answer.field("Retry-After").unwrap().parse::<u64>()? <= 1_200);

    let problem = Problem::new(ProblemKind::ServerInternal, "the database went away");
    bed.server.faults().on(Endpoint::NewOrder, Occurrence::Every, Fault::Refuse(problem));
    let told = ordered(&raw, &wish(&["e.example"]))?;
    assert_eq!((told.kind.as_str(), told.status), ("serverInternal", 500));
    Ok(())
}

/// What CAA records say, from a name server, up the tree.
#[test]
fn records_decide_who_may_issue() -> Outcome {
    let names = ChallTestSrv::start([127, 0, 0, 1].into())?;
    let real = Real { names: Names::Server(names.dns), ..Real::default() };
    let settings =
        Settings { validation: Validation::Real(real), caa: Some("ca.example".parse()?), ..Settings::default() };
    let bed = Bed::with(settings)?;
    let mut raw = Raw::new(bed.server.directory(), &bed.trust())?;
    raw.register()?;
    let account = raw.account.clone().unwrap();
    let side = Side { raw, http: bed.http, tls: bed.tls, names: &names };
    let _answers = challenges::Answers::right(side.http, side.raw.key.thumbprint())?;
    let right = format!("ca.example; accounturi={account}; validationmethods=dns-01,http-01");
    let cases: &[(&str, &[(&str, &str, &str)], bool)] = &[
        ("none.example", &[], true),
        ("ours.example", &[("ours.example", "issue", "ca.example")], true),
        ("other.example", &[("other.example", "issue", "other-ca.example")], false),
        ("nobody.example", &[("nobody.example", "issue", ";")], false),
        (
            "both.example",
            &[("both.example", "issue", "other-ca.example"), ("both.example", "issue", "CA.example ")],
            true,
        ),
        ("www.tree.example", &[("tree.example", "issue", "other-ca.example")], false),
        ("www.near.example", &[("near.example", "issue", ";"), ("www.near.example", "issue", "ca.example")], true),
        ("wild.example", &[("wild.example", "issuewild", ";")], true),
        ("mail.example", &[("mail.example", "iodef", "mailto:a@b.example")], true),
        ("account.example", &[("account.example", "issue", &right)], true),
        ("stranger.example", &[("stranger.example", "issue", "ca.example; accounturi=https://ca.example/1")], false),
        ("method.example", &[("method.example", "issue", "ca.example; validationmethods=dns-01")], false),
    ];
    for (name, records, allowed) in cases {
        names.set_addresses(&format!("{name}."), &[&side.http.ip().to_string()])?;
        for (at, tag, value) in *records {
            names.add_caa(&format!("{at}."), tag, value)?;
        }
        let (url, order) = side.raw.order(&[name])?;
        side.respond(&order, "http-01")?;
        let order = until(Duration::from_secs(30), "the order is judged", || {
            let order = side.raw.fetch(&url)?;
            if order["status"] == "pending" { Err(io::Error::other(order.to_string())) } else { Ok(order) }
        })?;
        assert_eq!(order["status"] == "ready", *allowed, "{name}: {order}");
        if !allowed {
            assert_eq!(Told::of(&order["error"]).kind, "caa", "{name}: {order}");
        }
    }
    Ok(())
}
