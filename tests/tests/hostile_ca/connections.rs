//! Connections that are refused, break off, or lead to somebody else than an ACME server.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use certwright_testbed::Entry;

use super::*;

const LITTLE: Duration = Duration::from_millis(300);
const ENOUGH: Duration = Duration::from_secs(60);

/// What comes of an order at this directory.
fn ordered_at(bed: &Bed, address: SocketAddr, limit: Duration) -> Error {
    let mut wish = bed.wish();
    wish.directory = format!("https://{address}/directory");
    wish.limit = limit;
    let client = bed.client_with(wish, vec![Arc::new(Idle::default())]).unwrap();
    let error = order(&client, &["a.example"]).unwrap_err();
    presentable(&error);
    assert!(format!("{error:#}").contains(&address.to_string()), "it does not say where: {error:#}");
    error
}

/// Somebody on loopback who deals with each connection so; ended with the process.
fn somebody(deal: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().filter_map(Result::ok).for_each(deal));
    address
}

#[test]
fn a_port_that_nobody_listens_on_is_named() {
    let bed = Bed::believing().unwrap();
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let error = ordered_at(&bed, nobody, LITTLE);
    assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout), "{error:#}");
    assert!(format!("{error:#}").contains("refused"), "{error:#}");
}

#[test]
fn what_speaks_no_tls_is_no_authority() {
    let bed = Bed::believing().unwrap();
    let answers: [&[u8]; 4] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        // An alert: handshake failure (RFC 8446 §6).
        &[21, 3, 3, 0, 2, 2, 40],
    ];
    for answer in answers {
        let address = somebody(move |mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
            let _ = stream.shutdown(Shutdown::Both);
        });
        let error = ordered_at(&bed, address, LITTLE);
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Untrusted), "{error:#}");
    }
    only_the_trust(&bed);
}

/// The server's side of a connection ends after each so many bytes of handshake and first answer. Every try ends so, until
/// there is no time left.
#[test]
fn a_handshake_may_break_off_anywhere() {
    let bed = Bed::believing().unwrap();
    let real = bed.server.address();
    // Its first flight is above one thousand bytes, the directory below it; what comes after both is not cut here.
    for bytes in (0..1_800).step_by(61) {
        let address = somebody(move |stream| cut(stream, real, bytes));
        let error = ordered_at(&bed, address, Duration::from_millis(40));
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::Network | ErrorKind::Timeout), "after {bytes} bytes: {error:#}");
    }
    let log = bed.server.log();
    assert!(!log.is_empty() && log.iter().all(|entry| entry.endpoint == Endpoint::Directory), "{log:?}");
    only_the_trust(&bed);
}

/// Passes everything on to the real server, and so many bytes back.
fn cut(client: TcpStream, real: SocketAddr, bytes: usize) {
    let Ok(server) = TcpStream::connect(real) else { return };
    let (Ok(mut asking), Ok(mut asked)) = (client.try_clone(), server.try_clone()) else { return };
    thread::spawn(move || {
        let _ = std::io::copy(&mut asking, &mut asked);
    });
    let _ = std::io::copy(&mut (&server).take(u64::try_from(bytes).unwrap()), &mut (&client));
    for stream in [client, server] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Not even an account is begun.
fn only_the_trust(bed: &Bed) {
    let left = files(bed.scratch.path());
    let keys = [".issuers/public/.lock", ".issuers/public/account.pem", "trust.pem"];
    assert!(left.iter().all(|file| keys.contains(&file.as_str())), "{left:?}");
}

/// Each answer of an order in turn breaks off once after each so many bytes, head included. The order comes to its end, and
/// costs no second one.
#[test]
fn each_answer_may_break_off_anywhere_once() {
    let bed = Bed::believing().unwrap();
    let (client, _) = client(&bed, ENOUGH);
    order(&client, &["first.example"]).unwrap();
    let placed = |log: &[Entry]| log.iter().filter(|entry| entry.endpoint == Endpoint::NewOrder).count();
    let (mut orders, mut cuts) = (0, 0);
    for endpoint in [Endpoint::Authorization, Endpoint::Challenge, Endpoint::Finalize, Endpoint::Certificate] {
        for bytes in (0..700).step_by(23) {
            bed.server.clear_log();
            bed.server.faults().clear();
            bed.server.faults().on(endpoint, Occurrence::Only(1), Fault::CutAfter(bytes));
            let issued = bed.server.issued().len();
            orders += 1;
            let done = order(&client, &[&format!("n{orders}.example")]);
            done.unwrap_or_else(|error| panic!("{endpoint:?} after {bytes} bytes: {error:#}"));
            let log = bed.server.log();
            assert_eq!((placed(&log), bed.server.issued().len()), (1, issued + 1), "{endpoint:?} after {bytes} bytes");
            cuts += usize::from(log.iter().filter(|entry| entry.endpoint == endpoint).count() > 1);
        }
    }
    assert!(cuts > 60, "only {cuts} were noticed");
}

/// The page of a proxy, a captive portal, a load balancer without a server behind it.
#[test]
fn web_pages_in_place_of_answers_are_told_as_such() {
    let page = b"<!DOCTYPE html><html><title>Sign in to the network</title>".to_vec();
    let pages =
        [(200, None), (302, Some("http://portal.example/")), (403, None), (407, None), (502, None), (511, None)];
    for endpoint in WAY.into_iter().filter(|endpoint| *endpoint != Endpoint::NewNonce) {
        for (status, location) in pages {
            let bed = Bed::believing().unwrap();
            let (client, solver) = client(&bed, LITTLE);
            let faults = bed.server.faults();
            for fault in [
                Fault::Status(status),
                Fault::ContentType("text/html; charset=utf-8".to_owned()),
                Fault::Body(page.clone()),
                location.map_or(Fault::NoHeader("Location".to_owned()), |to| {
                    Fault::Header("Location".to_owned(), to.to_owned())
                }),
            ] {
                faults.on(endpoint, Occurrence::Every, fault);
            }
            let place = format!("{endpoint:?} {status}");
            // What is asked of a challenge is seen in its authorization.
            let error = match order(&client, &["a.example"]) {
                Err(error) => error,
                Ok(_) => {
                    assert_eq!((endpoint, status), (Endpoint::Challenge, 200), "{place} was believed");
                    continue;
                }
            };
            presentable(&error);
            let kinds = [ErrorKind::Protocol, ErrorKind::Network, ErrorKind::Timeout, ErrorKind::Unfit];
            assert!(kinds.contains(&error.kind()), "{place}: {error:#}");
            if status == 403 {
                assert!(error.hint_text().is_some_and(|hint| hint.contains("proxy")), "{place}: {error:#}");
            }
            assert!(solver.asked().len() <= 1, "{place}");
            assert!(bed.server.log().iter().all(|entry| !entry.path.contains("portal")), "{place}");
            only_the_account(&bed);
        }
    }
}
