//! The test bed itself: it lets in who is right, and nobody else; a foreign client agrees.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use certwright::{
    Cancel, Chain, Challenge, ChallengeKind, ErrorKind, Identifier, Issuer, RevocationReason, Roots, Solver,
    SolverSpec, SystemClock, Timestamp,
};
use certwright_testbed::{Endpoint, ExternalAccount, Settings, Testbed};
use certwright_tests::bed::{Bed, order};
use certwright_tests::openssl::openssl;
use certwright_tests::ports;
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::servers::challtestsrv::ChallTestSrv;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn now() -> Timestamp {
    certwright::Clock::now(&SystemClock)
}

fn leads_to(bed: &Bed, chain: &Chain, root: usize) -> Outcome {
    let root = bed.server.root_pem(root).ok_or("no such root")?;
    Ok(Roots::from_pem(root.as_bytes())?.check(chain, now())?)
}

#[test]
fn an_answer_by_http_is_looked_for() -> Outcome {
    let bed = Bed::looking(None)?;
    let address = bed.http.ip().to_string();
    let issued = order(&bed.client(bed.wish())?, &["a.example", "www.a.example", &address])?;
    leads_to(&bed, &issued.chain, 0)?;
    assert_eq!(bed.server.issued().first(), Some(issued.chain.leaf()));
    // The right answer at the wrong place.
    let mut wish = bed.wish();
    wish.solvers = vec![SolverSpec::HttpListener(ports::own()?)];
    let error = order(&bed.client(wish)?, &["b.example"]).unwrap_err();
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::ChallengeFailed, Some("connection")), "{error:#}");
    Ok(())
}

#[test]
fn an_answer_by_tls_is_looked_for() -> Outcome {
    let bed = Bed::looking(None)?;
    let mut wish = bed.wish();
    wish.solvers = vec![SolverSpec::TlsAlpnListener(bed.tls)];
    let issued = order(&bed.client(wish.clone())?, &["a.example", &bed.tls.ip().to_string()])?;
    leads_to(&bed, &issued.chain, 0)?;
    // A server that speaks TLS and does not know the protocol.
    let other = Testbed::start()?;
    let real = certwright_testbed::Real { tls_port: other.address().port(), ..Default::default() };
    let settings = Settings { validation: certwright_testbed::Validation::Real(real), ..Settings::default() };
    let strict = Testbed::with(settings)?;
    std::fs::write(bed.trust(), strict.tls_root_pem())?;
    wish.directory = strict.directory().to_owned();
    std::fs::remove_dir_all(bed.scratch.join(".issuers"))?;
    let error = order(&bed.client(wish)?, &["a.example"]).unwrap_err();
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::ChallengeFailed, Some("tls")), "{error:#}");
    Ok(())
}

/// Answers at the name server of the world; wrongly, when told so.
#[derive(Debug)]
struct Records {
    names: ChallTestSrv,
    alias: Option<&'static str>,
    right: bool,
}

impl Solver for Records {
    fn present(&self, challenge: &Challenge, _: &Cancel) -> certwright::Result<()> {
        let Identifier::Dns(name) = challenge.identifier() else { panic!("dns-01 is for names") };
        let mut record = format!("_acme-challenge.{name}.");
        if let Some(target) = self.alias {
            self.names.set_alias(&record, target).unwrap();
            record = target.to_owned();
        }
        let value = if self.right { digest(challenge.key_authorization().expose()) } else { "wrong".to_owned() };
        self.names.add_txt(&record, &value).unwrap();
        Ok(())
    }

    fn clean_up(&self, _: &Challenge) -> certwright::Result<()> {
        Ok(())
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Dns01]
    }
}

/// The value of a TXT record (RFC 8555 §8.4), by OpenSSL.
fn digest(key_authorization: &[u8]) -> String {
    let scratch = certwright_tests::scratch::Scratch::in_memory().unwrap();
    let (text, hash) = (scratch.join("text"), scratch.join("hash"));
    std::fs::write(&text, key_authorization).unwrap();
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    openssl(["dgst", "-sha256", "-binary", "-out", &path(&hash), &path(&text)]).unwrap();
    let base64 = openssl(["enc", "-base64", "-A", "-in", &path(&hash)]).unwrap();
    let base64 = String::from_utf8(base64.stdout).unwrap();
    base64.trim().trim_end_matches('=').replace('+', "-").replace('/', "_")
}

#[test]
fn an_answer_by_dns_is_looked_for_behind_aliases() -> Outcome {
    for (alias, right) in [(None, true), (Some("elsewhere.example."), true), (None, false)] {
        let names = ChallTestSrv::start([127, 0, 0, 1].into())?;
        let bed = Bed::looking(Some(names.dns))?;
        let client = bed.client_with(bed.wish(), vec![Arc::new(Records { names, alias, right })])?;
        let outcome = order(&client, &["*.a.example"]);
        match right {
            true => leads_to(&bed, &outcome?.chain, 0)?,
            false => {
                let error = outcome.unwrap_err();
                let facts = (error.kind(), error.fact("problem"));
                assert_eq!(facts, (ErrorKind::ChallengeFailed, Some("incorrectResponse")), "{error:#}");
            }
        }
    }
    Ok(())
}

#[test]
fn names_are_where_the_name_server_says() -> Outcome {
    let [http, tls] = ports::several()?;
    let names = ChallTestSrv::start(http.ip())?;
    let real = certwright_testbed::Real {
        http_port: http.port(),
        tls_port: tls.port(),
        names: certwright_testbed::Names::Server(names.dns),
        limit: Duration::from_secs(10),
    };
    let server =
        Testbed::with(Settings { validation: certwright_testbed::Validation::Real(real), ..Settings::default() })?;
    let bed = Bed::believing()?;
    std::fs::write(bed.trust(), server.tls_root_pem())?;
    let mut wish = bed.wish();
    wish.directory = server.directory().to_owned();
    wish.solvers = vec![SolverSpec::HttpListener(http)];
    let client = bed.client(wish)?;
    order(&client, &["a.example"])?;
    names.fail("b.example.")?;
    let error = order(&client, &["b.example"]).unwrap_err();
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::ChallengeFailed, Some("dns")), "{error:#}");
    Ok(())
}

#[test]
fn revocation_and_key_change_reach_the_authority() -> Outcome {
    let bed = Bed::believing()?;
    let client = bed.client(bed.wish())?;
    let first = order(&client, &["a.example"])?;
    client.roll_over(&Cancel::new())?;
    assert!(bed.server.log().iter().any(|entry| entry.endpoint == Endpoint::KeyChange && entry.status == Some(200)));
    client.revoke(first.chain.leaf(), RevocationReason::Superseded, &Cancel::new())?;
    assert_eq!(bed.server.revoked(first.chain.leaf()), Some(4));
    client.deactivate(&Cancel::new())?;
    assert!(order(&client, &["b.example"]).is_err());
    Ok(())
}

/// lego, which shares no line with us: an account that is bound to an external one, a certificate for a P-384 key by http-01,
/// and its revocation.
#[test]
fn lego_gets_and_revokes_a_certificate() -> Outcome {
    let external = ExternalAccount { id: "kid-1".to_owned(), key: b"0123456789abcdef0123456789abcdef".to_vec() };
    let validation = certwright_testbed::Validation::Real(certwright_testbed::Real::default());
    let bed = Bed::with(Settings {
        external_accounts: vec![external],
        terms: Some("https://127.0.0.1/terms".to_owned()),
        alternates: 1,
        validation,
        ..Settings::default()
    })?;
    let lego = |kind: &str, verb: &str| {
        let mut command = Command::new(program("lego"));
        command.env("LEGO_CA_CERTIFICATES", bed.trust());
        command.args([
            "--server",
            bed.server.directory(),
            "--accept-tos",
            "--email",
            "a@b.example",
            "--domains",
            "a.example",
        ]);
        command.args(["--eab", "--kid", "kid-1", "--hmac", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"]);
        command.arg("--path").arg(bed.scratch.join("lego")).args(["--key-type", kind]);
        command.args(["--http", "--http.port", &bed.http.to_string(), verb]);
        let output = run(&mut command, Duration::from_secs(120)).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    lego("ec384", "run");
    let leaf = bed.server.issued().into_iter().next().ok_or("nothing was issued")?;
    assert_eq!(leaf.key_description(), "ecdsa-p384");
    let pem = std::fs::read(bed.scratch.join("lego/certificates/a.example.crt"))?;
    leads_to(&bed, &Chain::from_pem(&pem)?, 0)?;
    lego("ec384", "revoke");
    assert!(bed.server.revoked(&leaf).is_some());
    Ok(())
}
