//! Every body that a place takes, for the fuzzer: past the front door, into a world that has one of everything.

use std::cell::RefCell;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certwright::{Csr, KeyAlgorithm, PrivateKey, Result, Sans};
use serde_json::{Value, json};

use crate::acme::front::{Asked, Signed};
use crate::acme::jwk::Jwk;
use crate::acme::jws::Jws;
use crate::acme::problem::Problem;
use crate::acme::route::{Route, Site};
use crate::acme::world::World;
use crate::settings::{ExternalAccount, Profile, Reuse, Settings, Validation};
use crate::wire::reply::Reply;

/// Inputs that one world answers; then there is another, so that none grows.
const ANSWERS: u32 = 500;

struct Rehearsal {
    world: World,
    answers: u32,
}

thread_local! {
    static STAGE: RefCell<Option<Rehearsal>> = const { RefCell::new(None) };
}

/// Where a payload goes in the world that [`furnished`] makes.
const PLACES: [&str; 12] = [
    "/new-account",
    "/new-order",
    "/new-authorization",
    "/key-change",
    "/revoke-certificate",
    "/account/0",
    "/account/0/orders",
    "/order/1",
    "/order/1/finalize",
    "/authorization/1",
    "/challenge/1/0",
    "/certificate/0",
];

pub(crate) fn answer(place: u8, payload: &[u8]) -> Result<(u16, String, Vec<u8>)> {
    STAGE.with_borrow_mut(|stage| {
        let mut rehearsal = match stage.take().filter(|rehearsal| rehearsal.answers < ANSWERS) {
            Some(rehearsal) => rehearsal,
            None => Rehearsal { world: furnished()?, answers: 0 },
        };
        rehearsal.answers += 1;
        let path = PLACES.get(usize::from(place) % PLACES.len()).unwrap_or(&PLACES[0]);
        // A CSR or a certificate as it is reaches further than one that has to be guessed in base64url.
        let wrapped = |name: &str| json!({ name: URL_SAFE_NO_PAD.encode(payload) }).to_string().into_bytes();
        let payload = match (usize::from(place) / PLACES.len(), *path) {
            (1, "/order/1/finalize") => wrapped("csr"),
            (1, "/revoke-certificate") => wrapped("certificate"),
            _ => payload.to_vec(),
        };
        let number = rehearsal.answers;
        let reply = asked(&mut rehearsal.world, path, payload, number).unwrap_or_else(Reply::from);
        *stage = Some(rehearsal);
        let kind = reply.headers.iter().find(|(name, _)| name == "Content-Type").map(|(_, kind)| kind.clone());
        Ok((reply.status, kind.unwrap_or_default(), reply.body))
    })
}

/// A world with an account, an order that is finished and one that is ready.
fn furnished() -> Result<World> {
    let week = std::time::Duration::from_secs(7 * 86_400);
    let profile = |name: &str| Profile { name: name.to_owned(), description: String::new(), lifetime: week };
    let settings = Settings {
        validation: Validation::Believed,
        reuse: Reuse::Always,
        profiles: vec![profile("classic"), profile("short")],
        ..Settings::default()
    };
    let mut world = World::new(settings, Site("https://127.0.0.1:1".to_owned()), Arc::default())?;
    let names = Sans::new(vec!["a.example".parse()?])?;
    let csr = Csr::new(&PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, &names)?;
    let order = r#"{"identifiers":[{"type":"dns","value":"a.example"}]}"#;
    let finalize = json!({ "csr": URL_SAFE_NO_PAD.encode(csr.der()) }).to_string();
    let steps = [
        ("/new-account", "{}"),
        ("/new-order", order),
        ("/challenge/0/0", "{}"),
        ("/order/0/finalize", &finalize),
        ("/new-order", r#"{"identifiers":[{"type":"dns","value":"b.example"}]}"#),
        ("/challenge/1/0", "{}"),
    ];
    for (path, payload) in steps {
        let reply = asked(&mut world, path, payload.as_bytes().to_vec(), 0);
        debug_assert!(reply.is_ok(), "{path}: {reply:?}");
    }
    world.settings.external_accounts = vec![ExternalAccount { id: "kid-1".to_owned(), key: b"key".to_vec() }];
    Ok(world)
}

/// A request with a good signature: of a new key for an account, of the first account for everything else.
fn asked(world: &mut World, path: &str, payload: Vec<u8>, number: u32) -> std::result::Result<Reply, Problem> {
    let (route, url) = (Route::of(path), format!("https://127.0.0.1:1{path}"));
    let key = match world.accounts.first() {
        Some(account) if path != "/new-account" => account.key.clone(),
        _ => Jwk::read(&own_key(number))?,
    };
    let account = (path != "/new-account").then_some(0);
    let signed = Signed { jws: Jws::taken(url.clone(), payload), account, key };
    let asked = Asked {
        method: "POST",
        url: &url,
        content_type: "application/jose+json",
        accept: "",
        from: [127, 0, 0, 1].into(),
        body: &[],
    };
    world.perform(&signed, &asked, &route, &[])
}

/// Another key for each.
fn own_key(number: u32) -> Value {
    let x = [number.to_be_bytes(); 8].concat();
    json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x) })
}
