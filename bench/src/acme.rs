//! One issuance from the real Pebble without its sleeps: account known, http-01, P-256, a name that is new each time. Each
//! client is a process of its own that ends with the chain in a file.

mod floor;
mod ours;
mod peers;
mod web;

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use certwright_tests::servers::pebble::{Options, Pebble};

use crate::Fault;
use crate::measure::{Goal, Pairs, children, in_turn, wall};
use crate::site::{Site, well};

pub(crate) use self::floor::once as bare;
pub(crate) use self::ours::once as ours;

/// Orders of one measurement: the kernel tells the CPU time of children in hundredths.
const ORDERS: u32 = 20;
const PAIRS: usize = 7;
/// A peer takes longer, or sleeps for seconds.
const PEER_ORDERS: u32 = 2;
const PEER_PAIRS: usize = 2;

/// What a client has to know.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Where it keeps its account and puts the chain.
    pub(crate) folder: PathBuf,
    pub(crate) directory: String,
    /// The roots of the directory's TLS.
    pub(crate) trust: PathBuf,
    /// Where the authority looks for answers.
    pub(crate) http: SocketAddr,
    pub(crate) name: String,
}

impl Job {
    /// From the words of a command line.
    pub(crate) fn read(words: &[&str]) -> Result<Self, Fault> {
        let [folder, directory, trust, http, name] = words else { return Err("five words make an order".into()) };
        Ok(Self {
            folder: folder.into(),
            directory: (*directory).to_owned(),
            trust: trust.into(),
            http: http.parse()?,
            name: (*name).to_owned(),
        })
    }
}

/// The authority, and names that nobody asked for before.
struct Stage {
    site: Site,
    pebble: Pebble,
    count: Cell<u32>,
}

impl Stage {
    fn job(&self, client: &str) -> Result<Job, Fault> {
        let folder = self.site.folder().join(client);
        std::fs::create_dir_all(&folder)?;
        let number = self.count.get() + 1;
        self.count.set(number);
        Ok(Job {
            folder,
            directory: self.pebble.directory.clone(),
            trust: self.pebble.trust.clone(),
            http: self.pebble.http,
            name: format!("n{number}.bench.example"),
        })
    }

    /// A client that is a verb of this program.
    fn own(&self, verb: &str) -> Result<(), Fault> {
        let job = self.job(verb)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(verb).arg(&job.folder).arg(&job.directory).arg(&job.trust).arg(job.http.to_string()).arg(&job.name);
        well(!command.status()?.success())
    }

    /// How many requests one order is.
    fn requests(&self, order: &dyn Fn() -> Result<(), Fault>) -> Result<usize, Fault> {
        let before = self.pebble.requests().len();
        order()?;
        Ok(self.pebble.requests().len() - before)
    }
}

/// Both clocks, one after the other: seconds of one order.
fn measured(
    orders: [u32; 2],
    pairs: usize,
    ours: &dyn Fn() -> Result<(), Fault>,
    theirs: &dyn Fn() -> Result<(), Fault>,
) -> Result<(Pairs, Pairs), Fault> {
    type Clock = fn(&mut dyn FnMut() -> Result<(), Fault>) -> Result<f64, Fault>;
    let many = |order: &dyn Fn() -> Result<(), Fault>, orders: u32, clock: Clock| -> Result<f64, Fault> {
        let all = clock(&mut || (0..orders).try_for_each(|_| order()))?;
        Ok(all / f64::from(orders))
    };
    let [own, others] = orders;
    let by = |clock: Clock| in_turn(pairs, || many(ours, own, clock), || many(theirs, others, clock));
    Ok((by(|work| wall(work))?, by(|work| children(work))?))
}

/// The lines.
pub(crate) fn lines(folder: &Path) -> Result<(), Fault> {
    let stage =
        Stage { site: Site::new(folder, "acme")?, pebble: Pebble::start(Options::default())?, count: Cell::new(0) };
    let ours = || stage.own("one-order");
    let bare = || stage.own("one-bare-order");
    // The accounts are made by the first.
    ours()?;
    bare()?;
    let what = "one certificate by ACME, http-01, account known";
    println!("{what}\n    requests: ours {}, bare loop {}", stage.requests(&ours)?, stage.requests(&bare)?);
    let (wall, cpu) = measured([ORDERS, ORDERS], PAIRS, &ours, &bare)?;
    wall.line(&format!("{what}, wall"), "a bare instant-acme loop that polls from 2 ms", Goal::AtMost(1.3));
    cpu.line(&format!("{what}, CPU"), "the same", Goal::AtMost(1.3));

    let web = web::Web::start(stage.pebble.http, stage.site.folder().join("web"))?;
    for peer in peers::ALL {
        if !peer.is_there() {
            println!("{what}, against {}\n    not measured: {} is not there", peer.name, peer.name);
            continue;
        }
        let theirs = || (peer.order)(&stage.job(peer.name)?, &web);
        theirs()?;
        println!("{what}\n    requests: {} {}", peer.name, stage.requests(&theirs)?);
        let beside = || web.aside(&ours);
        let (wall, cpu) = measured([ORDERS, PEER_ORDERS], PEER_PAIRS, &beside, &theirs)?;
        wall.line(&format!("{what}, wall"), peer.name, Goal::Faster(20.0));
        cpu.line(&format!("{what}, CPU"), peer.name, Goal::Faster(peer.cpu));
    }
    Ok(())
}
