//! What can be ordered, and by which challenge.

use std::collections::BTreeSet;
use std::time::Duration;

use certwright::report::LineageReport;
use certwright::{Builder, Config, IssuerSpec, Lifecycle, RevocationReason, Selection, Spec};
use certwright_tests::openssl::x509;

use super::*;

#[test]
fn each_challenge_brings_a_certificate() -> Outcome {
    let stage = Stage::new(Options::default())?;
    stage.accepts(&order(&stage.client(stage.wish())?, &["http.example", "www.http.example"])?, 0)?;

    let mut wish = stage.wish();
    wish.solvers = vec![SolverSpec::TlsAlpnListener(stage.pebble.tls)];
    stage.accepts(&order(&stage.client(wish)?, &["alpn.example", "www.alpn.example"])?, 0)?;

    let records = Records::new(&stage, Quirk::None);
    let client = stage.client_with(stage.wish(), vec![records.clone()])?;
    stage.accepts(&order(&client, &["dns.example"])?, 0)?;
    assert_eq!(records.done(), ["present dns.example", "wait dns.example", "clean up dns.example"]);
    Ok(())
}

#[test]
fn a_wildcard_and_its_base_share_a_record_name() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let records = Records::new(&stage, Quirk::None);
    let client = stage.client_with(stage.wish(), vec![records.clone()])?;
    stage.accepts(&order(&client, &["*.wild.example", "wild.example"])?, 0)?;
    assert_eq!(records.done().iter().filter(|done| *done == "present wild.example").count(), 2);
    // http-01 cannot answer for a wildcard: that is said before anything is tried.
    let error = order(&stage.client(stage.wish())?, &["*.other.example"]).err().unwrap();
    assert_eq!((error.kind(), error.fact("identifier")), (ErrorKind::ChallengeFailed, Some("other.example")));
    assert_eq!((error.fact("offered"), error.fact("configured")), (Some("dns-01"), Some("http-01")));
    Ok(())
}

#[test]
fn an_address_is_an_identifier() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let address = stage.pebble.http.ip().to_string();
    stage.accepts(&order(&stage.client(stage.wish())?, &[&address])?, 0)
}

#[test]
fn the_preferred_chain_is_taken_and_missed_without_harm() -> Outcome {
    let stage = Stage::new(Options { alternate_roots: 2, ..Options::default() })?;
    let name = |number| -> std::io::Result<String> {
        let subject = x509(&stage.pebble.root(number)?, &["-subject", "-nameopt", "multiline,-esc_msb"])?;
        let (_, name) = subject.rsplit_once("commonName").expect("a common name");
        Ok(name.trim_start_matches([' ', '=']).trim().to_owned())
    };
    for number in [0, 1, 2] {
        let mut wish = stage.wish();
        wish.preferred_chain = Some(name(number)?);
        stage.accepts(&order(&stage.client(wish)?, &["chains.example"])?, number)?;
    }
    let mut wish = stage.wish();
    wish.preferred_chain = Some("A Root That Was Retired".to_owned());
    stage.accepts(&order(&stage.client(wish)?, &["chains.example"])?, 0)
}

#[test]
fn chains_are_judged_by_the_roots_of_the_issuer() -> Outcome {
    let stage = Stage::new(Options { alternate_roots: 1, ..Options::default() })?;
    let mut wish = stage.wish();
    wish.roots = Some(stage.pebble.root_file(0)?);
    order(&stage.client(wish.clone())?, &["roots.example"])?;
    wish.roots = Some(stage.pebble.root_file(1)?);
    let error = order(&stage.client(wish)?, &["roots.example"]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Untrusted, "{error:#}");
    Ok(())
}

#[test]
fn a_certificate_is_revoked_with_its_reason_and_twice() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let client = stage.client(stage.wish())?;
    let (one, two) = (order(&client, &["one.example"])?, order(&client, &["two.example"])?);
    for _ in 0..2 {
        client.revoke(one.leaf(), RevocationReason::KeyCompromise, &Cancel::new())?;
    }
    assert_eq!(stage.pebble.revoked(&one.leaf().serial())?, Some(1));
    client.revoke(two.leaf(), RevocationReason::Unspecified, &Cancel::new())?;
    assert_eq!(stage.pebble.revoked(&two.leaf().serial())?, Some(0));
    // This Pebble has no renewal information, and that is no error.
    assert_eq!(client.renewal_info(one.leaf(), &Cancel::new())?, None);
    Ok(())
}

/// Many lineages at once share one account, one listener and a patchy server.
///
/// Pebble 2.4 locks itself up now and then when many orders are asked about at once: its log ends with `POST /my-order/`, and
/// only what needs no order is answered from then on. That is told as a time-out, and tried with another Pebble.
#[test]
fn fifty_lineages_are_served_side_by_side() -> Outcome {
    for _ in 0..3 {
        let stage = Stage::new(Options { nonce_rejection: 20, authorization_reuse: 50, ..Options::default() })?;
        let lifecycle = fifty(&stage)?;
        let report = lifecycle.apply(&Selection::All, &certwright::Options::default())?;
        let locked_up = |lineage: &LineageReport| lineage.error.as_ref().is_some_and(|error| error.kind == "timeout");
        if report.lineages.iter().any(locked_up) {
            continue;
        }
        for lineage in &report.lineages {
            assert!(lineage.changed && lineage.error.is_none(), "{lineage:?}");
        }
        let lineages = lifecycle.status(&Selection::All)?.lineages;
        let fingerprints: BTreeSet<_> = lineages.into_iter().filter_map(|lineage| lineage.fingerprint).collect();
        assert_eq!(fingerprints.len(), 50);
        assert_eq!(stage.pebble.accounts(), 1, "one account for all");
        return Ok(());
    }
    Err("no Pebble of three answered to the end".into())
}

fn fifty(stage: &Stage) -> std::result::Result<Lifecycle, Box<dyn std::error::Error>> {
    let mut config = Config::new(stage.scratch.join("store"));
    let mut issuer = stage.wish();
    issuer.limit = Duration::from_secs(60);
    config.issuers.insert("public".parse()?, IssuerSpec::Acme(Box::new(issuer)));
    for number in 0..50 {
        let name = format!("site-{number}").parse()?;
        let mut spec = Spec::new(name, Sans::new(vec![format!("site-{number}.example").parse()?])?);
        spec.issuers = vec!["public".parse()?];
        config.lineages.insert(spec.name.clone(), spec);
    }
    Ok(Builder::new(config).build()?)
}
