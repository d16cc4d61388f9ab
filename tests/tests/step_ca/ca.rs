//! What the suite asks of a CA, whichever it is, and a client of it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use certwright::{
    Cancel, Chain, Clock, Held, Issued, Issuer, KeyAlgorithm, ManualClock, Material, OsFilesystem, PrivateKey, Request,
    Result, Sans, SecretSource, StepCaClient, StepCaIssuer, StepCredential, StepJwk, StepX5c, SystemClock,
};
use certwright_testbed::{StepCa as Server, StepSettings};
use certwright_tests::openssl::Verify;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::step_ca::{Options, StepCa, Turn};
use serde_json::Value;

/// A step-ca.
pub(crate) trait Ca: Sized + Send + Sync {
    /// One with these claims, in the words of its configuration, whose certificates begin so long ago.
    fn start(claims: Value, backdate: &'static str) -> Self;
    /// Where it is.
    fn url(&self) -> String;
    /// The SHA-256 of its root.
    fn fingerprint(&self) -> String;
    /// Its roots, PEM.
    fn roots(&self) -> Vec<u8>;
    /// Opens the key of the JWK provisioner.
    fn password(&self) -> &str;
    /// That key as `step` writes it into a file.
    fn key_file(&self) -> String;
    /// That key as it is sent.
    fn encrypted_key(&self) -> String;
    /// Certificate and key that the X5C provisioner believes.
    fn holder(&self) -> (PathBuf, PathBuf);
    /// A one-time token by somebody else.
    fn token(&self, claims: &Value) -> String;
    /// End it; what it remembers stays.
    fn stop(&mut self);
    /// Start it again.
    fn run(&mut self);
    /// What it tells of the requests that it took.
    fn said(&self) -> String;
    /// Go a step further in the change of its root, and start it again.
    fn turn(&mut self, turn: Turn);
}

/// The one that Debian ships.
pub(crate) struct Real(StepCa);

impl Ca for Real {
    fn start(claims: Value, backdate: &'static str) -> Self {
        Self(StepCa::start(&Options { claims, backdate, address: None }).unwrap())
    }

    fn url(&self) -> String {
        self.0.url.clone()
    }

    fn fingerprint(&self) -> String {
        self.0.fingerprint.clone()
    }

    fn roots(&self) -> Vec<u8> {
        self.0.roots().unwrap()
    }

    fn password(&self) -> &str {
        certwright_tests::servers::step_ca::PASSWORD
    }

    fn key_file(&self) -> String {
        self.0.key_file()
    }

    fn encrypted_key(&self) -> String {
        self.0.encrypted_key()
    }

    fn holder(&self) -> (PathBuf, PathBuf) {
        self.0.holder.clone()
    }

    fn token(&self, claims: &Value) -> String {
        self.0.token(claims).unwrap()
    }

    fn stop(&mut self) {
        self.0.stop().unwrap();
    }

    fn run(&mut self) {
        self.0.run().unwrap();
    }

    fn said(&self) -> String {
        self.0.said()
    }

    fn turn(&mut self, turn: Turn) {
        self.0.stop().unwrap();
        self.0.turn(turn).unwrap();
        self.0.run().unwrap();
    }
}

/// The test bed's stand-in.
pub(crate) struct StandIn {
    pub(crate) server: Server,
    files: Scratch,
}

impl Ca for StandIn {
    fn start(claims: Value, backdate: &'static str) -> Self {
        let mut settings = StepSettings::default();
        settings.claims = claims;
        settings.backdate = backdate.to_owned();
        let server = Server::with(settings).unwrap();
        let files = Scratch::on_disk().unwrap();
        let holder = server.holder();
        std::fs::write(files.join("holder.pem"), holder.chain().fullchain_pem()).unwrap();
        secret(&files, "holder-key.pem", std::str::from_utf8(holder.key().to_pem().expose()).unwrap());
        Self { server, files }
    }

    fn url(&self) -> String {
        self.server.url()
    }

    fn fingerprint(&self) -> String {
        self.server.fingerprint().to_owned()
    }

    fn roots(&self) -> Vec<u8> {
        self.server.roots_pem().into_bytes()
    }

    fn password(&self) -> &str {
        "password"
    }

    fn key_file(&self) -> String {
        self.server.key_file()
    }

    fn encrypted_key(&self) -> String {
        self.server.encrypted_key()
    }

    fn holder(&self) -> (PathBuf, PathBuf) {
        (self.files.join("holder.pem"), self.files.join("holder-key.pem"))
    }

    fn token(&self, claims: &Value) -> String {
        self.server.token(claims).unwrap()
    }

    fn stop(&mut self) {
        self.server.stop();
    }

    fn run(&mut self) {
        self.server.run().unwrap();
    }

    fn said(&self) -> String {
        self.server.asked().join("\n")
    }

    fn turn(&mut self, turn: Turn) {
        self.server.stop();
        match turn {
            Turn::Announce => self.server.announce_root().unwrap(),
            Turn::Switch => self.server.switch_root(),
            Turn::Retire => self.server.retire_root(),
        }
        self.server.run().unwrap();
    }
}

/// A client's side: its files, its clock, what it wishes.
pub(crate) struct Bench {
    pub(crate) scratch: Scratch,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wish: StepCaIssuer,
}

impl Bench {
    /// With the password of the JWK provisioner in a file.
    pub(crate) fn new<C: Ca>(ca: &C) -> Self {
        let scratch = Scratch::on_disk().unwrap();
        let password = secret(&scratch, "password", ca.password());
        let credential = StepCredential::Jwk(StepJwk::new("deploy", SecretSource::File(password)));
        let mut wish = StepCaIssuer::new(ca.url(), ca.fingerprint().parse().unwrap(), credential);
        wish.limit = Duration::from_secs(30);
        Self { scratch, clock: Arc::new(SystemClock), wish }
    }

    /// With the certificate of a machine.
    pub(crate) fn with_certificate<C: Ca>(ca: &C) -> Self {
        let mut bench = Self::new(ca);
        let (certificate, key) = ca.holder();
        bench.wish.credential = Some(StepCredential::X5c(StepX5c::new("machines", certificate, key)));
        bench
    }

    /// This machine's clock is so far ahead; or behind, when that is negative.
    pub(crate) fn off_by(&mut self, seconds: i64) {
        let now = SystemClock.now().unix() + seconds;
        self.clock = Arc::new(ManualClock::at(certwright::Timestamp::from_unix(now)));
    }

    /// As a new process would make it.
    pub(crate) fn client(&self) -> StepCaClient {
        let files = Arc::new(OsFilesystem::new());
        StepCaClient::new(
            "internal".parse().unwrap(),
            self.wish.clone(),
            files,
            self.scratch.path(),
            self.clock.clone(),
        )
    }

    pub(crate) fn ask(&self, names: &[&str]) -> Result<Material> {
        self.ask_for(names, None, None)
    }

    /// For these names, this key or a fresh one, in the place of this certificate.
    pub(crate) fn ask_for(
        &self,
        names: &[&str],
        key: Option<&PrivateKey>,
        held: Option<&Material>,
    ) -> Result<Material> {
        let names = Sans::new(names.iter().map(|name| name.parse()).collect::<Result<_>>()?)?;
        let key = key.cloned().map_or_else(|| PrivateKey::generate(KeyAlgorithm::EcdsaP256), Ok)?;
        let lineage = "www".parse()?;
        let mut request = Request::new(&lineage, &names, &key);
        if let Some(held) = held {
            request = request.replacing_held(Held::new(held));
        }
        let Issued { chain, key: brought, .. } = self.client().issue(&request, &Cancel::new())?;
        Material::new(brought.unwrap_or(key), chain)
    }
}

/// A file for nobody else.
pub(crate) fn secret(scratch: &Scratch, name: &str, content: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    let path = scratch.join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// OpenSSL takes the chain for a server's of this name.
pub(crate) fn serves(chain: &Chain, roots: &[u8], name: &str) -> io::Result<()> {
    let (leaf, intermediates) = (chain.leaf_pem(), chain.chain_pem());
    let (leaf, intermediates) = (leaf.as_bytes(), intermediates.as_bytes());
    Verify { leaf, intermediates, roots, at: None, name: Some(name) }.as_server()
}
