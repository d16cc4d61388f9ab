//! A fleet that renews by these rules, against an authority that counts by its own: nothing is refused, nothing expires.

use std::collections::BTreeMap;
use std::time::Duration;

use super::limits::{Errand, Ledger};
use super::renewal::{Seed, renewal, renewal_window};
use super::spec::{LimitTable, Rate};
use crate::ground::id::LineageName;
use crate::ground::name::Sans;
use crate::ground::time::{Timestamp, Window};

const FLEET: u64 = 10_000;
const DAY: u64 = 86_400;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000).saturating_add(Duration::from_secs(seconds))
}

struct Member {
    seed: Seed,
    sans: Sans,
    window: Window,
}

/// All are issued at the same hour, 50 for each registered domain, each on a machine of its own.
fn fleet(life: u64) -> Vec<Member> {
    (0..FLEET)
        .map(|number| {
            let name: LineageName = format!("host{number}").parse().unwrap();
            let sans = format!("host{number}.domain{}.example", number / 50);
            let start = at(number % 3_600);
            Member {
                seed: Seed::new(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), &name),
                sans: Sans::new(vec![sans.parse().unwrap()]).unwrap(),
                window: Window::new(start, start.saturating_add(Duration::from_secs(life))),
            }
        })
        .collect()
}

/// Most moments within any span of this length; the moments are sorted.
fn most_within(moments: &[Timestamp], span: u64) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (place, moment) in moments.iter().enumerate() {
        while moment.since(moments[first]).unwrap() >= Duration::from_secs(span) {
            first += 1;
        }
        most = most.max(place - first + 1);
    }
    most
}

/// Renewals of certificates that were all issued in one hour are spread by the seed alone over a twentieth of the life.
#[test]
fn ten_thousand_that_were_issued_together_are_not_renewed_together() {
    for life in [90 * DAY, 45 * DAY, 6 * DAY] {
        let fleet = fleet(life);
        let mut moments: Vec<Timestamp> =
            fleet.iter().map(|one| renewal(one.window, None, &[], at(0), one.seed).at).collect();
        moments.sort_unstable();
        let spread = renewal_window(fleet[0].window).length().as_secs();
        let hours = spread.div_ceil(3_600);
        let even = usize::try_from(FLEET / hours).unwrap();
        let most = most_within(&moments, 3_600);
        assert!(most < even * 13 / 10 + 30, "{most} in an hour, {even} would be even ({life} s)");
        // A suggested window of two days, as Let's Encrypt gives, spreads as well.
        let window = Window::new(at(life / 2), at(life / 2 + 2 * DAY));
        let mut moments: Vec<Timestamp> =
            fleet.iter().map(|one| renewal(one.window, Some(window), &[], at(0), one.seed).at).collect();
        moments.sort_unstable();
        if life > 6 * DAY {
            assert!(most_within(&moments, 3_600) < 10_000 / 48 * 13 / 10 + 30);
        }
    }
}

/// The same fleet with an authority that takes every renewal for a new order: 300 in three hours, 50 a week for each domain.
/// By the account that is asked first, none is refused, none comes too late, and nobody tries over and over.
#[test]
fn a_fleet_that_exceeds_the_limits_queues_and_none_expires() {
    let table = LimitTable {
        orders: Some(Rate::new(300, Duration::from_secs(3 * 3_600))),
        domain: Some(Rate::new(50, Duration::from_secs(7 * DAY))),
        ..LimitTable::default()
    };
    for life in [90 * DAY, 45 * DAY] {
        let mut fleet = fleet(life);
        let (mut ledger, mut tries, mut orders) = (Ledger::default(), 0_u64, Vec::new());
        let mut per_domain: BTreeMap<u64, Vec<Timestamp>> = BTreeMap::new();
        // When each is tried next, by time.
        let mut agenda: BTreeMap<(Timestamp, usize), ()> = fleet
            .iter()
            .enumerate()
            .map(|(number, one)| ((renewal(one.window, None, &[], at(0), one.seed).at, number), ()))
            .collect();
        while let Some(((now, number), ())) = agenda.pop_first() {
            if now > at(2 * life) {
                break;
            }
            tries += 1;
            let one = &mut fleet[number];
            assert!(one.window.contains(now), "host{number} has expired");
            match ledger.take(Some(&table), Errand::New, &one.sans, now) {
                Ok(()) => {
                    orders.push(now);
                    per_domain.entry(number as u64 / 50).or_default().push(now);
                    one.window = Window::new(now, now.saturating_add(Duration::from_secs(life)));
                    agenda.insert((renewal(one.window, None, &[], now, one.seed).at, number), ());
                }
                Err(refused) => {
                    assert!(refused.until > now);
                    agenda.insert((refused.until, number), ());
                }
            }
        }
        assert!(orders.len() as u64 >= FLEET, "{} orders", orders.len());
        // A token bucket lets twice its size through at the most: what was saved, and what came back.
        let most = most_within(&orders, 3 * 3_600);
        assert!(most <= 600, "{most} orders in three hours ({life} s)");
        let steady = most_within(&orders, DAY);
        assert!(steady <= 2_400 + 300, "{steady} orders in a day");
        for moments in per_domain.values() {
            assert!(most_within(moments, 7 * DAY) <= 100);
        }
        // Who comes anew may take the turn of one who was told to come back; that one is told another.
        assert!(tries <= 4 * orders.len() as u64, "{tries} tries for {} orders", orders.len());
    }
}
