//! A service whose certificates live for seconds, renewed by `run` under clients that connect all the time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use certwright::{ActiveCertificates, Builder, Config, RunEvent, RunOptions, Wake};
use certwright_tests::campaign::{knob, tell};
use certwright_tests::load::Load;
use certwright_tests::until::until;
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::json;

use super::ca::{Bench, Ca, Real};

/// A server that serves whatever is active, on a thread of its own for as long as the test runs.
fn serving(active: Arc<ActiveCertificates>) -> SocketAddr {
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(builder.with_cert_resolver(active));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (Ok(mut socket), config) = (socket, config.clone()) else { return };
            std::thread::spawn(move || {
                let mut connection = ServerConnection::new(config).unwrap();
                let mut stream = Stream::new(&mut connection, &mut socket);
                // A client that goes away is no fault of ours.
                if stream.read(&mut [0; 1024]).is_ok() {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    address
}

#[test]
fn certificates_of_ten_seconds_are_renewed_without_a_gap() {
    let renewals: usize = knob("CERTWRIGHT_RENEWALS", 6);
    let claims =
        json!({ "minTLSCertDuration": "1s", "defaultTLSCertDuration": "10s", "allowRenewalAfterExpiry": true });
    let ca = Real::start(claims, "0s");
    let bench = Bench::new(&ca);
    let text = format!(
        "version = 1\nroot = \"{root}\"\n[issuer.internal]\ntype = \"step-ca\"\nurl = \"{url}\"\n\
         fingerprint = \"{fingerprint}\"\nprovisioner = \"deploy\"\npassword_file = \"{password}\"\n\
         [lineage.www]\nidentifiers = [\"www.example\"]\nissuer = \"internal\"\n",
        root = bench.scratch.join("store").display(),
        url = ca.url(),
        fingerprint = ca.fingerprint(),
        password = bench.scratch.join("password").display(),
    );
    let config = Config::parse(&text, "certwright.toml".as_ref()).unwrap();
    let stop = certwright::Cancel::new();
    let lifecycle = Builder::new(config.clone()).cancel(stop.clone()).build().unwrap();
    let claim = lifecycle.claim().unwrap();
    let (wake, mut said) = (Wake::new(), Vec::new());
    let seen = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            lifecycle.run(&claim, &RunOptions::default(), &wake, &mut |event| {
                if let RunEvent::Looked(report) = &event
                    && (report.changed || report.error.is_some())
                {
                    said.push(format!("{report:?}"));
                }
                ControlFlow::Continue(())
            })
        });
        // Nothing in here panics, so that the daemon is told to stop whatever comes.
        let current = config.root.join("www/current");
        let there = until(Duration::from_secs(30), "the first is there", || std::fs::metadata(&current));
        let active = there.and_then(|_| ActiveCertificates::follow(&config, |_| {}).map_err(io::Error::other));
        let clients = active.and_then(|active| Load::on(serving(active), "www.example", &ca.roots(), 1));
        // The first and these; a client that is served what has ended, or nothing, ends the wait.
        let limit = Duration::from_secs(20) * u32::try_from(renewals).unwrap();
        let seen = clients.and_then(|clients| clients.until_different(renewals + 1, limit));
        stop.cancel();
        wake.wake();
        running.join().unwrap().unwrap();
        seen
    });
    assert!(seen.as_ref().is_ok_and(|seen| *seen > 10 * renewals), "{seen:?}\n{said:#?}\n{}", ca.said());
    // Each was a fresh key by the old one: the provisioner's password was needed once.
    let signed = ca.said().matches("\"path\":\"/sign\"").count();
    assert_eq!((signed, said.len() > renewals), (1, true), "{said:#?}\n{}", ca.said());
    tell("renewals of ten-second certificates under a client", renewals as u64, 0).unwrap();
}
