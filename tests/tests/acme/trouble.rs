//! What goes wrong: refusals, refused nonces, cancelled and interrupted orders, an authority that is not trusted.

use certwright::{Builder, Config, IssuerSpec, Phase, Selection, Spec};
use certwright_tests::servers::pebble::BLOCKED;

use super::*;

#[test]
fn refused_nonces_never_fail_an_order() -> Outcome {
    let stage = Stage::new(Options { nonce_rejection: 50, ..Options::default() })?;
    let client = stage.client(stage.wish())?;
    for number in 0..8 {
        stage.accepts(&order(&client, &[&format!("n{number}.example"), &format!("www.n{number}.example")])?, 0)?;
    }
    client.roll_over(&Cancel::new())?;
    order(&client, &["after.example"])?;
    Ok(())
}

#[test]
fn a_challenge_that_was_not_met_is_told_in_full_and_cleaned_up() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let records = Records::new(&stage, Quirk::Wrong);
    let client = stage.client_with(stage.wish(), vec![records.clone()])?;
    let error = order(&client, &["good.example", "bad.example"]).err().unwrap();
    assert_eq!((error.kind(), error.fact("challenge")), (ErrorKind::ChallengeFailed, Some("dns-01")), "{error:#}");
    assert_eq!(error.fact("problem"), Some("unauthorized"));
    assert!(error.fact("identifier").is_some_and(|name| name.ends_with(".example")));
    assert!(error.fact("detail").is_some_and(|detail| detail.contains("DNS challenge")), "{error:#}");
    assert!(error.hint_text().is_some() && error.fact("issuer") == Some("public"));
    let cleaned = records.done().iter().filter(|done| done.starts_with("clean up")).count();
    assert_eq!(cleaned, 2, "{:?}", records.done());

    // Nobody listens: the authority says where it looked.
    let mut wish = stage.wish();
    wish.solvers = vec![SolverSpec::HttpListener(certwright_tests::ports::own()?)];
    let error = order(&stage.client(wish)?, &["nobody.example"]).err().unwrap();
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::ChallengeFailed, Some("connection")), "{error:#}");
    assert!(error.fact("seen_from_here").is_some(), "{error:#}");
    Ok(())
}

#[test]
fn an_answer_that_cannot_be_put_in_place_takes_the_others_away() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let records = Records::new(&stage, Quirk::FailsAt("two.example"));
    let client = stage.client_with(stage.wish(), vec![records.clone()])?;
    let error = order(&client, &["one.example", "two.example", "three.example"]).err().unwrap();
    assert_eq!((error.kind(), error.fact("identifier")), (ErrorKind::Permission, Some("two.example")), "{error:#}");
    let done = records.done();
    let of = |what: &str| {
        let mut names: Vec<_> = done.iter().filter_map(|done| done.strip_prefix(what)).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(of("present "), of("clean up "), "what was begun is undone: {done:?}");
    assert!(!stage.pebble.requests().iter().any(|request| request.starts_with("POST /chalZ")), "nobody was told");
    Ok(())
}

#[test]
fn what_one_solver_declines_another_answers() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let (first, second) = (Records::new(&stage, Quirk::Declines), Records::new(&stage, Quirk::None));
    let client = stage.client_with(stage.wish(), vec![first.clone(), second.clone()])?;
    stage.accepts(&order(&client, &["www.example"])?, 0)?;
    assert_eq!(first.done(), ["present www.example", "clean up www.example"]);
    assert_eq!(second.done(), ["present www.example", "wait www.example", "clean up www.example"]);

    let alone = stage.client_with(stage.wish(), vec![first])?;
    let error = order(&alone, &["other.example"]).err().unwrap();
    assert_eq!((error.kind(), error.fact("identifier")), (ErrorKind::Unsupported, Some("other.example")), "{error:#}");
    Ok(())
}

#[test]
fn an_authority_says_no_in_its_own_words() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let error = order(&stage.client(stage.wish())?, &["good.example", BLOCKED]).err().unwrap();
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::Refused, Some("rejectedIdentifier")), "{error:#}");
    assert!(error.fact("detail").is_some_and(|detail| detail.contains(BLOCKED)), "{error:#}");
    assert_eq!((error.fact("call"), error.phase()), (Some("new order"), Some(Phase::Issue)), "{error:#}");
    let mut wish = stage.wish();
    wish.profile = Some("shortlived".to_owned());
    let error = order(&stage.client(wish)?, &["a.example"]).err().unwrap();
    assert_eq!((error.kind(), error.fact("profile")), (ErrorKind::Refused, Some("shortlived")), "{error:#}");
    Ok(())
}

#[test]
fn an_authority_that_is_not_trusted_hears_nothing() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let mut wish = stage.wish();
    wish.trust = Some(stage.pebble.root_file(0)?);
    let error = order(&stage.client(wish)?, &["a.example"]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Untrusted, "{error:#}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("trust")));
    assert!(!stage.state("account.pem").exists());
    let mut wish = stage.wish();
    wish.directory = wish.directory.replace("https://", "http://");
    assert_eq!(order(&stage.client(wish)?, &["a.example"]).err().unwrap().kind(), ErrorKind::InvalidSpec);
    Ok(())
}

/// A run that ends while it waits for DNS, as a killed one does, and the next one, which goes on with the same order.
#[test]
fn an_interrupted_order_is_taken_up_again() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let mut config = Config::new(stage.scratch.path().join("store"));
    config.issuers.insert("public".parse()?, IssuerSpec::Acme(Box::new(stage.wish())));
    let mut spec = Spec::new("www".parse()?, Sans::new(vec!["www.example".parse()?, "example.example".parse()?])?);
    spec.issuers = vec!["public".parse()?];
    config.lineages.insert(spec.name.clone(), spec);
    let root = config.root.clone();
    let apply = |quirk, cancel: Cancel| -> std::result::Result<_, Box<dyn std::error::Error>> {
        let records = Records::new(&stage, quirk);
        let files = Arc::new(OsFilesystem::new());
        let client = AcmeClient::new(
            "public".parse()?,
            stage.wish(),
            vec![records.clone()],
            files,
            &root,
            Arc::new(SystemClock),
        );
        let lifecycle = Builder::new(config.clone()).cancel(cancel).issuer(Arc::new(client)).build()?;
        let report = lifecycle.apply(&Selection::All, &certwright::Options::default())?;
        Ok((report.lineages.into_iter().next().expect("one lineage"), records))
    };
    let cancel = Cancel::new();
    let (report, records) = apply(Quirk::Cancels(cancel.clone()), cancel)?;
    assert_eq!(report.error.map(|error| error.kind), Some("cancelled"));
    assert!(records.done().iter().any(|done| done.starts_with("clean up")), "{:?}", records.done());
    let (report, _) = apply(Quirk::None, Cancel::new())?;
    assert!(report.changed, "{report:?}");
    let requests = stage.pebble.requests();
    assert_eq!(requests.iter().filter(|request| *request == "POST /order-plz").count(), 1, "{requests:?}");
    Ok(())
}
