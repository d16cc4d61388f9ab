//! The management of the test bed: the round trip of every call, who is let in, and the page.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use certwright::{Cancel, Clock, ErrorKind, Issuer as _, SolverSpec, SystemClock};
use certwright_testbed::{Settings, Validation};
use certwright_tests::bed::{Bed, order};
use certwright_tests::http::Web;
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::servers::bind::dig;
use serde_json::{Value, json};

type Outcome = Result<(), Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(60);

fn bed() -> std::io::Result<Bed> {
    Bed::with(Settings::whole())
}

fn web(bed: &Bed) -> Web {
    Web::plain(bed.server.management().unwrap())
}

fn get(bed: &Bed, path: &str) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_slice(&web(bed).get(path)?.body)?)
}

fn post(bed: &Bed, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_slice(&web(bed).post(path, &body.to_string())?.body)?)
}

/// Status and all that follows, of a request with just these header fields.
fn raw(address: SocketAddr, line: &str, fields: &str, body: &str) -> Result<(u16, String), Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let length = body.len();
    write!(stream, "{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
    Ok((status, text))
}

#[test]
fn what_goes_on_can_be_read() -> Outcome {
    let bed = bed()?;
    order(&bed.client(bed.wish())?, &["a.example", "www.a.example"])?;
    let orders = get(&bed, "/v1/orders")?;
    assert_eq!(orders["orders"][0]["status"], "valid");
    assert_eq!(orders["orders"][0]["authorization_ids"], json!([0, 1]));
    let accounts = get(&bed, "/v1/accounts")?;
    assert_eq!(
        (&accounts["accounts"][0]["status"], &accounts["accounts"][0]["orders"]),
        (&json!("valid"), &json!([0]))
    );
    let proofs = get(&bed, "/v1/authorizations?name=www.a.example")?;
    assert_eq!(proofs["authorizations"].as_array().map(Vec::len), Some(1));
    assert_eq!(proofs["authorizations"][0]["challenges"][0]["type"], "http-01");
    let certificates = get(&bed, "/v1/certificates")?;
    let certificate = &certificates["certificates"][0];
    assert_eq!(certificate["names"], json!(["a.example", "www.a.example"]));
    assert_eq!(certificate["pem"], bed.server.issued()[0].pem());
    let roots = get(&bed, "/v1/roots")?;
    assert_eq!(roots["roots"][0]["root"], bed.server.root_pem(0).unwrap());
    assert_eq!(roots["tls_root"], bed.server.tls_root_pem());
    // Requests, with a cursor: what was seen is not seen again.
    let requests = get(&bed, "/v1/requests?endpoint=new_order")?;
    assert_eq!(requests["requests"].as_array().map(Vec::len), Some(1));
    assert_eq!(requests["requests"][0]["payload"]["identifiers"][0]["value"], "a.example");
    let after = requests["after"].as_u64().unwrap();
    assert_eq!(get(&bed, &format!("/v1/requests?after={after}"))?["requests"], json!([]));
    let few = get(&bed, "/v1/requests?limit=2")?;
    assert_eq!((&few["after"], &few["more"]), (&json!(2), &json!(true)));
    let queries = get(&bed, "/v1/queries?name=www.a.example&type=A")?;
    assert_eq!(queries["queries"][0]["records"], json!([format!("www.a.example. 60 A {}", bed.http.ip())]));
    assert!(get(&bed, "/v1")?["calls"].as_array().unwrap().iter().any(|call| call == "POST /v1/reset"));
    Ok(())
}

#[test]
fn what_is_to_happen_can_be_set() -> Outcome {
    let bed = bed()?;
    let client = bed.client(bed.wish())?;
    // A fault, once; gone when cleared.
    let refusal = json!({"type": "rejectedIdentifier", "detail": "as the test wishes"});
    post(
        &bed,
        "/v1/faults",
        &json!({"endpoint": "new_order", "occurrence": {"first": 1}, "fault": {"refuse": refusal}}),
    )?;
    let error = order(&client, &["a.example"]).unwrap_err();
    assert_eq!(error.fact("problem"), Some("rejectedIdentifier"), "{error:#}");
    post(&bed, "/v1/faults", &json!({"fault": {"status": 503}}))?;
    let address = bed.server.management().unwrap();
    let own = format!("Host: {address}\r\nContent-Type: application/json\r\n");
    assert_eq!(raw(address, "DELETE /v1/faults", &own, "")?.0, 200);
    let issued = order(&client, &["a.example"])?;
    // A verdict, whatever the answer.
    post(&bed, "/v1/verdicts", &json!({"identifier": "b.example", "verdict": {"invalid": {"type": "caa"}}}))?;
    assert_eq!(order(&client, &["b.example"]).unwrap_err().fact("problem"), Some("caa"));
    // The clock, forward and to a time.
    let before = bed.server.clock().elapsed();
    post(&bed, "/v1/clock", &json!({"advance_seconds": 86_400}))?;
    assert!(bed.server.clock().elapsed() - before >= Duration::from_secs(86_400));
    let told = post(&bed, "/v1/clock", &json!({"set": "2035-01-01T00:00:00Z"}))?;
    assert!(told["now"].as_str().unwrap().starts_with("2035-01-01T00:00:0"), "{told}");
    // Suggested windows.
    post(&bed, "/v1/window", &json!({"start": "2036-01-01T00:00:00Z", "end": "2036-01-02T00:00:00Z"}))?;
    let info = client.renewal_info(issued.chain.leaf(), &Cancel::new())?;
    assert_eq!(info.unwrap().window.start.to_string(), "2036-01-01T00:00:00Z");
    // A revocation by the authority.
    post(&bed, "/v1/revoke", &json!({"id": 0, "reason": 1}))?;
    assert_eq!(bed.server.revoked(issued.chain.leaf()), Some(1));
    assert_eq!(get(&bed, "/v1/certificates?status=revoked")?["certificates"][0]["revocation_reason"], 1);
    // Back again: a client places no order where its clock and the authority's are years apart.
    post(&bed, "/v1/clock", &json!({"set": SystemClock.now().to_string()}))?;
    // Limits.
    post(&bed, "/v1/limits", &json!({"orders_per_account": {"count": 1, "within_seconds": 3600}}))?;
    order(&client, &["c.example"])?;
    let error = order(&client, &["d.example"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:#}");
    // A new beginning: the same authority and nothing else.
    let root = bed.server.root_pem(0);
    post(&bed, "/v1/reset", &json!({}))?;
    assert_eq!(get(&bed, "/v1/orders")?["orders"], json!([]));
    assert_eq!(bed.server.root_pem(0), root);
    std::fs::remove_dir_all(bed.scratch.join(".issuers"))?;
    order(&bed.client(bed.wish())?, &["c.example"])?;
    Ok(())
}

#[test]
fn names_can_be_set() -> Outcome {
    let bed = bed()?;
    let server = bed.server.dns().unwrap().address();
    post(&bed, "/v1/dns/records", &json!({"name": "a.example", "type": "CAA", "data": "0 issue \"ca.example\""}))?;
    post(&bed, "/v1/dns/records", &json!({"name": "a.example", "text": "one \"two\""}))?;
    post(&bed, "/v1/dns/records", &json!({"zone_file": "$ORIGIN b.example.\nwww A 192.0.2.1\n  TXT x"}))?;
    assert_eq!(dig(server, "a.example", "CAA")?, ["0 issue \"ca.example\""]);
    assert_eq!(dig(server, "a.example", "TXT")?, ["\"one \\\"two\\\"\""]);
    assert_eq!(dig(server, "www.b.example", "A")?, ["192.0.2.1"]);
    let shown = get(&bed, "/v1/dns/records?name=www.b.example&type=TXT")?;
    assert_eq!(shown["records"], json!([{"name": "www.b.example", "type": "TXT", "ttl": 60, "data": "\"x\""}]));
    post(&bed, "/v1/dns/faults", &json!({"below": "b.example", "type": "MX", "fault": "servfail"}))?;
    assert!(dig(server, "www.b.example", "MX").is_ok());
    assert_eq!(get(&bed, "/v1/queries?type=MX")?["queries"][0]["code"], "SERVFAIL");
    post(&bed, "/v1/dns/every", &json!({"addresses": ["192.0.2.9"]}))?;
    assert_eq!(dig(server, "c.example", "A")?, ["192.0.2.9"]);
    assert_eq!(dig(server, "c.example", "AAAA")?, [""; 0]);
    let address = bed.server.management().unwrap();
    let own = format!("Host: {address}\r\nContent-Type: application/json\r\n");
    assert_eq!(raw(address, "DELETE /v1/dns/records", &own, r#"{"name": "a.example", "type": "TXT"}"#)?.0, 200);
    assert_eq!(dig(server, "a.example", "TXT")?, [""; 0]);
    Ok(())
}

/// By curl, as those scripts do it.
#[test]
fn scripts_for_challtestsrv_need_no_change() -> Outcome {
    let bed = bed()?;
    let (server, management) = (bed.server.dns().unwrap().address(), bed.server.management().unwrap());
    let tell = |path: &str, body: &str| -> Outcome {
        let mut command = Command::new(program("curl"));
        command.args(["--silent", "--show-error", "--fail", "--max-time", "20", "-d", body]);
        let output = run(command.arg(format!("http://localhost:{}{path}", management.port())), LIMIT)?;
        if output.status.success() { Ok(()) } else { Err(format!("{path}: {output:?}").into()) }
    };
    tell("/set-default-ipv4", r#"{"ip":"10.10.10.2"}"#)?;
    assert_eq!(dig(server, "x.example", "A")?, ["10.10.10.2"]);
    tell("/set-default-ipv6", r#"{"ip":""}"#)?;
    assert_eq!(dig(server, "x.example", "AAAA")?, [""; 0]);
    tell("/add-a", r#"{"host":"a.example", "addresses":["12.12.12.12", "13.13.13.13"]}"#)?;
    assert_eq!(dig(server, "a.example", "A")?, ["12.12.12.12", "13.13.13.13"]);
    tell("/clear-a", r#"{"host":"a.example"}"#)?;
    tell("/add-aaaa", r#"{"host":"a.example", "addresses":["2001:db8::1"]}"#)?;
    assert_eq!(dig(server, "a.example", "AAAA")?, ["2001:db8::1"]);
    tell("/clear-aaaa", r#"{"host":"a.example"}"#)?;
    tell("/add-caa", r#"{"host":"a.example", "policies":[{"tag":"issue","value":"letsencrypt.org"}]}"#)?;
    assert_eq!(dig(server, "a.example", "CAA")?, ["0 issue \"letsencrypt.org\""]);
    tell("/clear-caa", r#"{"host":"a.example"}"#)?;
    tell("/set-txt", r#"{"host":"_acme-challenge.a.example.", "value": "foo"}"#)?;
    tell("/set-cname", r#"{"host":"_acme-challenge.b.example", "target": "_acme-challenge.a.example"}"#)?;
    assert_eq!(dig(server, "_acme-challenge.b.example", "TXT")?, ["_acme-challenge.a.example.", "\"foo\""]);
    tell("/clear-cname", r#"{"host":"_acme-challenge.b.example"}"#)?;
    tell("/clear-txt", r#"{"host":"_acme-challenge.a.example."}"#)?;
    assert_eq!(bed.server.dns().unwrap().records().all(), []);
    tell("/set-servfail", r#"{"host":"a.example"}"#)?;
    assert_eq!(dig(server, "a.example", "A")?, [""; 0]);
    tell("/clear-servfail", r#"{"host":"a.example"}"#)?;
    assert_eq!(dig(server, "a.example", "A")?, ["10.10.10.2"]);
    let asked = post(&bed, "/dns-request-history", &json!({"host": "_acme-challenge.b.example"}))?;
    assert_eq!(asked, json!([{"Question": {"Name": "_acme-challenge.b.example.", "Qtype": 16, "Qclass": 1}}]));
    assert!(tell("/add-http01", r#"{"token":"a", "content":"b"}"#).is_err());
    Ok(())
}

#[test]
fn only_who_means_this_server_sets_anything() -> Outcome {
    let bed = bed()?;
    let address = bed.server.management().unwrap();
    let host = format!("Host: {address}\r\n");
    let json = "Content-Type: application/json\r\n";
    let fault = r#"{"fault": "hang"}"#;
    for (line, fields, body, status) in [
        // A page on another host whose name leads here; a form of a page; a script of a page.
        ("POST /v1/faults", format!("Host: evil.example:{}\r\n{json}", address.port()), fault, 421),
        ("GET /v1/accounts", "Host: evil.example\r\n".to_owned(), "", 421),
        ("POST /v1/faults", host.clone(), fault, 415),
        ("POST /v1/faults", format!("{host}Content-Type: text/plain\r\n"), fault, 415),
        ("POST /v1/faults", format!("{host}{json}Origin: http://evil.example\r\n"), fault, 403),
        ("POST /set-txt", format!("{host}Origin: http://evil.example\r\n"), r#"{"host":"a","value":"b"}"#, 403),
        ("POST /set-txt", format!("{host}Sec-Fetch-Site: cross-site\r\n"), r#"{"host":"a","value":"b"}"#, 403),
        ("POST /set-txt", format!("{host}Origin: null\r\n"), r#"{"host":"a","value":"b"}"#, 403),
        // What is not understood is named.
        ("POST /v1/faults", format!("{host}{json}"), r#"{"fualt": "hang", "fault": "hang"}"#, 400),
        ("POST /v1/faults", format!("{host}{json}"), r#"{"fault": "hung"}"#, 400),
        ("POST /v1/faults", format!("{host}{json}"), "{", 400),
        ("PUT /v1/faults", format!("{host}{json}"), "", 405),
        ("GET /v2", host.clone(), "", 404),
        ("POST /v1/revoke", format!("{host}{json}"), r#"{"id": 7}"#, 404),
    ] {
        let (got, text) = raw(address, line, &fields, body)?;
        assert_eq!(got, status, "{line} {fields}: {text}");
        assert!(text.contains("\"error\":\""), "{text}");
        assert!(!text.to_ascii_lowercase().contains("access-control"), "{text}");
    }
    let (_, text) = raw(address, "POST /v1/faults", &format!("{host}{json}"), r#"{"fualt": "hang", "fault": "hang"}"#)?;
    assert!(text.contains("there is no `fualt` here; is `fault` meant?"), "{text}");
    // Nothing of all that was set.
    order(&bed.client(bed.wish())?, &["a.example"])?;
    assert!(bed.server.dns().unwrap().records().all().is_empty());
    // Only this machine.
    let settings = Settings { management: Some(SocketAddr::from(([0, 0, 0, 0], 0))), ..Settings::default() };
    assert_eq!(certwright_testbed::Testbed::with(settings).unwrap_err().kind(), ErrorKind::InvalidSpec);
    Ok(())
}

#[test]
fn the_page_shows_what_clients_say_as_text() -> Outcome {
    let bed = Bed::with(Settings { validation: Validation::Believed, ..Settings::whole() })?;
    let mut wish = bed.wish();
    // A contact that a client chose, and a name that somebody asked for, are markup.
    wish.contact = vec!["mailto:<script>alert(1)</script>@a.example".to_owned()];
    wish.solvers = vec![SolverSpec::HttpListener(bed.http)];
    order(&bed.client(wish)?, &["a.example"])?;
    let names = bed.server.dns().unwrap();
    names.records().add_text("<b>x.example", "<img src=x onerror=alert(2)>")?;
    dig(names.address(), "<b>x.example", "TXT")?;
    let roots = bed.trust();
    let acme = Web::secure(bed.server.address(), &roots)?;
    assert!(acme.get("/\"onload=\"alert(3)").is_err());
    let page = web(&bed).get("/")?;
    let text = String::from_utf8(page.body)?;
    for hostile in ["<script>alert", "<img", "\"onload", "<b>x"] {
        assert!(!text.contains(hostile), "{hostile} in {text}");
    }
    for shown in ["&lt;script&gt;alert(1)&lt;/script&gt;", "/&quot;onload=&quot;alert(3)", "&lt;b&gt;x.example"] {
        assert!(text.contains(shown), "no {shown} in {text}");
    }
    assert!(text.contains("&lt;img src=x onerror=alert(2)&gt;"), "{text}");
    // The first view needs no script, and nothing from elsewhere.
    assert!(text.contains("<h2>Orders <small>1</small></h2>") && text.contains("http-01"), "{text}");
    let head = page.head.to_ascii_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none'; style-src 'sha256-"), "{head}");
    let tags = text.split('<').filter_map(|rest| rest.split('>').next());
    assert!(
        !tags.into_iter().any(|tag| tag.contains("src=") || tag.contains("href=") || tag.contains(" on")),
        "{text}"
    );
    assert_eq!(text.matches("<script>").count(), 1);
    Ok(())
}
