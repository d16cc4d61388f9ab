//! The states between runs: what waits, what is held, what was damaged or moved behind our back.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use certwright::report::Outcome;
use certwright::{Config, Material, Return, Timestamp};
use certwright_tests::materials::Authority;
use certwright_tests::model_fs::ModelFs;
use certwright_tests::stage_play::{
    Mood, OUTPUTS, START, Service, active, apply, config, debris, deploy, options, program, world,
};
use certwright_tests::world::{DAY, World};

#[test]
fn what_the_service_refuses_waits_without_a_second_order_and_goes_when_it_may() {
    let world = World::new("");
    assert!(world.apply().changed);
    let first = world.leaf();
    world.clock.advance(25 * DAY);
    world.service.set_mood(Mood::Refuses);
    for run in 0..3 {
        let report = world.apply();
        assert_eq!(report.outcome, Outcome::Failed, "run {run}: {report:?}");
        assert_eq!((world.orders(), world.leaf()), (2, first), "run {run}: {report:?}");
        // Its time comes, and it fails again.
        world.clock.advance(DAY / 4);
    }
    world.service.set_mood(Mood::Willing);
    world.clock.advance(DAY);
    let report = world.apply();
    assert!(report.changed && report.outcome == Outcome::Well, "{report:?}");
    assert_eq!(world.orders(), 2);
    assert_ne!(world.leaf(), first);
    assert!(!world.apply().changed);
}

#[test]
fn what_waits_is_told_as_failed_until_its_time_comes() {
    let world = World::new("");
    world.apply();
    world.clock.advance(25 * DAY);
    world.service.set_mood(Mood::Lies);
    assert!(world.apply().error.is_some());
    let reloads = world.service.reloads();
    let waiting = world.apply();
    assert_eq!((waiting.outcome, waiting.plan.as_str()), (Outcome::Failed, "keep"), "{waiting:?}");
    assert_eq!(world.service.reloads(), reloads, "nothing is tried before its time");
}

#[test]
fn a_stray_chmod_is_repaired_with_the_same_certificate() {
    let world = World::new(OUTPUTS);
    world.apply();
    let (leaf, before) = (world.leaf(), world.current());
    for file in ["key.pem", "bundle.pem", "leaf.pem"] {
        world.fs.plant_mode(format!("{}/{file}", world.current()), 0o600).unwrap();
        let report = world.apply();
        assert_eq!((report.plan.as_str(), report.changed), ("repair", true), "{file}: {report:?}");
        assert_eq!((world.leaf(), world.orders()), (leaf, 1));
        assert_ne!(world.current(), before, "a generation is never edited");
        assert!(!world.apply().changed);
    }
    world.fs.plant_mode("/etc/certs/bundle.pem", 0o644).unwrap();
    assert_eq!(world.apply().plan, "repair");
    assert!(!world.apply().changed);
    for directory in ["/srv/store/www", "/srv/store/www/generations"] {
        world.fs.plant_mode(directory, 0o700).unwrap();
        assert!(world.apply().error.is_none());
        assert!(!world.apply().changed, "{directory}");
    }
}

#[test]
fn a_hold_ends_with_a_newer_issuance() {
    let world = World::new("");
    world.apply();
    let first = world.leaf();
    world.clock.advance(21 * DAY);
    world.apply();
    let second = world.leaf();
    assert_ne!(first, second);
    let report = world.rollback(Return::Previous);
    assert!(report.changed, "{report:?}");
    assert_eq!(world.leaf(), first);
    // The held one has to be renewed already, and a newer issuance ends the hold.
    let report = world.apply();
    assert_eq!((report.plan.as_str(), report.changed), ("issue", true), "{report:?}");
    assert!(![first, second].contains(&world.leaf()));
    assert!(!world.apply().changed);
}

#[test]
fn a_rollback_to_a_young_certificate_holds_through_ten_timer_runs() {
    let now: Timestamp = START.parse().unwrap();
    let old = Authority::new(now).leaf(&["www.example.org"], now);
    let now = now.saturating_add(DAY);
    let new = Authority::new(now).leaf(&["www.example.org"], now);
    let (fs, config) = (world(), config(""));
    let service = Service::with(None, Mood::Willing);
    let lifecycle = |now| program(&fs, &config, &service, now);
    deploy(&lifecycle(now), &old).unwrap();
    deploy(&lifecycle(now), &new).unwrap();
    lifecycle(now).rollback(&"www".parse().unwrap(), Return::Previous, &options()).unwrap();
    let held = old.chain().leaf().fingerprint();
    for run in 1..=10 {
        let report = apply(&lifecycle(now.saturating_add(DAY / 2 * run))).unwrap();
        assert!(!report.changed && report.error.is_none(), "run {run}: {report:?}");
        assert_eq!(fs.look(active), Ok(Some(held)), "run {run}");
    }
    lifecycle(now).rollback(&"www".parse().unwrap(), Return::Release, &options()).unwrap();
    apply(&lifecycle(now)).unwrap();
    assert_eq!(fs.look(active), Ok(Some(new.chain().leaf().fingerprint())));
}

#[test]
fn an_unreadable_txn_is_put_aside_and_told() {
    for content in ["", "{", "nonsense", "{\"version\":99}"] {
        let world = World::new("");
        world.apply();
        let leaf = world.leaf();
        world.fs.uproot("/srv/store/www/txn").unwrap();
        world.fs.plant_file("/srv/store/www/txn", content.as_bytes(), 0o600).unwrap();
        let report = world.apply();
        assert!(report.notes.iter().any(|note| note.contains("txn.unreadable")), "{content:?}: {report:?}");
        assert_eq!(world.leaf(), leaf);
        let kept = world.fs.look(|view| view.read("/srv/store/www/txn.unreadable")).unwrap();
        assert_eq!(kept, content.as_bytes());
        assert!(!world.apply().changed);
    }
}

#[test]
fn a_damaged_generation_is_replaced_by_a_whole_one() {
    let files = ["key.pem", "leaf.pem", "chain.pem", "fullchain.pem", "bundle.pem", "manifest.json"];
    for file in files {
        for damage in ["changed", "gone"] {
            let world = World::new("");
            world.apply();
            let first = world.leaf();
            world.clock.advance(21 * DAY);
            world.apply();
            let path = format!("{}/{file}", world.current());
            world.fs.uproot(&path).unwrap();
            if damage == "changed" {
                world.fs.plant_file(&path, b"-----BEGIN NOTHING-----\n", 0o644).unwrap();
            }
            let report = world.apply();
            assert!(report.notes.iter().any(|note| note.contains("is damaged")), "{file} {damage}: {report:?}");
            world.leaf();
            assert_eq!(world.service.loaded(), Some(world.leaf()), "{file} {damage}");
            assert!(!world.apply().changed, "{file} {damage}");
            let _ = first;
        }
    }
}

#[test]
fn old_generations_go_by_age_and_number_and_what_is_referred_to_stays() {
    // The number, the age in days, and how many are left: the active and the previous one are referred to.
    for (count, age, left) in [(1, 10, 2), (2, 10, 2), (4, 10, 4), (1, 50, 3)] {
        let world = World::new(&format!("retain = {{ count = {count}, age = \"{age}d\" }}"));
        let mut seen = Vec::new();
        for _ in 0..8 {
            world.apply();
            seen.push(world.current());
            world.clock.advance(20 * DAY);
        }
        let names = world.fs.look(|view| view.names("/srv/store/www/generations")).unwrap();
        assert_eq!(names.len(), left, "{count}, {age} days: {names:?}");
        let newest = seen.iter().rev().take(left);
        assert!(newest.clone().all(|path| world.fs.look(|view| view.exists(path))), "the newest stay: {names:?}");
        assert_eq!(world.fs.look(debris), Vec::<String>::new());
    }
}

#[test]
fn what_stands_in_the_place_of_an_output_is_not_followed() {
    type Plant = fn(&ModelFs);
    let strange: [(&str, Plant); 4] = [
        ("a symbolic link", |fs| fs.plant_link("/etc/certs/bundle.pem", "/etc/shadow").unwrap()),
        ("a directory", |fs| fs.plant_directory("/etc/certs/bundle.pem", 0o755).unwrap()),
        ("a FIFO", |fs| fs.plant_fifo("/etc/certs/bundle.pem", 0o600).unwrap()),
        ("several hard links", |fs| {
            fs.plant_file("/etc/certs/other", b"x", 0o600).unwrap();
            fs.plant_hard_link("/etc/certs/other", "/etc/certs/bundle.pem").unwrap();
        }),
    ];
    for (what, plant) in strange {
        let world = World::new(OUTPUTS);
        plant(&world.fs);
        let report = world.apply();
        let error = report.error.unwrap();
        assert!(error.message.contains(what), "{what}: {}", error.message);
        assert!(error.message.contains("/etc/certs/bundle.pem"), "{}", error.message);
        assert_eq!(error.aftermath, "untouched");
        assert_eq!(world.fs.look(active), Ok(None), "{what}");
        assert_eq!(world.service.reloads(), 0);
    }
}

#[test]
fn material_that_does_not_fit_is_refused_and_changes_nothing() {
    let now: Timestamp = START.parse().unwrap();
    let authority = Authority::new(now);
    let good = authority.leaf(&["www.example.org"], now);
    let later = now.saturating_add(40 * DAY);
    let wrong: [(&str, Material, Timestamp); 2] = [
        ("does not cover", authority.leaf(&["other.example.org"], now), now),
        ("expired", authority.leaf(&["www.example.org"], now), later),
    ];
    for (why, material, now) in wrong {
        let (fs, config) = (world(), config(OUTPUTS));
        let service = Service::with(None, Mood::Willing);
        deploy(&program(&fs, &config, &service, START.parse().unwrap()), &good).unwrap();
        let (before, reloads) = (fs.look(active), service.reloads());
        let report = deploy(&program(&fs, &config, &service, now), &material).unwrap();
        let error = report.error.unwrap();
        assert!(error.message.contains(why), "{why}: {}", error.message);
        assert_eq!((error.aftermath, fs.look(active), service.reloads()), ("untouched", before, reloads));
        assert_eq!(fs.look(debris), Vec::<String>::new());
    }
    let stranger = authority.leaf(&["www.example.org"], now);
    assert!(Material::new(stranger.key().clone(), good.chain().clone()).is_err(), "a key of another leaf");
}

#[test]
fn a_root_that_others_can_replace_is_refused() {
    for (path, mode) in [("/srv", 0o777), ("/srv", 0o775)] {
        let world = World::new("");
        world.fs.plant_mode(path, mode).unwrap();
        world.fs.plant_owner(path, 0, 50).unwrap();
        let error = world.apply().error.unwrap();
        assert!(error.message.contains("others can replace") && error.message.contains("/srv"), "{}", error.message);
        assert_eq!((world.orders(), world.fs.look(active)), (0, Ok(None)));
        world.fs.plant_mode(path, 0o755).unwrap();
        assert!(world.apply().changed);
    }
    let world = World::new("");
    world.fs.plant_owner("/srv", 2000, 0).unwrap();
    assert!(world.apply().error.unwrap().message.contains("belongs to somebody else"));
}

#[test]
fn one_path_has_one_owner() {
    let text = "version = 1\nroot = \"/srv/store\"\n[lineage.a]\nidentifiers = [\"a.example\"]\n[[lineage.a.output]]\npath = \
                \"/etc/x.pem\"\nstrategy = \"replace\"\nform = \"leaf\"\n[lineage.b]\nidentifiers = [\"b.example\"]\n\
                [[lineage.b.output]]\npath = \"/etc/x.pem\"\nstrategy = \"replace\"\nform = \"leaf\"\n";
    let error = Config::parse(text, "x.toml".as_ref()).unwrap_err();
    assert!(format!("{error:#}").contains("/etc/x.pem"), "{error:#}");
}
