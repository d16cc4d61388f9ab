use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::*;
use crate::ground::cancel::Cancel;
use crate::ground::time::ManualClock;
use crate::ground::time::Timestamp;
use crate::place::os::OsFilesystem;

const PLENTY: Duration = Duration::from_secs(60);

fn made(spec: &SolverSpec) -> Arc<dyn Solver> {
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1_795_507_200)));
    solver(spec, Arc::new(OsFilesystem::new()), clock).unwrap()
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn http(name: &str, token: &str) -> Challenge {
    Challenge::new(ChallengeKind::Http01, name.parse().unwrap(), token, "thumb").unwrap()
}

fn fetched(address: SocketAddr, token: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PLENTY)).unwrap();
    write!(stream, "GET /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: a.example\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_answer_is_served_while_it_is_there() {
    let address = free();
    let solver = made(&SolverSpec::HttpListener(address));
    let (one, two) = (http("a.example", "one"), http("b.example", "two"));
    for challenge in [&one, &two, &one] {
        solver.present(challenge, &Cancel::new()).unwrap();
    }
    assert!(fetched(address, "one").ends_with("\r\n\r\none.thumb"));
    assert!(fetched(address, "two").ends_with("\r\n\r\ntwo.thumb"));
    assert!(fetched(address, "three").starts_with("HTTP/1.1 404 "));
    solver.clean_up(&one).unwrap();
    assert!(fetched(address, "one").starts_with("HTTP/1.1 404 "));
    assert!(fetched(address, "two").starts_with("HTTP/1.1 200 "));
    for _ in 0..2 {
        solver.clean_up(&two).unwrap();
        assert!(TcpStream::connect(address).is_err(), "nothing is listened on without answers");
    }
}

#[test]
fn solvers_of_one_address_share_it() {
    let address = free();
    let solvers: Vec<_> = (0..8).map(|_| made(&SolverSpec::HttpListener(address))).collect();
    std::thread::scope(|scope| {
        for (number, solver) in solvers.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..20 {
                    let token = format!("t{number}-{round}");
                    let challenge = http("a.example", &token);
                    solver.present(&challenge, &Cancel::new()).unwrap();
                    assert!(fetched(address, &token).ends_with(&format!("{token}.thumb")));
                    solver.clean_up(&challenge).unwrap();
                }
            });
        }
    });
    // What one holds stays when another that holds it too lets go, or is dropped.
    let shared = http("a.example", "shared");
    solvers[0].present(&shared, &Cancel::new()).unwrap();
    solvers[1].present(&shared, &Cancel::new()).unwrap();
    solvers[0].clean_up(&shared).unwrap();
    assert!(fetched(address, "shared").starts_with("HTTP/1.1 200 "));
    drop(solvers);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn an_address_of_somebody_else_is_named_with_its_holder() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let error = made(&SolverSpec::HttpListener(address)).present(&http("a.example", "t"), &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.fact("listen"), Some(address.to_string().as_str()));
    assert_eq!(error.fact("pid"), Some(std::process::id().to_string().as_str()));
    assert!(error.hint_text().is_some());

    let nowhere = "192.0.2.1:80".parse().unwrap();
    let error = made(&SolverSpec::HttpListener(nowhere)).present(&http("a.example", "t"), &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_crowd_that_says_nothing_shuts_nobody_out() {
    let address = free();
    let solver = made(&SolverSpec::HttpListener(address));
    let challenge = http("a.example", "token");
    solver.present(&challenge, &Cancel::new()).unwrap();
    let crowd: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
    let (tell, answer) = channel();
    std::thread::spawn(move || tell.send(fetched(address, "token")));
    assert!(answer.recv_timeout(PLENTY).unwrap().ends_with("token.thumb"));
    solver.clean_up(&challenge).unwrap();
    // Cleaning up does not wait for the crowd; its connections are closed.
    for mut stream in crowd {
        stream.set_read_timeout(Some(PLENTY)).unwrap();
        assert!(matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_)));
    }
}

#[test]
fn long_and_odd_requests_are_answered_and_ended() {
    let address = free();
    let solver = made(&SolverSpec::HttpListener(address));
    let challenge = http("a.example", "token");
    solver.present(&challenge, &Cancel::new()).unwrap();
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(9_000));
    for (request, status) in [
        (long.as_str(), "404"),
        (&"a".repeat(12_000), "431"),
        ("\u{0}\r\n\r\n", "400"),
        ("DELETE /.well-known/acme-challenge/token HTTP/1.1\r\n\r\n", "405"),
        ("GET /.well-known/acme-challenge/../token HTTP/1.1\r\n\r\n", "404"),
        ("GET /.well-known/acme-challenge/token%00 HTTP/1.1\r\n\r\n", "404"),
        ("GET /.well-known/acme-challenge/token HTTP/1.1\r\n\r\n", "200"),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PLENTY)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(str::from_utf8(&answer).unwrap(), format!("HTTP/1.1 {status}"));
    }
    solver.clean_up(&challenge).unwrap();
}

#[test]
fn other_kinds_are_refused() {
    let challenge = Challenge::new(ChallengeKind::Dns01, "a.example".parse().unwrap(), "t", "thumb").unwrap();
    for spec in [SolverSpec::HttpListener(free()), SolverSpec::HttpWebroot("/nowhere".into())] {
        let error = made(&spec).present(&challenge, &Cancel::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

fn tls(name: &str, token: &str) -> Challenge {
    Challenge::new(ChallengeKind::TlsAlpn01, name.parse().unwrap(), token, "thumb").unwrap()
}

/// What OpenSSL's client is told that asks for this name and offers these protocols, and whether it got through.
fn shaken(address: SocketAddr, name: &str, offered: Option<&str>, version: &str) -> (bool, String) {
    let address = address.to_string();
    let mut arguments = vec!["s_client", "-connect", &address, "-servername", name, version];
    arguments.extend(offered.iter().flat_map(|offered| ["-alpn", offered]));
    let output = std::process::Command::new("timeout")
        .args(["60", "openssl"])
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_certificate_is_shown_to_those_who_speak_the_protocol_of_the_challenge_alone() {
    let address = free();
    let solver = made(&SolverSpec::TlsAlpnListener(address));
    let challenges = [tls("a.example", "one"), tls("b.example", "two"), tls("192.0.2.1", "three")];
    for challenge in &challenges {
        solver.present(challenge, &Cancel::new()).unwrap();
        solver.present(challenge, &Cancel::new()).unwrap();
    }
    for name in ["a.example", "A.Example", "b.example", "1.2.0.192.in-addr.arpa"] {
        for version in ["-tls1_3", "-tls1_2"] {
            let (through, said) = shaken(address, name, Some("acme-tls/1"), version);
            assert!(through && said.contains("ALPN protocol: acme-tls/1"), "{name}: {said}");
        }
    }
    for (name, offered) in [
        ("a.example", None),
        ("a.example", Some("h2")),
        ("a.example", Some("h2,http/1.1")),
        ("c.example", Some("acme-tls/1")),
        ("www.a.example", Some("acme-tls/1")),
    ] {
        let (through, said) = shaken(address, name, offered, "-tls1_3");
        assert!(
            !through && said.contains("alert") && !said.contains("BEGIN CERTIFICATE"),
            "{name} {offered:?}: {said}"
        );
    }
    solver.clean_up(&challenges[0]).unwrap();
    assert!(!shaken(address, "a.example", Some("acme-tls/1"), "-tls1_3").0);
    assert!(shaken(address, "b.example", Some("acme-tls/1"), "-tls1_3").0);
    for challenge in &challenges {
        solver.clean_up(challenge).unwrap();
    }
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn stalled_handshakes_do_not_hold_up_others() {
    let address = free();
    let solver = made(&SolverSpec::TlsAlpnListener(address));
    let challenge = tls("a.example", "one");
    solver.present(&challenge, &Cancel::new()).unwrap();
    // Nothing, a byte, half a record header, a record that promises more.
    let crowd: Vec<TcpStream> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(address).unwrap();
            let said: &[u8] = match number % 4 {
                0 => b"",
                1 => b"\x16",
                2 => b"\x16\x03\x01",
                _ => b"\x16\x03\x01\x02\x00\x01\x00",
            };
            // One that was put out already cannot be written to.
            let _ = stream.write_all(said);
            stream
        })
        .collect();
    let (through, said) = shaken(address, "a.example", Some("acme-tls/1"), "-tls1_3");
    assert!(through, "{said}");
    solver.clean_up(&challenge).unwrap();
    drop(crowd);
}

#[test]
fn one_name_is_answered_for_one_order_at_a_time() {
    let address = free();
    let solvers = [made(&SolverSpec::TlsAlpnListener(address)), made(&SolverSpec::TlsAlpnListener(address))];
    let (first, second) = (tls("a.example", "one"), tls("a.example", "two"));
    solvers[0].present(&first, &Cancel::new()).unwrap();
    let cancel = Cancel::new();
    let (tell, done) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| tell.send(solvers[1].present(&second, &Cancel::new())).unwrap());
        let stopped = scope.spawn(|| solvers[1].present(&second, &cancel));
        cancel.cancel();
        assert_eq!(stopped.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(done.try_recv().is_err(), "the first order still has the name");
        solvers[0].clean_up(&first).unwrap();
        done.recv_timeout(PLENTY).unwrap().unwrap();
    });
    assert!(shaken(address, "a.example", Some("acme-tls/1"), "-tls1_3").0);
}
