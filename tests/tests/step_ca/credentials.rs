//! How a provisioner is convinced.

use std::time::Duration;

use certwright::{Clock, Command, ErrorKind, SecretBytes, SecretSource, StepCredential, StepJwk, SystemClock};
use certwright_tests::openssl::printed;
use serde_json::json;

use super::ca::{Bench, Ca, secret, serves};

fn jwk(source: Option<SecretSource>, key_file: Option<std::path::PathBuf>) -> Option<StepCredential> {
    let mut wish = StepJwk::new("deploy", SecretSource::File("/nowhere".into()));
    (wish.password, wish.key_file) = (source, key_file);
    Some(StepCredential::Jwk(wish))
}

pub(crate) fn the_key_of_a_provisioner_signs<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let names = ["a.example", "*.b.example", "192.0.2.7", "2001:db8::7"];
    let material = bench.ask(&names).unwrap();
    serves(material.chain(), &ca.roots(), "a.example").unwrap();
    assert_eq!(material.chain().leaf().identifiers().len(), names.len());
    // The password by a command, and by the program itself.
    bench.wish.credential = jwk(Some(SecretSource::Command(Command::new(["printf", "%s\\n", ca.password()]))), None);
    bench.ask(&["a.example"]).unwrap();
    bench.wish.credential = jwk(None, None);
    let refused = bench.ask(&["a.example"]).unwrap_err();
    assert!(refused.hint_text().unwrap().contains("password_file"), "{refused:#}");
    let password = ca.password().to_owned();
    let client =
        bench.client().with_password(std::sync::Arc::new(move || Ok(SecretBytes::from(password.clone().into_bytes()))));
    certwright_tests::bed::order(&client, &["a.example"]).unwrap();
}

pub(crate) fn the_holder_of_a_certificate_signs<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let bench = Bench::with_certificate(&ca);
    let material = bench.ask(&["a.example"]).unwrap();
    serves(material.chain(), &ca.roots(), "a.example").unwrap();
}

pub(crate) fn a_token_from_outside_signs_once<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let now = SystemClock.now().unix();
    let claims = json!({
        "iss": "deploy", "aud": format!("{}/1.0/sign", ca.url()), "sub": "a.example", "sans": ["a.example"],
        "sha": ca.fingerprint(), "jti": "once", "iat": now, "nbf": now, "exp": now + 300,
    });
    let token = ca.token(&claims);
    let path = secret(&bench.scratch, "token", &format!("{token}\n"));
    bench.wish.credential = Some(StepCredential::Token(SecretSource::File(path)));
    let other = bench.ask(&["b.example"]).unwrap_err();
    assert!(other.message().contains("other names"), "{other:#}");
    bench.ask(&["a.example"]).unwrap();
    let error = bench.ask(&["a.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("token"), "{error:#}");
    assert!(!format!("{error:#} {error:?}").contains(&token));
    // One that has expired is not sent at all.
    let mut old = claims;
    (old["exp"], old["jti"]) = (json!(now - 600), json!("old"));
    let path = secret(&bench.scratch, "token", &ca.token(&old));
    bench.wish.credential =
        Some(StepCredential::Token(SecretSource::Command(Command::new(["cat", path.to_str().unwrap()]))));
    let error = bench.ask(&["a.example"]).unwrap_err();
    assert!(error.message().contains("expired"), "{error:#}");
}

pub(crate) fn a_key_in_a_file_signs_in_every_form<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let password = || Some(SecretSource::File(bench.scratch.join("password")));
    for (name, content) in [("flattened", ca.key_file()), ("compact", ca.encrypted_key())] {
        let path = secret(&bench.scratch, name, &content);
        let credential = jwk(password(), Some(path));
        bench.wish.credential = credential;
        bench.ask(&["a.example"]).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
    // A key that the CA does not know is refused by it.
    let other = bench.scratch.join("other.pem");
    printed(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other.to_str().unwrap()])
        .unwrap();
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    bench.wish.credential = jwk(None, Some(other));
    let error = bench.ask(&["a.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:#}");
    assert!(error.hint_text().unwrap().contains("dnsNames"));
}

pub(crate) fn a_wrong_password_opens_nothing<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let path = secret(&bench.scratch, "wrong", "correct horse battery stable\n");
    bench.wish.credential = jwk(Some(SecretSource::File(path.clone())), None);
    let error = bench.ask(&["a.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("password"), "{error:#}");
    assert_eq!((error.fact("provisioner"), error.fact("issuer")), (Some("deploy"), Some("internal")));
    assert!(!format!("{error:#} {error:?}").contains("stable"));
    // One that everybody may read is no secret.
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(bench.ask(&["a.example"]).unwrap_err().kind(), ErrorKind::Permission);
}

pub(crate) fn a_provisioner_that_there_is_not_is_told_by_name<C: Ca>() {
    let ca = C::start(json!({}), "1m");
    let mut bench = Bench::new(&ca);
    let source = SecretSource::File(bench.scratch.join("password"));
    for (name, hint) in [("deplyo", "`deploy`"), ("machines", "X5C"), ("acme", "type = \"acme\"")] {
        bench.wish.credential = Some(StepCredential::Jwk(StepJwk::new(name, source.clone())));
        let error = bench.ask(&["a.example"]).unwrap_err();
        assert_eq!((error.kind(), error.fact("provisioner")), (ErrorKind::NotFound, Some(name)));
        assert!(error.hint_text().unwrap().contains(hint), "{error:#}");
        assert!(error.fact("there_are").unwrap().contains("deploy (JWK)"), "{error:#}");
    }
}

pub(crate) fn a_lifetime_is_as_wished_or_refused<C: Ca>() {
    let ca = C::start(
        json!({ "minTLSCertDuration": "2m", "maxTLSCertDuration": "4h" , "defaultTLSCertDuration": "3h" }),
        "1m",
    );
    let mut bench = Bench::new(&ca);
    let life =
        |bench: &Bench| bench.ask(&["a.example"]).map(|material| material.chain().leaf().window().length().as_secs());
    // The CA dates back by a minute.
    assert_eq!(life(&bench).unwrap(), 3 * 3_600 + 60);
    bench.wish.lifetime = Some(Duration::from_secs(600));
    assert_eq!(life(&bench).unwrap(), 660);
    bench.wish.backdate = Some(Duration::from_secs(120));
    assert_eq!(life(&bench).unwrap(), 600);
    bench.wish.backdate = None;
    for outside in [30, 5 * 3_600] {
        bench.wish.lifetime = Some(Duration::from_secs(outside));
        let error = life(&bench).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.hint_text().unwrap().contains("lifetime"), "{error:#}");
        assert_eq!(error.fact("identifiers"), Some("a.example"));
    }
}
