//! What a program sees that reads while deployments go on: never a torn bundle, never a missing file.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a failing test may panic; the figures are printed")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use certwright::access::Names;
use certwright::{ActiveCertificates, Builder, Chain, Clock, Config, ManualClock, Material, PrivateKey};
use certwright_tests::campaign::{knob, tell};
use certwright_tests::materials::Authority;
use certwright_tests::scratch::Scratch;
use certwright_tests::stage_play::{START, deploy};

const DEPLOYMENTS: usize = 1_000;

/// What one reader saw.
#[derive(Debug, Default)]
struct Seen {
    pairs: usize,
    torn_pairs: usize,
    bundles: usize,
    taken_up: usize,
}

/// Lets the reader end, also when the writer fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn material(key: &[u8], chain: &[u8]) -> bool {
    let (key, chain) = (PrivateKey::from_pem(key).unwrap(), Chain::from_pem(chain).unwrap());
    Material::new(key, chain).is_ok()
}

/// Two opens by path, as most servers do; then one open of the bundle.
fn read(current: &Path, bundle: &Path, seen: &mut Seen) {
    let chain = std::fs::read(current.join("fullchain.pem")).unwrap();
    let key = std::fs::read(current.join("key.pem")).unwrap();
    seen.pairs += 1;
    seen.torn_pairs += usize::from(!material(&key, &chain));
    let whole = std::fs::read(bundle).unwrap();
    assert!(material(&whole, &whole), "a torn bundle");
    seen.bundles += 1;
}

/// Opens the same files and does nothing else, so that a name that is missing for a microsecond is missed.
fn open(current: &Path, bundle: &Path) {
    for path in [bundle, &current.join("fullchain.pem"), bundle, &current.join("key.pem")] {
        drop(File::open(path).unwrap());
    }
}

/// What a server in a process of its own takes up: one link, then everything of one generation.
fn follow(active: &ActiveCertificates, seen: &mut Seen) {
    let generation = |active: &ActiveCertificates| active.serving()[0].generation;
    let before = generation(active);
    active.look();
    assert!(active.serving()[0].fault.is_none(), "{:?}", active.serving());
    seen.taken_up += usize::from(generation(active) != before);
}

#[test]
fn a_thousand_deployments_tear_no_bundle_and_hide_no_file() {
    let scratch = Scratch::in_memory().unwrap();
    let bundle = scratch.path().join("bundle.pem");
    let text = format!(
        "version = 1\nroot = \"{root}/store\"\n[lineage.www]\nidentifiers = [\"www.example.org\"]\n\
         [[lineage.www.output]]\npath = \"{root}/bundle.pem\"\nstrategy = \"replace\"\nform = \"bundle\"\n",
        root = scratch.path().display()
    );
    let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
    let authority = Authority::with_clock(clock.clone());
    let config = Config::parse(&text, "torn.toml".as_ref()).unwrap();
    let active = ActiveCertificates::open(&config, |_| {});
    let lifecycle = Builder::new(config).clock(clock.clone()).names(Names::fixed(&[], &[])).build().unwrap();
    let step = || {
        clock.advance(Duration::from_secs(1));
        let report = deploy(&lifecycle, &authority.leaf(&["www.example.org"], clock.now())).unwrap();
        assert!(report.changed, "{report:?}");
    };
    step();
    let deployments = knob("CERTWRIGHT_DEPLOYMENTS", DEPLOYMENTS);
    let done = AtomicBool::new(false);
    let current = scratch.path().join("store/www/current");
    let (seen, opened) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = Seen::default();
            while !done.load(Ordering::Acquire) {
                read(&current, &bundle, &mut seen);
                follow(&active, &mut seen);
            }
            seen
        });
        let opener = scope.spawn(|| {
            let mut opened = 0;
            while !done.load(Ordering::Acquire) {
                open(&current, &bundle);
                opened += 4;
            }
            opened
        });
        let writer = Ends(&done);
        (0..deployments).for_each(|_| step());
        drop(writer);
        (reader.join().unwrap(), opener.join().unwrap())
    });
    println!("{deployments} deployments: {seen:?}, and {opened} files opened beside");
    tell("deployments beside a reader", deployments as u64, 0).unwrap();
    tell("bundles read, none torn or missing", seen.bundles as u64, 0).unwrap();
    assert!(seen.pairs > deployments && seen.bundles == seen.pairs && opened > 4 * deployments);
    assert!(seen.taken_up > 10, "{seen:?}");
}
