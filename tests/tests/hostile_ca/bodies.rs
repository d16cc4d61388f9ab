//! Answers that do not come, do not end, break off or are something else; and orders after it that succeed.

use super::*;

/// For an order that meets a fault; the machine may be busy, so that any of them may run out of it.
const LITTLE: Duration = Duration::from_millis(300);
const ENOUGH: Duration = Duration::from_secs(60);

/// Each stage in turn meets the fault; the order fails as it may, and the next one, without it, succeeds.
fn at_every_stage(faults: &[Fault], kinds: &[ErrorKind]) {
    for endpoint in WAY {
        for fault in faults {
            let bed = Bed::believing().unwrap();
            let (hurried, _) = client(&bed, LITTLE);
            bed.server.faults().on(endpoint, Occurrence::Every, fault.clone());
            match order(&hurried, &["a.example"]) {
                Ok(_) => assert!(kinds.is_empty() || endpoint == Endpoint::NewNonce, "{endpoint:?} {fault:?}"),
                Err(error) => {
                    presentable(&error);
                    let kind = error.kind();
                    assert!(kinds.contains(&kind) || kind == ErrorKind::Timeout, "{endpoint:?} {fault:?}: {error:#}");
                }
            }
            only_the_account(&bed);
            bed.server.faults().clear();
            let (patient, _) = client(&bed, ENOUGH);
            order(&patient, &["a.example"]).unwrap_or_else(|error| panic!("after {endpoint:?} {fault:?}: {error:#}"));
        }
    }
}

#[test]
fn a_server_that_hangs_is_given_up_in_time() {
    at_every_stage(&[Fault::Hang], &[ErrorKind::Timeout]);
}

#[test]
fn a_server_that_drips_is_given_up_in_time() {
    at_every_stage(&[Fault::Drip(Duration::from_secs(1))], &[ErrorKind::Timeout]);
}

#[test]
fn bodies_without_end_are_not_read() {
    let huge = 10 * (1 << 30);
    at_every_stage(&[Fault::Endless, Fault::Pad(huge)], &[ErrorKind::Protocol, ErrorKind::Network]);
}

#[test]
fn connections_that_break_off_are_noticed() {
    let cuts = [0, 1, 17, 120].map(Fault::CutAfter);
    at_every_stage(&cuts, &[ErrorKind::Network, ErrorKind::Protocol]);
}

#[test]
fn what_is_no_answer_is_refused() {
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let bodies = [
        b"<html><body>502 Bad Gateway</body></html>".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff".to_vec(),
        br#"{"status":"valid","status":"pending","status":[]}"#.to_vec(),
        deep,
    ];
    let kinds = [ErrorKind::Protocol, ErrorKind::Unfit, ErrorKind::Network, ErrorKind::Untrusted, ErrorKind::Refused];
    for endpoint in WAY.into_iter().filter(|endpoint| !matches!(endpoint, Endpoint::NewNonce | Endpoint::Challenge)) {
        for body in &bodies {
            let bed = Bed::believing().unwrap();
            let (client, _) = client(&bed, LITTLE);
            bed.server.faults().on(endpoint, Occurrence::Every, Fault::Body(body.clone()));
            if let Err(error) = order(&client, &["a.example"]) {
                presentable(&error);
                let kind = error.kind();
                assert!(kinds.contains(&kind) || kind == ErrorKind::Timeout, "{endpoint:?} {error:#}");
            } else {
                // The account is known by its Location alone.
                assert_eq!(endpoint, Endpoint::NewAccount, "{:?}", String::from_utf8_lossy(body));
            }
            only_the_account(&bed);
        }
    }
}

/// More than anybody could mean: none of it is fetched, and nothing is unpacked.
#[test]
fn more_than_anybody_could_mean_is_not_asked_for() {
    let authorizations = |count: usize| {
        let urls: Vec<String> = (0..count).map(|number| format!("https://127.0.0.1:1/authz/{number}")).collect();
        Fault::Replace("/authorizations".to_owned(), serde_json::json!(urls))
    };
    let mut bomb = std::process::Command::new("sh");
    bomb.args(["-c", "head -c 256M /dev/zero | gzip -1"]);
    let bomb = certwright_tests::process::run(&mut bomb, ENOUGH).unwrap().stdout;
    assert!(bomb.len() > 100_000 && bomb.starts_with(&[0x1f, 0x8b]));
    let packed = |encoding: &str| {
        vec![Fault::Body(bomb.clone()), Fault::Header("Content-Encoding".to_owned(), encoding.to_owned())]
    };
    let mut cases = vec![
        (Endpoint::NewOrder, vec![authorizations(3)]),
        (Endpoint::NewOrder, vec![authorizations(20_000)]),
        (Endpoint::NewOrder, vec![authorizations(1_000_000)]),
    ];
    for endpoint in [Endpoint::Directory, Endpoint::NewOrder, Endpoint::Certificate] {
        cases.extend([(endpoint, packed("gzip")), (endpoint, packed("gzip, gzip"))]);
    }
    for (endpoint, faults) in cases {
        let bed = Bed::believing().unwrap();
        let (client, solver) = client(&bed, Duration::from_secs(10));
        for fault in faults {
            bed.server.faults().on(endpoint, Occurrence::Every, fault);
        }
        let error = order(&client, &["a.example"]).err().unwrap_or_else(|| panic!("{endpoint:?} was believed"));
        presentable(&error);
        let kinds = [ErrorKind::Protocol, ErrorKind::Unfit];
        assert!(kinds.contains(&error.kind()), "{endpoint:?}: {error:#}");
        let fetched = bed.server.log().iter().filter(|entry| entry.endpoint == Endpoint::Authorization).count();
        assert!(fetched <= 1 && bed.server.log().len() < 20, "{endpoint:?}: {} requests", bed.server.log().len());
        assert!(solver.asked().len() <= 1);
        only_the_account(&bed);
    }
}

#[test]
fn fields_that_are_missing_are_noticed() {
    let fields = [
        (Endpoint::Directory, "/newNonce"),
        (Endpoint::Directory, "/newAccount"),
        (Endpoint::Directory, "/newOrder"),
        (Endpoint::NewOrder, "/status"),
        (Endpoint::NewOrder, "/authorizations"),
        (Endpoint::NewOrder, "/finalize"),
        (Endpoint::Authorization, "/identifier"),
        (Endpoint::Authorization, "/challenges"),
        (Endpoint::Authorization, "/challenges/0/token"),
        (Endpoint::Authorization, "/challenges/0/url"),
        (Endpoint::Finalize, "/certificate"),
    ];
    for (endpoint, pointer) in fields {
        let bed = Bed::believing().unwrap();
        let (client, _) = client(&bed, Duration::from_millis(500));
        bed.server.faults().on(endpoint, Occurrence::Every, Fault::Remove(pointer.to_owned()));
        let error =
            order(&client, &["a.example"]).err().unwrap_or_else(|| panic!("{endpoint:?} {pointer} is not missed"));
        presentable(&error);
    }
    let bed = Bed::believing().unwrap();
    let (client, _) = client(&bed, Duration::from_millis(500));
    bed.server.faults().on(Endpoint::NewAccount, Occurrence::Every, Fault::NoHeader("Location".to_owned()));
    presentable(&order(&client, &["a.example"]).unwrap_err());
}
