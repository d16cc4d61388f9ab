//! Whom the client believes.

use certwright::{Cancel, ErrorKind, Fingerprint, Issuer};
use certwright_tests::servers::step_ca::Turn;
use serde_json::json;

use super::ca::{Bench, Ca, secret, serves};

pub(crate) fn only_the_configured_fingerprint_is_believed<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let right = bench.wish.fingerprint;
    bench.wish.fingerprint = Fingerprint::from_bytes([7; 32]);
    let error = bench.ask(&["a.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted);
    assert_eq!(error.fact("configured"), Some(&*"07".repeat(32)));
    assert!(error.hint_text().unwrap().contains("step certificate fingerprint"), "{error:#}");
    assert!(!bench.scratch.join(".issuers/internal/roots.json").exists(), "nothing is kept of whoever answered");
    // The right one is believed after that, and a wrong one is not because the right one was.
    bench.wish.fingerprint = right;
    bench.ask(&["a.example"]).unwrap();
    assert!(bench.scratch.join(".issuers/internal/roots.json").exists());
    bench.wish.fingerprint = Fingerprint::from_bytes([7; 32]);
    assert_eq!(bench.ask(&["a.example"]).unwrap_err().kind(), ErrorKind::Untrusted);
}

pub(crate) fn a_root_changes_while_both_are_trusted<C: Ca>() {
    let mut ca = C::start(json!({}), "1m");
    let (bench, late) = (Bench::new(&ca), Bench::new(&ca));
    let first = bench.ask(&["a.example"]).unwrap();
    late.ask(&["b.example"]).unwrap();
    let kept = |bench: &Bench| {
        let bytes = std::fs::read(bench.scratch.join(".issuers/internal/roots.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["roots"].as_array().unwrap().len()
    };
    assert_eq!(kept(&bench), 1);
    // Listed, and not in use.
    ca.turn(Turn::Announce);
    bench.ask(&["a.example"]).unwrap();
    assert_eq!(kept(&bench), 2);
    // In use: who has seen the list trusts it, with a certificate from before.
    ca.turn(Turn::Switch);
    let renewed = bench.ask_for(&["a.example"], None, Some(&first)).unwrap();
    assert_eq!(kept(&bench), 2);
    // The old one is gone.
    ca.turn(Turn::Retire);
    let last = bench.ask_for(&["a.example"], None, Some(&renewed)).unwrap();
    serves(last.chain(), &ca.roots(), "a.example").unwrap();
    assert_eq!(kept(&bench), 1);
    // Who has not seen it is told, and does not believe what he has not compared.
    let error = late.ask(&["b.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted, "{error:#}");
    assert!(error.hint_text().unwrap().contains("fingerprint"), "{error:#}");
    assert_eq!(kept(&late), 1);
}

pub(crate) fn an_examination_tells_what_is_wrong<C: Ca>() {
    let mut ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let look = |bench: &Bench| -> Vec<(&'static str, Result<String, ErrorKind>)> {
        let found = bench.client().examine(&Cancel::new());
        found.into_iter().map(|one| (one.what, one.found.map_err(|error| error.kind()))).collect()
    };
    let all = look(&bench);
    let words: Vec<&str> = all.iter().map(|(what, _)| *what).collect();
    assert_eq!(words, ["trust", "health", "clock", "provisioner"]);
    assert!(all.iter().all(|(_, found)| found.is_ok()), "{all:?}");
    let wrong = secret(&bench.scratch, "password", "other");
    assert!(wrong.exists());
    assert_eq!(look(&bench).pop(), Some(("provisioner", Err(ErrorKind::Refused))));
    bench.off_by(600);
    assert_eq!(look(&bench)[2], ("clock", Err(ErrorKind::Unsupported)));
    ca.stop();
    assert_eq!(look(&bench), [("trust", Err(ErrorKind::Network))]);
}
