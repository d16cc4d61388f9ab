//! When it is renewed, by whose word and whose clock, and what comes next.

use super::*;
use crate::plan::renewal::{Asked, ClockCheck};

#[test]
fn the_issuers_suggestion_decides_when_it_can_be_meant() {
    let suggests = |from: i64, to: i64| {
        move |o: &mut Observed| {
            let window = Some(Window::new(at(from * DAY), at(to * DAY)));
            o.asked = Some(Asked { leaf: Fingerprint::from_bytes([1; 32]), window, again: at(60) });
        }
    };
    let basis = |from, to| {
        let mut observed = well();
        suggests(from, to)(&mut observed);
        decide(&spec(), &observed, at(0)).renewal.unwrap().basis
    };
    // Ten of ninety days have passed. Now, in the past, and later than usual.
    case(suggests(-3, -1), Plan::Issue, SETTLED, &["renewal_due"]);
    case(suggests(1, 2), Plan::Keep, SETTLED, &[]);
    let late = |o: &mut Observed| {
        o.active = Some(active(1, 61));
        suggests(5, 6)(o);
    };
    case(late, Plan::Keep, SETTLED, &[]);
    assert_eq!((basis(-3, -1), basis(1, 2)), (Basis::Suggested, Basis::Suggested));
    // What cannot be meant is told and not followed.
    let absurd = |o: &mut Observed| {
        o.active = Some(active(1, 61));
        suggests(99, 98)(o);
    };
    case(absurd, Plan::Issue, SETTLED, &["renewal_due"]);
    let mut observed = well();
    absurd(&mut observed);
    let told = decide(&spec(), &observed, at(0)).reasons[0].to_string();
    assert!(told.contains("ends before it begins"), "{told}");
    // A rollback that is held gives way to it, as to every renewal.
    let held = |o: &mut Observed| {
        o.held = Some(id(1));
        suggests(-3, -1)(o);
    };
    case(held, Plan::Issue, SETTLED, &["renewal_due"]);
}

#[test]
fn nothing_is_ordered_twice_within_a_breath() {
    let just = |seconds: i64| {
        move |o: &mut Observed| {
            o.active = Some(Active { created: at(-seconds), ..active(1, 61) });
        }
    };
    case(just(10), Plan::Keep, until(3_590), &["renewal_due", "just_issued"]);
    case(just(3_599), Plan::Keep, until(1), &["renewal_due", "just_issued"]);
    case(just(3_600), Plan::Issue, SETTLED, &["renewal_due"]);
    // A time to come was written by a wrong clock.
    case(just(-10), Plan::Issue, SETTLED, &["renewal_due"]);
    // Another wish does not wait.
    let mut observed = well();
    just(10)(&mut observed);
    check(
        &Spec { key: KeyAlgorithm::Ed25519, ..spec() },
        &observed,
        Plan::Issue,
        SETTLED,
        &["key_changed", "renewal_due"],
    );
    // A short life takes short breaths.
    let hour = |o: &mut Observed| {
        o.active = Some(Active { window: Window::new(at(-2_000), at(1_600)), created: at(-100), ..active(1, 0) });
    };
    case(hour, Plan::Keep, until(80), &["renewal_due", "just_issued"]);
}

#[test]
fn a_clock_that_is_ahead_of_the_issuers_orders_nothing_before_its_time() {
    let clock = |ahead: i64, passed: i64| {
        move |o: &mut Observed| {
            o.active = Some(active(1, passed));
            o.clock = Some(ClockCheck { here: at(-100), there: at(-100 - ahead) });
        }
    };
    case(clock(4_000 * DAY, 4_000), Plan::Keep, SETTLED, &["clock_ahead"]);
    case(clock(30 * DAY, 61), Plan::Keep, SETTLED, &["clock_ahead"]);
    // It is due by the issuer's clock too.
    case(clock(DAY, 65), Plan::Issue, SETTLED, &["renewal_due"]);
    case(clock(100, 61), Plan::Issue, SETTLED, &["renewal_due"]);
    // Ended by our clock, only due by the issuer's.
    case(clock(10 * DAY, 91), Plan::Issue, SETTLED, &["clock_ahead", "renewal_due"]);
    // A day later the comparison says nothing any more: the issuer is asked, and with it its clock.
    let old = |o: &mut Observed| {
        clock(30 * DAY, 61)(o);
        o.clock.as_mut().unwrap().here = at(-DAY - 1);
    };
    case(old, Plan::Issue, SETTLED, &["renewal_due"]);
    // Behind the issuer's clock is behind.
    case(clock(-400, 61), Plan::Keep, until(400), &["clock_suspect", "renewal_due"]);
    case(clock(-300, 61), Plan::Issue, SETTLED, &["renewal_due"]);
}

#[test]
fn any_issuer_of_the_list_is_good_for_what_is_active() {
    let list = |names: &[&str]| Spec { issuers: names.iter().map(|name| name.parse().unwrap()).collect(), ..spec() };
    check(&list(&["other", "lab"]), &well(), Plan::Keep, SETTLED, &[]);
    check(&list(&["lab", "other"]), &well(), Plan::Keep, SETTLED, &[]);
    check(&list(&["other", "third"]), &well(), Plan::Issue, SETTLED, &["issuer_changed"]);
    let waits = Observed { deferred: Some(deferred(material(2, 0), 60)), ..well() };
    check(&list(&["other", "lab"]), &waits, Plan::Keep, until(60), &["deferred"]);
}

#[test]
fn what_comes_next_is_the_first_of_what_is_known() {
    let next = |change: &dyn Fn(&mut Observed)| {
        let mut observed = well();
        change(&mut observed);
        decide(&spec(), &observed, at(0)).next
    };
    let renewal = decide(&spec(), &well(), at(0)).renewal.unwrap().at;
    assert_eq!(next(&|_| {}), Some(renewal));
    let asked = |again| Some(Asked { leaf: Fingerprint::from_bytes([1; 32]), window: None, again });
    assert_eq!(next(&|o| o.asked = asked(at(60))), Some(at(60)));
    assert_eq!(next(&|o| o.asked = asked(Timestamp::MAX)), Some(renewal));
    assert_eq!(next(&|o| o.deferred = Some(deferred(material(2, 0), 60))), Some(at(60)));
    assert_eq!(next(&|o| o.active = Some(active(1, 61))), Some(at(0)), "at once");
    let brought = Spec { issuers: Vec::new(), ..spec() };
    assert_eq!(decide(&brought, &well(), at(0)).next, None);
}
