//! The example under load: clients that connect without end notice nothing of twenty renewals.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a failing test may panic; the figures are printed")]

#[path = "../service.rs"]
#[expect(dead_code, reason = "the program itself is started as one")]
mod service;

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use certwright::{
    ActiveCertificates, Builder, Cancel, Config, Lifecycle, LocalCa, LocalIssuer, Options, OsFilesystem, Selection,
    SystemClock,
};
use certwright_tests::load::Load;
use certwright_tests::process::Running;
use certwright_tests::scratch::Scratch;
use certwright_tests::served::{self, Leaf};
use certwright_tests::servers::Place;
use certwright_tests::servers::pebble::{self, Pebble};
use certwright_tests::until::until;

const RENEWALS: usize = 20;
const CLIENTS: usize = 64;
const LIMIT: Duration = Duration::from_secs(180);
const NAME: &str = "www.example.org";

/// A minute of it lies before the certificate is made, and half of it has to be left: the next is due in a minute, which is
/// how soon after the last order another may be placed.
const SHORT: &str = "4m";

struct Service {
    running: Running,
    address: SocketAddr,
    scratch: Scratch,
}

fn store(scratch: &Scratch) -> PathBuf {
    scratch.join("store")
}

/// A configuration: tables of issuers, then what the lineage says besides its name.
fn wish(scratch: &Scratch, issuers: &str, lineage: &str) -> String {
    let root = store(scratch).display().to_string();
    format!("version = 1\nroot = \"{root}\"\n{issuers}[lineage.www]\nidentifiers = [\"{NAME}\"]\n{lineage}")
}

fn parse(text: &str) -> Config {
    Config::parse(text, "service.toml".as_ref()).unwrap()
}

fn lab(lifetime: &str) -> String {
    format!("[issuer.lab]\ntype = \"local\"\nlifetime = \"{lifetime}\"\n")
}

/// Two life cycles that wish for another kind of key: each orders anew what the other has deployed.
struct Turns {
    lifecycles: [Lifecycle; 2],
    taken: usize,
    leaf: PathBuf,
}

impl Turns {
    fn new(scratch: &Scratch, issuers: &str, issuer: &str, build: impl Fn(Builder) -> Lifecycle) -> Self {
        let lifecycles = ["ecdsa-p256", "ecdsa-p384"].map(|key| {
            let lineage = format!("issuer = \"{issuer}\"\nkey = \"{key}\"\n");
            build(Builder::new(parse(&wish(scratch, issuers, &lineage))))
        });
        Self { lifecycles, taken: 0, leaf: store(scratch).join("www/current/leaf.pem") }
    }

    /// The certificate that is active then.
    fn renew(&mut self) -> Leaf {
        let lifecycle = &self.lifecycles[self.taken % 2];
        self.taken += 1;
        let report = lifecycle.apply(&Selection::All, &Options::default()).unwrap();
        assert!(report.lineages[0].changed && report.lineages[0].error.is_none(), "{report:?}");
        served::leaf_of(&self.leaf).unwrap()
    }

    /// Renews again and again, each time once every client has got the certificate before.
    fn under(&mut self, load: &Load) {
        let mut connections = 0;
        for _ in 0..RENEWALS {
            connections += load.until_all_get(&self.renew(), 1, LIMIT).unwrap();
        }
        println!("{RENEWALS} renewals, {CLIENTS} clients, {connections} connections");
    }
}

/// The root of the embedded CA, which is made when it is not there.
fn root(scratch: &Scratch) -> String {
    let (files, clock) = (Arc::new(OsFilesystem::new()), Arc::new(SystemClock));
    let ca = LocalCa::new("lab".parse().unwrap(), LocalIssuer::default(), files, &store(scratch), clock);
    ca.root_pem(&Cancel::new()).unwrap()
}

/// The example with this configuration, once it listens.
fn start(scratch: Scratch, configuration: &str) -> Service {
    let path = scratch.join("service.toml");
    fs::write(&path, configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
    command.arg(path).arg("127.0.0.1:0").stdout(Stdio::piped());
    let mut running = Running::start(&mut command).unwrap();
    let mut line = String::new();
    BufReader::new(running.stdout().unwrap()).read_line(&mut line).unwrap();
    Service { running, address: line.trim().parse().unwrap(), scratch }
}

impl Service {
    fn served(&self) -> io::Result<Leaf> {
        served::leaf(Place { address: self.address, dialect: None }, Some(NAME))
    }

    /// Sends the clients, once there is something to serve.
    fn load(&self) -> Load {
        until(LIMIT, "a first certificate", || self.served()).unwrap();
        clients(self.address, root(&self.scratch).as_bytes())
    }

    /// It ran from beginning to end, and nobody was refused.
    fn end(mut self, load: Load) {
        nobody_was_refused(load);
        assert_eq!(self.running.wait(Duration::ZERO).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}

fn clients(address: SocketAddr, roots: &[u8]) -> Load {
    Load::on(address, NAME, roots, CLIENTS).unwrap()
}

/// The server of the example in this process, until that ends, and where it listens.
fn serve(address: SocketAddr, active: Arc<ActiveCertificates>) -> SocketAddr {
    let (sender, bound) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            service::serve(listener, active).await.unwrap();
        });
    });
    bound.recv_timeout(LIMIT).unwrap()
}

fn nobody_was_refused(load: Load) {
    let rest = load.stop();
    assert!(rest.iter().all(Result::is_ok), "{rest:?}");
}

#[test]
fn the_program_renews_by_itself() {
    let scratch = Scratch::on_disk().unwrap();
    let configuration = wish(&scratch, &lab(SHORT), "issuer = \"lab\"\n");
    let service = start(scratch, &configuration);
    let load = service.load();
    load.until_different(2, LIMIT).unwrap();
    service.end(load);
}

#[test]
fn twenty_renewals_by_another_process_are_served_to_every_client() {
    let scratch = Scratch::on_disk().unwrap();
    let mut turns = Turns::new(&scratch, &lab("30d"), "lab", |builder| builder.build().unwrap());
    turns.renew();
    // To the service, the certificates of the lineage come from elsewhere.
    let configuration = wish(&scratch, "", "");
    let service = start(scratch, &configuration);
    let load = service.load();
    turns.under(&load);
    service.end(load);
}

#[test]
fn twenty_renewals_in_the_process_of_the_server_are_served_to_every_client() {
    let scratch = Scratch::on_disk().unwrap();
    let active = ActiveCertificates::open(&parse(&wish(&scratch, "", "")), |_| {});
    let mut turns = Turns::new(&scratch, &lab("30d"), "lab", |builder| builder.served_by(&active).build().unwrap());
    let address = serve("127.0.0.1:0".parse().unwrap(), active.clone());
    turns.renew();
    let load = clients(address, root(&scratch).as_bytes());
    turns.under(&load);
    nobody_was_refused(load);
}

/// The authority looks for its answers at the very address at which the clients are served.
#[test]
fn twenty_renewals_at_an_acme_server_are_served_to_every_client() {
    let pebble = Pebble::start(pebble::Options::default()).unwrap();
    let scratch = Scratch::on_disk().unwrap();
    let issuers = format!(
        "[issuer.public]\ntype = \"acme\"\ndirectory = \"{}\"\ntrust = \"{}\"\nsolver = []\n",
        pebble.directory,
        pebble.trust.display()
    );
    let active = ActiveCertificates::open(&parse(&wish(&scratch, "", "")), |_| {});
    let build = |builder: Builder| builder.served_by(&active).solver(active.clone()).build().unwrap();
    let mut turns = Turns::new(&scratch, &issuers, "public", build);
    serve(pebble.tls, active.clone());
    turns.renew();
    let load = clients(pebble.tls, &pebble.root(0).unwrap());
    turns.under(&load);
    nobody_was_refused(load);
    let looks = pebble.said().matches("Pulled a task from the Tasks queue").count();
    // It uses an authorization again once in a hundred times, even when told never to.
    assert!(looks > RENEWALS / 2, "{looks} looks: {}", pebble.said());
}
