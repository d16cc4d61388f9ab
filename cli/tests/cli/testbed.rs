//! The test bed as a command.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use certwright_tests::process::Running;
use rustix::process::Signal;
use serde_json::Value;

use crate::play::{LIMIT, Play};

#[test]
fn without_a_command_it_says_where_everything_is_and_stays() {
    let play = Play::empty();
    for signal in [Signal::TERM, Signal::INT] {
        let mut command = play.command(&["testbed", "--dir", "bed"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running::start(&mut command).unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        assert_eq!((&ready["http_port"], &ready["tls_port"]), (&5002.into(), &5001.into()));
        assert!(text("tsig").starts_with("hmac-sha256:") && text("management").starts_with("http://127.0.0.1:"));
        assert!(text("dns").parse::<std::net::SocketAddr>().is_ok());
        let (ca, directory) = (text("ca_file"), text("directory"));
        let words = ["-sS", "--cacert", &ca, &directory].map(AsRef::as_ref);
        let asked = crate::play::finish(&mut play.program("curl".as_ref(), words)).unwrap();
        assert!(asked.stdout.contains("\"newOrder\""), "{}{}", asked.stdout, asked.stderr);
        assert!(fs::read_to_string(text("root_file")).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
        running.signal(signal).unwrap();
        assert_eq!(running.wait(LIMIT).unwrap().code(), Some(0));
    }
    assert!(play.path("bed/ca.pem").exists(), "a directory that was named stays");
}

#[test]
fn it_ends_as_its_command_ends_and_tells_what_was_done() {
    let play = Play::empty();
    let script = "curl -sS \"$ACME_DIRECTORY\" > directory; curl -sS \"$ACME_DIRECTORY/none\" > problem; echo said; \
                  dirname \"$ACME_CA_FILE\"; exit 7";
    let ran = play.ends(7, &["testbed", "--", "sh", "-c", script]);
    let folder = ran.stdout.strip_prefix("said\n").unwrap().trim();
    assert!(!fs::exists(folder).unwrap(), "{folder} stays");
    assert!(ran.stderr.starts_with("what the client did\n"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("\nrequests     directory 1, unknown 1\nproblem      malformed at unknown: "),
        "{}",
        ran.stderr
    );
    let ran = play.ends(0, &["testbed", "--json", "--dir", "bed", "--", "sh", "-c", "curl -sS \"$ACME_DIRECTORY\""]);
    let told: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((&told["verb"], &told["requests"]["directory"]), (&"testbed".into(), &1.into()));
    let kept: Value = serde_json::from_str(&fs::read_to_string(play.path("bed/story.json")).unwrap()).unwrap();
    assert_eq!(kept["requests"], told["requests"]);
    assert_eq!(play.ends(0, &["testbed", "--quiet", "--", "true"]).stderr, "");
    assert_eq!(play.ends(143, &["testbed", "-q", "--", "sh", "-c", "kill -TERM $$"]).stderr, "");
    let ran = play.ends(127, &["testbed", "--", "no-such-program"]);
    assert!(ran.stderr.contains("no-such-program"), "{}", ran.stderr);
    play.ends(126, &["testbed", "--", "/etc/passwd"]);
}

#[test]
fn signals_go_to_the_command() {
    let play = Play::empty();
    let script = "trap 'echo got; kill $!; exit 9' TERM; sleep 1000 & echo ready; wait";
    let mut command = play.command(&["testbed", "--quiet", "--", "sh", "-c", script]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = Running::start(&mut command).unwrap();
    let mut lines = BufReader::new(running.stdout().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    running.signal(Signal::TERM).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "got");
    assert_eq!(running.wait(LIMIT).unwrap().code(), Some(9));
}

#[test]
fn accounts_can_be_asked_to_be_bound() {
    let play = Play::empty();
    let words = ["testbed", "-q", "--eab", "kid:c2VjcmV0", "--", "sh", "-c", "curl -sS \"$ACME_DIRECTORY\""];
    assert!(play.ends(0, &words).stdout.contains("\"externalAccountRequired\":true"));
    play.ends(2, &["testbed", "--eab", "kid", "--", "true"]);
}

#[test]
fn nobody_can_reach_an_isolated_bed_without_a_command() {
    let ran = Play::empty().ends(2, &["testbed", "--isolate"]);
    assert!(ran.stderr.contains("COMMAND"), "{}", ran.stderr);
}

mod as_root {
    use super::*;

    /// What a client sees that was told nothing.
    const SEEN: &str = "unset SSL_CERT_FILE CURL_CA_BUNDLE\n\
        curl -sS https://127.0.0.1:14000/directory > directory\n\
        getent ahostsv4 any.name.example.org | sed -n 1p\n\
        grep -c . /proc/net/dev\n\
        for port in 80 443; do python3 -c \"import socket; socket.socket().bind(('127.0.0.1', $port))\" || exit 1; done\n\
        echo \"$ACME_DIRECTORY $ACME_DNS $ACME_HTTP_PORT $ACME_TLS_PORT ${https_proxy-none}\"";

    #[test]
    fn isolated_the_machine_is_the_test_beds() {
        let play = Play::empty();
        let outside = [fs::read("/etc/resolv.conf").unwrap(), fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap()];
        let mut command = play.bounded(&["testbed", "--quiet", "--isolate", "--", "sh", "-euc", SEEN]);
        let ran = crate::play::finish(command.env("https_proxy", "http://127.0.0.1:9")).unwrap();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert!(lines[0].starts_with("127.0.0.1 "), "{lines:?}");
        // Two lines of heading, and loopback.
        assert_eq!(lines[1..], ["3", "https://127.0.0.1:14000/directory 127.0.0.1:53 80 443 none"]);
        assert!(fs::read_to_string(play.path("directory")).unwrap().contains("\"newOrder\""));
        let now = [fs::read("/etc/resolv.conf").unwrap(), fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap()];
        assert!(outside == now, "what is covered inside is as it was outside");
    }

    #[test]
    fn an_ordinary_user_can_isolate_too() {
        let play = Play::empty();
        let script = format!(
            "exec {} testbed --quiet --isolate -- sh -euc 'id -u; curl -sS https://127.0.0.1:14000/directory'",
            crate::play::BINARY
        );
        let words = ["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", &script].map(AsRef::as_ref);
        let mut command = play.program("setpriv".as_ref(), words);
        let ran = crate::play::finish(command.current_dir("/")).unwrap();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.starts_with("0\n{"), "{}", ran.stdout);
    }
}
