//! The whole of it on a real disk, with handshakes in memory.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::active::ActiveCertificates;
use super::slot::Serving;
use crate::deploy::reload::{ReloadContext, Reloaded, Reloader};
use crate::ground::cancel::Cancel;
use crate::ground::error::ErrorKind;
use crate::ground::id::Fingerprint;
use crate::ground::time::{Clock, ManualClock};
use crate::issue::solver::{Challenge, Solver};
use crate::lifecycle::report::Outcome;
use crate::lifecycle::{Builder, Lifecycle, Options, Return, Selection};
use crate::pki::digest::sha256;
use crate::pki::leaf::Certificate;
use crate::place::clock::SystemClock;
use crate::place::scratch::Scratch;
use crate::plan::spec::{ChallengeKind, Config};

const LONG: Duration = Duration::from_secs(60);

/// A client that takes any certificate whose owner signs the handshake by one of these schemes.
#[derive(Debug)]
struct Client {
    algorithms: WebPkiSupportedAlgorithms,
    schemes: Vec<SignatureScheme>,
    /// webpki reads no key out of a certificate with a critical extension that it does not know.
    is_authority: bool,
}

impl Client {
    fn of_any_kind() -> Self {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        Self { schemes: algorithms.supported_schemes(), algorithms, is_authority: false }
    }

    fn authority() -> Self {
        Self { is_authority: true, ..Self::of_any_kind() }
    }

    fn with(schemes: &[SignatureScheme]) -> Self {
        Self { schemes: schemes.to_vec(), ..Self::of_any_kind() }
    }

    /// What it is served when it asks for this name and offers these protocols.
    fn connect(self, active: &Arc<ActiveCertificates>, name: &str, offers: &[&[u8]]) -> Result<Certificate, String> {
        let provider = Arc::new(ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(active.clone());
        server.alpn_protocols = vec![b"h2".to_vec(), ActiveCertificates::CHALLENGE_PROTOCOL.to_vec()];
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self))
            .with_no_client_auth();
        client.alpn_protocols = offers.iter().map(|protocol| protocol.to_vec()).collect();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut sent = Vec::new();
            client.write_tls(&mut sent).unwrap();
            server.read_tls(&mut sent.as_slice()).unwrap();
            server.process_new_packets().map_err(|error| error.to_string())?;
            let mut answered = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut answered).unwrap();
            }
            let mut answered = answered.as_slice();
            while !answered.is_empty() {
                client.read_tls(&mut answered).unwrap();
                client.process_new_packets().map_err(|error| error.to_string())?;
            }
        }
        Ok(Certificate::from_der(&client.peer_certificates().unwrap()[0]).unwrap())
    }
}

impl ServerCertVerifier for Client {
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
        match self.is_authority {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => verify_tls13_signature(message, leaf, signature, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

fn config(scratch: &Scratch, lineages: &[(&str, &str, &str)]) -> Config {
    let root = scratch.at("store");
    let mut text = format!("version = 1\nroot = \"{}\"\n[issuer.lab]\ntype = \"local\"\n", root.display());
    for (name, identifier, key) in lineages {
        text += &format!("[lineage.{name}]\nissuer = \"lab\"\nidentifiers = [\"{identifier}\"]\nkey = \"{key}\"\n");
    }
    Config::parse(&text, "certwright.toml".as_ref()).unwrap()
}

const WWW: &[(&str, &str, &str)] = &[("www", "www.example.org", "ecdsa-p256")];

fn told() -> (impl Fn(&Serving) + Send + Sync + 'static, Receiver<Serving>) {
    let (sender, receiver) = channel();
    (move |serving: &Serving| drop(sender.send(serving.clone())), receiver)
}

fn fingerprint(served: Result<Certificate, String>) -> Fingerprint {
    served.unwrap().fingerprint()
}

/// The leaf that the disk says is active.
fn on_disk(scratch: &Scratch, lineage: &str) -> Fingerprint {
    let pem = std::fs::read(scratch.at("store").join(lineage).join("current/leaf.pem")).unwrap();
    sha256(crate::pki::chain::Chain::from_pem(&pem).unwrap().leaf().der())
}

fn apply(lifecycle: &Lifecycle) -> crate::lifecycle::report::RunReport {
    let report = lifecycle.apply(&Selection::All, &Options::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Well, "{report:?}");
    report
}

/// A lifecycle whose certificates can be made old.
fn aging(config: Config) -> (Builder, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    (Builder::new(config).clock(clock.clone()), clock)
}

/// Long enough for a renewal.
const MONTH: Duration = Duration::from_secs(25 * 86_400);

#[test]
fn a_lifecycle_in_this_process_tells_and_sees_what_is_served() {
    let scratch = Scratch::new();
    let config = config(&scratch, WWW);
    let (tell, said) = told();
    let active = ActiveCertificates::open(&config, tell);
    let shake = || Client::of_any_kind().connect(&active, "www.example.org", &[]);
    assert!(shake().is_err() && said.try_recv().is_err());

    let (builder, clock) = aging(config);
    let lifecycle = builder.served_by(&active).build().unwrap();
    let report = apply(&lifecycle);
    assert_eq!(fingerprint(shake()), on_disk(&scratch, "www"));
    let seen = report.lineages[0].served.as_ref().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let first = said.try_recv().unwrap();
    assert_eq!(first.generation.map(|id| id.to_string()), report.lineages[0].generation);

    let before = fingerprint(shake());
    clock.advance(MONTH);
    apply(&lifecycle);
    assert_ne!(fingerprint(shake()), before);
    assert_eq!(fingerprint(shake()), on_disk(&scratch, "www"));
    lifecycle.rollback(&"www".parse().unwrap(), Return::Previous, &Options::default()).unwrap();
    assert_eq!(fingerprint(shake()), on_disk(&scratch, "www"));
}

#[test]
fn a_switch_by_another_process_is_followed() {
    let scratch = Scratch::new();
    let config = config(&scratch, WWW);
    let (tell, said) = told();
    let active = ActiveCertificates::follow(&config, tell).unwrap();
    let (other, clock) = aging(config);
    let other = other.build().unwrap();
    for _ in 0..3 {
        let report = apply(&other);
        let serving = said.recv_timeout(LONG).unwrap();
        assert_eq!(serving.generation.map(|id| id.to_string()), report.lineages[0].generation, "{serving}");
        let served = Client::of_any_kind().connect(&active, "www.example.org", &[]);
        assert_eq!(fingerprint(served), on_disk(&scratch, "www"));
        clock.advance(MONTH);
    }
    drop(active);
    // The thread that follows is the last who could tell.
    assert!(said.recv_timeout(LONG).is_err());
}

#[test]
fn what_cannot_be_used_leaves_what_is_served_and_is_told_once() {
    let scratch = Scratch::new();
    let config = config(&scratch, WWW);
    let (lifecycle, clock) = aging(config.clone());
    let lifecycle = lifecycle.build().unwrap();
    apply(&lifecycle);
    let (tell, said) = told();
    let active = ActiveCertificates::open(&config, tell);
    let good = said.try_recv().unwrap();
    let served = || fingerprint(Client::of_any_kind().connect(&active, "www.example.org", &[]));
    let before = served();

    let current = scratch.at("store/www/current");
    let old = std::fs::read_link(&current).unwrap();
    clock.advance(MONTH);
    apply(&lifecycle);
    // The key of one generation and the chain of another never meet.
    std::fs::copy(scratch.at("store/www").join(&old).join("key.pem"), current.join("key.pem")).unwrap();
    for _ in 0..3 {
        active.look();
    }
    let bad = said.try_recv().unwrap();
    assert_eq!((bad.generation, bad.fault.as_ref().unwrap().kind()), (good.generation, ErrorKind::Unfit));
    assert!(bad.to_string().contains("key.pem"), "{bad}");
    assert!(said.try_recv().is_err());
    assert_eq!(served(), before);
    assert_eq!(active.serving()[0].fault.as_ref().unwrap().kind(), ErrorKind::Unfit);

    apply(&lifecycle);
    active.look();
    assert!(said.try_recv().unwrap().fault.is_none());
    assert_eq!(served(), on_disk(&scratch, "www"));

    std::fs::rename(scratch.at("store"), scratch.at("gone")).unwrap();
    active.look();
    assert_eq!(said.try_recv().unwrap().fault.unwrap().kind(), ErrorKind::NotFound);
    assert!(Client::of_any_kind().connect(&active, "www.example.org", &[]).is_ok());
}

#[test]
fn the_lineage_is_chosen_by_name_and_by_the_kind_of_key() {
    let scratch = Scratch::new();
    let lineages = [
        ("any", "*.example.org", "ecdsa-p384"),
        ("ed", "192.0.2.1", "ed25519"),
        ("new", "www.example.org", "ecdsa-p256"),
        ("old", "www.example.org", "rsa-2048"),
    ];
    let config = config(&scratch, &lineages);
    apply(&Lifecycle::open(config.clone()).unwrap());
    let active = ActiveCertificates::open(&config, |_| {});
    let rsa = || Client::with(&[SignatureScheme::RSA_PSS_SHA256]);
    let any = Client::of_any_kind;
    for (client, name, lineage) in [
        (any(), "www.example.org", "new"),
        (rsa(), "www.example.org", "old"),
        (any(), "mail.example.org", "any"),
        (any(), "192.0.2.1", "ed"),
    ] {
        assert_eq!(fingerprint(client.connect(&active, name, &[])), on_disk(&scratch, lineage), "{name}");
    }
    assert!(rsa().connect(&active, "mail.example.org", &[]).is_err());
    assert!(any().connect(&active, "example.net", &[]).is_err());
}

#[test]
fn a_challenge_is_answered_to_whoever_offers_the_protocol_alone() {
    let scratch = Scratch::new();
    let config = config(&scratch, WWW);
    let active = ActiveCertificates::open(&config, |_| {});
    apply(&Builder::new(config).served_by(&active).build().unwrap());
    let usual = on_disk(&scratch, "www");
    let ask = |offers: &[&[u8]]| Client::authority().connect(&active, "www.example.org", offers);
    let acme: &[&[u8]] = &[b"acme-tls/1"];
    assert!(ask(acme).is_err());

    let challenge = |token: &str| {
        Challenge::new(ChallengeKind::TlsAlpn01, "www.example.org".parse().unwrap(), token, "thumb").unwrap()
    };
    let (one, two) = (challenge("one"), challenge("two"));
    active.present(&one, &Cancel::new()).unwrap();
    let digest = *sha256(b"one.thumb").as_bytes();
    let shown = ask(acme).unwrap();
    assert!(shown.der().windows(32).any(|window| window == digest));
    assert_eq!(shown.identifiers(), ["www.example.org".parse().unwrap()]);
    for offers in ["", "h2", "h2 acme-tls/1", "acme-tls/1 h2"] {
        let offers: Vec<&[u8]> = offers.split_whitespace().map(str::as_bytes).collect();
        assert_eq!(fingerprint(ask(&offers)), usual);
    }
    assert!(Client::authority().connect(&active, "mail.example.org", acme).is_err());

    active.present(&two, &Cancel::new()).unwrap();
    active.clean_up(&two).unwrap();
    active.clean_up(&two).unwrap();
    assert_eq!(fingerprint(ask(acme)), shown.fingerprint());
    active.clean_up(&one).unwrap();
    assert!(ask(acme).is_err());
    assert_eq!(fingerprint(ask(&[])), usual);
}

#[test]
fn an_address_is_asked_for_by_its_reverse_name() {
    let scratch = Scratch::new();
    let active = ActiveCertificates::open(&config(&scratch, WWW), |_| {});
    let challenge = Challenge::new(ChallengeKind::TlsAlpn01, "192.0.2.1".parse().unwrap(), "one", "thumb").unwrap();
    active.present(&challenge, &Cancel::new()).unwrap();
    let shown = Client::authority().connect(&active, "1.2.0.192.in-addr.arpa", &[b"acme-tls/1"]).unwrap();
    assert_eq!(shown.identifiers(), ["192.0.2.1".parse().unwrap()]);
}

#[test]
fn a_lifecycle_of_other_lineages_is_told_so() {
    let scratch = Scratch::new();
    let active = ActiveCertificates::open(&config(&scratch, WWW), |_| {});
    let bundle = Vec::new().into();
    let (lineage, leaf) = ("mail".parse().unwrap(), Fingerprint::from_bytes([0; 32]));
    let generation = crate::ground::id::GenerationId::new(1, &leaf);
    let context = ReloadContext::new(&lineage, generation, leaf, &bundle);
    let error = active.reload(&context, &Cancel::new()).unwrap_err();
    assert_eq!((error.kind(), error.fact("lineage")), (ErrorKind::InvalidSpec, Some("mail")));
    // What cannot be read is not served, and not confirmed either.
    let lineage = "www".parse().unwrap();
    let context = ReloadContext::new(&lineage, generation, leaf, &bundle);
    let error = active.reload(&context, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReloadFailed);
    assert_ne!(active.reload(&context, &Cancel::new()).ok(), Some(Reloaded::Confirmed));
}
