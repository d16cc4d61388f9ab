//! Answers over HTTP and TLS, fetched by curl and OpenSSL.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use certwright::{Cancel, Challenge, ChallengeKind, ErrorKind, Identifier, SolverSpec};
use certwright_tests::conformance::solver::{SameName, Stage, challenge, conforms};
use certwright_tests::ports;
use certwright_tests::process::{Running, run};
use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;

use super::{LIMIT, authorization, digests, made};

/// What an authority reads at this address, when it is answered well.
fn fetched(address: SocketAddr, challenge: &Challenge) -> Option<String> {
    let mut command = Command::new(program("curl"));
    command.args(["--silent", "--fail", "--noproxy", "*", "--max-time", "30", "--header", "Host: a.example.org"]);
    command.arg(format!("http://{address}/.well-known/acme-challenge/{}", challenge.token()));
    let output = run(&mut command, LIMIT).unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_http_listener_conforms() {
    let address = ports::own().unwrap();
    conforms(&Stage {
        solver: &|| made(&SolverSpec::HttpListener(address)),
        kind: ChallengeKind::Http01,
        seen: &|challenge| fetched(address, challenge).is_some_and(|body| body == authorization(challenge)),
        same_name: SameName::Together,
        outlives: false,
    });
}

#[test]
fn the_document_root_conforms_behind_a_real_server() {
    let root = Scratch::on_disk().unwrap();
    let address = ports::own().unwrap();
    let config = root.join("nginx.conf");
    let path = root.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
        .collect();
    std::fs::create_dir(root.join("www")).unwrap();
    let text = format!(
        "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;\nevents {{}}\n\
         http {{ access_log off; {temporary} server {{ listen {address}; root {path}/www; }} }}\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(program("nginx"));
    command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Running::start(&mut command).unwrap();
    ports::reachable(address, LIMIT).unwrap();
    conforms(&Stage {
        solver: &|| made(&SolverSpec::HttpWebroot(root.join("www"))),
        kind: ChallengeKind::Http01,
        seen: &|challenge| fetched(address, challenge).is_some_and(|body| body == authorization(challenge)),
        same_name: SameName::Together,
        outlives: true,
    });
    assert!(root.join("www").is_dir(), "the root is not ours to remove");
}

/// The certificate that an authority is shown (RFC 8737 §3), as OpenSSL prints it.
fn shown(address: SocketAddr, challenge: &Challenge) -> Option<String> {
    let name = match challenge.identifier() {
        Identifier::Ip(std::net::IpAddr::V4(ip)) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        name => name.to_string(),
    };
    let script = "\"$1\" s_client -connect \"$2\" -servername \"$3\" -alpn acme-tls/1 </dev/null 2>/dev/null |
                  \"$1\" x509 >cert && \"$1\" x509 -in cert -noout -ext subjectAltName && \"$1\" asn1parse -in cert";
    let scratch = Scratch::on_disk().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(program("openssl")).args([address.to_string(), name]);
    let output = run(command.current_dir(scratch.path()), LIMIT).unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Whether the certificate is the answer: the digest, in a critical extension of the right kind.
fn is_answer(address: SocketAddr, challenge: &Challenge) -> bool {
    let Some(text) = shown(address, challenge) else { return false };
    let mut lines = text.lines().skip_while(|line| !line.contains(":1.3.6.1.5.5.7.1.31") && !line.contains(":ACME"));
    let (Some(_), Some(critical), Some(value)) = (lines.next(), lines.next(), lines.next()) else { return false };
    // The extension holds an OCTET STRING of 32 bytes.
    let expected = format!("[HEX DUMP]:0420{}", digests(challenge).0.to_uppercase());
    critical.contains("BOOLEAN") && critical.ends_with(":255") && value.ends_with(&expected)
}

#[test]
fn the_tls_listener_conforms() {
    let address = ports::own().unwrap();
    conforms(&Stage {
        solver: &|| made(&SolverSpec::TlsAlpnListener(address)),
        kind: ChallengeKind::TlsAlpn01,
        seen: &|challenge| is_answer(address, challenge),
        same_name: SameName::OneAtATime,
        outlives: false,
    });
    // For an address, under the name of its reverse look-up.
    let solver = made(&SolverSpec::TlsAlpnListener(address));
    let one = challenge(ChallengeKind::TlsAlpn01, "192.0.2.7", "address");
    solver.present(&one, &Cancel::new()).unwrap();
    assert!(is_answer(address, &one) && shown(address, &one).unwrap().contains("IP Address:192.0.2.7"));
    solver.clean_up(&one).unwrap();
}

/// The variable that makes a run of this program hold an address.
const HOLD: &str = "CERTWRIGHT_TEST_HOLD";

/// Two runs at once need the same port: the second waits for the first, since that leaves by itself.
#[test]
fn another_run_of_this_program_is_waited_for() {
    let one = challenge(ChallengeKind::Http01, "a.example.org", "waiting");
    if let Some(address) = std::env::var_os(HOLD) {
        let address: SocketAddr = address.to_str().unwrap().parse().unwrap();
        let solver = made(&SolverSpec::HttpListener(address));
        let held = challenge(ChallengeKind::Http01, "a.example.org", "held");
        solver.present(&held, &Cancel::new()).unwrap();
        // Until whoever started this lets go.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        solver.clean_up(&held).unwrap();
        return;
    }
    let address = ports::own().unwrap();
    let (reading, writing) = std::io::pipe().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "listeners::another_run_of_this_program_is_waited_for"]);
    command.env(HOLD, address.to_string()).stdin(reading).stdout(Stdio::null()).stderr(Stdio::null());
    let mut other = Running::start(&mut command).unwrap();
    drop(command);
    ports::reachable(address, LIMIT).unwrap();
    let solver = made(&SolverSpec::HttpListener(address));
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let presenting = scope.spawn(|| solver.present(&one, &cancel));
        // It may take any time to find the address taken; what must not happen is that it gives up.
        for _ in 0..100 {
            assert!(!presenting.is_finished(), "it did not wait");
            std::thread::park_timeout(Duration::from_millis(2));
        }
        cancel.cancel();
        assert_eq!(presenting.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        let presenting = scope.spawn(|| solver.present(&one, &Cancel::new()));
        drop(writing);
        presenting.join().unwrap().unwrap();
    });
    assert!(other.wait(LIMIT).unwrap().success());
    assert_eq!(fetched(address, &one), Some(authorization(&one)));
    solver.clean_up(&one).unwrap();
}
