//! Everything that speaks TLS here names its provider, and leaves the process without a default as it found it.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certwright::report::Outcome;
use certwright::{
    AcmeClient, AcmeIssuer, ActiveCertificates, Builder, Cancel, Config, Issuer, KeyAlgorithm, LocalCa, LocalIssuer,
    Options, OsFilesystem, PrivateKey, Request, Sans, Selection, SolverSpec, SystemClock,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, Stream};

const NAME: &str = "www.example.org";
const LIMIT: Duration = Duration::from_secs(30);

/// A directory that goes away.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("certwright-providers-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server on this provider that answers each connection with a word, as long as the process runs.
fn serve(provider: CryptoProvider, active: &Arc<ActiveCertificates>) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(active.clone());
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, config) = (socket.unwrap(), config.clone());
            socket.set_read_timeout(Some(LIMIT)).unwrap();
            thread::spawn(move || {
                let mut session = ServerConnection::new(config).unwrap();
                // A client that only looks leaves after the handshake.
                let _ = Stream::new(&mut session, &mut socket).write_all(b"hello");
                session.send_close_notify();
                let _ = session.complete_io(&mut socket);
            });
        }
    });
    address
}

/// What a client on this provider, which trusts this root, reads there.
fn read(provider: CryptoProvider, root: &str, address: SocketAddr) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).unwrap();
    let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut said = String::new();
    Stream::new(&mut session, &mut socket).read_to_string(&mut said).unwrap();
    said
}

/// One test, since the default is one for the process.
#[test]
fn nothing_here_needs_or_makes_a_default() {
    let scratch = Scratch::new();
    // This is such a process: whoever leaves the choice to rustls is stopped here.
    assert!(CryptoProvider::get_default().is_none());
    assert!(std::panic::catch_unwind(ClientConfig::builder).is_err());

    let root = scratch.0.join("store");
    let lineages: String = [("new", "ecdsa-p256"), ("other", "ed25519"), ("third", "ecdsa-p384")]
        .map(|(name, key)| {
            format!("[lineage.{name}]\nissuer = \"lab\"\nidentifiers = [\"{NAME}\", \"127.0.0.1\"]\nkey = \"{key}\"\n")
        })
        .concat();
    let text = format!("version = 1\nroot = \"{}\"\n[issuer.lab]\ntype = \"local\"\n{lineages}", root.display());
    let active = ActiveCertificates::follow(&Config::parse(&text, "a.toml".as_ref()).unwrap(), |_| {}).unwrap();
    let addresses = [serve(ring::default_provider(), &active), serve(aws_lc_rs::default_provider(), &active)];

    // The probes of the lifecycle are TLS clients too.
    let probes = addresses.map(|address| format!("{{ address = \"{address}\", server_name = \"{NAME}\" }}")).join(", ");
    let text = text.replace("key = \"ecdsa-p256\"\n", &format!("key = \"ecdsa-p256\"\nprobe = [{probes}]\n"));
    let config = Config::parse(&text, "a.toml".as_ref()).unwrap();
    let lifecycle = Builder::new(config).served_by(&active).build().unwrap();
    let report = lifecycle.apply(&Selection::All, &Options::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Well, "{report:?}");
    assert_eq!(report.lineages[0].served.as_ref().map(Vec::len), Some(3), "{report:?}");

    let (files, clock) = (Arc::new(OsFilesystem::new()), Arc::new(SystemClock));
    let ca = LocalCa::new("lab".parse().unwrap(), LocalIssuer::default(), files, &root, clock);
    let pem = ca.root_pem(&Cancel::new()).unwrap();
    for address in addresses {
        for provider in [ring::default_provider(), aws_lc_rs::default_provider()] {
            assert_eq!(read(provider, &pem, address), "hello");
        }
    }

    // So is the client of an ACME server. This one is none, which shows once the handshake is done.
    let trust = scratch.0.join("root.pem");
    std::fs::write(&trust, &pem).unwrap();
    let solver = SolverSpec::HttpListener(addresses[0]);
    let mut wish = AcmeIssuer::new(format!("https://{}/directory", addresses[0]), solver);
    wish.trust = Some(trust);
    let (files, clock) = (Arc::new(OsFilesystem::new()), Arc::new(SystemClock));
    let client = AcmeClient::new("public".parse().unwrap(), wish, Vec::new(), files, &root, clock);
    let (lineage, names) = ("www".parse().unwrap(), Sans::new(vec![NAME.parse().unwrap()]).unwrap());
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let error = client.issue(&Request::new(&lineage, &names, &key), &Cancel::new()).unwrap_err();
    assert!(format!("{error:#}").contains("HTTP"), "{error:#}");
    assert!(CryptoProvider::get_default().is_none());
}
