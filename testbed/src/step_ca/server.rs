//! The stand-in started, stopped and started again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use certwright::{Certificate, Clock as _, Error, ErrorKind, Material, Result, Sans, SystemClock};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::authority::Ca;
use super::call::{Asked, World};
use super::claims::{Claims, go};
use super::provisioner::Provisioners;
use crate::clock::VirtualClock;
use crate::faults::Fault;
use crate::wire::body::Wire;
use crate::wire::distort::distort;
use crate::wire::server::{date, response};

const LONGEST: usize = 1 << 20;
const PAUSE: Duration = Duration::from_millis(10);

/// What kind of CA it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StepSettings {
    /// Where it listens; port 0 for one of the system's choice.
    pub listen: SocketAddr,
    /// The claims of its provisioners, in the words of step-ca's configuration: `minTLSCertDuration`,
    /// `maxTLSCertDuration`, `defaultTLSCertDuration`, `allowRenewalAfterExpiry`, `disableRenewal`.
    pub claims: Value,
    /// How far the beginning of a certificate lies back, as Go writes it.
    pub backdate: String,
    /// Opens the key of the provisioner.
    pub password: String,
}

impl Default for StepSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            claims: Value::Object(serde_json::Map::new()),
            backdate: "1m".to_owned(),
            password: "password".to_owned(),
        }
    }
}

/// A stand-in for step-ca in this process. It is gone when it is dropped, with every connection to it.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{StepCa, StepSettings};
///
/// let ca = StepCa::with(StepSettings::default())?;
/// assert!(ca.url().starts_with("https://127.0.0.1:"));
/// assert_eq!(ca.fingerprint().len(), 64);
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Debug)]
pub struct StepCa {
    shared: Arc<Shared>,
    address: SocketAddr,
    fingerprint: String,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    faults: Mutex<Vec<(String, Fault)>>,
    asked: Mutex<Vec<String>>,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "the stand-in for step-ca cannot listen").source(error)
}

impl StepCa {
    /// One of this kind.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSpec`] when a claim cannot be read; [`ErrorKind::Io`] when it cannot listen.
    ///
    /// # Effects
    ///
    /// Network: listens on loopback. A thread of its own answers.
    pub fn with(settings: StepSettings) -> Result<Self> {
        let clock = Arc::new(VirtualClock::new());
        let now = clock.now();
        let backdate = go(&settings.backdate).and_then(std::result::Result::ok).ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "`backdate` is no span")
                .hint("write it as step-ca has it, such as \"1m\"")
        })?;
        let (ca, provisioners) = (Ca::new(now)?, Provisioners::new(&settings.password, now)?);
        let fingerprint = ca.roots.first().map(|root| root.fingerprint().to_string()).unwrap_or_default();
        let host = settings.listen.ip().to_string();
        let world = World::new(ca, provisioners, Claims::read(&settings.claims)?, backdate, clock, host);
        let shared = Shared { world: Mutex::new(world), faults: Mutex::default(), asked: Mutex::default() };
        let mut server = Self { shared: Arc::new(shared), address: settings.listen, fingerprint, running: None };
        server.run()?;
        Ok(server)
    }

    /// Listen, when it was stopped.
    ///
    /// # Errors
    ///
    /// As [`StepCa::with`].
    pub fn run(&mut self) -> Result<()> {
        let listener = std::net::TcpListener::bind(self.address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        self.address = listener.local_addr().map_err(failed)?;
        let tls = {
            let mut world = self.shared.world();
            world.started = world.clock.now();
            let names = Sans::new(vec![self.address.ip().to_string().parse()?, "localhost".parse()?])?;
            acceptor(&world.ca.tls(&names, SystemClock.now())?, &self.shared)?
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let run = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::spawn(serve(listener, tls, shared));
                let _ = stopped.await;
            });
        };
        let thread = std::thread::Builder::new().name("certwright-step-ca".to_owned()).spawn(run).map_err(failed)?;
        self.running = Some((stop, thread));
        Ok(())
    }

    /// Nobody listens any more; what it knows stays.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let _ = thread.join();
        }
    }

    /// Lists a new root beside the old one, which is in use still. Counts from the next start, like the two steps after it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the system has no random numbers.
    pub fn announce_root(&mut self) -> Result<()> {
        let mut world = self.shared.world();
        let now = world.clock.now();
        world.ca.announce(now)
    }

    /// Uses the root that was announced. The old one is listed still.
    pub fn switch_root(&mut self) {
        self.shared.world().ca.switch();
    }

    /// Lists the newest root alone.
    pub fn retire_root(&mut self) {
        self.shared.world().ca.retire();
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The SHA-256 of its first root, in hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Its roots, PEM, the newest last.
    pub fn roots_pem(&self) -> String {
        self.shared.world().ca.roots.iter().map(Certificate::pem).collect()
    }

    /// The key of its JWK provisioner as `step` writes it into a file.
    pub fn key_file(&self) -> String {
        self.shared.world().provisioners.key_file()
    }

    /// The same as it is sent.
    pub fn encrypted_key(&self) -> String {
        self.shared.world().provisioners.encrypted.clone()
    }

    /// The certificate and the key that its X5C provisioner believes.
    pub fn holder(&self) -> Material {
        self.shared.world().provisioners.holder.clone()
    }

    /// A one-time token by somebody else, for these claims.
    ///
    /// # Errors
    ///
    /// When nothing can be signed.
    pub fn token(&self, claims: &Value) -> Result<String> {
        self.shared.world().provisioners.token(claims)
    }

    /// Its time.
    pub fn clock(&self) -> Arc<VirtualClock> {
        Arc::clone(&self.shared.world().clock)
    }

    /// From now on, whatever is asked at a path that begins so meets this fault; of those, the ones that change an answer.
    pub fn distort(&self, path: impl Into<String>, fault: Fault) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).push((path.into(), fault));
    }

    /// No more faults.
    pub fn mend(&self) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What was asked, as `GET /health`.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for StepCa {
    fn drop(&mut self) {
        self.stop();
    }
}

fn acceptor(material: &Material, shared: &Arc<Shared>) -> Result<TlsAcceptor> {
    let bug = |error: rustls::Error| Error::new(ErrorKind::Bug, "TLS cannot be set up").source(error);
    let provider = rustls::crypto::ring::default_provider();
    let verifier =
        Arc::new(Shown { shared: Arc::clone(shared), algorithms: provider.signature_verification_algorithms });
    let chain = material.chain().certificates().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(material.key().to_der().expose().to_vec()));
    let builder = ServerConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(bug)?.with_client_cert_verifier(verifier);
    let mut config = builder.with_single_cert(chain, key).map_err(bug)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: tokio::net::TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, tls.clone(), Arc::clone(&shared)))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn connection(stream: tokio::net::TcpStream, tls: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else { return };
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let shown = shown.and_then(|leaf| Certificate::from_der(leaf).ok());
    let service = service_fn(move |request| answer(Arc::clone(&shared), shown.clone(), request));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    shared: Arc<Shared>,
    shown: Option<Certificate>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Wire>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or_else(|| head.uri.path().to_owned(), ToString::to_string);
    shared.asked.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {path}", head.method));
    let body = match Limited::new(body, LONGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => hyper::body::Bytes::new(),
    };
    let faults: Vec<Fault> = {
        let faults = shared.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().filter(|(at, _)| path.starts_with(at)).map(|(_, fault)| fault.clone()).collect()
    };
    if faults.contains(&Fault::Hang) {
        return std::future::pending().await;
    }
    let bearer = head.headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let reply = {
        let mut world = shared.world();
        let asked = Asked { method: head.method.as_str(), path: &path, bearer, shown: shown.as_ref(), body: &body };
        let now = world.clock.now().unix();
        world.answer(&asked).with("Date", date(now))
    };
    let (reply, wire) = distort(reply, &faults);
    Ok(response(reply, wire))
}

/// Whoever shows a certificate shows one that was issued here, and that has not ended.
#[derive(Debug)]
struct Shown {
    shared: Arc<Shared>,
    algorithms: rustls::crypto::WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Shown {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        let shown = Certificate::from_der(leaf).map_err(|_| CertificateError::BadEncoding)?;
        let world = self.shared.world();
        let known = world.ca.issued.get(&shown.serial()).is_some_and(|known| known.der() == shown.der());
        if !known {
            return Err(CertificateError::UnknownIssuer.into());
        }
        if world.clock.now() > shown.window().end {
            return Err(CertificateError::Expired.into());
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
