//! TLS from the first byte, and after each dialect.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use certwright::{Address, Endpoint, StartTls};
use certwright_tests::conformance::PATIENCE;
use certwright_tests::conformance::probe::Bench;

use super::made;
use super::server::Server;

fn bench(dialect: Option<StartTls>) -> io::Result<Bench> {
    let server = Server::new(dialect)?;
    let mut wish = Endpoint::new(Address::Socket(server.address));
    wish.server_name = Some("www.example.org".parse().unwrap());
    wish.starttls = dialect;
    wish.limit = PATIENCE;
    let (mut hurried, mut other) = (wish.clone(), wish.clone());
    hurried.limit = Duration::from_millis(200);
    other.server_name = Some("other.example.org".parse().unwrap());
    Ok(Bench {
        probe: made(&wish),
        hurried: Some(made(&hurried)),
        other_name: Some(made(&other)),
        service: Arc::new(server),
        patience: PATIENCE,
    })
}

mod at_once {
    certwright_tests::probe_suite!(|| super::bench(None));
}

mod after_smtp {
    certwright_tests::probe_suite!(|| super::bench(Some(certwright::StartTls::Smtp)));
}

mod after_imap {
    certwright_tests::probe_suite!(|| super::bench(Some(certwright::StartTls::Imap)));
}

mod after_pop3 {
    certwright_tests::probe_suite!(|| super::bench(Some(certwright::StartTls::Pop3)));
}

mod after_postgres {
    certwright_tests::probe_suite!(|| super::bench(Some(certwright::StartTls::Postgres)));
}

/// A dialect without a suite would go unseen.
#[test]
fn every_dialect_is_tried() {
    assert_eq!(StartTls::ALL, [StartTls::Smtp, StartTls::Imap, StartTls::Pop3, StartTls::Postgres]);
}
