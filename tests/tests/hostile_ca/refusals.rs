//! An authority that says no, not now, or not yet.

use certwright::Retry;
use certwright_testbed::{Entry, Settings, Validation};
use serde_json::json;

use super::*;

const ENOUGH: Duration = Duration::from_secs(60);

fn endpoints(bed: &Bed) -> Vec<Endpoint> {
    bed.server.log().iter().map(|entry| entry.endpoint).collect()
}

fn of(log: &[Entry], endpoint: Endpoint) -> Vec<Entry> {
    log.iter().filter(|entry| entry.endpoint == endpoint).cloned().collect()
}

#[test]
fn trouble_that_passes_costs_no_second_order() -> Outcome {
    for endpoint in WAY {
        for status in [500, 502, 503] {
            let bed = Bed::believing()?;
            let (client, _) = client(&bed, ENOUGH);
            let trouble = Problem::new(ProblemKind::ServerInternal, "wait").with_status(status);
            bed.server.faults().on(endpoint, Occurrence::Only(1), Fault::Refuse(trouble));
            order(&client, &["a.example"]).map_err(|error| format!("{endpoint:?} {status}: {error:#}"))?;
            let made =
                of(&bed.server.log(), Endpoint::NewOrder).iter().filter(|entry| entry.status == Some(201)).count();
            assert_eq!((made, bed.server.issued().len()), (1, 1), "{endpoint:?} {status}");
        }
    }
    Ok(())
}

/// By the clock of the server, which no client can deceive.
#[test]
fn no_request_comes_before_its_retry_after() -> Outcome {
    let told = Duration::from_secs(1);
    let cases = [(Endpoint::NewOrder, 503), (Endpoint::Finalize, 503), (Endpoint::Certificate, 500)];
    for (endpoint, status) in cases {
        let bed = Bed::believing()?;
        let (client, _) = client(&bed, ENOUGH);
        let trouble = Problem::new(ProblemKind::ServerInternal, "wait").with_status(status);
        bed.server.faults().on(endpoint, Occurrence::Only(1), Fault::Refuse(trouble));
        bed.server.faults().on(endpoint, Occurrence::Only(1), Fault::Header("Retry-After".to_owned(), "1".to_owned()));
        order(&client, &["a.example"])?;
        let seen = of(&bed.server.log(), endpoint);
        assert!(seen.len() >= 2 && seen[1].at >= seen[0].at + told, "{endpoint:?} {seen:?}");
    }
    // And a poll of an order that is being worked on.
    let bed = Bed::believing()?;
    let (client, _) = client(&bed, ENOUGH);
    let faults = bed.server.faults();
    faults.on(Endpoint::Finalize, Occurrence::Only(1), Fault::Replace("/status".to_owned(), json!("processing")));
    faults.on(Endpoint::Finalize, Occurrence::Only(1), Fault::Header("Retry-After".to_owned(), "1".to_owned()));
    order(&client, &["a.example"])?;
    let log = bed.server.log();
    let finalized = log.iter().position(|entry| entry.endpoint == Endpoint::Finalize).ok_or("not finalized")?;
    let next = &log[finalized + 1];
    assert!(next.endpoint == Endpoint::Order && next.at >= log[finalized].at + told, "{next:?}");
    Ok(())
}

#[test]
fn a_limit_is_told_with_its_end_and_nothing_is_tried_again() -> Outcome {
    for (header, at_least) in [(Some("7200"), 7_100), (Some("99999999999999"), 86_400), (None, 60), (Some("soon"), 60)]
    {
        let bed = Bed::believing()?;
        let (client, _) = client(&bed, ENOUGH);
        bed.server.faults().on(Endpoint::NewOrder, Occurrence::Every, problem(ProblemKind::RateLimited));
        if let Some(value) = header {
            let fault = Fault::Header("Retry-After".to_owned(), value.to_owned());
            bed.server.faults().on(Endpoint::NewOrder, Occurrence::Every, fault);
        }
        let before = certwright::Clock::now(&certwright::SystemClock);
        let error = order(&client, &["a.example"]).unwrap_err();
        assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::RateLimited, Some("rateLimited")), "{error:#}");
        let Retry::After(when) = error.retry_when() else { panic!("{error:#}") };
        let wait = when.since(before).ok_or("in the past")?;
        assert!(
            wait >= Duration::from_secs(at_least) && wait <= Duration::from_secs(8 * 86_400),
            "{header:?} {wait:?}"
        );
        assert_eq!(of(&bed.server.log(), Endpoint::NewOrder).len(), 1);
    }
    Ok(())
}

#[test]
fn nonces_may_be_refused_often_and_no_nonce_is_used_twice() -> Outcome {
    for percent in [5, 50, 80] {
        let bed = Bed::believing()?;
        let (client, _) = client(&bed, ENOUGH);
        bed.server.faults().everywhere(Occurrence::Percent(percent), Fault::BadNonce);
        for number in 0..5 {
            order(&client, &[&format!("n{number}.example")]).map_err(|error| format!("{percent} %: {error:#}"))?;
        }
        let replayed = bed.server.log().into_iter().filter(|entry| entry.answer.contains("not given out")).count();
        assert_eq!(replayed, 0, "a nonce was used twice");
    }
    let bed = Bed::believing()?;
    let (client, _) = client(&bed, Duration::from_millis(500));
    bed.server.faults().on(Endpoint::NewOrder, Occurrence::Every, Fault::BadNonce);
    let error = order(&client, &["a.example"]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout), "{error:#}");
    Ok(())
}

#[test]
fn orders_that_come_to_nothing_are_told() -> Outcome {
    let stuck = Bed::believing()?;
    stuck.server.faults().on(Endpoint::Finalize, Occurrence::Every, Fault::Processing);
    let error = order(&client(&stuck, Duration::from_millis(500)).0, &["a.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    assert!(error.fact("order").is_some_and(|url| url.contains("/order/0")), "{error:#}");

    let invalid = Bed::believing()?;
    let why = Problem::new(ProblemKind::Caa, "a record forbids it");
    invalid.server.faults().on(Endpoint::Finalize, Occurrence::Every, Fault::Invalid(why));
    let error = order(&client(&invalid, ENOUGH).0, &["a.example"]).unwrap_err();
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::Refused, Some("caa")), "{error:#}");
    assert_eq!(error.fact("detail"), Some("a record forbids it"));

    for status in ["expired", "deactivated", "revoked", "invalid", "new-fangled"] {
        let bed = Bed::believing()?;
        let fault = Fault::Replace("/status".to_owned(), json!(status));
        bed.server.faults().on(Endpoint::Authorization, Occurrence::Every, fault);
        let error = order(&client(&bed, Duration::from_secs(2)).0, &["a.example"]).unwrap_err();
        presentable(&error);
        assert!(bed.server.issued().is_empty(), "{status}");
    }
    Ok(())
}

#[test]
fn an_account_that_is_gone_is_named() -> Outcome {
    for kind in [ProblemKind::AccountDoesNotExist, ProblemKind::Unauthorized, ProblemKind::UserActionRequired] {
        let bed = Bed::believing()?;
        let (client, _) = client(&bed, ENOUGH);
        order(&client, &["a.example"])?;
        bed.server.faults().on(Endpoint::NewOrder, Occurrence::Every, problem(kind.clone()));
        let error = order(&client, &["b.example"]).unwrap_err();
        let expected = kind.to_string();
        assert_eq!(error.fact("problem"), expected.rsplit(':').next(), "{error:#}");
        assert!(error.hint_text().is_some(), "{error:#}");
    }
    let settings = Settings {
        external_accounts: vec![certwright_testbed::ExternalAccount { id: "k".to_owned(), key: vec![1] }],
        validation: Validation::Believed,
        ..Settings::default()
    };
    let bed = Bed::with(settings)?;
    let error = order(&client(&bed, ENOUGH).0, &["a.example"]).unwrap_err();
    assert!(error.hint_text().is_some_and(|hint| hint.contains("eab")), "{error:#}");
    Ok(())
}

/// The requests of one order, one by one, with everything in their way that can be got over.
#[test]
fn the_way_of_an_order_is_as_short_as_it_can_be() -> Outcome {
    let bed = Bed::believing()?;
    let (client, _) = client(&bed, ENOUGH);
    order(&client, &["a.example"])?;
    let cold = endpoints(&bed);
    let polls = |endpoints: Vec<Endpoint>| -> Vec<Endpoint> {
        endpoints.into_iter().filter(|endpoint| *endpoint != Endpoint::Order).collect()
    };
    assert_eq!(polls(cold), WAY);
    bed.server.clear_log();
    order(&client, &["b.example"])?;
    assert_eq!(polls(endpoints(&bed)), WAY[3..]);
    Ok(())
}
