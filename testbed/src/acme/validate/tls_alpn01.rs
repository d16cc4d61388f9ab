//! tls-alpn-01 (RFC 8737; RFC 8738 for addresses), over TLS 1.3.

use std::net::IpAddr;
use std::sync::Arc;

use certwright::{Certificate, Identifier};
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature_with_raw_key};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Job, connection, incorrect, lookup};
use crate::acme::der::{OCTET_STRING, SEQUENCE, element};
use crate::acme::problem::{Problem, ProblemKind};

const PROTOCOL: &[u8] = b"acme-tls/1";
/// id-pe-acmeIdentifier, critical.
const ACME_IDENTIFIER: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 0x1f, 1, 1, 0xff];

pub(super) async fn look(job: &Job) -> Result<(), Problem> {
    let address = (lookup::address(job.real.names, &job.identifier).await?, job.real.tls_port);
    let place = format!("{}:{} for {}", address.0, address.1, job.identifier);
    let failed = |error: &dyn std::fmt::Display| connection(format!("{place}: {error}"));
    let tls = |error: &dyn std::fmt::Display| Problem::new(ProblemKind::Tls, format!("{place}: {error}"));
    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
    let name = match &job.identifier {
        Identifier::Ip(address) => reverse(*address),
        name => name.to_string(),
    };
    let name = ServerName::try_from(name).map_err(|error| tls(&error))?;
    let config = config().map_err(|error| tls(&error))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| tls(&error))?;
    let (_, session) = stream.get_ref();
    if session.alpn_protocol() != Some(PROTOCOL) {
        return Err(tls(&"the server did not choose the protocol acme-tls/1"));
    }
    let served = session.peer_certificates().and_then(|chain| chain.first()).ok_or_else(|| tls(&"no certificate"))?;
    check(served, &job.identifier, &job.proof).map_err(|why| incorrect(format!("{place}: {why}")))
}

fn check(served: &[u8], identifier: &Identifier, proof: &str) -> Result<(), String> {
    let certificate = Certificate::from_der(served).map_err(|error| error.to_string())?;
    if certificate.identifiers() != [identifier.clone()] || !certificate.other_names().is_empty() {
        return Err(format!("the certificate is for {:?}, not for this name alone", certificate.identifiers()));
    }
    let hash = digest(&SHA256, proof.as_bytes());
    let value = element(OCTET_STRING, &[&element(OCTET_STRING, &[hash.as_ref()])]);
    // DER has one spelling only, so that the extension can be looked for as a whole.
    let extension = element(SEQUENCE, &[ACME_IDENTIFIER, &value]);
    if served.windows(extension.len()).any(|part| part == extension) {
        return Ok(());
    }
    Err("the certificate has no critical acmeIdentifier extension with the digest of the key authorization".to_owned())
}

/// The name of an address in in-addr.arpa or ip6.arpa (RFC 8738 §6).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let digits = address.octets().into_iter().rev();
            let digits: Vec<String> =
                digits.flat_map(|byte| [byte & 15, byte >> 4]).map(|digit| format!("{digit:x}")).collect();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

fn config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config =
        config.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))).with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

/// The certificate is self-signed, and looked at afterwards; that the server has its key is seen here.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        // webpki reads no certificate with a critical extension that it does not know: this kind has to have one.
        let certificate =
            Certificate::from_der(certificate).map_err(|error| rustls::Error::General(error.to_string()))?;
        let key = SubjectPublicKeyInfoDer::from(certificate.public_key_der());
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_backwards() {
        assert_eq!(reverse("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
        let expected = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(reverse("2001:db8::1".parse().unwrap()), expected);
    }
}
