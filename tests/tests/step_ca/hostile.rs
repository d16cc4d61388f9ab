//! Answers that nobody expects: each is an error that says what is wrong, and nothing is kept of it.

use certwright::ErrorKind;
use certwright_testbed::Fault;
use serde_json::json;

use super::ca::{Bench, Ca, StandIn};

const PATHS: [&str; 5] = ["/root/", "/roots", "/provisioners", "/sign", "/health"];

fn faults() -> Vec<Fault> {
    vec![
        Fault::Body(Vec::new()),
        Fault::Body(b"<html><body>It works!</body></html>".to_vec()),
        Fault::Body(vec![0; 4_096]),
        Fault::Body(b"[[[[[[[[[[[[[[[[[[[[".repeat(10_000)),
        Fault::Body(b"{}".to_vec()),
        Fault::Body(b"null".to_vec()),
        Fault::Truncate(40),
        Fault::EveryString("\0".to_owned()),
        Fault::EveryString("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
        Fault::Pad(8 << 20),
        Fault::Status(302),
        Fault::Status(418),
    ]
}

#[test]
fn what_nobody_expects_is_an_error_and_nothing_is_kept() {
    let ca = StandIn::start(json!({}), "1m");
    let bench = Bench::new(&ca);
    bench.ask(&["a.example"]).unwrap();
    let kept = || std::fs::read(bench.scratch.join(".issuers/internal/roots.json")).unwrap();
    let before = kept();
    for path in PATHS {
        for fault in faults() {
            ca.server.mend();
            ca.server.distort(path, fault.clone());
            // A bench that knows nothing yet asks for the root, too.
            for bench in [&bench, &Bench::new(&ca)] {
                let Err(error) = bench.ask(&["a.example"]) else { continue };
                let expected = [ErrorKind::Protocol, ErrorKind::Untrusted, ErrorKind::NotFound, ErrorKind::Unfit];
                assert!(expected.contains(&error.kind()), "{path} {fault:?}: {error:#}");
                assert!(
                    error.hint_text().is_some() || error.kind() == ErrorKind::Protocol,
                    "{path} {fault:?}: {error:#}"
                );
                assert!(format!("{error:#}").len() < 6_000, "{path} {fault:?}");
            }
            assert_eq!(kept(), before, "{path} {fault:?}");
        }
    }
    ca.server.mend();
    bench.ask(&["a.example"]).unwrap();
}

#[test]
fn each_call_that_matters_is_read() {
    // What the test above passes over in silence would be seen here: an answer that cannot be used is noticed.
    let ca = StandIn::start(json!({}), "1m");
    for path in ["/root/", "/roots", "/provisioners", "/sign"] {
        ca.server.mend();
        ca.server.distort(path, Fault::Body(b"<html>".to_vec()));
        let error = Bench::new(&ca).ask(&["a.example"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{path}: {error:#}");
    }
}

#[test]
fn a_root_of_somebody_else_is_not_believed() {
    let (ca, other) = (StandIn::start(json!({}), "1m"), StandIn::start(json!({}), "1m"));
    let bench = Bench::new(&ca);
    let theirs = String::from_utf8(other.roots()).unwrap();
    ca.server.distort("/root/", Fault::Replace("/ca".to_owned(), json!(theirs)));
    let error = bench.ask(&["a.example"]).unwrap_err();
    assert_eq!((error.kind(), error.fact("found")), (ErrorKind::Untrusted, Some(&*other.fingerprint())));
    assert!(!bench.scratch.join(".issuers/internal/roots.json").exists());
    // A chain that leads to a root that the CA does not have.
    ca.server.mend();
    let signed = Bench::new(&other).ask(&["a.example"]).unwrap();
    let chain: Vec<String> = signed.chain().certificates().map(certwright::Certificate::pem).collect();
    ca.server.distort("/sign", Fault::Replace("/certChain".to_owned(), json!(chain)));
    assert_eq!(bench.ask(&["a.example"]).unwrap_err().kind(), ErrorKind::Untrusted);
}
