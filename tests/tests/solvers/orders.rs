//! Whole orders at the real Pebble, which looks for answers at the real BIND.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certwright::{
    AcmeClient, AcmeIssuer, Cancel, ChallengeKind, Command, CommandSolver, Convention, Issuer, KeyAlgorithm,
    OsFilesystem, PrivateKey, Request, Rfc2136, Sans, SolverSpec, SystemClock, TsigKey,
};
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::bind::{Bind, KEY, News, Zone};
use certwright_tests::servers::pebble::{Options, Pebble};

use super::made;

const ORG: Zone<'_> = Zone {
    name: "example.org",
    records: "_acme-challenge.alias CNAME alias.acme\n_acme-challenge TXT \"of somebody else\"",
};

/// The authority issues for these names when this solver answers; nothing is left of the answers.
fn ordered(bind: &Bind, spec: SolverSpec, names: &[&str]) {
    issued(bind.address, spec, names);
    assert_eq!(bind.texts("_acme-challenge.example.org").unwrap(), ["of somebody else"]);
    assert!(bind.texts("alias.acme.example.org").unwrap().is_empty());
}

/// The authority, which asks this name server, issues for these names when this solver answers.
pub(super) fn issued(server: SocketAddr, spec: SolverSpec, names: &[&str]) {
    let pebble = Pebble::start(Options { resolver: Some(server), ..Options::default() }).unwrap();
    let scratch = Scratch::on_disk().unwrap();
    let mut wish = AcmeIssuer::new(&pebble.directory, spec.clone());
    wish.trust = Some(pebble.trust.clone());
    let files = Arc::new(OsFilesystem::new());
    let client = AcmeClient::new(
        "public".parse().unwrap(),
        wish,
        vec![made(&spec)],
        files,
        scratch.path(),
        Arc::new(SystemClock),
    );
    let names = Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let issued = client.issue(&Request::new(&"www".parse().unwrap(), &names, &key), &Cancel::new()).unwrap();
    assert!(names.iter().all(|name| issued.chain.leaf().covers(name)));
}

#[test]
fn a_wildcard_with_its_base_name_and_an_alias_by_updates() {
    let bind = Bind::primary(&[ORG], News::None).unwrap();
    let mut wish = Rfc2136::new(bind.address);
    wish.key = Some(TsigKey::new(KEY, &bind.secret_file));
    wish.propagation.resolver = Some(bind.address);
    wish.propagation.authoritative = vec![bind.address];
    wish.propagation.limit = Duration::from_secs(60);
    ordered(&bind, SolverSpec::Rfc2136(wish), &["example.org", "*.example.org", "alias.example.org"]);
}

#[test]
fn the_same_by_a_script_for_lego() {
    let bind = Bind::primary(&[ORG], News::None).unwrap();
    let mut argv = vec!["/usr/bin/env".to_owned()];
    argv.extend(bind.variables());
    argv.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/lego-exec.sh").display().to_string());
    let mut wish = CommandSolver::new(Convention::Lego, Command::new(argv), vec![ChallengeKind::Dns01]);
    wish.propagation.resolver = Some(bind.address);
    wish.propagation.authoritative = vec![bind.address];
    ordered(&bind, SolverSpec::Command(wish), &["example.org", "*.example.org", "alias.example.org"]);
}
