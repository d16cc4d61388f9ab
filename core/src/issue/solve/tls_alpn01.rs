//! `tls-alpn-01` (RFC 8737): a TLS server that knows one protocol, `acme-tls/1`, and one certificate for each name.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::desk::{Answer, Board, Desks, Protocol, Seat};
use super::listener::Serve;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::time::Clock;
use crate::issue::solver::{Afterlife, Challenge, Solver};
use crate::pki::acme_identifier::{self, PROTOCOL, server_name};
use crate::place::wire::Wire;
use crate::plan::spec::ChallengeKind;

/// Answers by a listener of our own, which is there as long as there is something to answer.
#[derive(Debug)]
pub(super) struct ByListener {
    seat: Seat<Tls>,
    clock: Arc<dyn Clock>,
}

impl ByListener {
    pub(super) fn at(address: SocketAddr, clock: Arc<dyn Clock>) -> Self {
        Self { seat: Seat::at(address), clock }
    }

    fn certified(&self, challenge: &Challenge) -> Result<Arc<CertifiedKey>> {
        let authorization = challenge.key_authorization().expose();
        let (certificate, key) = acme_identifier::certificate(challenge.identifier(), authorization, self.clock.now())?;
        let der = key.to_der();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der.expose()));
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&key).map_err(defect)?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        Ok(Arc::new(CertifiedKey::new(chain, key)))
    }
}

impl Solver for ByListener {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        super::expect_kind(self.kinds(), challenge)?;
        let answer = Answer {
            name: server_name(challenge.identifier()),
            token: challenge.token().to_owned(),
            value: self.certified(challenge)?,
        };
        self.seat.put(&answer, cancel).map_err(|error| error.context("identifier", challenge.identifier()))
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        self.seat.remove(Some(challenge.token()));
        Ok(())
    }

    fn afterlife(&self) -> Afterlife {
        Afterlife::Ends
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::TlsAlpn01]
    }
}

fn defect(source: rustls::Error) -> Error {
    Error::new(ErrorKind::Bug, "the TLS server for challenges cannot be made").source(source)
}

/// The server side of TLS.
struct Tls(Arc<ServerConfig>);

impl Protocol for Tls {
    type Value = Arc<CertifiedKey>;

    fn server(board: Arc<Board<Arc<CertifiedKey>>>) -> Result<Arc<dyn Serve>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(defect)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(ByName(board)));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // Nobody comes back to resume.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Arc::new(Self(Arc::new(config))))
    }

    fn desks() -> &'static Desks<Arc<CertifiedKey>> {
        static DESKS: Desks<Arc<CertifiedKey>> = Desks::new();
        &DESKS
    }
}

impl Serve for Tls {
    fn serve(&self, wire: &mut Wire<'_>) -> io::Result<()> {
        let mut session = ServerConnection::new(Arc::clone(&self.0)).map_err(io::Error::other)?;
        let shaken = loop {
            if !session.is_handshaking() {
                break Ok(());
            }
            match session.complete_io(wire) {
                Ok(_) => {}
                // The alert that tells why goes out before we leave.
                refused => break refused.map(drop),
            }
        };
        session.send_close_notify();
        while session.wants_write() {
            session.write_tls(wire)?;
        }
        wire.finish()?;
        shaken
    }
}

/// Chooses a certificate by SNI, for those who speak the protocol of the challenge alone.
struct ByName(Arc<Board<Arc<CertifiedKey>>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // A client that offers no protocol is not refused by TLS itself.
        hello.alpn()?.find(|offered| *offered == PROTOCOL)?;
        self.0.answer(&hello.server_name()?.to_ascii_lowercase())
    }
}

impl std::fmt::Debug for ByName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByName")
    }
}
