//! Limits are kept, nothing is refused without need, and no clock locks anybody out.

use proptest::prelude::*;

use super::*;

const START: i64 = 1_800_000_000;
const WEEK: u64 = 7 * 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(START + seconds)
}

fn sans(names: &[&str]) -> Sans {
    Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
}

const TABLE: &LimitTable = &LimitTable::LETS_ENCRYPT;

#[test]
#[cfg(feature = "acme")]
fn the_registered_domain_is_the_one_of_the_public_suffix_list() {
    let of = |names: &[&str]| domains(&sans(names)).into_iter().collect::<Vec<_>>();
    // The examples of the authority's own documentation.
    assert_eq!(of(&["www.example.com"]), ["example.com"]);
    assert_eq!(of(&["new.blog.example.co.uk", "*.example.co.uk"]), ["example.co.uk"]);
    assert_eq!(of(&["a.github.io", "b.github.io"]), ["a.github.io", "b.github.io"]);
    assert_eq!(of(&["192.0.2.1", "192.0.2.2"]), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(of(&["2001:db8:1:2::1", "2001:db8:1:2:ffff::"]), ["2001:db8:1:2::/64"]);
    assert_eq!(of(&["co.uk"]), ["co.uk"]);
}

#[test]
fn a_limit_lets_its_number_through_and_then_one_at_a_time() {
    let mut ledger = Ledger::default();
    let mut take = |number: i64, now: i64| {
        let names = [format!("n{number}.example.com")];
        ledger.take(Some(TABLE), Errand::New, &sans(&[&names[0]]), at(now))
    };
    for number in 0..50 {
        assert_eq!(take(number, 0), Ok(()), "{number}");
    }
    let refused = take(50, 0).unwrap_err();
    // 7 days for 50: one comes back every 202 minutes.
    assert_eq!(refused.until, at(12_096));
    assert_eq!(refused.what, "certificates for example.com: 50 in 1w");
    // The next one who is refused is told the next moment.
    assert_eq!(take(51, 0).unwrap_err().until, at(2 * 12_096));
    assert!(take(52, 12_095).is_err());
    assert_eq!(take(50, 12_096), Ok(()));
    assert!(take(53, 12_097).is_err());
}

#[test]
fn the_same_set_and_failures_have_limits_of_their_own() {
    let mut ledger = Ledger::default();
    let set = sans(&["a.example.com", "b.example.com"]);
    for _ in 0..5 {
        assert_eq!(ledger.take(Some(TABLE), Errand::New, &set, at(0)), Ok(()));
    }
    let refused = ledger.take(Some(TABLE), Errand::New, &sans(&["b.example.com", "a.example.com"]), at(0));
    assert_eq!(refused.unwrap_err().until, at(120_960), "a week for five: one every 34 hours");
    assert_eq!(ledger.take(Some(TABLE), Errand::Replacement, &set, at(0)), Ok(()), "nothing counts");
    let other = sans(&["c.example.org"]);
    for _ in 0..5 {
        ledger.count_failure(TABLE, &other, at(0));
    }
    let refused = ledger.take(Some(TABLE), Errand::Renewal, &other, at(0)).unwrap_err();
    assert_eq!((refused.until, refused.what.as_str()), (at(720), "failed validations of c.example.org: 5 in 1h"));
    assert_eq!(ledger.take(Some(TABLE), Errand::Renewal, &other, at(720)), Ok(()));
}

#[test]
fn renewals_count_neither_as_orders_nor_for_their_domain() {
    let mut ledger = Ledger::default();
    for number in 0..1_000 {
        let name = format!("n{number}.example.com");
        assert_eq!(ledger.take(Some(TABLE), Errand::Renewal, &sans(&[&name]), at(0)), Ok(()));
    }
    assert!(ledger.buckets.keys().all(|key| key.starts_with("certificates for this set")));
    ledger.tidy(at(8 * 86_400));
    assert_eq!(ledger, Ledger::default());
}

#[test]
fn what_brought_no_certificate_is_given_back_but_for_the_order() {
    let mut ledger = Ledger::default();
    let set = sans(&["a.example.com"]);
    for round in 0..300 {
        assert_eq!(ledger.take(Some(TABLE), Errand::New, &set, at(0)), Ok(()), "{round}");
        ledger.give_back(TABLE, Errand::New, &set);
    }
    let refused = ledger.take(Some(TABLE), Errand::New, &set, at(0)).unwrap_err();
    assert_eq!((refused.until, refused.what.as_str()), (at(36), "new orders: 300 in 3h"));
}

#[test]
fn what_the_issuer_said_holds_for_whom_it_was_said() {
    let set = sans(&["www.example.com", "www.example.org"]);
    let sibling = sans(&["mail.example.com"]);
    let stranger = sans(&["www.example.net"]);
    let held = |said: &str| {
        let mut ledger = Ledger::default();
        ledger.wait(&set, said, at(600));
        [&set, &sibling, &stranger].map(|one| ledger.may_ask(one, at(0)).is_err())
    };
    assert_eq!(
        held("too many certificates (50) already issued for \"example.com\" in the last 168h"),
        [true, true, false]
    );
    assert_eq!(
        held("too many certificates (5) already issued for this exact set of identifiers"),
        [true, false, false]
    );
    assert_eq!(held("too many new orders (300) from this account, for www.example.com"), [true, true, true]);
    assert_eq!(held("slow down"), [true, true, true]);
    assert_eq!(held("too many failed authorizations (5) for \"www.example.com\""), [true, true, false]);
    assert_eq!(held("nothing of myexample.com or example.com.evil"), [true, true, true]);
    let mut ledger = Ledger::default();
    ledger.wait(&set, "slow down", at(600));
    assert_eq!(ledger.may_ask(&set, at(600)), Ok(()));
    ledger.wait(&set, "slow down", Timestamp::MAX);
    assert_eq!(ledger.may_ask(&set, at(0)), Ok(()), "no issuer asks for that; a clock was wrong");
}

#[test]
fn a_clock_that_was_wrong_locks_nobody_out() {
    let set = sans(&["a.example.com"]);
    for wrong in [Timestamp::MAX, at(10 * 365 * 86_400), Timestamp::MIN] {
        let mut ledger = Ledger::default();
        for _ in 0..10 {
            let _ = ledger.take(Some(TABLE), Errand::New, &set, wrong);
        }
        // At the worst all of it is used: one comes back in its time.
        match ledger.take(Some(TABLE), Errand::New, &set, at(0)) {
            Ok(()) => {}
            Err(refused) => assert!(refused.until <= at(120_960), "{}", refused.until),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// No window of the length of the limit ever sees more than twice its number (all that was saved, and what came back),
    /// and whoever comes at the time that it was told is let through when nobody came between.
    #[test]
    fn a_bucket_never_overflows(count in 1_u32..40, period in 40_u64..2 * WEEK, gaps in prop::collection::vec(0_i64..4_000, 1..200)) {
        let table = LimitTable { orders: Some(Rate::new(count, Duration::from_secs(period))), ..LimitTable::default() };
        let set = sans(&["a.example.com"]);
        let (mut ledger, mut now, mut taken) = (Ledger::default(), at(0), Vec::new());
        for gap in gaps {
            now = now.saturating_add(Duration::from_secs(gap.cast_unsigned()));
            match ledger.clone().take(Some(&table), Errand::New, &set, now) {
                Ok(()) => {
                    ledger.take(Some(&table), Errand::New, &set, now).unwrap();
                    taken.push(now);
                }
                Err(refused) => {
                    prop_assert!(refused.until > now);
                    prop_assert!(refused.until <= now.saturating_add(Duration::from_secs(period)));
                    prop_assert_eq!(ledger.clone().take(Some(&table), Errand::New, &set, refused.until), Ok(()));
                }
            }
        }
        for (place, first) in taken.iter().enumerate() {
            let end = first.saturating_add(Duration::from_secs(period));
            let within = taken[place..].iter().filter(|time| **time < end).count();
            prop_assert!(within <= 2 * count as usize, "{within} within one period of {count}");
        }
        let burst = taken.iter().filter(|time| **time == at(0)).count();
        prop_assert!(burst <= count as usize);
    }
}
