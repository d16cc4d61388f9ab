//! Going back on purpose and what an operator is told: an emergency is no time for refusals, nor for hints that do not help.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

use certwright::report::{LineageStatus, Outcome, VerifiedReport};
use certwright::{Depth, Endpoints, Return, Selection, Timestamp};
use certwright_tests::materials::Authority;
use certwright_tests::stage_play::{
    Mood, OUTPUTS, START, Service, active, apply, config, config_for, deploy, program, world,
};
use certwright_tests::world::{DAY, World};

const WWW: &[&str] = &["www.example.org"];
const WIDER: &[&str] = &["www.example.org", "new.example.org"];
const P384: &str = "key = \"ecdsa-p384\"";

/// The hint of a finding that there has to be.
fn hint(report: &VerifiedReport, code: &str) -> Option<String> {
    let finding = report.findings.iter().find(|finding| finding.code == code);
    finding.unwrap_or_else(|| panic!("no `{code}` in {report:?}")).hint.clone()
}

#[test]
fn going_back_to_what_lacks_a_newer_wish_works_and_is_told() {
    for (identifiers, more, code) in [(WIDER, "", "identifiers_changed"), (WWW, P384, "key_changed")] {
        let mut world = World::new("");
        world.apply();
        let first = world.leaf();
        world.wish(identifiers, more);
        world.apply();
        let second = world.leaf();
        assert_eq!((world.orders(), first == second), (2, false));

        let report = world.rollback(Return::Previous);
        assert_eq!((report.outcome, report.changed, world.leaf()), (Outcome::Well, true, first), "{report:?}");
        let codes: Vec<&str> = report.reasons.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(codes, [code], "{report:?}");
        assert_eq!(world.service.loaded(), Some(first));

        // The hold keeps it, drifted or not; `verify` says what it lacks and what ends that.
        world.fs.plant_mode(format!("{}/key.pem", world.current()), 0o600).unwrap();
        let plans: Vec<String> = (0..3).map(|_| world.apply().plan).collect();
        assert_eq!((plans, world.leaf()), (["repair", "keep", "keep"].map(str::to_owned).to_vec(), first));
        let found = world.verify();
        let help = hint(&found, code).unwrap();
        assert!(help.contains("certwright rollback www --release") && !help.contains("apply"), "{help}");
        assert_eq!(world.ready().outcome, Outcome::Well, "it serves as well as before");

        world.rollback(Return::Release);
        let report = world.apply();
        assert_eq!((report.plan.as_str(), world.leaf(), world.orders()), ("activate", second, 2), "{report:?}");
        assert_eq!(world.verify().outcome, Outcome::Well);
    }
}

#[test]
fn going_back_to_what_drifted_repairs_it() {
    let mut world = World::new(OUTPUTS);
    world.apply();
    let (first, before) = (world.leaf(), world.current());
    world.wish(WWW, &format!("{P384}\n{OUTPUTS}"));
    world.apply();
    let second = world.leaf();
    for (name, mode) in [("key.pem", 0o644), ("bundle.pem", 0o600), ("", 0o700)] {
        world.fs.plant_mode(format!("{before}/{name}").trim_end_matches('/'), mode).unwrap();
    }
    let report = world.rollback(Return::To(before.rsplit('/').next().unwrap().parse().unwrap()));
    assert!(report.changed && report.error.is_none(), "{report:?}");
    assert_eq!((world.leaf(), world.orders()), (first, 2));
    assert_ne!(world.current(), before, "a generation is never edited");
    assert_eq!(report.generation, Some(world.generation()));

    // What it was gone back from is newer, whatever number the repair has.
    world.rollback(Return::Release);
    let status = world.status();
    let roles: Vec<&str> = status.generations.iter().map(|generation| generation.role).collect();
    assert_eq!(roles, ["active", "previous", "retired"], "{status:?}");
    world.apply();
    assert_eq!((world.leaf(), world.orders()), (second, 2));
}

#[test]
fn a_generation_that_failed_the_proof_is_not_gone_back_to() {
    let world = World::new("");
    world.apply();
    let first = world.generation();
    world.clock.advance(21 * DAY);
    world.apply();
    let txn = format!("{{\"version\":1,\"sequence\":2,\"unfit\":[\"{first}\"]}}");
    world.fs.uproot("/srv/store/www/txn").unwrap();
    world.fs.plant_file("/srv/store/www/txn", txn.as_bytes(), 0o600).unwrap();
    let report = world.rollback(Return::To(first.parse().unwrap()));
    assert_eq!(report.error.unwrap().kind, "unfit");
    assert_ne!(world.generation(), first);
}

#[test]
fn a_rollback_that_fails_says_what_is_active() {
    let world = World::new("");
    world.apply();
    let report = world.rollback(Return::Previous);
    assert!(report.error.is_some() && report.not_after.is_some());
    assert_eq!(report.generation, Some(world.generation()));

    world.clock.advance(21 * DAY);
    world.apply();
    let second = world.generation();
    world.service.set_mood(Mood::Refuses);
    let report = world.rollback(Return::Previous);
    assert_eq!(report.error.as_ref().unwrap().aftermath, "rolled_back", "{report:?}");
    assert_eq!((report.outcome, report.generation), (Outcome::Failed, Some(second.clone())));
    assert_eq!(world.generation(), second);
}

#[test]
fn status_tells_what_a_repair_repeats_and_what_a_rollback_returns_to() {
    let world = World::new("");
    world.apply();
    let first = world.generation();
    assert_eq!(world.status().previous, None);
    world.clock.advance(21 * DAY);
    world.apply();
    let second = world.generation();
    for _ in 0..2 {
        world.fs.plant_mode(format!("{}/key.pem", world.current()), 0o600).unwrap();
        assert_eq!(world.apply().plan, "repair");
        let status = world.status();
        assert_eq!(status.previous.as_ref(), Some(&first), "{status:?}");
        assert_eq!(status.generations[0].repairs.as_ref(), Some(&second), "{status:?}");
    }
    world.rollback(Return::Previous);
    assert_eq!(world.generation(), first);
}

#[test]
fn what_waits_is_not_forgotten_when_a_repair_overtakes_it() {
    let mut world = World::new("");
    world.apply();
    let (first, held) = (world.leaf(), world.generation());
    world.wish(WWW, P384);
    world.service.set_mood(Mood::Refuses);
    world.apply();
    assert_eq!((world.orders(), world.leaf()), (2, first));
    // The operator wants to keep what there is for now, and somebody runs chmod.
    world.rollback(Return::To(held.parse().unwrap()));
    world.fs.plant_mode(format!("{}/key.pem", world.current()), 0o600).unwrap();
    assert_eq!(world.apply().plan, "repair");
    let waits = |status: LineageStatus| status.unsettled.iter().any(|text| text.contains("waits until"));
    assert!(waits(world.status()), "{:?}", world.status());
    world.service.set_mood(Mood::Willing);
    world.rollback(Return::Release);
    let report = world.apply();
    assert_eq!((report.plan.as_str(), world.orders()), ("activate", 2), "{report:?}");
    assert_ne!(world.leaf(), first);
    assert_eq!(world.status().unsettled, Vec::<String>::new());
}

#[test]
fn only_hints_that_help_are_given() {
    let world = World::new("");
    world.apply();
    world.clock.advance(21 * DAY);
    world.service.set_mood(Mood::Lies);
    world.apply();
    world.fs.plant_mode(format!("{}/key.pem", world.current()), 0o600).unwrap();
    // While it waits, `apply` does nothing: for the drift neither.
    let found = world.verify();
    let help = hint(&found, "deferred").unwrap();
    assert!(help.contains("certwright rollback www --release"), "{help}");
    assert_eq!(hint(&found, "access_drift"), None);
    assert!(!format!("{found:?}").contains("run `certwright apply"), "{found:?}");
    // `plan` and `apply` say the same of it.
    let (planned, applied) = (world.plan(), world.apply());
    assert_eq!((planned.outcome, planned.plan.as_str()), (Outcome::Failed, "keep"), "{planned:?}");
    assert_eq!((applied.outcome, applied.plan.as_str()), (Outcome::Failed, "keep"), "{applied:?}");

    world.clock.advance(DAY / 2);
    let found = world.verify();
    for code in ["deferred", "access_drift"] {
        assert_eq!(hint(&found, code).as_deref(), Some("run `certwright apply www`"));
    }
}

#[test]
fn what_is_active_and_lacks_a_name_is_still_looked_after() {
    let now: Timestamp = START.parse().unwrap();
    let good = Authority::new(now).leaf(WWW, now);
    let (fs, service) = (world(), Service::with(None, Mood::Willing));
    deploy(&program(&fs, &config(""), &service, now), &good).unwrap();
    let wider = config_for(WIDER, "");
    // The service was started anew with something else.
    let service = Service::with(None, Mood::Willing);
    let report = apply(&program(&fs, &wider, &service, now)).unwrap();
    assert_eq!((report.plan.as_str(), report.error.is_none()), ("activate", true), "{report:?}");
    let leaf = good.chain().leaf().fingerprint();
    assert_eq!((service.loaded(), fs.look(active)), (Some(leaf), Ok(Some(leaf))));
    let link = fs.look(|view| view.read_link("/srv/store/www/current")).unwrap();
    fs.plant_mode(format!("/srv/store/www/{}/key.pem", link.display()), 0o600).unwrap();
    let report = apply(&program(&fs, &wider, &service, now)).unwrap();
    assert_eq!((report.plan.as_str(), report.error.is_none()), ("repair", true), "{report:?}");
    // It is a failure all the same that the name is missing, and stays one until its client brings it.
    assert_eq!(apply(&program(&fs, &wider, &service, now)).unwrap().outcome, Outcome::Failed);
}

#[test]
fn a_lineage_that_its_client_never_served_is_no_failure() {
    let (fs, service) = (world(), Service::with(None, Mood::Willing));
    let lifecycle = program(&fs, &config(""), &service, START.parse().unwrap());
    let how = "certwright deploy --lineage www --key FILE --fullchain FILE";
    let applied = apply(&lifecycle).unwrap();
    let planned = lifecycle.plan(&Selection::All, Endpoints::Ask).unwrap();
    for (outcome, reasons) in
        [(applied.outcome, applied.reasons), (planned.outcome, planned.lineages[0].reasons.clone())]
    {
        assert_eq!(outcome, Outcome::Well);
        assert!(reasons.iter().any(|reason| reason.text.contains(how)), "{reasons:?}");
    }
    let found = lifecycle.verify(&Selection::All, Depth::Whole).unwrap().lineages.pop().unwrap();
    assert_eq!(found.outcome, Outcome::Finding);
    assert_eq!(hint(&found, "nothing_active"), Some(format!("run `{how}`")));
}

#[test]
fn an_output_where_others_can_put_something_else_is_refused_before_an_order() {
    for (path, mode, owner, named) in [
        ("/etc/certs", 0o757, 0, "other::rwx"),
        ("/etc/certs", 0o775, 0, "group::rwx"),
        ("/etc", 0o757, 0, "other::rwx"),
        ("/etc/certs", 0o755, 2000, "2000"),
    ] {
        let world = World::new(OUTPUTS);
        world.fs.plant_owner(path, owner, 50).unwrap();
        world.fs.plant_mode(path, mode).unwrap();
        let error = world.apply().error.unwrap();
        let told = error.message.contains(&format!("path `{path}`")) && error.message.contains(named);
        assert!(told && error.aftermath == "untouched", "{error:?}");
        assert_eq!((world.orders(), world.fs.look(active)), (0, Ok(None)));
        world.fs.plant_owner(path, 0, 0).unwrap();
        world.fs.plant_mode(path, 0o1777).unwrap();
        assert!(world.apply().changed, "a sticky directory keeps names safe");
        assert_eq!(world.verify().outcome, Outcome::Well);
        world.fs.plant_mode(path, 0o777).unwrap();
        hint(&world.verify(), "output_exposed").unwrap();
        assert_eq!(world.ready().outcome, Outcome::Well);
    }
}
