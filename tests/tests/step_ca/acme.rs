//! The ACME server that step-ca has beside its own interface, with our ACME client. It looks for answers at port 80, with the
//! resolver of the system: that is to be had in a network of one's own.

mod as_root {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use certwright::{
        AcmeClient, AcmeIssuer, Cancel, Issuer, OsFilesystem, RevocationReason, SolverSpec, SystemClock, solver,
    };
    use certwright_tests::bed::order;
    use certwright_tests::namespace::in_network;
    use certwright_tests::scratch::Scratch;
    use certwright_tests::servers::step_ca::{ACME, Options, StepCa};

    use crate::ca::serves;

    #[test]
    fn it_issues_and_revokes_like_any_other() {
        if !in_network("acme::as_root::it_issues_and_revokes_like_any_other").unwrap() {
            return;
        }
        let address = Some(SocketAddr::from(([127, 0, 0, 1], 9_000)));
        let ca = StepCa::start(&Options { address, ..Options::default() }).unwrap();
        let scratch = Scratch::on_disk().unwrap();
        let trust = scratch.join("trust.pem");
        std::fs::write(&trust, ca.roots().unwrap()).unwrap();
        let answers = SolverSpec::HttpListener(SocketAddr::from(([127, 0, 0, 1], 80)));
        let mut wish = AcmeIssuer::new(format!("{}/acme/{ACME}/directory", ca.url), answers.clone());
        (wish.trust, wish.roots) = (Some(trust.clone()), Some(trust));
        let (files, clock) = (Arc::new(OsFilesystem::new()), Arc::new(SystemClock));
        let solvers = vec![solver(&answers, files.clone(), clock.clone()).unwrap()];
        let client = AcmeClient::new("acme".parse().unwrap(), wish, solvers, files, scratch.path(), clock);

        let found = client.examine(&Cancel::new());
        assert!(found.iter().all(|one| one.found.is_ok()), "{found:?}");
        let issued = order(&client, &["127.0.0.1"]).unwrap();
        assert!(serves(&issued.chain, &ca.roots().unwrap(), "127.0.0.1").is_err(), "it is an address, and no DNS name");
        let leaf = issued.chain.leaf();
        assert_eq!(leaf.identifiers(), ["127.0.0.1".parse().unwrap()]);
        client.revoke(leaf, RevocationReason::Superseded, &Cancel::new()).unwrap();
        // The account is there now, and goes on.
        let again = order(&client, &["127.0.0.1"]).unwrap();
        assert_ne!(again.chain.leaf().serial(), leaf.serial());
    }
}
