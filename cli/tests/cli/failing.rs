//! What goes wrong on the way: undone, deferred, stuck, locked out, stopped.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use certwright_tests::process::Running;
use certwright_tests::until::until;
use rustix::process::Signal;
use serde_json::Value;

use crate::play::{LIMIT, Play, same};

/// A service that serves what is in `served.pem`: its reload copies the leaf, unless it is `broken`, or worse, `wrecked`.
const SERVICE: &str = r#"[lineage.www]
identifiers = ["NAMES"]
issuer = "lab"
probe = [{ address = "file:[DIR]/served.pem" }]
reload = ["/bin/sh", "-c", "test -e [DIR]/wrecked && echo > [DIR]/served.pem; test ! -e [DIR]/broken && cp [DIR]/store/www/current/leaf.pem [DIR]/served.pem"]
"#;

fn service(play: &Play, names: &str) -> String {
    SERVICE.replace("NAMES", names).replace("[DIR]", &play.directory())
}

/// With one certificate served, and another one wished.
fn about_to_fail() -> Play {
    let play = Play::empty();
    play.wish(&service(&play, "one.example.org"));
    play.ends(0, &["apply"]);
    play.wish(&service(&play, "two.example.org"));
    play.write("broken", "");
    play
}

#[test]
fn a_failed_reload_is_undone_deferred_and_tried_again_after_its_release() {
    let play = about_to_fail();
    let told = play.told(&["apply"]);
    let expected = [
        "exit 1",
        "www: failed; 0001-[LEAF] is active, valid until [TIME]",
        "error: www: activate: the reload failed ",
        "now: rolled back to 0001-[LEAF]",
        "hint: ",
        "retry: [TIME]",
    ];
    let mut lines = told.lines();
    for start in expected {
        assert!(lines.any(|line| line.starts_with(start)), "no `{start}` after the one before in:\n{told}");
    }
    assert!(play.active("www").starts_with("0001-"));

    fs::remove_file(play.path("broken")).unwrap();
    let told = play.told(&["apply"]);
    assert!(told.starts_with("exit 1\nwww: waiting; 0001-[LEAF] is active"), "{told}");
    let told = play.told(&["status"]);
    assert!(
        told.starts_with("exit 1\nwww: 0001-[LEAF] is active; ") && told.contains("; 0002-[LEAF] waits until"),
        "{told}"
    );
    play.ends(0, &["rollback", "www", "--release"]);
    let told = play.told(&["apply"]);
    assert!(told.starts_with("exit 0\nwww: changed; 0002-[LEAF] is active"), "{told}");
    assert!(told.contains("  served: "), "{told}");
}

#[test]
fn stuck_says_what_to_paste_and_the_pasted_commands_help() {
    let play = about_to_fail();
    play.write("wrecked", "");
    let ran = play.ends(4, &["apply"]);
    let error = &ran.stderr;
    assert!(error.starts_with("error: www: rollback: "), "{error}");
    let now = "now: stuck, a human is needed; run, in this order:\n";
    let (_, rest) = error.split_once(now).unwrap();
    let (commands, rest) = rest.split_once("\nhint: ").unwrap();
    assert!(rest.contains("certwright verify"), "{error}");
    let link = commands.lines().next().unwrap();
    assert!(link.starts_with("ln -sfnT generations/0001-"), "{commands}");

    // The operator mends the service and pastes.
    fs::remove_file(play.path("broken")).unwrap();
    fs::remove_file(play.path("wrecked")).unwrap();
    play.write("by-hand.sh", &format!("set -e\n{commands}\n"));
    let script = play.path("by-hand.sh");
    let pasted = crate::play::finish(&mut play.program("/bin/sh".as_ref(), [script.as_os_str()])).unwrap();
    assert_eq!(pasted.code, 0, "{commands}\n{}{}", pasted.stdout, pasted.stderr);
    assert_eq!(fs::read(play.path("served.pem")).unwrap(), fs::read(play.path("store/www/current/leaf.pem")).unwrap());

    let report: Value = serde_json::from_str(&play.run(&["status", "--json"]).stdout).unwrap();
    assert!(report["lineages"][0]["generation"].as_str().unwrap().starts_with("0001-"), "{report}");
}

#[test]
fn the_worst_of_several_counts_and_all_are_tried() {
    let play = Play::empty();
    let good = "[lineage.zzz]\nidentifiers = [\"z.example.org\"]\nissuer = \"lab\"\n";
    play.wish(&format!("{}{good}", service(&play, "one.example.org")));
    play.write("broken", "");
    let ran = play.ends(1, &["apply"]);
    assert!(ran.stdout.contains("\nzzz: changed; "), "{}", ran.stdout);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
    // Programs have the error in their report, and nothing beside it.
    let play = Play::empty();
    play.wish(&format!("{}{good}", service(&play, "one.example.org")));
    play.write("broken", "");
    let ran = play.ends(1, &["apply", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((report["outcome"].as_str(), ran.stderr.as_str()), (Some("failed"), ""));
    assert_eq!(report["lineages"][0]["error"]["kind"], "reload_failed");
}

#[test]
fn another_run_at_work_is_a_5_that_names_it() {
    let play = Play::empty();
    play.wish(&service(&play, "one.example.org"));
    play.ends(0, &["apply"]);
    play.wish(&service(&play, "two.example.org"));
    let lock = File::open(play.path("store/www/.lock")).unwrap();
    lock.try_lock().unwrap();
    let ran = play.ends(5, &["apply", "--wait", "0s"]);
    let pid = std::process::id();
    let told = play.blank(&ran);
    assert!(told.contains("error: www: another run holds the lock ("), "{told}");
    assert!(ran.stderr.contains(&format!("pid `{pid}`")), "{}", ran.stderr);
    assert!(told.ends_with("\nretry: now\n"), "{told}");
    // Those who only look are not kept out.
    play.ends(3, &["plan"]);
    play.ends(0, &["status"]);
    lock.unlock().unwrap();
    play.ends(0, &["apply", "--wait", "0s"]);
}

/// An `apply` that stands in the check of its service.
fn standing(play: &Play) -> Running {
    let directory = play.directory();
    play.wish(&format!(
        "[lineage.www]\nidentifiers = [\"one.example.org\"]\nissuer = \"lab\"\n\
         check = [\"/bin/sh\", \"-c\", \"touch {directory}/standing; exec sleep 60\"]\n"
    ));
    let error = File::create(play.path("stderr")).unwrap();
    let mut command = play.command(&["apply"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(error);
    let running = Running::start(&mut command).unwrap();
    until(LIMIT, "the check", || fs::metadata(play.path("standing"))).unwrap();
    running
}

#[test]
fn a_signal_stops_at_the_next_safe_point() {
    for signal in [Signal::TERM, Signal::INT] {
        let play = Play::empty();
        let mut running = standing(&play);
        running.signal(signal).unwrap();
        let status = running.wait(Duration::from_secs(30)).unwrap();
        let error = fs::read_to_string(play.path("stderr")).unwrap();
        assert_eq!(status.code(), Some(1), "{error}");
        assert!(error.starts_with("error: www: ") && error.contains("stopped as asked"), "{error}");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let play = Play::empty();
    let directory = play.directory();
    // Nothing here listens to a wish to stop: the file is a pipe that nobody writes to.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        play.path("never.pem"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    play.wish("[lineage.www]\nidentifiers = [\"one.example.org\"]\n");
    let mut command = play.command(&["deploy", "--lineage", "www", "--key", "never.pem", "--fullchain", "x"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Running::start(&mut command).unwrap();
    // Both signals are caught, and the file is about to be opened or is being opened.
    let status = format!("/proc/{}/status", running.pid());
    until(LIMIT, "signals are watched", || {
        let text = fs::read_to_string(&status)?;
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim).unwrap_or_default();
        let caught = u64::from_str_radix(caught, 16).unwrap_or_default();
        let both = 1 << (Signal::TERM.as_raw() - 1) | 1 << (Signal::INT.as_raw() - 1);
        if caught & both == both { Ok(()) } else { Err(io::Error::other(format!("{directory}: {caught:x}"))) }
    })
    .unwrap();
    running.signal(Signal::TERM).unwrap();
    until(LIMIT, "the first one to be delivered", || {
        let text = fs::read_to_string(&status)?;
        let pending = text.lines().filter(|line| line.starts_with("SigPnd:") || line.starts_with("ShdPnd:"));
        let none =
            pending.flat_map(|line| line.split_whitespace().nth(1)).all(|bits| bits.bytes().all(|bit| bit == b'0'));
        if none { Ok(()) } else { Err(io::Error::other("it is pending")) }
    })
    .unwrap();
    running.signal(Signal::TERM).unwrap();
    let status = running.wait(LIMIT).unwrap();
    assert_eq!((status.code(), status.signal()), (Some(143), None));
}

#[test]
fn a_certificate_that_is_not_for_the_lineage_is_refused_untouched() {
    let play = Play::new(
        "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n\
         [lineage.mail]\nidentifiers = [\"mail.example.org\"]\n",
    );
    play.ends(0, &["apply", "www"]);
    let told = play.told(&[
        "deploy",
        "--lineage",
        "mail",
        "--key",
        "store/www/current/key.pem",
        "--fullchain",
        "store/www/current/fullchain.pem",
    ]);
    assert!(told.starts_with("exit 1\nmail: failed\n-- stderr\nerror: mail: "), "{told}");
    assert!(told.contains("mail.example.org") && told.contains("\nnow: nothing was changed\n"), "{told}");
    same(&play.told(&["plan", "mail"]).lines().take(1).collect::<String>(), "exit 0");
}
