//! The TLS handshake of a probe: any certificate is taken, and its owner must prove to hold the key.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::pki::key::KeyAlgorithm;

/// The kind of key that a server may use to sign its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Any,
    Ecdsa,
    Eddsa,
    Rsa,
}

impl From<KeyAlgorithm> for KeyKind {
    fn from(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => Self::Ecdsa,
            KeyAlgorithm::Ed25519 => Self::Eddsa,
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => Self::Rsa,
        }
    }
}

impl KeyKind {
    fn signs_with(self, scheme: SignatureScheme) -> bool {
        use SignatureScheme as S;
        match self {
            Self::Any => true,
            Self::Ecdsa => {
                matches!(scheme, S::ECDSA_NISTP256_SHA256 | S::ECDSA_NISTP384_SHA384 | S::ECDSA_NISTP521_SHA512)
            }
            Self::Eddsa => matches!(scheme, S::ED25519 | S::ED448),
            Self::Rsa => matches!(
                scheme,
                S::RSA_PSS_SHA256
                    | S::RSA_PSS_SHA384
                    | S::RSA_PSS_SHA512
                    | S::RSA_PKCS1_SHA256
                    | S::RSA_PKCS1_SHA384
                    | S::RSA_PKCS1_SHA512
            ),
        }
    }
}

/// TLS 1.2 and 1.3 with our own provider: the process may have none installed, or another. Nothing is resumed, since a
/// resumed session would show the certificate of the first one.
pub(super) fn client(kind: KeyKind) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let mut schemes = algorithms.supported_schemes();
    schemes.retain(|scheme| kind.signs_with(*scheme));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyOwner { algorithms, schemes }))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The certificates that the other side sends, once it has proved to hold the key of the first.
///
/// A server that goes on to ask for a certificate of ours and to refuse the connection has shown its own before that.
pub(super) fn certificates<S: Read + Write>(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: &mut S,
) -> io::Result<Vec<CertificateDer<'static>>> {
    let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let shaken = tls.complete_io(stream).map(drop);
    // Set once the signature over the handshake was verified, in TLS 1.2 and 1.3 alike.
    let Some(chain) =
        tls.peer_certificates().map(|chain| chain.iter().cloned().map(CertificateDer::into_owned).collect())
    else {
        return shaken.and(Err(io::Error::new(io::ErrorKind::InvalidData, "no certificate was sent")));
    };
    if shaken.is_ok() {
        tls.send_close_notify();
        while tls.wants_write() && tls.write_tls(stream).is_ok_and(|sent| sent > 0) {}
    }
    Ok(chain)
}

/// Takes any certificate, and checks that its owner signed this very handshake.
#[derive(Debug)]
struct AnyOwner {
    algorithms: WebPkiSupportedAlgorithms,
    schemes: Vec<SignatureScheme>,
}

impl ServerCertVerifier for AnyOwner {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
