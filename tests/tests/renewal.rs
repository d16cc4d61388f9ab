//! Renewals over days and years, by a clock that is moved by hand: in time, by the issuer's suggestions, from one issuer or
//! the next, with an issuer that is down and with clocks that jump.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::time::Duration;

use certwright::report::{LineageReport, Outcome};
use certwright::{
    AcmeIssuer, Clock, Endpoints, ErrorKind, IssuerSpec, LimitTable, Limits, Options, Rate, RunOptions, Selection,
    SolverSpec, Timestamp, Window,
};
use certwright_tests::renewing::{CaMood, Renewing, Suggestion};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn valid(it: &Renewing, report: &LineageReport) {
    let end: Timestamp = report.not_after.as_ref().unwrap().parse().unwrap();
    assert!(it.clock.now() < end, "expired at {end}, now {}: {report:?}", it.clock.now());
}

#[test]
fn a_year_of_renewals_and_days_of_short_ones() {
    for (life, span, fewest, most) in [
        (DAY * 45, DAY * 365, 12, 14),
        // One at the beginning, and then one in each half to eleven twentieths of a life.
        (DAY * 6, DAY * 365, 111, 122),
        (DAY, DAY * 30, 55, 61),
        (HOUR, DAY * 2, 88, 97),
    ] {
        let it = Renewing::new(&["lab"], life);
        let mut looks = 0;
        it.live(span, |report| {
            assert_eq!(report.outcome, Outcome::Well, "{life:?}: {report:?}");
            valid(&it, report);
            looks += 1;
        });
        let orders = it.ca("lab").orders();
        assert!((fewest..=most).contains(&orders.len()), "{} certificates of {life:?}", orders.len());
        for pair in orders.windows(2) {
            let between = pair[1].since(pair[0]).unwrap();
            let latest = if life < DAY * 10 { life * 11 / 20 } else { life * 2 / 3 };
            // A certificate is valid from a little before its order.
            let little = Duration::from_secs(60);
            assert!(between + little >= life / 2 && between <= latest + little, "{between:?} of {life:?}");
        }
        assert!(looks <= 2 * orders.len() + 400, "{looks} looks");
    }
}

#[test]
fn an_issuer_that_is_down_for_two_days_costs_no_certificate_and_is_not_stormed() {
    for life in [DAY * 45, DAY * 6] {
        let it = Renewing::new(&["lab"], life);
        it.apply();
        let renewal: Timestamp = it.apply().renewal.unwrap().parse().unwrap();
        it.advance(renewal.since(it.clock.now()).unwrap());
        it.ca("lab").set(CaMood::Down);
        let before = it.ca("lab").tried();
        it.live(DAY * 2, |report| valid(&it, report));
        let tried = it.ca("lab").tried() - before;
        assert!((8..=40).contains(&tried), "{tried} tries in two days ({life:?})");
        it.ca("lab").set(CaMood::Willing);
        it.live(HOUR * 7, |report| valid(&it, report));
        assert_eq!(it.ca("lab").orders().len(), 2, "one certificate once it is back");
        assert_eq!(it.apply().outcome, Outcome::Well);
    }
}

#[test]
fn a_back_off_survives_the_process_and_says_why() {
    let it = Renewing::new(&["lab"], DAY * 45);
    it.ca("lab").set(CaMood::Down);
    assert!(it.apply().error.is_some());
    let waiting = it.apply();
    assert_eq!((waiting.outcome, waiting.error.is_none()), (Outcome::Failed, true));
    assert_eq!(it.ca("lab").tried(), 1, "nothing is asked before its time");
    assert!(waiting.reasons[1].text.contains("nobody answers"), "{:?}", waiting.reasons);
    let told = it.lifecycle().status(&Selection::All).unwrap();
    assert!(told.lineages[0].unsettled.iter().any(|text| text.contains("nobody answers")), "{told:?}");
    assert!(waiting.next.unwrap().parse::<Timestamp>().unwrap() <= it.clock.now().saturating_add(HOUR));
}

#[test]
fn a_clock_that_jumps_orders_little_and_harms_nothing() {
    let years = DAY * 3_650;
    for (jump, ahead) in [(HOUR, true), (HOUR, false), (years, true), (years, false)] {
        for tells_time in [true, false] {
            let it = Renewing::new(&["lab"], DAY * 45);
            if tells_time {
                it.ca("lab").tell_time();
            }
            it.apply();
            it.advance(DAY * 10);
            let real = it.clock.now();
            it.clock.set(if ahead { real.saturating_add(jump) } else { real.saturating_sub(jump) });
            for _ in 0..40 {
                it.apply();
                it.advance(Duration::from_secs(900));
            }
            let place = format!("{jump:?} ahead {ahead}, authority tells {tells_time}");
            let most = match (ahead, jump == years, tells_time) {
                // The issuer's clock is heard with its first answer, and believed.
                (true, true, true) => 2,
                // Each certificate has ended ten years ago: it is asked again by the back-off.
                (true, true, false) => 6,
                _ => 1,
            };
            assert!(it.ca("lab").orders().len() <= most, "{place}: {} orders", it.ca("lab").orders().len());
            it.clock.set(it.world.now());
            let mut last = it.apply();
            for _ in 0..3 {
                it.advance(DAY);
                last = it.apply();
            }
            assert_eq!(last.outcome, Outcome::Well, "{place}: {last:?}");
            valid(&it, &last);
            it.live(DAY * 90, |report| valid(&it, report));
        }
    }
}

#[test]
fn the_issuers_suggestion_is_followed_asked_for_in_its_time_and_never_needed() {
    let it = Renewing::new(&["lab"], DAY * 45);
    // Between half and half and a day, asked for every six hours.
    it.ca("lab").suggest(Suggestion::Share(50, DAY, HOUR * 6));
    it.live(DAY * 21, |report| assert_eq!(report.outcome, Outcome::Well, "{report:?}"));
    let questions = it.ca("lab").questions();
    assert!((80..=90).contains(&questions), "{questions} questions in 21 days");
    assert_eq!(it.ca("lab").orders().len(), 1);
    for _ in 0..5 {
        it.apply();
        it.apply_one("www", Options::default().with_endpoints(Endpoints::Leave));
    }
    assert!(it.ca("lab").questions() <= questions + 1, "a question before its time");
    it.live(DAY * 2 + HOUR * 12, |_| {});
    assert_eq!(it.ca("lab").orders().len(), 2, "in the window, twelve days before the usual time");
    assert_eq!(it.ca("lab").replaced(), [false, true]);
    // Whatever is wrong with the service: the usual time is kept.
    it.ca("lab").suggest(Suggestion::Broken);
    let questions = it.ca("lab").questions();
    it.live(DAY * 30, |report| valid(&it, report));
    assert_eq!(it.ca("lab").orders().len(), 3);
    let more = it.ca("lab").questions() - questions;
    assert!((100..=130).contains(&more), "{more} questions in 30 days, one every six hours");
}

#[test]
fn what_is_issued_anyway_needs_no_suggestion() {
    let mut it = Renewing::new(&["lab"], DAY * 45);
    it.ca("lab").suggest(Suggestion::Share(50, DAY, HOUR * 6));
    it.apply();
    it.apply();
    let questions = it.ca("lab").questions();
    // By now it would be asked again.
    it.advance(HOUR * 7);
    let names = ["www.example.org", "new.example.org"].map(|name| name.parse().unwrap());
    for spec in it.config.lineages.values_mut() {
        spec.identifiers = certwright::Sans::new(names.to_vec()).unwrap();
    }
    assert!(it.apply().changed);
    assert_eq!((it.ca("lab").orders().len(), it.ca("lab").questions()), (2, questions));
    it.apply();
    assert_eq!(it.ca("lab").questions(), questions + 1, "about the new one");
}

#[test]
fn offline_the_issuer_is_not_asked_and_a_plan_writes_nothing() {
    let it = Renewing::new(&["lab"], DAY * 45);
    it.ca("lab").suggest(Suggestion::Share(50, DAY, HOUR * 6));
    let offline = || it.apply_one("www", Options::default().with_endpoints(Endpoints::Leave));
    offline();
    it.advance(DAY);
    offline();
    assert_eq!(it.ca("lab").questions(), 0);
    let before = it.fs.look(|view| view.tree());
    let lifecycle = it.lifecycle();
    assert_eq!(lifecycle.plan(&Selection::All, Endpoints::Leave).unwrap().outcome, Outcome::Well);
    assert_eq!(it.ca("lab").questions(), 0);
    // The plan is what `apply` would do: it asks, too.
    it.ca("lab").suggest(Suggestion::Fixed(Window::new(Timestamp::MIN, it.clock.now()), HOUR));
    let plan = lifecycle.plan(&Selection::All, Endpoints::Ask).unwrap();
    assert_eq!((plan.lineages[0].plan.as_str(), it.ca("lab").questions()), ("issue", 1));
    assert_eq!(it.fs.look(|view| view.tree()), before);
}

#[test]
fn an_issuer_that_suggests_nonsense_is_not_obeyed() {
    // Renew at once, for ever: a few are obeyed, then the usual time counts.
    let it = Renewing::new(&["lab"], DAY * 45);
    it.ca("lab").suggest(Suggestion::Fixed(Window::new(Timestamp::MIN, it.clock.now()), Duration::ZERO));
    it.apply();
    let renew_now = Window::new(it.clock.now(), it.clock.now().saturating_add(Duration::from_secs(1)));
    it.ca("lab").suggest(Suggestion::Fixed(renew_now, Duration::ZERO));
    for _ in 0..96 {
        it.apply();
        it.advance(Duration::from_secs(900));
    }
    let orders = it.ca("lab").orders().len();
    assert!((2..=6).contains(&orders), "{orders} certificates in a day");
    // The newest one at once, whichever that is: three are obeyed, in this run and in later ones, then the usual time counts.
    let it = Renewing::new(&["lab"], DAY * 45);
    it.ca("lab").suggest(Suggestion::Share(0, Duration::from_secs(1), Duration::ZERO));
    for _ in 0..90 {
        it.apply();
        it.advance(Duration::from_secs(900));
    }
    assert_eq!(it.ca("lab").orders().len(), 4, "the first one, and three renewals");
    let status = it.lifecycle().status(&Selection::All).unwrap();
    let basis = status.lineages[0].renewal_basis.clone().unwrap();
    assert!(basis.contains("three were made within a day"), "{basis}");
    // Ten thousand years from now: the usual time.
    let it = Renewing::new(&["lab"], DAY * 45);
    it.ca("lab")
        .suggest(Suggestion::Fixed(Window::new(Timestamp::from_unix(250_000_000_000), Timestamp::MAX), DAY * 9_000));
    let mut basis = None;
    it.live(DAY * 100, |report| {
        valid(&it, report);
        let status = it.lifecycle().status(&Selection::All).unwrap();
        basis = status.lineages[0].renewal_basis.clone().or(basis.take());
    });
    assert!(basis.unwrap().contains("begins when the certificate has ended"));
    assert!((3..=4).contains(&it.ca("lab").orders().len()));
    // It changes its mind at every question: nothing expires.
    let it = Renewing::new(&["lab"], DAY * 6);
    let mut percent = 0;
    it.live(DAY * 60, |report| {
        valid(&it, report);
        percent = (percent + 37) % 130;
        it.ca("lab").suggest(Suggestion::Share(percent, HOUR, HOUR));
    });
}

#[test]
fn the_next_issuer_is_asked_when_one_refuses_and_the_first_comes_first_again() {
    for kind in [
        ErrorKind::Refused,
        ErrorKind::Network,
        ErrorKind::Timeout,
        ErrorKind::RateLimited,
        ErrorKind::ChallengeFailed,
        ErrorKind::Protocol,
        ErrorKind::Untrusted,
        ErrorKind::Unsupported,
    ] {
        let it = Renewing::new(&["one", "two"], DAY * 45);
        it.ca("one").set(CaMood::Fails(kind));
        let report = it.apply();
        assert_eq!((report.outcome, report.changed), (Outcome::Well, true), "{kind}: {report:?}");
        assert!(report.notes[0].starts_with("one was asked first: "), "{kind}: {:?}", report.notes);
        assert_eq!((it.ca("one").orders().len(), it.ca("two").orders().len()), (0, 1));
        assert!(!it.apply().changed, "{kind}: the second is as good as the first");
        it.ca("one").set(CaMood::Willing);
        it.live(DAY * 31, |_| {});
        assert_eq!((it.ca("one").orders().len(), it.ca("two").orders().len()), (1, 1), "{kind}");
        assert_eq!(it.ca("one").replaced(), [false], "what another issued is nothing to replace");
    }
    for kind in [ErrorKind::InvalidSpec, ErrorKind::Io, ErrorKind::Permission] {
        let it = Renewing::new(&["one", "two"], DAY * 45);
        it.ca("one").set(CaMood::Fails(kind));
        assert_eq!(it.apply().error.unwrap().kind, kind.code());
        assert_eq!(it.ca("two").tried(), 0, "{kind} is no better with another");
    }
    let it = Renewing::new(&["one", "two"], DAY * 45);
    it.ca("one").set(CaMood::Fails(ErrorKind::Refused));
    it.ca("two").set(CaMood::Down);
    let error = it.apply().error.unwrap();
    assert_eq!(error.kind, "network");
    assert!(error.message.contains("one: it does not work"), "{}", error.message);
    assert!(error.causes.iter().any(|cause| cause.contains("nobody answers")), "{:?}", error.causes);
}

#[test]
fn what_an_issuer_says_to_wait_for_is_waited_for_by_all_whom_it_concerns() {
    let mut it = Renewing::new(&["lab"], DAY * 45);
    it.add("mail", "mail.example.org");
    let until = it.clock.now().saturating_add(HOUR * 30);
    it.ca("lab").set(CaMood::Limits(until));
    assert_eq!(it.apply().error.unwrap().retry, until.to_string());
    let other = it.apply_one("mail", Options::default());
    let error = other.error.unwrap();
    assert_eq!((error.kind, error.retry), ("rate_limited", until.to_string()));
    assert_eq!(it.ca("lab").tried(), 1, "the second lineage did not ask");
    it.ca("lab").set(CaMood::Willing);
    it.advance(HOUR * 29);
    assert_eq!(it.apply_one("mail", Options::default()).outcome, Outcome::Failed);
    it.advance(HOUR * 2);
    assert!(it.apply().changed && it.apply_one("mail", Options::default()).changed);
    assert_eq!(it.ca("lab").tried(), 3);
}

#[test]
fn a_limit_is_kept_before_the_issuer_has_to_say_no() {
    let mut it = Renewing::new(&["lab"], DAY * 45);
    let mut acme = AcmeIssuer::new("https://ca.example/directory", SolverSpec::HttpWebroot("/srv".into()));
    let mut table = LimitTable::default();
    table.domain = Some(Rate::new(2, DAY));
    acme.limits = Limits::Own(table);
    it.wish("lab", IssuerSpec::Acme(Box::new(acme)));
    for number in 0..4 {
        it.add(&format!("host{number}"), &format!("host{number}.example.com"));
    }
    let apply = |number: usize| it.apply_one(&format!("host{number}"), Options::default());
    assert!(apply(0).changed && apply(1).changed);
    let refused = apply(2).error.unwrap();
    assert!(refused.message.contains("certificates for example.com: 2 in 1d"), "{}", refused.message);
    assert_eq!(refused.retry, it.clock.now().saturating_add(HOUR * 12).to_string());
    assert_eq!(apply(3).error.unwrap().retry, it.clock.now().saturating_add(DAY).to_string(), "each has its own turn");
    assert_eq!(it.ca("lab").tried(), 2);
    assert!(it.apply().changed, "another domain is not concerned");
    it.advance(HOUR * 12);
    assert!(apply(2).changed);
    assert_eq!(apply(3).outcome, Outcome::Failed);
    it.advance(HOUR * 12);
    assert!(apply(3).changed);
}

#[test]
fn in_a_thread_it_renews_reports_and_ends_with_its_owner() {
    let limit = Duration::from_secs(60);
    let it = Renewing::new(&["lab"], DAY * 45);
    let renewals = it.lifecycle().spawn(RunOptions::default()).unwrap();
    let report = renewals.reports().recv_timeout(limit).unwrap();
    assert!(report.changed && report.outcome == Outcome::Well, "{report:?}");
    assert_eq!(it.lifecycle().claim().unwrap_err().kind(), ErrorKind::Conflict, "one at a time");
    assert_eq!(renewals.lifecycle().status(&Selection::All).unwrap().outcome, Outcome::Well);
    renewals.stop().unwrap();
    assert!(it.lifecycle().claim().is_ok());

    let it = Renewing::new(&["lab"], DAY * 45);
    it.ca("lab").set(CaMood::Down);
    let renewals = it.lifecycle().spawn(RunOptions::default()).unwrap();
    assert_eq!(renewals.reports().recv_timeout(limit).unwrap().error.unwrap().kind, "network");
    drop(renewals);
    assert!(it.lifecycle().claim().is_ok());
}
