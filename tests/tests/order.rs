//! The order in flight: wherever a run dies, the next one goes on with the same order and the same key, and a certificate
//! that was issued is never ordered a second time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing test may panic; the points are printed"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certwright::access::Names;
use certwright::{
    Builder, Cancel, Chain, Config, Error, ErrorKind, Issued, Issuer, IssuerName, Lifecycle, ManualClock, Request,
    Result, Timestamp,
};
use certwright_tests::materials::Authority;
use certwright_tests::model_fs::{Counted, Fault, Loss, ModelFs};
use certwright_tests::stage_play::{
    Mood, READER, START, Service, active, apply, at_every_instant, config, debris, world,
};

/// A CA with orders, as ACME has them: it remembers each, whatever becomes of who asked.
#[derive(Debug)]
struct Ordering {
    name: IssuerName,
    authority: Authority,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By URL: the chain, once the order was finalized.
    orders: BTreeMap<String, Option<Chain>>,
    /// The next new order is answered so after it was kept.
    mood: Reply,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reply {
    #[default]
    Issues,
    /// The connection breaks after the order was finalized.
    Breaks,
    Refuses,
}

impl Ordering {
    fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        let authority = Authority::with_clock(clock);
        Arc::new(Self { name: "lab".parse().unwrap(), authority, state: Mutex::default() })
    }

    fn placed(&self) -> usize {
        self.state.lock().unwrap().orders.len()
    }

    fn issued(&self) -> usize {
        self.state.lock().unwrap().orders.values().flatten().count()
    }

    fn set(&self, mood: Reply) {
        self.state.lock().unwrap().mood = mood;
    }
}

impl Issuer for Ordering {
    fn id(&self) -> &IssuerName {
        &self.name
    }

    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        let open = request.order_in_flight(&self.name);
        let url = match open.filter(|url| self.state.lock().unwrap().orders.contains_key(url)) {
            Some(url) => url,
            None => {
                let url = format!("https://ca.example/order/{}", self.placed() + 1);
                self.state.lock().unwrap().orders.insert(url.clone(), None);
                request.keep_order(&self.name, &url)?;
                url
            }
        };
        let mood = self.state.lock().unwrap().mood;
        if mood == Reply::Refuses {
            return Err(Error::new(ErrorKind::Refused, "not for you"));
        }
        let finalized = self.state.lock().unwrap().orders[&url].clone();
        let chain = match finalized {
            Some(chain) => chain,
            None => self.authority.issuer().issue(request, cancel)?.chain,
        };
        // Whoever takes up the order with another key has a leaf that does not belong to it.
        self.state.lock().unwrap().orders.insert(url, Some(chain.clone()));
        if mood == Reply::Breaks {
            return Err(Error::new(ErrorKind::Network, "the connection was lost"));
        }
        Ok(Issued::new(chain))
    }
}

struct World {
    fs: ModelFs,
    config: Config,
    clock: Arc<ManualClock>,
    ca: Arc<Ordering>,
}

impl World {
    fn new(fs: ModelFs) -> Self {
        let now: Timestamp = START.parse().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let config = config("issuer = \"lab\"\n[issuer.lab]\ntype = \"local\"\n");
        Self { fs, config, ca: Ordering::new(clock.clone()), clock }
    }

    fn lifecycle(&self) -> Lifecycle {
        let service = Service::with(None, Mood::Willing);
        Builder::new(self.config.clone())
            .filesystem(Arc::new(self.fs.clone()))
            .clock(self.clock.clone())
            .names(Names::fixed(&[], &[]))
            .issuer(self.ca.clone())
            .reloader("www".parse().unwrap(), service)
            .patience(Duration::ZERO)
            .build()
            .unwrap()
    }

    /// Runs an hour apart until nothing is to be done; the first one can be the one that dies.
    fn settle(&self) -> std::result::Result<(), String> {
        let mut last = None;
        for _ in 0..4 {
            let report = apply(&self.lifecycle()).map_err(|error| format!("{error:#}"))?;
            if report.error.is_none() && report.plan == "keep" {
                return Ok(());
            }
            self.clock.advance(Duration::from_secs(3600));
            last = Some(report);
        }
        Err(format!("four runs do not settle it: {last:?}"))
    }

    fn order(&self) -> Option<Vec<u8>> {
        self.fs.look(|view| view.read("/srv/store/www/order/order.json")).ok()
    }
}

#[test]
fn a_run_that_dies_anywhere_costs_no_second_certificate() {
    let start = world();
    let whole = World::new(start.fork());
    whole.settle().unwrap();
    let steps = whole.fs.count(Counted::Mutating);
    let mut states = 0;
    for after in 0..=steps {
        for loss in [Loss::Nothing, Loss::Unsynced] {
            let mut it = World::new(start.fork());
            it.fs.inject(Fault::StopAfter(after));
            let _ = apply(&it.lifecycle());
            let issued = it.ca.issued();
            it.fs = it.fs.restart(loss);
            let kept = it.order().is_some();
            let placed = it.ca.placed();
            it.settle().unwrap_or_else(|why| panic!("stopped after {after}, {loss:?}: {why}"));
            let place = format!("stopped after step {after} of {steps}, {loss:?}");
            assert_eq!(it.ca.issued(), 1, "{place}: a second certificate, after {issued}");
            if kept {
                assert_eq!(it.ca.placed(), placed, "{place}: the order that was kept is not taken up");
            }
            assert!(it.fs.look(active).unwrap().is_some(), "{place}");
            assert_eq!(it.order(), None, "{place}: the order is not forgotten");
            assert_eq!(it.fs.look(debris), Vec::<String>::new(), "{place}");
            states += 1;
        }
    }
    println!("order in flight: {steps} steps, {states} states");
}

#[test]
fn the_key_of_an_order_in_flight_is_nobodys_to_read() {
    let it = World::new(world());
    it.ca.set(Reply::Breaks);
    let report = apply(&it.lifecycle()).unwrap();
    assert_eq!(report.error.unwrap().kind, "network");
    let text = String::from_utf8(it.order().unwrap()).unwrap();
    let body = text.split("\\n").nth(1).unwrap().as_bytes().to_vec();
    assert!(body.len() > 40, "{text}");
    it.fs.look(|view| at_every_instant(view, std::slice::from_ref(&body))).unwrap();
    let reader = certwright::Identity::new(READER, READER, Vec::new());
    assert_eq!(it.fs.look(|view| view.leaks(&reader, &body)), Vec::<std::path::PathBuf>::new());
    for (path, mode) in [("/srv/store/www/order", 0o700), ("/srv/store/www/order/order.json", 0o600)] {
        assert_eq!(it.fs.look(|view| view.access(path)).unwrap().2 & 0o777, mode, "{path}");
    }
}

#[test]
fn a_broken_connection_is_taken_up_and_a_refusal_is_not() {
    let it = World::new(world());
    it.ca.set(Reply::Breaks);
    assert!(apply(&it.lifecycle()).unwrap().error.is_some());
    assert!(it.order().is_some());
    it.ca.set(Reply::Issues);
    it.clock.advance(Duration::from_secs(3600));
    it.settle().unwrap();
    assert_eq!((it.ca.placed(), it.ca.issued()), (1, 1));

    let it = World::new(world());
    it.ca.set(Reply::Refuses);
    assert!(apply(&it.lifecycle()).unwrap().error.is_some());
    assert_eq!(it.order(), None, "an order that was refused is over");
    it.ca.set(Reply::Issues);
    it.clock.advance(Duration::from_secs(3600));
    it.settle().unwrap();
    assert_eq!((it.ca.placed(), it.ca.issued()), (2, 1));
}

#[test]
fn an_order_for_another_wish_is_forgotten() {
    for (from, to) in [("\"www.example.org\"", "\"other.example.org\""), ("issuer =", "key = \"ed25519\"\nissuer =")] {
        let mut it = World::new(world());
        it.ca.set(Reply::Breaks);
        assert!(apply(&it.lifecycle()).unwrap().error.is_some());
        it.ca.set(Reply::Issues);
        it.clock.advance(Duration::from_secs(3600));
        let text = format!(
            "version = 1\nroot = \"/srv/store\"\n[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n\
             readers = [\"user:{READER}\"]\n[issuer.lab]\ntype = \"local\"\n"
        );
        it.config = Config::parse(&text.replace(from, to), "play.toml".as_ref()).unwrap();
        it.settle().unwrap();
        assert_eq!((it.ca.placed(), it.ca.issued()), (2, 2), "{to}");
        assert_eq!(it.order(), None);
    }
}

#[test]
fn an_order_that_was_settled_long_ago_brings_no_old_certificate() {
    let it = World::new(world());
    it.ca.set(Reply::Breaks);
    assert!(apply(&it.lifecycle()).unwrap().error.is_some());
    let order = it.order().unwrap();
    it.ca.set(Reply::Issues);
    it.clock.advance(Duration::from_secs(3600));
    it.settle().unwrap();
    let first = it.fs.look(active).unwrap();
    // As if the run had died after the certificate was deployed and before the order was forgotten.
    it.fs.plant_directory("/srv/store/www/order", 0o700).unwrap();
    it.fs.plant_file("/srv/store/www/order/order.json", &order, 0o600).unwrap();
    it.clock.advance(Duration::from_secs(25 * 86_400));
    it.settle().unwrap();
    assert_ne!(it.fs.look(active).unwrap(), first, "the old certificate came again");
    assert_eq!((it.ca.placed(), it.ca.issued()), (2, 2));
}
