//! What a client gets.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::active::ActiveCertificates;
use super::shared::Shared;
use crate::pki::acme_identifier::PROTOCOL;

impl ResolvesServerCert for ActiveCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shared = self.shared();
        if hello.alpn().is_some_and(is_challenge) {
            return shared.answers.find(hello.server_name()?);
        }
        shared.certificate(&hello)
    }
}

/// An authority offers the one protocol alone (RFC 8737 §3).
fn is_challenge<'a>(offered: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut offered = offered.into_iter();
    offered.next() == Some(PROTOCOL) && offered.next().is_none()
}

impl Shared {
    /// The first lineage with this name whose key makes signatures that the client can verify; if none does, the first,
    /// so that rustls tells the client why it is refused.
    fn certificate(&self, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = || {
            let places = self.names.find(hello.server_name()).iter();
            places.filter_map(|place| self.slots.get(*place)?.loaded()).map(|loaded| loaded.key.clone())
        };
        let fits = |key: &Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        keys().find(fits).or_else(|| keys().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_has_to_be_offered_alone() {
        assert!(is_challenge([&b"acme-tls/1"[..]]));
        for offered in [&[&b"h2"[..]][..], &[b"acme-tls/1", b"h2"], &[b"h2", b"acme-tls/1"], &[]] {
            assert!(!is_challenge(offered.iter().copied()));
        }
    }
}
