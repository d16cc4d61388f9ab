//! A test bed that is started again where another one ended.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::os::unix::fs::PermissionsExt as _;

use certwright::{Cancel, Clock, ErrorKind, Issuer, RevocationReason, Roots, SystemClock};
use certwright_testbed::{Endpoint, Settings, Testbed, Validation};
use certwright_tests::bed::{Bed, order};
use certwright_tests::ports;

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[test]
fn a_client_goes_on_with_the_server_that_was_started_again() -> Outcome {
    let folder = certwright_tests::scratch::Scratch::on_disk()?;
    let state = folder.join("a/world");
    let listen = ports::own()?;
    let settings =
        || Settings { validation: Validation::Believed, state: Some(state.clone()), listen, ..Settings::default() };
    let mut bed = Bed::with(settings())?;
    let first = order(&bed.client(bed.wish())?, &["a.example"])?;
    let (tls, root) = (bed.server.tls_root_pem().to_owned(), bed.server.root_pem(0));

    // Only one at a time, and nobody else reads the keys.
    let error = Testbed::with(Settings { listen: ([127, 0, 0, 1], 0).into(), ..settings() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:#}");
    for (name, mode) in [("", 0o700), ("state.json", 0o600), ("lock", 0o600)] {
        assert_eq!(std::fs::metadata(state.join(name))?.permissions().mode() & 0o777, mode, "{name}");
    }

    bed.server = Testbed::start()?;
    bed.server = Testbed::with(settings())?;
    assert_eq!((bed.server.tls_root_pem(), bed.server.root_pem(0)), (tls.as_str(), root));
    assert_eq!(bed.server.issued().first(), Some(first.chain.leaf()));
    let client = bed.client(bed.wish())?;
    let second = order(&client, &["b.example"])?;
    Roots::from_pem(bed.server.root_pem(0).ok_or("no root")?.as_bytes())?.check(&second.chain, SystemClock.now())?;
    client.revoke(first.chain.leaf(), RevocationReason::Superseded, &Cancel::new())?;
    assert_eq!(bed.server.revoked(first.chain.leaf()), Some(4));
    let made = bed.server.log().iter().filter(|entry| entry.endpoint == Endpoint::NewAccount).count();
    assert_eq!(made, 0, "the account was known");
    Ok(())
}

#[test]
fn what_cannot_be_read_is_not_overwritten() -> Outcome {
    let folder = certwright_tests::scratch::Scratch::on_disk()?;
    let state = folder.join("world");
    let settings = || Settings { state: Some(state.clone()), ..Settings::default() };
    drop(Testbed::with(settings())?);
    for (text, kind) in [("{", ErrorKind::Unfit), (r#"{"version":2}"#, ErrorKind::Unsupported)] {
        std::fs::write(state.join("state.json"), text)?;
        let error = Testbed::with(settings()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:#}");
        assert!(format!("{error:#}").contains("state.json"), "{error:#}");
        assert_eq!(std::fs::read_to_string(state.join("state.json"))?, text);
    }
    Ok(())
}
