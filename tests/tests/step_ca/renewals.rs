//! A certificate in the place of another one, and its end.

use std::time::Duration;

use certwright::{Cancel, Clock, ErrorKind, Held, Issuer, Material, RevocationReason, SystemClock, Timestamp};
use certwright_tests::until::until;
use serde_json::json;

use super::ca::{Bench, Ca, serves};

const LIMIT: Duration = Duration::from_secs(20);

/// When a certificate has ended: the very moment that it is waited for.
fn ended(material: &Material) {
    let end = material.chain().leaf().window().end;
    until(LIMIT, "the certificate has ended", || match SystemClock.now() > end {
        true => Ok(()),
        false => Err(std::io::Error::other(format!("it ends at {end}"))),
    })
    .unwrap();
}

fn serial(material: &Material) -> String {
    material.chain().leaf().serial()
}

pub(crate) fn the_same_key_is_renewed_and_a_fresh_one_rekeyed<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let names = ["a.example", "b.example"];
    let first = bench.ask(&names).unwrap();
    // Neither needs the provisioner.
    bench.wish.credential = None;
    let renewed = bench.ask_for(&names, Some(first.key()), Some(&first)).unwrap();
    assert_eq!(renewed.key().fingerprint(), first.key().fingerprint());
    assert_ne!(serial(&renewed), serial(&first));
    let rekeyed = bench.ask_for(&names, None, Some(&renewed)).unwrap();
    assert_ne!(rekeyed.key().fingerprint(), first.key().fingerprint());
    for material in [&renewed, &rekeyed] {
        serves(material.chain(), &ca.roots(), "b.example").unwrap();
        assert_eq!(material.chain().leaf().window().length(), first.chain().leaf().window().length());
    }
}

pub(crate) fn other_names_are_signed_anew<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let first = bench.ask(&["a.example"]).unwrap();
    let more = bench.ask_for(&["a.example", "c.example"], None, Some(&first)).unwrap();
    serves(more.chain(), &ca.roots(), "c.example").unwrap();
    bench.wish.credential = None;
    let error = bench.ask_for(&["a.example", "d.example"], None, Some(&first)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(error.hint_text().unwrap().contains("provisioner"), "{error:#}");
}

pub(crate) fn what_has_ended_is_renewed_where_the_ca_allows_it<C: Ca>() {
    let claims = json!({ "minTLSCertDuration": "1s", "defaultTLSCertDuration": "2s", "allowRenewalAfterExpiry": true });
    // The CA judges what has ended at a minute before its end: it has to have begun by then.
    let ca = C::start(claims, "1m");
    let mut bench = Bench::new(&ca);
    let first = bench.ask(&["a.example"]).unwrap();
    bench.wish.credential = None;
    ended(&first);
    let renewed = bench.ask_for(&["a.example"], Some(first.key()), Some(&first)).unwrap();
    assert_eq!(renewed.key().fingerprint(), first.key().fingerprint());
    ended(&renewed);
    // A fresh key, although what has ended cannot be rekeyed by itself.
    let rekeyed = bench.ask_for(&["a.example"], None, Some(&renewed)).unwrap();
    assert_ne!(rekeyed.key().fingerprint(), first.key().fingerprint());
}

pub(crate) fn what_has_ended_is_signed_anew_where_it_does_not<C: Ca>() {
    let claims = json!({ "minTLSCertDuration": "1s", "defaultTLSCertDuration": "2s" });
    let ca = C::start(claims, "0s");
    let mut bench = Bench::new(&ca);
    let first = bench.ask(&["a.example"]).unwrap();
    ended(&first);
    let signed = bench.ask_for(&["a.example"], Some(first.key()), Some(&first)).unwrap();
    assert_eq!(signed.key().fingerprint(), first.key().fingerprint());
    ended(&signed);
    bench.wish.credential = None;
    let error = bench.ask_for(&["a.example"], None, Some(&first)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.hint_text().unwrap().contains("allowRenewalAfterExpiry"), "{error:#}");
}

pub(crate) fn what_is_revoked_is_not_renewed<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let (by_token, by_holder) = (bench.ask(&["a.example"]).unwrap(), bench.ask(&["b.example"]).unwrap());
    let stop = Cancel::new();
    bench.client().revoke(by_token.chain().leaf(), RevocationReason::Superseded, &stop).unwrap();
    // Twice is once.
    bench.client().revoke(by_token.chain().leaf(), RevocationReason::Superseded, &stop).unwrap();
    let credential = bench.wish.credential.take();
    let error = bench.client().revoke(by_holder.chain().leaf(), RevocationReason::KeyCompromise, &stop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    bench.client().revoke_held(Held::new(&by_holder), RevocationReason::KeyCompromise, &stop).unwrap();
    for (name, material) in [("a.example", &by_token), ("b.example", &by_holder)] {
        let error = bench.ask_for(&[name], None, Some(material)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error:#}");
        assert!(error.message().contains("renew"), "{error:#}");
    }
    // Who may sign gets another one.
    bench.wish.credential = credential;
    bench.ask_for(&["a.example"], None, Some(&by_token)).unwrap();
}

pub(crate) fn a_clock_that_is_ten_minutes_off_does_no_harm<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    bench.off_by(600);
    let first = bench.ask(&["a.example"]).unwrap();
    bench.ask_for(&["a.example"], None, Some(&first)).unwrap();
    // By a clock that is behind, the CA's own certificate has not begun: that is said, with both times.
    bench.off_by(-600);
    let error = bench.ask(&["a.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted);
    assert!(error.hint_text().unwrap().contains("NTP"), "{error:#}");
    let at = |name: &str| error.fact(name).unwrap().parse::<Timestamp>().unwrap();
    assert!(at("here") < at("valid_from"));
}

pub(crate) fn a_restart_in_the_middle_is_waited_for<C: Ca>() {
    let mut ca = C::start(json!({}), "1m");
    let bench = Bench::new(&ca);
    let first = bench.ask(&["a.example"]).unwrap();
    ca.stop();
    let error = {
        let mut hasty = Bench::new(&ca);
        hasty.wish.limit = Duration::from_secs(1);
        hasty.ask(&["a.example"]).unwrap_err()
    };
    assert_eq!(error.kind(), ErrorKind::Network, "{error:#}");
    let renewed = std::thread::scope(|scope| {
        let renewing = scope.spawn(|| bench.ask_for(&["a.example"], None, Some(&first)));
        ca.run();
        renewing.join().unwrap().unwrap()
    });
    serves(renewed.chain(), &ca.roots(), "a.example").unwrap();
}
