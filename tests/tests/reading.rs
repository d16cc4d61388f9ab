//! A process that serves certificates of a store that is not its own: a reader of the keys, who may list nothing.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use certwright::access::Names;
use certwright::{ActiveCertificates, Builder, Clock, Config, ErrorKind, Lifecycle, ManualClock, Serving, SystemClock};
use certwright_tests::materials::Authority;
use certwright_tests::scratch::Scratch;
use certwright_tests::stage_play::deploy;
use rustix::process::{Gid, Uid};

/// It takes a second.
const LIMIT: Duration = Duration::from_secs(60);

const READER: u32 = 62_011;
const STRANGER: u32 = 62_012;

fn config(root: &Path) -> Config {
    let text = format!(
        "version = 1\nroot = \"{}/store\"\n[lineage.www]\nidentifiers = [\"www.example.org\"]\nreaders = [\"user:web\"]\n",
        root.display()
    );
    Config::parse(&text, "reading.toml".as_ref()).unwrap()
}

/// Deploys one certificate after the other to the store.
struct Owner {
    lifecycle: Lifecycle,
    authority: Authority,
    clock: Arc<ManualClock>,
}

impl Owner {
    fn of(config: Config) -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let names = Names::fixed(&[("root", 0, 0), ("web", READER, READER)], &[("root", 0, &[]), ("web", READER, &[])]);
        let lifecycle = Builder::new(config).clock(clock.clone()).names(names).build().unwrap();
        Self { lifecycle, authority: Authority::with_clock(clock.clone()), clock }
    }

    /// The name of the generation that is active then.
    fn deploy(&self) -> String {
        self.clock.advance(Duration::from_secs(1));
        let report = deploy(&self.lifecycle, &self.authority.leaf(&["www.example.org"], self.clock.now())).unwrap();
        report.generation.unwrap()
    }
}

/// What comes of this under another identity. Threads that are started inside have it as well.
fn as_user<T: Send>(number: u32, act: impl FnOnce() -> T + Send) -> T {
    let taken_on = || {
        rustix::thread::set_thread_groups(&[]).unwrap();
        rustix::thread::set_thread_res_gid(None, Some(Gid::from_raw(number)), None).unwrap();
        rustix::thread::set_thread_res_uid(None, Some(Uid::from_raw(number)), None).unwrap();
        act()
    };
    thread::scope(|scope| scope.spawn(taken_on).join().unwrap())
}

fn generation(serving: &Serving) -> Option<String> {
    serving.generation.map(|generation| generation.to_string())
}

mod as_root {
    use super::*;

    #[test]
    fn a_reader_follows_every_switch_although_it_may_list_nothing() {
        let scratch = Scratch::on_disk().unwrap();
        let config = config(scratch.path());
        let owner = Owner::of(config.clone());
        let first = owner.deploy();
        let (sender, told) = channel();
        let tell = move |serving: &Serving| drop(sender.send(serving.clone()));
        let active = as_user(READER, || {
            let store = scratch.join("store/www");
            assert!(std::fs::read_dir(&store).is_err() && std::fs::read(store.join("current/key.pem")).is_ok());
            ActiveCertificates::follow(&config, tell).unwrap()
        });
        assert_eq!(generation(&told.recv_timeout(LIMIT).unwrap()), Some(first));
        for _ in 0..2 {
            let next = owner.deploy();
            assert_eq!(generation(&told.recv_timeout(LIMIT).unwrap()), Some(next));
        }
        assert!(active.serving().iter().all(|serving| serving.fault.is_none()));
    }

    #[test]
    fn a_stranger_serves_nothing_and_is_told_why() {
        let scratch = Scratch::on_disk().unwrap();
        let config = config(scratch.path());
        Owner::of(config.clone()).deploy();
        let serving = as_user(STRANGER, || ActiveCertificates::open(&config, |_| {}).serving());
        let fault = serving[0].fault.as_ref().unwrap();
        assert_eq!((generation(&serving[0]), fault.kind()), (None, ErrorKind::Permission), "{fault:#}");
        assert!(fault.to_string().contains("key.pem"), "{fault}");
    }
}
