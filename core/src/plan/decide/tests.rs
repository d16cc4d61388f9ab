//! One table: what was seen, what is decided.

mod renewing;

use super::*;
use crate::ground::id::Fingerprint;
use crate::ground::time::Window;
use crate::plan::renewal::{Basis, renewal_window};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

fn sans(names: &[&str]) -> Sans {
    Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
}

fn id(sequence: u64) -> GenerationId {
    GenerationId::new(sequence, &Fingerprint::from_bytes([u8::try_from(sequence).unwrap(); 32]))
}

fn spec() -> Spec {
    Spec {
        issuers: vec!["lab".parse().unwrap()],
        ..Spec::new("www".parse().unwrap(), sans(&["a.example", "b.example"]))
    }
}

/// A generation that meets [`spec`] and has 90 days of which this many have passed.
fn material(sequence: u64, passed: i64) -> Candidate {
    Candidate {
        generation: id(sequence),
        identifiers: sans(&["a.example", "b.example"]),
        key: KeyAlgorithm::EcdsaP256,
        issuer: Some("lab".parse().unwrap()),
        window: Window::new(at(-passed * DAY), at((90 - passed) * DAY)),
    }
}

fn active(sequence: u64, passed: i64) -> Active {
    let Candidate { generation, identifiers, key, issuer, window } = material(sequence, passed);
    Active { generation, identifiers, key, issuer, window, created: window.start }
}

fn deferred(material: Candidate, wait: i64) -> Deferred {
    Deferred { material, failures: 2, not_before: at(wait), reason: "the check failed".to_owned() }
}

/// A lineage in its best days: generation 1 is active, ten of its ninety days have passed.
fn well() -> Observed {
    Observed { active: Some(active(1, 10)), served: Served::Current, ..Observed::default() }
}

const SETTLED: Standing = Standing::Settled;
const OPEN: Standing = Standing::Waiting { until: None };

fn until(seconds: i64) -> Standing {
    Standing::Waiting { until: Some(at(seconds)) }
}

#[track_caller]
fn check(spec: &Spec, observed: &Observed, plan: Plan, standing: Standing, codes: &[&str]) {
    let decision = decide(spec, observed, at(0));
    let told: Vec<&str> = decision.reasons.iter().map(Reason::code).collect();
    assert_eq!((decision.plan, decision.standing, &told[..]), (plan, standing, codes), "{:#?}", decision.reasons);
}

/// Change one thing of a lineage in its best days.
#[track_caller]
fn case(change: impl FnOnce(&mut Observed), plan: Plan, standing: Standing, codes: &[&str]) {
    let mut observed = well();
    change(&mut observed);
    check(&spec(), &observed, plan, standing, codes);
}

#[test]
fn nothing_to_do_needs_no_reason() {
    case(|_| {}, Plan::Keep, SETTLED, &[]);
    case(|o| o.served = Served::NotConfigured, Plan::Keep, SETTLED, &[]);
    case(|o| o.served = Served::NotAsked, Plan::Keep, SETTLED, &[]);
    // Neither is an old back-off, nor a past that is known.
    case(|o| (o.issue_not_before, o.issue_failures) = (Some(at(500)), 3), Plan::Keep, SETTLED, &[]);
    case(|o| o.newest_known = Some(at(-1)), Plan::Keep, SETTLED, &[]);
    let decision = decide(&spec(), &well(), at(0));
    assert_eq!(decision.reasons.capacity(), 0);
    assert!(decision.renewal.is_some_and(|renewal| renewal_window(well().active.unwrap().window).contains(renewal.at)));
}

#[test]
fn recovery_comes_before_everything() {
    let everything = |o: &mut Observed| {
        o.unfinished = true;
        o.damage = Some("`key.pem` was changed".to_owned());
        o.deferred = Some(deferred(material(2, 0), -1));
        o.access_drift = vec!["x".to_owned()];
        o.newest_known = Some(at(999_999));
    };
    case(everything, Plan::Recover, SETTLED, &["unfinished", "damaged"]);
    case(|o| o.unfinished = true, Plan::Recover, SETTLED, &["unfinished"]);
    case(|o| (o.active, o.damage) = (None, Some("x".to_owned())), Plan::Recover, SETTLED, &["damaged"]);
}

#[test]
fn nothing_active_is_issued_unless_something_is_there() {
    let none = || Observed::default();
    check(&spec(), &none(), Plan::Issue, SETTLED, &["nothing_active"]);
    let back_off = Observed { issue_not_before: Some(at(60)), issue_failures: 1, ..none() };
    check(&spec(), &back_off, Plan::Keep, until(60), &["nothing_active", "back_off"]);
    let passed = Observed { issue_not_before: Some(at(0)), issue_failures: 1, ..none() };
    check(&spec(), &passed, Plan::Issue, SETTLED, &["nothing_active"]);
    let ready = Observed { candidate: Some(material(1, 0)), ..none() };
    check(&spec(), &ready, Plan::Activate(id(1)), SETTLED, &["nothing_active", "ready"]);
    let stale = Observed { candidate: Some(material(1, 91)), ..none() };
    check(&spec(), &stale, Plan::Issue, SETTLED, &["nothing_active"]);
    let waits = Observed { deferred: Some(deferred(material(1, 0), 60)), ..none() };
    check(&spec(), &waits, Plan::Keep, until(60), &["nothing_active", "deferred"]);
    let again = Observed { deferred: Some(deferred(material(1, 0), 0)), ..none() };
    check(&spec(), &again, Plan::Activate(id(1)), SETTLED, &["nothing_active", "retried"]);
    let old_clock = Observed { newest_known: Some(at(301)), ..none() };
    check(&spec(), &old_clock, Plan::Keep, until(301), &["nothing_active", "clock_suspect"]);
}

#[test]
fn another_wish_is_another_certificate() {
    let changed = |change: fn(&mut Spec), codes: &[&str]| {
        let mut spec = spec();
        change(&mut spec);
        check(&spec, &well(), Plan::Issue, SETTLED, codes);
    };
    changed(|s| s.identifiers = sans(&["a.example"]), &["identifiers_changed"]);
    changed(|s| s.identifiers = sans(&["a.example", "b.example", "c.example"]), &["identifiers_changed"]);
    changed(|s| s.identifiers = sans(&["*.example.org"]), &["identifiers_changed"]);
    changed(|s| s.key = KeyAlgorithm::Ed25519, &["key_changed"]);
    changed(|s| s.issuers = vec!["other".parse().unwrap()], &["issuer_changed"]);
    case(|o| o.active.as_mut().unwrap().issuer = None, Plan::Issue, SETTLED, &["issuer_changed"]);
    // The order of identifiers is no change.
    let turned = Spec { identifiers: sans(&["b.example", "a.example"]), ..spec() };
    check(&turned, &well(), Plan::Keep, SETTLED, &[]);
    // What meets the new wish already is taken first.
    let mut observed = well();
    observed.candidate = Some(Candidate { identifiers: sans(&["c.example"]), ..material(2, 0) });
    let spec = Spec { identifiers: sans(&["c.example"]), ..spec() };
    check(&spec, &observed, Plan::Activate(id(2)), SETTLED, &["identifiers_changed", "ready"]);
    let Reason::IdentifiersChanged { missing, extra } = &decide(&spec, &well(), at(0)).reasons[0] else { panic!() };
    assert_eq!((missing.join(" "), extra.join(" ")), ("c.example".to_owned(), "a.example b.example".to_owned()));
}

#[test]
fn a_certificate_is_renewed_in_its_time() {
    // 90 days: due between 55.5 and 60 days.
    case(|o| o.active = Some(active(1, 55)), Plan::Keep, SETTLED, &[]);
    case(|o| o.active = Some(active(1, 60)), Plan::Issue, SETTLED, &["renewal_due"]);
    case(|o| o.active = Some(active(1, 91)), Plan::Issue, SETTLED, &["expired"]);
    // A wait that no issuer asks for was written by a wrong clock.
    let wrong = |o: &mut Observed| {
        o.active = Some(active(1, 60));
        (o.issue_not_before, o.issue_failures) = (Some(at(32 * DAY)), 9);
    };
    case(wrong, Plan::Issue, SETTLED, &["renewal_due"]);
    // Exactly at the chosen moment, not a second before.
    let observed = well();
    let renewal = decide(&spec(), &observed, at(0)).renewal.unwrap().at;
    assert_eq!(decide(&spec(), &observed, renewal).plan, Plan::Issue);
    assert_eq!(decide(&spec(), &observed, renewal.saturating_sub(Duration::from_secs(1))).plan, Plan::Keep);
    // A back-off holds even when the certificate has ended: the issuer counts tries.
    let late = |o: &mut Observed| {
        o.active = Some(active(1, 91));
        (o.issue_not_before, o.issue_failures) = (Some(at(60)), 9);
    };
    case(late, Plan::Keep, until(60), &["expired", "back_off"]);
}

#[test]
fn good_material_that_failed_is_tried_again_before_any_order() {
    let due_and = |waiting: Deferred| {
        move |o: &mut Observed| {
            o.active = Some(active(1, 60));
            o.deferred = Some(waiting);
        }
    };
    case(due_and(deferred(material(2, 0), 60)), Plan::Keep, until(60), &["renewal_due", "deferred"]);
    case(due_and(deferred(material(2, 0), 0)), Plan::Activate(id(2)), SETTLED, &["renewal_due", "retried"]);
    case(|o| o.deferred = Some(deferred(material(2, 0), 60)), Plan::Keep, until(60), &["deferred"]);
    // A time that no back-off reaches was written by a wrong clock.
    case(due_and(deferred(material(2, 0), 400 * DAY)), Plan::Activate(id(2)), SETTLED, &["renewal_due", "retried"]);
    // What no longer is what is wished, or is due itself, gives way to an order.
    let other = Candidate { identifiers: sans(&["c.example"]), ..material(2, 0) };
    case(due_and(deferred(other, 60)), Plan::Issue, SETTLED, &["renewal_due", "superseded"]);
    case(due_and(deferred(material(2, 60), 60)), Plan::Issue, SETTLED, &["renewal_due", "superseded"]);
    // … unless nothing valid is active: then it is better than nothing.
    let expired = |o: &mut Observed| (o.active, o.deferred) = (Some(active(1, 91)), Some(deferred(material(2, 80), 0)));
    case(expired, Plan::Activate(id(2)), SETTLED, &["expired", "retried"]);
    // While it waits nothing else is tried: the same check stands in the way.
    let drift = |o: &mut Observed| {
        o.deferred = Some(deferred(material(2, 0), 60));
        o.access_drift = vec!["x".to_owned()];
        o.served = Served::Other(vec!["y".to_owned()]);
    };
    case(drift, Plan::Keep, until(60), &["deferred", "access_drift", "served_other"]);
    // A repair of the active certificate that failed at its check is such material too.
    let copy = |wait| {
        move |o: &mut Observed| {
            o.deferred = Some(deferred(material(2, 10), wait));
            o.access_drift = vec!["x".to_owned()];
        }
    };
    case(copy(60), Plan::Keep, until(60), &["deferred", "access_drift"]);
    case(copy(0), Plan::Activate(id(2)), SETTLED, &["retried"]);
}

#[test]
fn three_runs_with_a_failing_check_place_no_second_order() {
    let mut observed = well();
    observed.active = Some(active(1, 70));
    let mut orders = 0;
    for failures in 0..3 {
        let decision = decide(&spec(), &observed, at(i64::from(failures) * 600));
        orders += i32::from(decision.plan == Plan::Issue);
        // The check fails: what was issued, or tried again, is deferred.
        let wait = i64::from(failures) * 600 + 500;
        observed.deferred = Some(Deferred { failures: failures + 1, ..deferred(material(2, 0), wait) });
    }
    assert_eq!(orders, 1);
}

#[test]
fn a_candidate_is_activated_when_it_is_better() {
    case(|o| o.candidate = Some(material(2, 0)), Plan::Activate(id(2)), SETTLED, &["ready"]);
    case(|o| o.candidate = Some(material(2, 10)), Plan::Keep, SETTLED, &[]);
    case(|o| o.candidate = Some(material(2, 20)), Plan::Keep, SETTLED, &[]);
    let foreign = Candidate { issuer: None, ..material(2, 0) };
    case(|o| o.candidate = Some(foreign), Plan::Keep, SETTLED, &[]);
    // Beside something that waits, only when it lasts longer.
    let beside = |candidate, waiting| {
        move |o: &mut Observed| {
            o.active = Some(active(1, 60));
            (o.candidate, o.deferred) = (Some(material(2, candidate)), Some(deferred(material(3, waiting), 60)));
        }
    };
    case(beside(0, 5), Plan::Activate(id(2)), SETTLED, &["renewal_due", "ready"]);
    case(beside(5, 0), Plan::Keep, until(60), &["renewal_due", "deferred"]);
}

#[test]
fn a_held_generation_stays_until_its_renewal() {
    let held = |change: fn(&mut Observed)| {
        move |o: &mut Observed| {
            o.held = Some(id(1));
            change(o);
        }
    };
    case(held(|_| {}), Plan::Keep, SETTLED, &["held"]);
    case(held(|o| o.candidate = Some(material(2, 0))), Plan::Keep, SETTLED, &["held"]);
    case(held(|o| o.deferred = Some(deferred(material(2, 0), -5))), Plan::Keep, SETTLED, &["held"]);
    case(held(|o| o.access_drift = vec!["x".to_owned()]), Plan::Repair, SETTLED, &["held", "access_drift"]);
    let unserved = held(|o| o.served = Served::Other(vec!["x".to_owned()]));
    case(unserved, Plan::Activate(id(1)), SETTLED, &["held", "served_other"]);
    // Even when it is not what the spec says: the operator went back on purpose.
    let mut observed = well();
    observed.held = Some(id(1));
    check(&Spec { key: KeyAlgorithm::Ed25519, ..spec() }, &observed, Plan::Keep, SETTLED, &["held", "key_changed"]);
    // Ten runs of a timer change nothing, the renewal time does.
    for day in 0..10 {
        assert_eq!(decide(&spec(), &observed, at(day * DAY)).plan, Plan::Keep);
    }
    case(held(|o| o.active = Some(active(1, 60))), Plan::Issue, SETTLED, &["renewal_due"]);
}

#[test]
fn drift_is_repaired_with_what_is_active() {
    case(|o| o.access_drift = vec!["x".to_owned(), "y".to_owned()], Plan::Repair, SETTLED, &["access_drift"; 2]);
    case(|o| o.output_drift = vec!["x".to_owned()], Plan::Repair, SETTLED, &["output_drift"]);
    // An order cures it as well; one that has to wait does not keep it from being repaired.
    let due = |o: &mut Observed| (o.active, o.access_drift) = (Some(active(1, 60)), vec!["x".to_owned()]);
    case(due, Plan::Issue, SETTLED, &["renewal_due"]);
    let due_later = move |o: &mut Observed| {
        due(o);
        (o.issue_not_before, o.issue_failures) = (Some(at(60)), 1);
    };
    case(due_later, Plan::Repair, until(60), &["renewal_due", "back_off", "access_drift"]);
}

#[test]
fn what_is_not_served_is_activated_again() {
    case(|o| o.served = Served::Other(vec!["x".to_owned()]), Plan::Activate(id(1)), SETTLED, &["served_other"]);
    case(|o| o.served = Served::Unreachable(vec!["x".to_owned()]), Plan::Activate(id(1)), SETTLED, &["unreachable"]);
    // When that failed it waits like any other activation.
    let own = |wait| {
        move |o: &mut Observed| {
            o.served = Served::Other(vec!["x".to_owned()]);
            o.deferred = Some(deferred(material(1, 10), wait));
        }
    };
    case(own(60), Plan::Keep, until(60), &["deferred", "served_other"]);
    case(own(0), Plan::Activate(id(1)), SETTLED, &["retried", "served_other"]);
    // It is retried although all looks well by now: it was never seen to be committed.
    case(|o| o.deferred = Some(deferred(material(1, 10), 0)), Plan::Activate(id(1)), SETTLED, &["retried"]);
    // It does not stand in the way of a renewal.
    let due = |o: &mut Observed| (o.active, o.deferred) = (Some(active(1, 60)), Some(deferred(material(1, 60), 60)));
    case(due, Plan::Issue, SETTLED, &["renewal_due"]);
}

#[test]
fn without_issuer_another_client_is_waited_for() {
    let brought = Spec { issuers: Vec::new(), ..spec() };
    let codes = ["nothing_active", "waiting_for_material"];
    // Nothing that was there is missing: its client has not come yet.
    check(&brought, &Observed::default(), Plan::Keep, SETTLED, &codes);
    let mut observed = well();
    // It may bring more names, another kind of key, and come from anywhere.
    let active_mut = observed.active.as_mut().unwrap();
    active_mut.identifiers = sans(&["c.example", "a.example", "b.example"]);
    active_mut.key = KeyAlgorithm::Rsa2048;
    active_mut.issuer = None;
    check(&brought, &observed, Plan::Keep, SETTLED, &[]);
    let wider = Spec { identifiers: sans(&["a.example", "d.example"]), ..brought.clone() };
    check(&wider, &observed, Plan::Keep, OPEN, &["identifiers_changed", "waiting_for_material"]);
    // Due is its business, expired is everybody's.
    let due = Observed { active: Some(active(1, 60)), ..well() };
    check(&brought, &due, Plan::Keep, SETTLED, &["renewal_due", "waiting_for_material"]);
    let expired = Observed { active: Some(active(1, 91)), ..well() };
    check(&brought, &expired, Plan::Keep, OPEN, &["expired", "waiting_for_material"]);
    let drifted = Observed { access_drift: vec!["x".to_owned()], ..expired };
    check(&brought, &drifted, Plan::Repair, OPEN, &["expired", "waiting_for_material", "access_drift"]);
    let deferred = Observed { deferred: Some(deferred(material(2, 0), 60)), ..well() };
    check(&brought, &deferred, Plan::Keep, until(60), &["deferred"]);
}

#[test]
fn nothing_is_ordered_by_a_clock_that_is_behind() {
    // Behind the active certificate's beginning, and behind what was recorded; a little of either is nothing.
    case(|o| o.active.as_mut().unwrap().window.start = at(300), Plan::Keep, SETTLED, &[]);
    case(|o| o.newest_known = Some(at(300)), Plan::Keep, SETTLED, &[]);
    case(|o| o.newest_known = Some(at(301)), Plan::Keep, until(301), &["clock_suspect"]);
    let early = |o: &mut Observed| o.active.as_mut().unwrap().window = Window::new(at(DAY), at(90 * DAY));
    case(early, Plan::Keep, until(DAY), &["clock_suspect"]);
    let mut observed = well();
    observed.newest_known = Some(at(DAY));
    let changed = Spec { key: KeyAlgorithm::Ed25519, ..spec() };
    check(&changed, &observed, Plan::Keep, until(DAY), &["clock_suspect", "key_changed"]);
    // What needs no clock is done.
    observed.access_drift = vec!["x".to_owned()];
    check(&spec(), &observed, Plan::Repair, until(DAY), &["clock_suspect", "access_drift"]);
    observed.unfinished = true;
    check(&spec(), &observed, Plan::Recover, SETTLED, &["unfinished"]);
}

/// Whatever the dates, there is a decision, and no order is placed without reason or against a back-off.
#[test]
fn survives_every_date() {
    let moments = [Timestamp::MIN, Timestamp::from_unix(0), at(-DAY), at(0), at(DAY), Timestamp::MAX];
    for now in moments {
        for start in moments {
            for end in moments {
                for not_before in moments {
                    let mut active = active(1, 10);
                    active.window = Window::new(start, end);
                    let observed = Observed {
                        active: Some(active),
                        deferred: Some(Deferred {
                            not_before,
                            ..deferred(Candidate { window: Window::new(end, start), ..material(2, 0) }, 0)
                        }),
                        issue_not_before: Some(not_before),
                        newest_known: Some(end.min(at(0))),
                        ..Observed::default()
                    };
                    let decision = decide(&spec(), &observed, now);
                    if decision.plan == Plan::Issue {
                        let waits = not_before.since(now).is_some_and(|wait| !wait.is_zero() && wait <= LONGEST_WAIT);
                        assert!(!waits && !decision.reasons.is_empty(), "{decision:?}");
                    }
                }
            }
        }
    }
}

/// A lineage that lives for years with certificates of any length never expires and is never renewed in a rush.
#[test]
fn years_of_lives() {
    for life in [3_600, 86_400, 6 * DAY, 47 * DAY, 398 * DAY] {
        let mut now = at(0);
        let mut sequence = 1;
        let mut current = Candidate { window: Window::new(at(0), at(life)), ..material(1, 0) };
        let mut orders = 0;
        while now < at(10 * life) {
            let Candidate { generation, identifiers, key, issuer, window } = current.clone();
            let active = Some(Active { generation, identifiers, key, issuer, window, created: window.start });
            let decision = decide(&spec(), &Observed { active, ..Observed::default() }, now);
            assert!(window.contains(now), "expired after {orders} orders");
            if decision.plan == Plan::Issue {
                orders += 1;
                sequence += 1;
                let window = Window::new(now, now.saturating_add(Duration::from_secs(life.cast_unsigned())));
                current = Candidate { window, ..material(sequence, 0) };
            }
            now = now.saturating_add(Duration::from_secs((life / 50).cast_unsigned()));
        }
        assert!((12..=25).contains(&orders), "{orders} orders in ten lives of {life} s");
    }
}

#[test]
fn reasons_are_sentences_with_codes_of_their_own() {
    let reasons = [
        Reason::Unfinished,
        Reason::Damaged("`key.pem` was changed".to_owned()),
        Reason::NothingActive,
        Reason::WaitingForMaterial("www".parse().unwrap()),
        Reason::IdentifiersChanged { missing: vec!["a".to_owned()], extra: vec!["b".to_owned(), "c".to_owned()] },
        Reason::IdentifiersChanged { missing: vec![], extra: vec!["b".to_owned()] },
        Reason::KeyChanged { active: KeyAlgorithm::EcdsaP256, wished: KeyAlgorithm::Ed25519 },
        Reason::IssuerChanged { active: None, wished: "lab".parse().unwrap() },
        Reason::IssuerChanged { active: Some("old".parse().unwrap()), wished: "lab".parse().unwrap() },
        Reason::RenewalDue { renewal: Renewal { at: at(0), basis: Basis::Lifetime }, end: at(1) },
        Reason::Expired { at: at(0) },
        Reason::Deferred { generation: id(2), until: at(0), failures: 1, why: "the check failed".to_owned() },
        Reason::Retried { generation: id(2), failures: 2 },
        Reason::Superseded(id(2)),
        Reason::Ready(id(2)),
        Reason::Held(id(2)),
        Reason::AccessDrift("x".to_owned()),
        Reason::OutputDrift("x".to_owned()),
        Reason::ServedOther("x".to_owned()),
        Reason::Unreachable("x".to_owned()),
        Reason::BackOff { until: at(0), failures: 3, why: Some("it said no".to_owned()) },
        Reason::BackOff { until: at(0), failures: 0, why: None },
        Reason::JustIssued { until: at(0) },
        Reason::ClockAhead { now: at(0), authority: at(-9) },
        Reason::ClockSuspect { now: at(0), known: at(1) },
    ];
    let mut codes: Vec<&str> = reasons.iter().map(Reason::code).collect();
    codes.dedup();
    assert_eq!(codes, Reason::CODES);
    let sentences: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    assert!(sentences.iter().all(|sentence| !sentence.ends_with('.') && !sentence.contains("  ")));
    assert_eq!(sentences[4], "the active certificate lacks a and is also for b, c");
    assert_eq!(sentences[5], "the active certificate is also for b");
    assert_eq!(
        sentences[11],
        "0002-02020202 waits until 2027-01-15T08:00:00Z to be activated again; it failed once: the check failed"
    );
}
