//! A real nginx that runs as an unprivileged user, so that what it can read is decided by the key's ACL.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use certwright_tests::cli::{self, Ran};
use certwright_tests::host::{Host, NAME, NONSENSE, ONE, TWO};
use certwright_tests::load::Load;
use certwright_tests::process::Running;
use certwright_tests::servers::{User, nginx};
use certwright_tests::site::Site;
use certwright_tests::until::until;
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(30);

fn new(site: Site) -> Host {
    Host::new(site, |site| nginx::reading(User::STRANGER, site.files())).unwrap()
}

fn up(site: Site) -> Host {
    let mut host = new(site);
    host.bring_up().unwrap();
    host
}

fn here() -> Site {
    Site::new().unwrap()
}

/// What the report says of the one lineage.
fn lineage(ran: &Ran) -> Value {
    ran.report().unwrap()["lineages"][0].clone()
}

/// Exit status, and kind and aftermath of the error.
fn failure(ran: &Ran) -> (i32, Value, Value) {
    let error = &lineage(ran)["error"];
    (ran.code, error["kind"].clone(), error["aftermath"].clone())
}

/// A script that root may run.
fn script(site: &Site, text: &str) -> PathBuf {
    let path = site.join("script");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    chmod(&path, 0o755);
    path
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The check of nginx as its own user. Root's makes the log and pid files that it does not find, as root's: nginx could not
/// be started after that.
fn check_as_the_server(host: &Host) -> String {
    let User { uid, gid } = host.server.user();
    let (nginx, config) = (host.server.binary.display(), host.server.config.display());
    let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={gid}"));
    format!(
        "check = [\"setpriv\", \"{uid}\", \"{gid}\", \"--clear-groups\", \"{nginx}\", \"-t\", \"-c\", \"{config}\"]"
    )
}

#[test]
fn what_was_issued_is_served_and_a_second_run_changes_nothing() {
    let host = up(here());
    let address = host.server.address().to_string();
    for _ in 0..2 {
        let ran = host.site.json(&["apply"]).unwrap();
        let lineage = lineage(&ran);
        assert_eq!((ran.code, &lineage["plan"], &lineage["changed"]), (0, &"keep".into(), &false.into()));
        assert_eq!(lineage["served"][0]["address"], address);
    }
    assert_eq!(host.site.generations().unwrap().len(), 1);
    for verb in ["plan", "verify"] {
        let ran = host.site.run(&[verb]).unwrap();
        assert_eq!(ran.code, 0, "{verb}: {}", ran.said());
    }
    assert_eq!(mode(host.site.files().key) & 0o007, 0, "the key is not for everyone");
}

/// Otherwise the next test would show nothing.
#[test]
fn clients_notice_a_handshake_that_fails() {
    let mut host = up(here());
    let roots = host.site.run(&["ca", "export"]).unwrap().stdout;
    let leaf = host.site.leaf().unwrap();
    let load = Load::on(host.server.address(), NAME, roots.as_bytes(), 2).unwrap();
    load.until_all_get(&leaf, 2, LIMIT).unwrap();
    host.server.stop().unwrap();
    let noticed = load.until_all_get(&leaf, 100_000, LIMIT).unwrap_err().to_string();
    assert!(noticed.contains("got nothing"), "{noticed}");
}

#[test]
fn a_renewal_is_served_without_one_failed_handshake() {
    let host = up(here());
    let export = host.site.run(&["ca", "export"]).unwrap();
    assert_eq!(export.code, 0, "{}", export.said());
    let load = Load::on(host.server.address(), NAME, export.stdout.as_bytes(), 3).unwrap();
    load.until_all_get(&host.site.leaf().unwrap(), 5, LIMIT).unwrap();
    for identifiers in [TWO, ONE, TWO] {
        let before = host.site.leaf().unwrap();
        host.wish(identifiers, "").unwrap();
        host.apply_to(0).unwrap();
        let after = host.site.leaf().unwrap();
        assert_ne!(before, after);
        load.until_all_get(&after, 5, LIMIT).unwrap();
    }
    let rest = load.stop();
    assert!(rest.iter().all(Result::is_ok), "{rest:?}");
    assert_eq!(host.site.leaves().unwrap().len(), 4);
}

#[test]
fn a_failing_check_is_rolled_back_and_what_waits_is_activated_once_it_passes() {
    let host = up(here());
    let old = host.site.leaf().unwrap();
    host.wish(TWO, "").unwrap();
    let broken = host.break_configuration().unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    assert_eq!(failure(&ran), (1, "reload_failed".into(), "rolled_back".into()), "{}", ran.said());
    let message = lineage(&ran)["error"]["message"].to_string();
    assert!(message.contains(NONSENSE), "the words of nginx are told: {message}");
    let waiting = host.site.leaves().unwrap().into_iter().find(|leaf| *leaf != old).unwrap();
    for due in [false, true, true] {
        if due {
            host.release().unwrap();
        }
        host.apply_to(1).unwrap();
        assert_eq!(host.site.leaf().unwrap(), old);
        host.expect_served(&old).unwrap();
        assert_eq!(host.site.leaves().unwrap().len(), 2, "a second order was placed");
    }
    assert_eq!(host.site.run(&["verify"]).unwrap().code, 3);
    drop(broken);
    host.release().unwrap();
    host.apply_to(0).unwrap();
    assert_eq!(host.site.leaf().unwrap(), waiting);
    host.expect_served(&waiting).unwrap();
    assert_eq!(host.site.leaves().unwrap().len(), 2, "a second order was placed");
    host.apply_to(0).unwrap();
}

#[test]
fn a_reader_that_cannot_reach_the_key_is_refused_before_anything_is_activated() {
    let site = Site::beneath("closed/store").unwrap();
    let closed = site.join("closed");
    fs::create_dir(&closed).unwrap();
    chmod(&closed, 0o711);
    let host = up(site);
    let (old, active) = (host.site.leaf().unwrap(), host.site.active().unwrap());
    chmod(&closed, 0o700);
    host.wish(TWO, "").unwrap();
    let said = host.apply_to(1).unwrap().said();
    assert!(said.contains(&format!("`{}`", closed.display())), "the component is named: {said}");
    assert!(said.contains("other::---"), "the entry is named: {said}");
    assert_eq!(host.site.active().unwrap(), active);
    host.expect_served(&old).unwrap();
    assert_eq!(mode(&closed), 0o700, "the directory is not ours to change");
    chmod(&closed, 0o711);
    host.release().unwrap();
    host.apply_to(0).unwrap();
    assert_ne!(host.site.leaf().unwrap(), old);
    host.expect_served(&host.site.leaf().unwrap()).unwrap();
}

#[test]
fn a_reload_that_hangs_is_ended_and_rolled_back() {
    let host = up(here());
    let old = host.site.leaf().unwrap();
    let hangs = script(&host.site, "trap '' TERM\nwhile :; do sleep 1000; done");
    host.wish(TWO, &format!("reload = {{ command = [\"{}\"], limit = \"1s\" }}", hangs.display())).unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    assert_eq!(failure(&ran), (1, "timeout".into(), "rolled_back".into()), "{}", ran.said());
    assert_eq!(host.site.leaf().unwrap(), old);
    host.expect_served(&old).unwrap();
}

#[test]
fn a_reload_that_only_says_so_is_found_out() {
    let host = up(here());
    let old = host.site.leaf().unwrap();
    host.wish_within("1s", TWO, "reload = [\"/bin/true\"]").unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    assert_eq!(failure(&ran), (1, "probe_mismatch".into(), "rolled_back".into()), "{}", ran.said());
    assert_eq!(host.site.leaf().unwrap(), old);
    host.expect_served(&old).unwrap();
}

/// SIGHUP is taken and the check, made as root, passes: only what is served shows that nginx could not read the key.
#[test]
fn a_key_for_somebody_else_is_found_out() {
    let mut host = up(here());
    let old = host.site.leaf().unwrap();
    host.keys = "readers = [\"user:www-data\"]".to_owned();
    host.wish_within("1s", TWO, "").unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    assert_eq!(failure(&ran), (1, "probe_mismatch".into(), "rolled_back".into()), "{}", ran.said());
    assert!(host.server.said().contains("Permission denied"), "{}", host.server.said());
    assert_eq!(host.site.leaf().unwrap(), old);
    host.expect_served(&old).unwrap();
}

#[test]
fn every_address_counts_and_the_one_that_is_wrong_is_named() {
    let mut host = up(here());
    let old = host.site.leaf().unwrap();
    // Another nginx, which nobody tells to look.
    let mut other = nginx::reading(User::STRANGER, host.site.files()).unwrap();
    other.start().unwrap();
    host.server.places.extend(other.places.iter().copied());
    host.wish_within("1s", TWO, "").unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    assert_eq!(failure(&ran), (1, "probe_mismatch".into(), "rolled_back".into()), "{}", ran.said());
    let message = lineage(&ran)["error"]["message"].to_string();
    assert!(message.contains(&other.address().to_string()), "{message}");
    assert!(!message.contains(&host.server.address().to_string()), "{message}");
    host.expect_served(&old).unwrap();
}

#[test]
fn a_reload_may_print_without_end_and_leave_children_behind() {
    let host = up(here());
    let pid = host.server.pid.display();
    let text = format!("head -c 100000000 /dev/zero\nsleep 1000 &\nkill -HUP $(cat {pid})");
    let chatters = script(&host.site, &text);
    host.wish(TWO, &format!("reload = {{ command = [\"{}\"], limit = \"20s\" }}", chatters.display())).unwrap();
    host.apply_to(0).unwrap();
    host.expect_served(&host.site.leaf().unwrap()).unwrap();
}

#[test]
fn a_program_that_cannot_be_run_is_refused_before_anything_is_activated() {
    let host = up(here());
    let active = host.site.active().unwrap();
    let anybodys = script(&host.site, "true");
    chmod(&anybodys, 0o777);
    for program in [Path::new("/no/such/program"), &host.site.config(), &anybodys] {
        for key in ["check", "reload"] {
            host.wish(TWO, &format!("{key} = [\"{}\"]", program.display())).unwrap();
            let ran = host.site.json(&["apply"]).unwrap();
            let (code, _, aftermath) = failure(&ran);
            assert_eq!((code, aftermath), (1, "untouched".into()), "{}", ran.said());
            assert!(ran.said().contains(&program.display().to_string()), "{}", ran.said());
            assert_eq!(host.site.active().unwrap(), active);
        }
    }
    host.wish(TWO, "").unwrap();
    host.apply_to(0).unwrap();
    host.expect_served(&host.site.leaf().unwrap()).unwrap();
    assert_eq!(host.site.leaves().unwrap().len(), 2, "what was refused is used once it can be");
}

#[test]
fn a_stray_chmod_is_found_and_repaired_with_the_same_certificate() {
    let host = up(here());
    let (leaf, active) = (host.site.leaf().unwrap(), host.site.active().unwrap());
    // What chmod changes beside the owner's bits is the mask of the ACL.
    chmod(host.site.files().key, 0o600);
    let found = host.site.run(&["verify"]).unwrap();
    assert_eq!(found.code, 3, "{}", found.said());
    assert!(found.said().contains("mask"), "{}", found.said());
    assert_eq!(host.site.run(&["plan"]).unwrap().code, 3);
    let ran = host.site.json(&["apply"]).unwrap();
    assert_eq!((ran.code, &lineage(&ran)["plan"]), (0, &"repair".into()), "{}", ran.said());
    assert_ne!(host.site.active().unwrap(), active, "a generation is never edited");
    assert_eq!(host.site.leaf().unwrap(), leaf);
    host.expect_served(&leaf).unwrap();
    assert_eq!(host.site.leaves().unwrap().len(), 1);
    assert_eq!(host.site.run(&["verify"]).unwrap().code, 0);
}

#[test]
fn a_server_that_cannot_start_for_want_of_access_can_after_the_next_run() {
    let mut host = up(here());
    let leaf = host.site.leaf().unwrap();
    host.server.stop().unwrap();
    chmod(host.site.files().key, 0o600);
    let refused = host.server.start().unwrap_err().to_string();
    assert!(refused.contains("Permission denied"), "{refused}");
    host.server.stop().unwrap_err();
    host.wish_within("1s", ONE, &check_as_the_server(&host)).unwrap();
    // Nothing runs that could be told, and so it cannot end well yet.
    let ran = host.site.json(&["apply"]).unwrap();
    assert_eq!((ran.code, &lineage(&ran)["plan"]), (1, &"repair".into()), "{}", ran.said());
    host.server.start().unwrap();
    host.release().unwrap();
    host.apply_to(0).unwrap();
    host.expect_served(&leaf).unwrap();
    assert_eq!(host.site.run(&["verify", "--ready"]).unwrap().code, 0);
}

#[test]
fn a_rollback_on_purpose_holds_while_the_server_is_away_and_when_it_has_to_be_told_again() {
    let mut host = up(here());
    let (old, first) = (host.site.leaf().unwrap(), host.site.active().unwrap());
    // Serves what is active at its start, and is told nothing until it is one of those that are asked.
    let mut other = nginx::reading(User::STRANGER, host.site.files()).unwrap();
    for identifiers in [TWO, ONE] {
        host.wish(identifiers, "").unwrap();
        host.apply_to(0).unwrap();
    }
    other.start().unwrap();

    host.wish_within("1s", ONE, &check_as_the_server(&host)).unwrap();
    host.server.stop().unwrap();
    let ran = host.site.json(&["rollback", "www", "--to", &first]).unwrap();
    assert_eq!(failure(&ran).2, Value::from("kept"), "{}", ran.said());
    assert_eq!(host.site.leaf().unwrap(), old);
    host.server.start().unwrap();
    host.expect_served(&old).unwrap();

    let pids = format!("{} {}", host.server.pid.display(), other.pid.display());
    let tells_both = script(&host.site, &format!("kill -HUP $(cat {pids})"));
    host.server.places.extend(other.places.iter().copied());
    for _ in 0..3 {
        host.wish(ONE, &format!("reload = [\"{}\"]", tells_both.display())).unwrap();
        host.apply_to(0).unwrap();
        assert_eq!(host.site.leaf().unwrap(), old, "it is held");
        host.expect_served(&old).unwrap();
    }
    assert_eq!(host.site.leaves().unwrap().len(), 3);
}

#[test]
fn of_two_runs_at_once_one_works_and_the_other_says_who() {
    let host = up(here());
    let fifo = host.site.join("fifo");
    mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
    let waits = format!("read go < {} && kill -HUP $(cat {})", fifo.display(), host.server.pid.display());
    let waits = script(&host.site, &waits);
    host.wish(TWO, &format!("reload = [\"{}\"]", waits.display())).unwrap();
    let config = host.site.config();
    let mut first = cli::command([Path::new("apply"), Path::new("-c"), &config]);
    let mut first = Running::start(first.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())).unwrap();
    // It can be opened once somebody reads it: the first run is in its reload.
    let open = || {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        fs::OpenOptions::new().write(true).custom_flags(flags).open(&fifo)
    };
    let mut held = until(LIMIT, "the first run reloads", open).unwrap();
    let second = host.site.json(&["apply", "--wait", "0s"]).unwrap();
    assert_eq!(second.code, 5, "{}", second.said());
    let message = lineage(&second)["error"].to_string();
    assert!(message.contains(&first.pid().to_string()), "{message}");
    held.write_all(b"go\n").unwrap();
    drop(held);
    assert_eq!(first.wait(LIMIT).unwrap().code(), Some(0));
    host.expect_served(&host.site.leaf().unwrap()).unwrap();
    assert_eq!(host.site.leaves().unwrap().len(), 2);
}

#[test]
fn a_first_deployment_that_fails_is_kept_and_tried_again() {
    let mut host = new(here());
    host.wish_within("1s", ONE, &check_as_the_server(&host)).unwrap();
    // Nothing runs that could be told to look.
    let ran = host.site.json(&["apply"]).unwrap();
    let (code, _, aftermath) = failure(&ran);
    assert_eq!((code, aftermath), (1, "kept".into()), "{}", ran.said());
    let message = lineage(&ran)["error"]["message"].to_string();
    assert!(message.contains(&host.server.pid.display().to_string()), "{message}");
    assert_eq!(lineage(&ran)["error"]["generation"], host.site.active().unwrap());
    let leaf = host.site.leaf().unwrap();
    host.server.start().unwrap();
    host.expect_served(&leaf).unwrap();
    host.release().unwrap();
    host.apply_to(0).unwrap();
    host.expect_served(&leaf).unwrap();
    assert_eq!(host.site.leaves().unwrap().len(), 1);
    assert_eq!(host.site.run(&["verify"]).unwrap().code, 0);
}

#[test]
fn what_a_run_that_died_left_does_not_keep_the_next_one_from_its_work() {
    let host = up(here());
    let old = host.site.leaf().unwrap();
    fs::create_dir(host.site.generation(".stage-0002-0badf00d")).unwrap();
    host.wish(TWO, "").unwrap();
    host.apply_to(0).unwrap();
    assert_ne!(host.site.leaf().unwrap(), old, "the new one is active");
    assert_eq!(host.site.generations().unwrap().len(), 2);
}

#[test]
fn a_machine_is_ready_while_its_server_runs() {
    let mut host = up(here());
    let ran = host.site.run(&["verify", "--ready"]).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.said());
    host.server.stop().unwrap();
    let ran = host.site.json(&["verify", "--ready"]).unwrap();
    assert_eq!(ran.code, 3, "{}", ran.said());
    let findings = lineage(&ran)["findings"].to_string();
    assert!(findings.contains("service_not_running"), "{findings}");
}

#[test]
fn an_include_file_names_the_generation_that_is_served() {
    let site = here();
    let include = site.join("tls.conf");
    let mut host = Host::new(site, |_| nginx::including(User::STRANGER, &include)).unwrap();
    let table = |template: &str| {
        format!("[[lineage.www.output]]\npath = \"{}\"\nstrategy = \"pinned\"\n{template}", include.display())
    };
    // The file is wished for before the service is, whose preset fills in the same template.
    host.tables = table(
        "template = \"ssl_certificate {generation}/fullchain.pem;\\nssl_certificate_key {generation}/key.pem;\\n\"",
    );
    host.bring_up().unwrap();
    host.tables = table("");
    let pinned = || {
        let (text, generation) = (fs::read_to_string(&include).unwrap(), host.site.active().unwrap());
        let named = host.site.generation(&generation).join("key.pem");
        assert!(text.contains(&format!("{};", named.display())) && !text.contains("current"), "{text}");
        host.expect_served(&host.site.leaf().unwrap()).unwrap();
        generation
    };
    let first = pinned();
    host.wish(TWO, "").unwrap();
    host.apply_to(0).unwrap();
    let second = pinned();
    assert_ne!(first, second);
    // A failing check takes the include file back as well.
    host.wish(ONE, "").unwrap();
    let broken = host.break_configuration().unwrap();
    host.apply_to(1).unwrap();
    drop(broken);
    assert_eq!(pinned(), second);
}
