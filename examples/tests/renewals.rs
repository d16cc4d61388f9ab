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
    ActiveCertificates, Builder, Cancel, Clock, Config, Lifecycle, LocalCa, LocalIssuer, ManualClock, Options,
    OsFilesystem, Selection, SystemClock,
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

/// A certificate that is due for renewal as soon as it is there, with a minute left: half of a short life, a minute of
/// which lies before its beginning.
const LIFETIME: &str = "2m";

struct Service {
    running: Running,
    address: SocketAddr,
    scratch: Scratch,
}

fn store(scratch: &Scratch) -> PathBuf {
    scratch.join("store")
}

fn wish(scratch: &Scratch, issuer: &str) -> String {
    format!("version = 1\nroot = \"{}\"\n{issuer}identifiers = [\"{NAME}\"]\n", store(scratch).display())
}

fn issuing(scratch: &Scratch) -> String {
    let issuer =
        format!("[issuer.lab]\ntype = \"local\"\nlifetime = \"{LIFETIME}\"\n[lineage.www]\nissuer = \"lab\"\n");
    wish(scratch, &issuer)
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
        let rest = load.stop();
        assert!(rest.iter().all(Result::is_ok), "{rest:?}");
        assert_eq!(self.running.wait(Duration::ZERO).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}

fn clients(address: SocketAddr, roots: &[u8]) -> Load {
    Load::on(address, NAME, roots, CLIENTS).unwrap()
}

/// The server of the example in this process, until that ends.
fn serve(address: SocketAddr, active: Arc<ActiveCertificates>) {
    let (sender, bound) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            sender.send(()).unwrap();
            service::serve(listener, active).await.unwrap();
        });
    });
    bound.recv_timeout(LIMIT).unwrap();
}

#[test]
fn twenty_renewals_by_the_service_itself_fail_no_handshake() {
    let scratch = Scratch::on_disk().unwrap();
    let configuration = issuing(&scratch);
    let service = start(scratch, &configuration);
    let load = service.load();
    let connections = load.until_different(1 + RENEWALS, LIMIT).unwrap();
    println!("{RENEWALS} renewals, {CLIENTS} clients, {connections} connections");
    service.end(load);
}

#[test]
fn twenty_renewals_by_another_process_are_served_to_every_client() {
    let scratch = Scratch::on_disk().unwrap();
    let other = Lifecycle::open(Config::parse(&issuing(&scratch), "other.toml".as_ref()).unwrap()).unwrap();
    // To the service, the certificates of the lineage come from elsewhere.
    let configuration = wish(&scratch, "[lineage.www]\n");
    let renew = || {
        let report = other.apply(&Selection::All, &Options::default()).unwrap();
        assert!(report.lineages[0].changed, "{report:?}");
    };
    renew();
    let service = start(scratch, &configuration);
    let load = service.load();
    let mut connections = 0;
    for _ in 0..RENEWALS {
        renew();
        let leaf = served::leaf_of(&store(&service.scratch).join("www/current/leaf.pem")).unwrap();
        connections += load.until_all_get(&leaf, 1, LIMIT).unwrap();
    }
    println!("{RENEWALS} renewals, {CLIENTS} clients, {connections} connections");
    service.end(load);
}

/// The authority looks for its answers at the very address at which the clients are served.
#[test]
fn twenty_renewals_at_an_acme_server_are_served_to_every_client() {
    let validity = Duration::from_secs(47 * 3_600);
    let pebble = Pebble::start(pebble::Options { validity: Some(validity), ..pebble::Options::default() }).unwrap();
    let scratch = Scratch::on_disk().unwrap();
    let issuer = format!(
        "[issuer.public]\ntype = \"acme\"\ndirectory = \"{}\"\ntrust = \"{}\"\nsolver = []\n[lineage.www]\nissuer = \"public\"\n",
        pebble.directory,
        pebble.trust.display()
    );
    let config = Config::parse(&wish(&scratch, &issuer), "service.toml".as_ref()).unwrap();
    let active = ActiveCertificates::follow(&config, |_| {}).unwrap();
    serve(pebble.tls, active.clone());

    // A moment at which every certificate is due for renewal, half of its life before its end, and which the client of the
    // authority, whose clock is right, still believes to be now.
    let now = SystemClock.now().saturating_add(validity / 2).saturating_add(Duration::from_secs(600));
    let builder = Builder::new(config).clock(Arc::new(ManualClock::at(now)));
    let lifecycle = builder.served_by(&active).solver(active).build().unwrap();
    let renew = || {
        let report = lifecycle.apply(&Selection::All, &Options::default()).unwrap();
        assert!(report.lineages[0].changed && report.lineages[0].error.is_none(), "{report:?}");
        served::leaf_of(&store(&scratch).join("www/current/leaf.pem")).unwrap()
    };
    renew();
    let load = clients(pebble.tls, &pebble.root(0).unwrap());
    let mut connections = 0;
    for _ in 0..RENEWALS {
        connections += load.until_all_get(&renew(), 1, LIMIT).unwrap();
    }
    println!("{RENEWALS} renewals, {CLIENTS} clients, {connections} connections");
    let rest = load.stop();
    assert!(rest.iter().all(Result::is_ok), "{rest:?}");
    let looks = pebble.said().matches("Pulled a task from the Tasks queue").count();
    // It uses an authorization again once in a hundred times, even when told never to.
    assert!(looks > RENEWALS / 2, "{looks} looks: {}", pebble.said());
}
