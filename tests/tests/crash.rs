//! Every crash, every power cut and every error of every verb that writes, with every strategy of output: what is active
//! is whole at every instant, it is the old or the new one, and the next run ends what was begun.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a failing test may panic; the points are printed")]

use std::sync::Arc;
use std::time::Duration;

use certwright::{Config, Fingerprint, Material, Return, Timestamp};
use certwright_tests::campaign::{knob, tell};
use certwright_tests::crash::{Crash, Points, Tally, for_each_crash, for_each_errno};
use certwright_tests::materials::Authority;
use certwright_tests::model_fs::{Counted, Loss, ModelFs};
use certwright_tests::stage_play::{
    Mood, OUTPUTS, READER, START, Service, active, apply, at_every_instant, config, debris, deploy, one, options,
    program, world,
};
use rustix::io::Errno;

/// Power cuts tried at each moment, where there are more ways to lose what was not synced.
const CUTS: u64 = 24;

fn cuts() -> Crash {
    Crash::PowerCut { most: knob("CERTWRIGHT_CUTS", CUTS) }
}

/// The errors that every call fails with. A call that the kernel restarts never answers `EINTR` beyond the seam.
fn errnos() -> Vec<Errno> {
    let all =
        [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::ACCESS, Errno::PERM, Errno::MFILE, Errno::INTR];
    all[..knob("CERTWRIGHT_ERRNOS", 2).min(all.len())].to_vec()
}

/// Whether every recovery is killed everywhere too, or that of the renewal alone.
fn always_nested() -> bool {
    knob("CERTWRIGHT_NESTED", 0_u8) == 1
}

/// A lineage with one deployment, and a second material to come.
struct Play {
    config: Config,
    start: ModelFs,
    now: Timestamp,
    old: Material,
    new: Material,
}

impl Play {
    fn new(more: &str) -> Self {
        let now: Timestamp = START.parse().unwrap();
        let authority = Authority::new(now);
        let (old, new) = (authority.leaf(&["www.example.org"], now), authority.leaf(&["www.example.org"], now));
        let config = config(more);
        let start = world();
        let service = Service::with(None, Mood::Willing);
        let report = deploy(&program(&start, &config, &service, now), &old).unwrap();
        assert!(report.changed, "{report:?}");
        start.settle();
        Self { config, start, now, old, new }
    }

    fn keys(&self) -> Vec<Vec<u8>> {
        [&self.old, &self.new].map(|material| body(material.key().to_pem().expose())).to_vec()
    }

    fn leaf(material: &Material) -> Fingerprint {
        material.chain().leaf().fingerprint()
    }

    /// What the next run makes of what a dead or failed one left: one of the two, and nothing to do after that.
    fn recovers(&self, fs: &ModelFs, service: &Arc<Service>, allowed: &[Fingerprint]) -> Result<Fingerprint, String> {
        fs.look(|view| at_every_instant(view, &self.keys()))?;
        let before = fs.look(active)?;
        if before.is_some_and(|leaf| !allowed.contains(&leaf)) {
            return Err("neither the old nor the new one is active".to_owned());
        }
        service.set_mood(Mood::Willing);
        // A deferred activation waits for its time; a day later it has come.
        let later = self.now.saturating_add(Duration::from_secs(86_400));
        for attempt in 0..3 {
            let report = apply(&program(fs, &self.config, service, later)).map_err(|error| format!("{error:#}"))?;
            if report.error.is_none() && !report.changed && report.plan == "keep" {
                break;
            }
            if attempt == 2 {
                return Err(format!("three runs do not settle it: {report:?}"));
            }
        }
        let violations = fs.violations();
        if !violations.is_empty() {
            return Err(format!("during recovery: {violations:?}"));
        }
        let after = fs.look(active)?.ok_or("nothing is active")?;
        if !allowed.contains(&after) {
            return Err("recovery made a third one active".to_owned());
        }
        if service.loaded() != Some(after) {
            return Err("what is active is not what is served".to_owned());
        }
        let left = fs.look(debris);
        if !left.is_empty() {
            return Err(format!("left behind: {left:?}"));
        }
        self.outputs_are(fs, after)?;
        Ok(after)
    }

    fn outputs_are(&self, fs: &ModelFs, leaf: Fingerprint) -> Result<(), String> {
        if self.config.lineages.values().all(|spec| spec.outputs.is_empty()) {
            return Ok(());
        }
        fs.look(|view| {
            let read = |path: &str| view.read(path).map_err(|error| format!("{path}: {error}"));
            let target = view.read_link("/srv/store/www/current").map_err(|error| error.to_string())?;
            let generation = format!("/srv/store/www/{}", target.display());
            let pairs = [
                ("/etc/certs/bundle.pem", "bundle.pem"),
                ("/etc/certs/leaf.pem", "leaf.pem"),
                ("/etc/certs/link.pem", "fullchain.pem"),
            ];
            for (path, name) in pairs {
                if read(path)? != read(&format!("{generation}/{name}"))? {
                    return Err(format!("{path} is not of the active generation {leaf}"));
                }
            }
            let pinned = String::from_utf8(read("/etc/certs/pinned.conf")?).map_err(|error| error.to_string())?;
            if pinned != format!("ssl_certificate {generation}/fullchain.pem;\n") {
                return Err(format!("the include file says {pinned}"));
            }
            Ok(())
        })
    }

    /// Every kill and power cut of one scenario. With `nested`, every kill of the recovery too.
    fn crash_everywhere(
        &self,
        scenario: impl Fn(&ModelFs, &Arc<Service>),
        allowed: &[Fingerprint],
        nested: bool,
    ) -> Tally {
        let watched = self.start.fork();
        let keys = self.keys();
        watched.on_step(move |view, _| at_every_instant(view, &keys));
        let run = |fs: &ModelFs| scenario(fs, &Service::with(Some(&self.old), Mood::Willing));
        let (points, ()) = Points::of(&watched, |fs| {
            run(fs);
            assert_eq!(fs.violations(), Vec::<String>::new());
        });
        let mut within = Tally::default();
        let mut tally = for_each_crash(&points, &[Crash::Kill, cuts()], |crashed| {
            if (nested || always_nested()) && crashed.crash == Crash::Kill {
                within += self.crash_recovery(&crashed.fs, allowed);
            }
            // The service lives on with what it had, whichever of the two that was.
            for loaded in [&self.old, &self.new] {
                let fs = crashed.fs.fork();
                self.recovers(&fs, &Service::with(Some(loaded), Mood::Willing), allowed)?;
            }
            Ok(())
        });
        tally += within;
        tally
    }

    fn crash_recovery(&self, fs: &ModelFs, allowed: &[Fingerprint]) -> Tally {
        let service = || Service::with(Some(&self.old), Mood::Willing);
        let (points, _) = Points::of(fs, |fs| apply(&program(fs, &self.config, &service(), self.now)));
        for_each_crash(&points, &[Crash::Kill], |crashed| self.recovers(&crashed.fs, &service(), allowed).map(drop))
    }

    /// Each call of one scenario failing, once and for ever.
    fn fail_everywhere(&self, scenario: impl Fn(&ModelFs, &Arc<Service>), allowed: &[Fingerprint]) -> Tally {
        let services = std::cell::RefCell::new(Service::with(None, Mood::Willing));
        for_each_errno(
            &self.start,
            Counted::Mutating,
            &errnos(),
            |fs| {
                *services.borrow_mut() = Service::with(Some(&self.old), Mood::Willing);
                scenario(fs, &services.borrow());
            },
            |failed| self.recovers(&failed.fs, &services.borrow(), allowed).map(drop),
        )
    }
}

/// The part of a key's PEM that is not the same in every key.
fn body(pem: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(pem).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
    lines[1..].join("\n").into_bytes()
}

fn verdict(name: &str, tally: Tally) {
    println!("{name}: {tally}");
    tell(name, tally.states as u64, tally.violations.len() as u64).unwrap();
    tally.verdict().unwrap();
}

fn each_strategy(name: &str, nested: bool, play: impl Fn(&Play) -> Vec<Box<dyn Fn(&ModelFs, &Arc<Service>) + '_>>) {
    for (strategy, more) in [("inside", ""), ("with files outside", OUTPUTS)] {
        let it = Play::new(more);
        let allowed = [Play::leaf(&it.old), Play::leaf(&it.new)];
        for scenario in play(&it) {
            verdict(&format!("{name}, {strategy}, crashes"), it.crash_everywhere(&scenario, &allowed, nested));
            verdict(&format!("{name}, {strategy}, errors"), it.fail_everywhere(&scenario, &allowed));
        }
    }
}

#[test]
fn a_renewal_survives_everything() {
    each_strategy("renewal", true, |play| {
        vec![Box::new(|fs, service| {
            let _ = deploy(&program(fs, &play.config, service, play.now), &play.new);
        })]
    });
}

#[test]
fn a_renewal_that_the_service_refuses_survives_everything() {
    each_strategy("refused renewal", false, |play| {
        [Mood::Refuses, Mood::Lies]
            .into_iter()
            .map(|mood| {
                Box::new(move |fs: &ModelFs, service: &Arc<Service>| {
                    service.set_mood(mood);
                    let _ = deploy(&program(fs, &play.config, service, play.now), &play.new);
                }) as Box<dyn Fn(&ModelFs, &Arc<Service>)>
            })
            .collect()
    });
}

#[test]
fn a_repair_survives_everything() {
    for more in ["", OUTPUTS] {
        let mut play = Play::new(more);
        let key = play.start.look(|view| view.read_link("/srv/store/www/current")).unwrap();
        play.start.plant_mode(format!("/srv/store/www/{}/key.pem", key.display()), 0o600).unwrap();
        play.start.settle();
        play.new = play.old.clone();
        let allowed = [Play::leaf(&play.old)];
        let scenario = |fs: &ModelFs, service: &Arc<Service>| {
            let _ = apply(&program(fs, &play.config, service, play.now));
        };
        // The reader cannot read before the repair, so the watcher of every instant would be right to complain.
        let run = |fs: &ModelFs| scenario(fs, &Service::with(Some(&play.old), Mood::Willing));
        let (points, ()) = Points::of(&play.start, run);
        let crashes = [Crash::Kill, cuts()];
        verdict(
            "repair, crashes",
            for_each_crash(&points, &crashes, |crashed| {
                let service = Service::with(Some(&play.old), Mood::Willing);
                let later = play.now.saturating_add(Duration::from_secs(86_400));
                apply(&program(&crashed.fs, &play.config, &service, later)).map_err(|error| error.to_string())?;
                play.recovers(&crashed.fs, &service, &allowed).map(drop)
            }),
        );
    }
}

#[test]
fn a_rollback_survives_everything() {
    for more in ["", OUTPUTS] {
        let mut play = Play::new(more);
        let service = Service::with(Some(&play.old), Mood::Willing);
        let report = deploy(&program(&play.start, &play.config, &service, play.now), &play.new).unwrap();
        assert!(report.changed, "{report:?}");
        play.start.settle();
        std::mem::swap(&mut play.old, &mut play.new);
        let allowed = [Play::leaf(&play.old), Play::leaf(&play.new)];
        let scenario = |fs: &ModelFs, service: &Arc<Service>| {
            let lifecycle = program(fs, &play.config, service, play.now);
            let _ = lifecycle.rollback(&"www".parse().unwrap(), Return::Previous, &options());
        };
        verdict("rollback, crashes", play.crash_everywhere(scenario, &allowed, false));
        verdict("rollback, errors", play.fail_everywhere(scenario, &allowed));
    }
}

#[test]
fn the_first_deployment_survives_everything() {
    let mut play = Play::new(OUTPUTS);
    play.start = world();
    let scenario = |fs: &ModelFs| {
        let service = Service::with(None, Mood::Willing);
        let _ = deploy(&program(fs, &play.config, &service, play.now), &play.new);
    };
    let (points, ()) = Points::of(&play.start, scenario);
    let tally = for_each_crash(&points, &[Crash::Kill, cuts()], |crashed| {
        crashed.fs.look(|view| at_every_instant(view, &play.keys()))?;
        let service = Service::with(None, Mood::Willing);
        let lifecycle = program(&crashed.fs, &play.config, &service, play.now);
        // Whoever brought the material brings it again when the first try was cut short.
        let report = deploy(&lifecycle, &play.new).map_err(|error| error.to_string())?;
        if report.error.is_some() {
            return Err(format!("{report:?}"));
        }
        play.recovers(&crashed.fs, &service, &[Play::leaf(&play.new)]).map(drop)
    });
    verdict("first deployment, crashes", tally);
}

#[test]
fn a_power_cut_after_the_last_word_loses_nothing() {
    let play = Play::new(OUTPUTS);
    let fs = play.start.fork();
    let service = Service::with(Some(&play.old), Mood::Willing);
    deploy(&program(&fs, &play.config, &service, play.now), &play.new).unwrap();
    let left = fs.restart(Loss::Unsynced);
    assert_eq!(left.look(active), Ok(Some(Play::leaf(&play.new))));
    assert_eq!(play.recovers(&left, &service, &[Play::leaf(&play.new)]), Ok(Play::leaf(&play.new)));
}

#[test]
fn a_disk_that_is_full_from_the_beginning_changes_nothing() {
    let play = Play::new(OUTPUTS);
    let fs = play.start.fork();
    let before = fs.look(|view| view.tree());
    fs.change(|settings| settings.bytes = Some(0));
    let service = Service::with(Some(&play.old), Mood::Willing);
    let report = one(program(&fs, &play.config, &service, play.now)
        .deploy(&"www".parse().unwrap(), &play.new, &options())
        .unwrap());
    let error = report.unwrap().error.unwrap();
    assert!(error.message.contains("full"), "{error:?}");
    assert_eq!(error.aftermath, "untouched");
    assert_eq!(fs.look(|view| view.tree()), before);
    assert_eq!(service.reloads(), 0);
    let _ = READER;
}
