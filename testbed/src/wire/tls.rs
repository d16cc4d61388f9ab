//! The server's own TLS, below a root of its own that issues nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use certwright::{Authority, Clock as _, Error, ErrorKind, KeyAlgorithm, PrivateKey, Result, Sans, SystemClock};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::ca::era;
use crate::state::Tls;

/// A new root.
pub(crate) fn root() -> Result<Tls> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    // The clients' libraries look at the machine's clock, whatever the time of this world.
    let root = Authority::root(&key, "certwright test bed TLS", &[], era(SystemClock.now()))?;
    Ok(Tls { key, root })
}

/// TLS for this address and for `localhost`.
pub(crate) fn acceptor(address: SocketAddr, own: &Tls) -> Result<TlsAcceptor> {
    let era = era(SystemClock.now());
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let root = Authority::load(own.root.clone(), &own.key)?;
    let intermediate = root.intermediate(&own.key, era)?;
    let issuing = Authority::load(intermediate.clone(), &own.key)?;
    let names = Sans::new(vec![address.ip().to_string().parse()?, "localhost".parse()?])?;
    let leaf = issuing.sign_leaf(key.public_key_der(), &names, era)?;
    let chain = vec![CertificateDer::from(leaf.der().to_vec()), CertificateDer::from(intermediate.der().to_vec())];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_der().expose().to_vec()));
    let bug = |error: rustls::Error| Error::new(ErrorKind::Bug, "TLS cannot be set up").source(error);
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(bug)?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).map_err(bug)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
