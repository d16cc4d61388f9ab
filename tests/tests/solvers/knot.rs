//! Answers in DNS by dynamic updates of a real Knot, which reads RFC 2136 and RFC 8945 in its own way; and a whole order at
//! the real Pebble, which looks there.

use std::time::Duration;

use certwright::{Cancel, ChallengeKind, ErrorKind, Rfc2136, SolverSpec, TsigAlgorithm, TsigKey};
use certwright_tests::conformance::solver::{SameName, Stage, challenge, conforms};
use certwright_tests::servers::bind::{KEY, POWERLESS};
use certwright_tests::servers::knot::Knot;

use super::orders::issued;
use super::{digests, made};

const RECORDS: &str =
    "www A 192.0.2.1\n_acme-challenge.alias CNAME alias.acme\n_acme-challenge TXT \"of somebody else\"";

fn knot() -> Knot {
    Knot::start("example.org", RECORDS).unwrap()
}

fn wish(knot: &Knot) -> Rfc2136 {
    let mut wish = Rfc2136::new(knot.address);
    wish.key = Some(TsigKey::new(KEY, &knot.secret_file));
    wish.propagation.resolver = Some(knot.address);
    wish.propagation.authoritative = vec![knot.address];
    wish.propagation.limit = Duration::from_secs(60);
    wish
}

#[test]
fn updates_of_knot_conform() {
    let knot = knot();
    conforms(&Stage {
        solver: &|| made(&SolverSpec::Rfc2136(wish(&knot))),
        kind: ChallengeKind::Dns01,
        seen: &|challenge| {
            let texts = knot.texts(&format!("_acme-challenge.{}", challenge.identifier())).unwrap();
            texts.contains(&digests(challenge).1)
        },
        same_name: SameName::Together,
        outlives: true,
    });
    assert!(knot.texts("_acme-challenge.a.example.org").unwrap().is_empty());
}

#[test]
fn an_order_is_answered_at_knot_and_values_of_others_stay() {
    let knot = knot();
    let names = ["example.org", "*.example.org", "alias.example.org"];
    issued(knot.address, SolverSpec::Rfc2136(wish(&knot)), &names);
    assert_eq!(knot.texts("_acme-challenge.example.org").unwrap(), ["of somebody else"]);
    assert!(knot.texts("alias.acme.example.org").unwrap().is_empty());
}

#[test]
fn what_knot_refuses_is_told_with_its_reason() {
    let knot = knot();
    let keyed = |change: &dyn Fn(&mut TsigKey)| {
        let mut wish = wish(&knot);
        wish.key.iter_mut().for_each(change);
        wish
    };
    let mut unsigned = wish(&knot);
    unsigned.key = None;
    let one = challenge(ChallengeKind::Dns01, "www.example.org", "refused");
    let cases = [
        (keyed(&|key| key.name = "no_such_key".to_owned()), "says", "BADKEY"),
        (keyed(&|key| key.algorithm = TsigAlgorithm::HmacSha512), "says", "BADKEY"),
        (keyed(&|key| key.name = POWERLESS.to_owned()), "says", "BADKEY"),
        (unsigned, "rcode", "NOTAUTH"),
    ];
    for (wish, fact, told) in cases {
        let error = made(&SolverSpec::Rfc2136(wish)).present(&one, &Cancel::new()).unwrap_err();
        assert_eq!((error.kind(), error.fact(fact)), (ErrorKind::ChallengeFailed, Some(told)), "{error:#}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("TXT")) || fact == "rcode", "{error:#}");
    }
    assert!(knot.texts("_acme-challenge.www.example.org").unwrap().is_empty());
}
