//! Renewal information (RFC 9773) that is honoured, and that is not to be believed.

use certwright::{Cancel, Clock, Issuer, SystemClock, Timestamp, Window};
use certwright_testbed::{RenewalInformation, Settings, Validation};
use certwright_tests::bed::order_in_place_of;
use serde_json::json;

use super::*;

const ENOUGH: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn now() -> Timestamp {
    SystemClock.now()
}

#[test]
fn the_window_and_the_time_to_ask_again_are_the_authoritys() -> Outcome {
    let bed = Bed::believing()?;
    let (client, _) = client(&bed, ENOUGH);
    let issued = order(&client, &["a.example"])?;
    let leaf = issued.chain.leaf();
    bed.server.clear_log();
    let wished = Window::new(now().saturating_add(3 * DAY), now().saturating_add(5 * DAY));
    bed.server.suggest(Some(wished));
    let before = now();
    let info = client.renewal_info(leaf, &Cancel::new())?.ok_or("no renewal information")?;
    assert_eq!(info.window, wished);
    let wait = info.check_again.since(before).ok_or("in the past")?;
    assert!(wait >= Duration::from_secs(21_600) && wait < Duration::from_secs(21_700), "{wait:?}");
    let asked: Vec<Endpoint> = bed.server.log().iter().map(|entry| entry.endpoint).collect();
    assert_eq!(asked, [Endpoint::RenewalInfo]);
    Ok(())
}

#[test]
fn a_renewal_says_what_it_replaces_and_survives_a_refusal() -> Outcome {
    let bed = Bed::believing()?;
    let (client, _) = client(&bed, ENOUGH);
    let first = order(&client, &["a.example"])?;
    bed.server.clear_log();
    let second = order_in_place_of(&client, &["a.example"], Some(first.chain.leaf()))?;
    let orders = |bed: &Bed| -> Vec<_> {
        let log = bed.server.log().into_iter().filter(|entry| entry.endpoint == Endpoint::NewOrder);
        log.map(|entry| (entry.status, entry.payload.unwrap_or_default().get("replaces").is_some())).collect()
    };
    assert_eq!(orders(&bed), [(Some(201), true)]);
    assert_ne!(second.chain.leaf(), first.chain.leaf());

    // It was replaced already: the authority refuses, and once more without the word it does not.
    bed.server.clear_log();
    order_in_place_of(&client, &["a.example"], Some(first.chain.leaf()))?;
    assert_eq!(orders(&bed), [(Some(409), true), (Some(201), false)]);
    Ok(())
}

#[test]
fn an_authority_without_it_has_no_opinion() -> Outcome {
    let settings =
        Settings { renewal_info: RenewalInformation::Absent, validation: Validation::Believed, ..Settings::default() };
    let bed = Bed::with(settings)?;
    let (client, _) = client(&bed, ENOUGH);
    let issued = order(&client, &["a.example"])?;
    assert_eq!(client.renewal_info(issued.chain.leaf(), &Cancel::new())?, None);
    let again = order_in_place_of(&client, &["a.example"], Some(issued.chain.leaf()))?;
    assert_ne!(again.chain.leaf(), issued.chain.leaf());
    let orders = bed.server.log().into_iter().filter(|entry| entry.endpoint == Endpoint::NewOrder);
    assert!(orders.map(|entry| entry.payload.unwrap_or_default()).all(|wish| wish.get("replaces").is_none()));
    Ok(())
}

#[test]
fn what_cannot_be_believed_is_an_error_or_bounded() -> Outcome {
    let bed = Bed::believing()?;
    let (client, _) = client(&bed, Duration::from_secs(2));
    let issued = order(&client, &["a.example"])?;
    let ask = || client.renewal_info(issued.chain.leaf(), &Cancel::new());
    for (start, end) in [
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("", ""),
        ("$(id)", "`id`"),
        ("2026-01-01", "2026-01-02"),
        ("99999-01-01T00:00:00Z", "99999-01-02T00:00:00Z"),
        ("2026-13-01T00:00:00Z", "2026-14-01T00:00:00Z"),
    ] {
        bed.server.faults().clear();
        for (name, value) in [("start", start), ("end", end)] {
            let fault = Fault::Replace(format!("/suggestedWindow/{name}"), json!(value));
            bed.server.faults().on(Endpoint::RenewalInfo, Occurrence::Every, fault);
        }
        let error = ask().err().ok_or_else(|| format!("{start} to {end} was believed"))?;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{start} {error:#}");
        presentable(&error);
    }
    for value in ["0", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "never", "-1", ""] {
        bed.server.faults().clear();
        let fault = Fault::Header("Retry-After".to_owned(), value.to_owned());
        bed.server.faults().on(Endpoint::RenewalInfo, Occurrence::Every, fault);
        let before = now();
        let wait = ask()?.and_then(|info| info.check_again.since(before)).ok_or("in the past")?;
        assert!(wait >= Duration::from_secs(60) && wait <= DAY + Duration::from_secs(60), "{value}: {wait:?}");
    }
    for fault in [Fault::Hang, Fault::Endless, Fault::Body(b"<html>".to_vec()), Fault::CutAfter(30)] {
        bed.server.faults().clear();
        bed.server.faults().on(Endpoint::RenewalInfo, Occurrence::Every, fault);
        presentable(&ask().unwrap_err());
    }
    Ok(())
}
