//! Each string of each answer is replaced by what a shell, a path, a terminal or a parser would stumble over.

use certwright_testbed::strings_of;
use serde_json::json;

use super::*;

fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "\"; touch /tmp/certwright-was-here; \"",
        "$(touch /tmp/certwright-was-here)",
        "`touch /tmp/certwright-was-here`",
        "line\nbreak\r\nX-Injected: yes",
        "nul\0byte",
        "../../../../tmp/certwright-was-here",
        "/tmp/certwright-was-here",
        "\u{1b}[2J\u{202e}\u{feff}",
        "https://[::1",
        "javascript:alert(1)",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("A".repeat(1 << 20));
    texts
}

/// The strings in the answers of a clean run, by endpoint; those of a repeated endpoint once.
fn fields() -> Vec<(Endpoint, String)> {
    let bed = Bed::believing().unwrap();
    let (client, _) = client(&bed, Duration::from_secs(20));
    order(&client, &["a.example"]).unwrap();
    let mut fields: Vec<(Endpoint, String)> = Vec::new();
    for entry in bed.server.log() {
        fields.extend(strings_of(&entry.answer).into_iter().map(|pointer| (entry.endpoint, pointer)));
    }
    fields.sort_unstable();
    fields.dedup();
    assert!(fields.len() > 30, "{fields:?}");
    fields
}

/// What came of an order is either a certificate that was asked for, or an error.
fn judged(bed: &Bed, solver: &Idle, outcome: certwright::Result<Issued>, what: &str) {
    match outcome {
        Ok(issued) => assert!(issued.chain.leaf().covers(&"a.example".parse().unwrap()), "{what}"),
        Err(error) => presentable(&error),
    }
    for (identifier, token) in solver.asked() {
        // RFC 8555 §8: a token is base64url. Anything else never reaches a solver, which may be a command or a path.
        assert_eq!(identifier, "a.example", "{what}");
        assert!(
            token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
            "{what}: {token:?}"
        );
        assert!(!token.is_empty() && token.len() < 1024, "{what}");
    }
    only_the_account(bed);
}

#[test]
fn one_string_at_a_time_harms_nobody() {
    let mut refused = 0;
    for (endpoint, pointer) in fields() {
        for text in hostile() {
            let bed = Bed::believing().unwrap();
            let (client, solver) = client(&bed, Duration::from_millis(400));
            bed.server.faults().on(endpoint, Occurrence::Every, Fault::Replace(pointer.clone(), json!(text)));
            let outcome = order(&client, &["a.example"]);
            refused += u32::from(outcome.is_err());
            judged(&bed, &solver, outcome, &format!("{endpoint:?} {pointer} {:.40}", text.escape_debug()));
        }
    }
    assert!(refused > 100, "only {refused} were noticed");
    assert!(!Path::new("/tmp/certwright-was-here").exists());
}

#[test]
fn every_string_at_once_harms_nobody() {
    for endpoint in WAY {
        for text in hostile() {
            let bed = Bed::believing().unwrap();
            let (client, solver) = client(&bed, Duration::from_millis(400));
            bed.server.faults().on(endpoint, Occurrence::Every, Fault::EveryString(text.clone()));
            let outcome = order(&client, &["a.example"]);
            judged(&bed, &solver, outcome, &format!("{endpoint:?} {:.40}", text.escape_debug()));
        }
    }
    assert!(!Path::new("/tmp/certwright-was-here").exists());
}

#[test]
fn headers_harm_nobody() {
    let values = ["", "$(id)", "../../tmp/x", "https://elsewhere.example/order/1", "http://127.0.0.1:1/", "\u{fc}"];
    for endpoint in WAY {
        for header in ["Location", "Replay-Nonce", "Link", "Date", "Retry-After", "Content-Type", "Content-Encoding"] {
            for value in values {
                let bed = Bed::believing().unwrap();
                let (client, solver) = client(&bed, Duration::from_millis(400));
                bed.server.faults().on(endpoint, Occurrence::Every, Fault::Header(header.to_owned(), value.to_owned()));
                let outcome = order(&client, &["a.example"]);
                judged(&bed, &solver, outcome, &format!("{endpoint:?} {header}: {value}"));
            }
        }
    }
}

#[test]
fn no_url_leads_away_from_the_directory() -> Outcome {
    let other = Bed::believing()?;
    let elsewhere = other.server.directory().replace("/directory", "");
    let urls = [
        (Endpoint::Directory, "/newNonce"),
        (Endpoint::Directory, "/newAccount"),
        (Endpoint::Directory, "/newOrder"),
        (Endpoint::NewOrder, "/authorizations/0"),
        (Endpoint::NewOrder, "/finalize"),
        (Endpoint::Authorization, "/challenges/0/url"),
        (Endpoint::Finalize, "/certificate"),
    ];
    for (endpoint, pointer) in urls {
        for base in [elsewhere.clone(), elsewhere.replace("https://", "http://"), "https://127.0.0.1".to_owned()] {
            let bed = Bed::believing()?;
            // As good as the right one: the other server is trusted, too.
            std::fs::write(bed.trust(), [bed.server.tls_root_pem(), other.server.tls_root_pem()].concat())?;
            let (client, _) = client(&bed, Duration::from_secs(5));
            let fault = Fault::Replace(pointer.to_owned(), json!(format!("{base}/order/0")));
            bed.server.faults().on(endpoint, Occurrence::Every, fault.clone());
            bed.server.faults().on(Endpoint::Order, Occurrence::Every, fault);
            let outcome = order(&client, &["a.example"]);
            let error =
                outcome.err().ok_or_else(|| format!("{endpoint:?} {pointer} {base} was followed or not needed"))?;
            assert_eq!(error.kind(), ErrorKind::Protocol, "{endpoint:?} {pointer} {base}: {error:#}");
            presentable(&error);
        }
    }
    assert!(other.server.log().is_empty(), "nobody asked the other server: {:?}", other.server.log());
    Ok(())
}
