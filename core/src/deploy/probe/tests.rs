//! Probes against servers in this process and against OpenSSL's.

mod dialects;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;
use crate::ground::time::Timestamp;
use crate::pki::key::PrivateKey;
use crate::place::os::OsFilesystem;
use crate::place::scratch::Scratch;
use crate::plan::spec::StartTls;

/// Far beyond what a test needs; reached only by a defect.
const PLENTY: Duration = Duration::from_secs(60);
/// For servers that never answer.
const SHORT: Duration = Duration::from_millis(200);

/// A self-signed certificate and its key.
pub(super) struct Pair {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(KeyAlgorithm::EcdsaP256)
    }

    fn with(algorithm: KeyAlgorithm) -> Self {
        let pem = PrivateKey::generate(algorithm).unwrap().to_pem();
        let key = rcgen::KeyPair::from_pem(str::from_utf8(pem.expose()).unwrap()).unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["www.example.org".to_owned()]).unwrap();
        // Long expired, and trusted by nobody: it is what is served all the same.
        parameters.not_before = rcgen::date_time_ymd(2001, 2, 3);
        parameters.not_after = rcgen::date_time_ymd(2002, 3, 4);
        let certificate = parameters.self_signed(&key).unwrap();
        Self { certificate: certificate.der().clone(), key: PrivatePkcs8KeyDer::from(key.serialize_der()) }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        sha256(&self.certificate)
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        let key = rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::from(self.key.clone_key())).unwrap();
        Arc::new(CertifiedKey::new(vec![self.certificate.clone()], key))
    }
}

/// Chooses a certificate by a closure.
struct Chooses<F>(F);

impl<F> fmt::Debug for Chooses<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chooses")
    }
}

impl<F: Fn(&ClientHello<'_>) -> Option<Arc<CertifiedKey>> + Send + Sync> ResolvesServerCert for Chooses<F> {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (self.0)(&hello)
    }
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

fn choosing(
    versions: &[&'static SupportedProtocolVersion],
    choose: impl Fn(&ClientHello<'_>) -> Option<Arc<CertifiedKey>> + Send + Sync + 'static,
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(Chooses(choose))))
}

pub(super) fn serving(pair: &Pair) -> Arc<ServerConfig> {
    let certified = pair.certified();
    choosing(BOTH, move |_| Some(certified.clone()))
}

/// Handles one connection after the other until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(handle: impl FnMut(TcpStream) + Send + 'static) -> Self {
        Self::at("127.0.0.1:0", handle)
    }

    fn at(address: &str, mut handle: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PLENTY)).unwrap();
                handle(stream);
            }
        });
        Self { address, stop, thread: Some(thread) }
    }

    pub(super) fn tls(config: Arc<ServerConfig>) -> Self {
        Self::start(move |stream| drop(shake(&config, stream)))
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        endpoint(self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

/// The server's side of a handshake, as far as it goes.
pub(super) fn shake(config: &Arc<ServerConfig>, mut stream: TcpStream) -> ServerConnection {
    let mut connection = ServerConnection::new(config.clone()).unwrap();
    let _ = connection.complete_io(&mut stream);
    connection
}

/// Read until the other side has gone.
pub(super) fn hold(mut stream: &TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint {
        address: Address::Socket(address),
        server_name: Some("www.example.org".parse().unwrap()),
        starttls: None,
        limit: PLENTY,
        connections: 1,
    }
}

fn tls(endpoint: &Endpoint) -> TlsProbe {
    TlsProbe::new(endpoint, KeyAlgorithm::EcdsaP256).unwrap()
}

fn observe(endpoint: &Endpoint) -> Vec<Observation> {
    tls(endpoint).observe(&Cancel::new()).unwrap()
}

/// The one observation of an endpoint.
pub(super) fn look(endpoint: &Endpoint) -> Result<Seen> {
    let mut observations = observe(endpoint);
    assert_eq!(observations.len(), 1, "{observations:?}");
    observations.remove(0).seen
}

#[test]
fn takes_the_certificate_as_it_is_in_both_versions_of_tls() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048] {
        let pair = Pair::with(algorithm);
        for version in BOTH {
            let certified = pair.certified();
            let server = Server::tls(choosing(&[version], move |_| Some(certified.clone())));
            let seen = look(&server.endpoint()).unwrap();
            assert_eq!(seen.fingerprint, pair.fingerprint(), "{algorithm:?} {version:?}");
            assert_eq!(seen.window.start, "2001-02-03T00:00:00Z".parse::<Timestamp>().unwrap());
            assert_eq!(seen.window.end, "2002-03-04T00:00:00Z".parse::<Timestamp>().unwrap());
            assert_eq!(seen.chain_length, 1);
        }
    }
}

#[test]
fn agrees_with_openssl() {
    let scratch = Scratch::new();
    let (key, certificate) = (scratch.path().join("key.pem"), scratch.path().join("certificate.pem"));
    let openssl = |arguments: &[&str], input: Vec<u8>| -> Vec<u8> {
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        output.stdout
    };
    let (key, certificate) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let request =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=openssl", "-keyout", key];
    openssl(&[&request[..], &["-out", certificate]].concat(), Vec::new());
    let der = openssl(&["x509", "-in", certificate, "-outform", "DER"], Vec::new());
    let public = openssl(&["x509", "-in", certificate, "-noout", "-pubkey"], Vec::new());
    let public = openssl(&["pkey", "-pubin", "-outform", "DER"], public);
    let digest = |bytes: Vec<u8>| -> Fingerprint {
        let line = String::from_utf8(openssl(&["dgst", "-sha256", "-r"], bytes)).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let mut server = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate, version])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(std::result::Result::unwrap);
        let accept = lines.find(|line| line.starts_with("ACCEPT ")).unwrap();
        let address: SocketAddr = accept["ACCEPT ".len()..].parse().unwrap();
        let mut endpoint = endpoint(address);
        endpoint.connections = 3;
        let found = TlsProbe::new(&endpoint, KeyAlgorithm::Rsa2048).unwrap().observe(&Cancel::new()).unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        let seen = found[0].seen.as_ref().unwrap();
        assert_eq!((found[0].connections, seen.chain_length), (3, 1));
        assert_eq!((seen.fingerprint, seen.key_fingerprint), (digest(der.clone()), digest(public.clone())));
    }
}

#[test]
fn sends_the_server_name_and_nothing_when_there_is_none() {
    let pair = Pair::new();
    let certified = pair.certified();
    let (note, names) = channel();
    let config = choosing(BOTH, move |hello| {
        note.send(hello.server_name().map(str::to_owned)).unwrap();
        Some(certified.clone())
    });
    let server = Server::tls(config);
    let mut endpoint = server.endpoint();
    look(&endpoint).unwrap();
    endpoint.server_name = None;
    look(&endpoint).unwrap();
    assert_eq!([names.recv().unwrap(), names.recv().unwrap()], [Some("www.example.org".to_owned()), None]);
}

#[test]
fn who_does_not_hold_the_key_is_not_believed() {
    let (shown, held) = (Pair::new(), Pair::new());
    for version in BOTH {
        let forged = Pair { certificate: shown.certificate.clone(), key: held.key.clone_key() }.certified();
        let server = Server::tls(choosing(&[version], move |_| Some(forged.clone())));
        let error = look(&server.endpoint()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{version:?}");
        assert!(format!("{error:#}").contains("BadSignature"), "{error:#}");
    }
}

#[test]
fn every_certificate_behind_an_address_is_reported() {
    let pairs = [Pair::new(), Pair::new()];
    let certified = [pairs[0].certified(), pairs[1].certified()];
    let count = std::sync::atomic::AtomicUsize::new(0);
    // The third and the sixth connection meet an old worker.
    let server = Server::tls(choosing(BOTH, move |_| {
        let old = usize::from(count.fetch_add(1, Ordering::Relaxed) % 3 == 2);
        Some(certified[old].clone())
    }));
    let mut endpoint = server.endpoint();
    endpoint.connections = 7;
    let found = observe(&endpoint);
    let summary: Vec<_> = found.iter().map(|one| (one.connections, one.seen.as_ref().unwrap().fingerprint)).collect();
    assert_eq!(summary, [(5, pairs[0].fingerprint()), (2, pairs[1].fingerprint())]);
    let error = served(&pairs[0].fingerprint(), &found).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProbeMismatch);
    assert!(error.message().contains("some connections"), "{error}");
}

#[test]
fn resumed_sessions_are_never_used() {
    let pair = Pair::new();
    for version in BOTH {
        let certified = pair.certified();
        let config = choosing(&[version], move |_| Some(certified.clone()));
        assert!(config.session_storage.can_cache(), "the server would resume");
        let (note, kinds) = channel();
        let server = Server::start(move |stream| note.send(shake(&config, stream).handshake_kind()).unwrap());
        let mut endpoint = server.endpoint();
        endpoint.connections = 4;
        observe(&endpoint);
        drop(server);
        let kinds: Vec<_> = kinds.iter().collect();
        assert_eq!(kinds, [Some(rustls::HandshakeKind::Full); 4], "{version:?}");
    }
}

#[test]
fn a_server_that_wants_a_certificate_of_ours_is_observed() {
    let pair = Pair::new();
    let mut roots = RootCertStore::empty();
    roots.add(pair.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    for version in BOTH {
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(vec![pair.certificate.clone()], PrivateKeyDer::from(pair.key.clone_key()))
            .unwrap();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        let server = Server::tls(Arc::new(config));
        assert_eq!(look(&server.endpoint()).unwrap().fingerprint, pair.fingerprint(), "{version:?}");
    }
}

#[test]
fn a_server_with_one_certificate_for_each_kind_of_key_is_asked_for_the_wished_kind() {
    let (ecdsa, rsa) = (Pair::new(), Pair::with(KeyAlgorithm::Rsa2048));
    let both = [ecdsa.certified(), rsa.certified()];
    let only = ecdsa.certified();
    for version in BOTH {
        let both = both.clone();
        // As OpenSSL does: the first of its certificates whose kind the client takes.
        let server = Server::tls(choosing(&[version], move |hello| {
            both.iter().find(|one| one.key.choose_scheme(hello.signature_schemes()).is_some()).cloned()
        }));
        for (algorithm, pair) in [(KeyAlgorithm::EcdsaP384, &ecdsa), (KeyAlgorithm::Rsa4096, &rsa)] {
            let probe = TlsProbe::new(&server.endpoint(), algorithm).unwrap();
            let found = probe.observe(&Cancel::new()).unwrap();
            assert_eq!(found[0].seen.as_ref().unwrap().fingerprint, pair.fingerprint(), "{algorithm:?} {version:?}");
        }
        // What is served of another kind is seen all the same, and is the wrong one.
        let only = only.clone();
        let server = Server::tls(choosing(&[version], move |_| Some(only.clone())));
        for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::Ed25519] {
            let probe = TlsProbe::new(&server.endpoint(), algorithm).unwrap();
            let found = probe.observe(&Cancel::new()).unwrap();
            assert_eq!(found[0].seen.as_ref().unwrap().fingerprint, ecdsa.fingerprint(), "{algorithm:?} {version:?}");
        }
    }
}

#[test]
fn every_address_is_asked_and_reported() {
    let (new, old) = (Pair::new(), Pair::new());
    let right = Server::tls(serving(&new));
    let stale = Server::at("127.0.0.2:0", {
        let config = serving(&old);
        move |stream| drop(shake(&config, stream))
    });
    let silent = Server::at("127.0.0.3:0", |stream| hold(&stream));
    // Bound and given back: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.4:0").unwrap().local_addr().unwrap();
    let addresses = [right.address, stale.address, silent.address, nobody];
    let mut wish = right.endpoint();
    wish.limit = SHORT;
    let end = crate::place::wire::deadline(SHORT);
    let found = tls(&wish).visit_all(&addresses, end, &Cancel::new());
    let places: Vec<_> = found.iter().map(|one| one.place.clone()).collect();
    assert_eq!(places, addresses.map(Place::Socket));
    assert_eq!(found[0].seen.as_ref().unwrap().fingerprint, new.fingerprint());
    assert_eq!(found[1].seen.as_ref().unwrap().fingerprint, old.fingerprint());
    assert_eq!(found[2].seen.as_ref().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(found[3].seen.as_ref().unwrap_err().kind(), ErrorKind::Network);
    let error = served(&new.fingerprint(), &found).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProbeMismatch);
    let told: Vec<_> = error.facts().filter(|(name, _)| *name == "address").map(|(_, value)| value).collect();
    let wrong = [stale.address, silent.address, nobody].map(|address| address.to_string());
    assert_eq!(told, wrong, "{error}");
    assert!(error.facts().any(|(name, value)| name == "unseen" && value.contains("refused")), "{error}");
}

#[test]
fn a_name_is_asked_at_each_of_its_addresses() {
    let pair = Pair::new();
    let server = Server::tls(serving(&pair));
    let mut wish = server.endpoint();
    wish.address = Address::Host("localhost".to_owned(), server.address.port());
    let found = observe(&wish);
    let here = found.iter().find(|one| one.place == Place::Socket(server.address)).unwrap();
    assert_eq!(here.seen.as_ref().unwrap().fingerprint, pair.fingerprint());
    wish.address = Address::Host("certwright.invalid".to_owned(), 443);
    assert_eq!(tls(&wish).observe(&Cancel::new()).unwrap_err().kind(), ErrorKind::Network);
}

#[test]
fn a_handshake_that_stalls_at_any_byte_ends_on_time() {
    let pair = Pair::new();
    // What a server says first, byte for byte.
    let (note, flights) = channel();
    let config = serving(&pair);
    let recorder = Server::start(move |mut stream| {
        let mut connection = ServerConnection::new(config.clone()).unwrap();
        while !connection.wants_write() {
            connection.read_tls(&mut stream).unwrap();
            connection.process_new_packets().unwrap();
        }
        let mut flight = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut flight).unwrap();
        }
        note.send(flight).unwrap();
    });
    look(&recorder.endpoint()).unwrap_err();
    let flight = flights.recv().unwrap();
    assert!(flight.len() > 500, "{}", flight.len());
    std::thread::scope(|scope| {
        let looks: Vec<_> = (0..flight.len())
            .step_by(23)
            .map(|at| {
                let said = flight[..at].to_vec();
                scope.spawn(move || {
                    let server = Server::start(move |mut stream| {
                        stream.write_all(&said).unwrap();
                        hold(&stream);
                    });
                    let mut wish = server.endpoint();
                    wish.limit = SHORT;
                    (at, look(&wish).unwrap_err())
                })
            })
            .collect();
        for look in looks {
            let (at, error) = look.join().unwrap();
            // A flight of another handshake cannot be read beyond its first message: then it fails at once.
            assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Network), "{at}: {error:#}");
        }
    });
}

#[test]
fn a_server_that_never_stops_sending_is_left() {
    // Records of a handshake message that claims 16 MiB, and bytes that are no TLS at all.
    let record = [&[22, 3, 3, 0x40, 0][..], &[11, 0xff, 0xff, 0xff][..], &[0; 0x4000 - 4][..]].concat();
    for flood in [record, vec![0; 4096], b"HTTP/1.1 400 Bad Request\r\n\r\n<html>".to_vec()] {
        let server = Server::start(move |mut stream| while stream.write_all(&flood).is_ok() {});
        let error = look(&server.endpoint()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error:#}");
    }
}

#[test]
fn stops_when_asked() {
    let cancel = Cancel::new();
    let (connected, waits) = channel();
    let server = Server::start(move |stream| {
        connected.send(()).unwrap();
        hold(&stream);
    });
    let wish = server.endpoint();
    let probe = tls(&wish);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| probe.observe(&cancel));
        waits.recv().unwrap();
        cancel.cancel();
        assert_eq!(looking.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    assert_eq!(probe.observe(&cancel).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn describes_what_it_asks() {
    let mut wish = endpoint("192.0.2.1:25".parse().unwrap());
    assert_eq!(tls(&wish).describe(), "`192.0.2.1:25` as `www.example.org`");
    wish.starttls = Some(StartTls::Smtp);
    wish.server_name = None;
    wish.address = Address::Host("mail.example.org".to_owned(), 25);
    assert_eq!(tls(&wish).describe(), "`mail.example.org:25` over smtp");
    wish.address = Address::File("/etc/ssl/a.pem".into());
    let fs: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
    assert_eq!(probe(&wish, KeyAlgorithm::EcdsaP256, &fs).unwrap().describe(), "file `/etc/ssl/a.pem`");
}
