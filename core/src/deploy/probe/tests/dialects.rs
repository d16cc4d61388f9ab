//! Endpoints that speak a dialect before TLS.

use super::*;

/// A conversation of which the server's part is told, then TLS.
fn speaking(dialect: StartTls, said: &'static [&'static [u8]], pair: &Pair) -> (Server, Endpoint) {
    let config = serving(pair);
    let server = Server::start(move |mut stream| {
        for (at, said) in said.iter().enumerate() {
            // PostgreSQL's client speaks first.
            if at > 0 || dialect == StartTls::Postgres {
                let mut heard = [0; 512];
                if stream.read(&mut heard).unwrap_or(0) == 0 {
                    return;
                }
            }
            stream.write_all(said).unwrap();
        }
        drop(shake(&config, stream));
    });
    let mut endpoint = server.endpoint();
    endpoint.starttls = Some(dialect);
    (server, endpoint)
}

const DIALECTS: [(StartTls, &[&[u8]]); 4] = [
    (StartTls::Smtp, &[b"220 mx.example ESMTP\r\n", b"250-mx.example\r\n250 STARTTLS\r\n", b"220 go ahead\r\n"]),
    (StartTls::Imap, &[b"* OK ready\r\n", b"a OK begin\r\n"]),
    (StartTls::Pop3, &[b"+OK ready\r\n", b"+OK begin\r\n"]),
    (StartTls::Postgres, &[b"S"]),
];

#[test]
fn each_dialect_leads_to_the_certificate() {
    let pair = Pair::new();
    for (dialect, said) in DIALECTS {
        let (_server, endpoint) = speaking(dialect, said, &pair);
        assert_eq!(look(&endpoint).unwrap().fingerprint, pair.fingerprint(), "{dialect:?}");
    }
}

#[test]
fn a_dialect_that_is_not_spoken_is_told() {
    let pair = Pair::new();
    let server = Server::tls(serving(&pair));
    for (dialect, _) in DIALECTS {
        // A server that speaks TLS from the first byte waits for ours, or takes what we say for a broken hello.
        let mut endpoint = server.endpoint();
        endpoint.starttls = Some(dialect);
        endpoint.limit = SHORT;
        let error = look(&endpoint).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Network), "{error:#}");
        assert_eq!(error.fact("starttls"), Some(starttls::name(dialect)));
        assert!(error.fact("address").is_some() && error.hint_text().is_some(), "{error}");
    }
}
