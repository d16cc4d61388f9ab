//! The TLS of a client of an authority: whom it trusts, what it shows, at what time.

use std::sync::Arc;
use std::time::Duration;

use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};

use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::ground::time::{Clock, Timestamp};
use crate::pki::material::Material;

/// Trust these roots. With `held`, show that certificate when the other side asks for one, and that its key is here.
pub(super) fn trusting<'r>(
    roots: impl IntoIterator<Item = &'r [u8]>,
    held: Option<&Material>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    // Some stores hold certificates that rustls cannot read; the others go on working.
    let (taken, _) = store.add_parsable_certificates(roots.into_iter().map(CertificateDer::from));
    if taken == 0 {
        return Err(Error::new(ErrorKind::Unfit, "none of the roots to trust can be used"));
    }
    let builder = builder(clock)?.with_root_certificates(store);
    let Some(held) = held else { return Ok(speaking(builder.with_no_client_auth())) };
    let chain = held.chain().certificates().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(held.key().to_der().expose().to_vec()));
    builder.with_client_auth_cert(chain, key).map(speaking).map_err(|source| {
        Error::new(ErrorKind::Unfit, "the certificate cannot be shown to the authority").source(source)
    })
}

/// Talk to whoever answers.
#[cfg(feature = "step-ca")]
pub(super) fn unverified(clock: Arc<dyn Clock>) -> Result<ClientConfig> {
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let builder = builder(clock)?.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(algorithms)));
    Ok(speaking(builder.with_no_client_auth()))
}

fn builder(clock: Arc<dyn Clock>) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_details(provider, Arc::new(Time(clock)))
        .with_safe_default_protocol_versions()
        .map_err(|source| Error::new(ErrorKind::Bug, "the TLS client cannot be made").source(source))
}

fn speaking(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// What a failed handshake means.
pub(super) fn fault(source: std::io::Error) -> Error {
    let certificate = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let error = match certificate {
        Some(rustls::Error::InvalidCertificate(why)) => untrusted(why),
        _ => with_alert(Error::new(ErrorKind::Network, "TLS with the authority failed").retry(Retry::Now), &source),
    };
    error.source(source)
}

/// The error, with the alert that the other side broke the connection off with (RFC 8446 §6.2), when it is among the causes.
pub(super) fn with_alert(error: Error, cause: &(dyn std::error::Error + 'static)) -> Error {
    let mut next = Some(cause);
    while let Some(one) = next {
        let inner = one.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()).or_else(|| one.downcast_ref());
        if let Some(rustls::Error::AlertReceived(alert)) = tls {
            return error.context("alert", Public(&format!("{alert:?}")));
        }
        next = inner.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| one.source());
    }
    error
}

fn untrusted(why: &CertificateError) -> Error {
    let moment = |time: &UnixTime| Timestamp::from_unix(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let clock = |error: Error| {
        error.hint("compare `date -u` with a clock that is right, and set this machine's by NTP").retry(Retry::Now)
    };
    let untrusted = |message: &'static str| Error::new(ErrorKind::Untrusted, message);
    match why {
        CertificateError::NotValidYetContext { time, not_before } => clock(
            untrusted("the authority's own TLS certificate is not valid yet, by this machine's clock")
                .context("here", moment(time))
                .context("valid_from", moment(not_before)),
        ),
        CertificateError::ExpiredContext { time, not_after } => clock(
            untrusted("the authority's own TLS certificate has expired, by this machine's clock")
                .context("here", moment(time))
                .context("valid_until", moment(not_after)),
        ),
        _ => untrusted("the authority's own TLS certificate is not trusted")
            .hint("name the PEM file with its root in `trust`; check the clock too"),
    }
}

/// Validity is judged at the time of our own clock.
#[derive(Debug)]
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().unix()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Takes any certificate. Whoever answers holds its key, and that is all that is known.
#[cfg(feature = "step-ca")]
#[derive(Debug)]
struct Anybody(rustls::crypto::WebPkiSupportedAlgorithms);

#[cfg(feature = "step-ca")]
impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &rustls_pki_types::ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> std::result::Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> std::result::Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.supported_schemes()
    }
}
