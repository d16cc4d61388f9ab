//! `verify --ready`: one of two answers, in time.

use std::net::TcpListener;

use serde_json::Value;

use crate::play::{Play, same};

const WISH: &str = "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n";

#[test]
fn ready_or_not() {
    let play = Play::new(WISH);
    let told = play.told(&["verify", "--ready"]);
    assert!(told.starts_with("exit 3\nwww: finding; nothing is active\n  nothing_active: "), "{told}");
    play.ends(0, &["apply"]);
    same(&play.told(&["verify", "--ready"]), "exit 0\nwww: well; 0001-[LEAF] is active\n");
}

#[test]
fn what_cannot_be_asked_is_not_ready() {
    let play = Play::new(&format!("{WISH}sevice = \"nginx\"\n"));
    let ran = play.ends(3, &["verify", "--ready"]);
    assert!(ran.stderr.contains("there is no key `sevice` here"), "{}", ran.stderr);
    play.ends(2, &["verify"]);
    let ran = play.ends(3, &["verify", "--ready", "-c", "none.toml"]);
    assert!(ran.stderr.contains("none.toml"), "{}", ran.stderr);
    play.wish(WISH);
    play.ends(3, &["verify", "--ready", "wwww"]);
}

#[test]
fn a_fail_over_daemon_that_does_not_run_counts() {
    let play = Play::new(WISH);
    play.ends(0, &["apply"]);
    let daemon = format!("[failover]\npid_file = \"{}/keepalived.pid\"\n", play.directory());
    play.wish(&format!("{WISH}{daemon}"));
    let told = play.told(&["verify", "--ready"]);
    assert!(told.starts_with("exit 3\nwww: well; 0001-[LEAF] is active\nfailover_not_running: "), "{told}");
    play.ends(0, &["verify"]);
}

#[test]
fn an_endpoint_that_keeps_silent_is_not_waited_for() {
    // It is connected to by the kernel, and nobody ever speaks.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let play = Play::new(WISH);
    play.ends(0, &["apply"]);
    let address = silent.local_addr().unwrap();
    play.wish(&format!("{WISH}probe = [{{ address = \"{address}\", limit = \"600s\" }}]\n"));
    same(
        &play.told(&["verify", "--ready", "--limit", "1s"]),
        "exit 3\n-- stderr\nerror: not ready: no answer within 1s\n",
    );
    let ran = play.ends(3, &["verify", "--ready", "--limit", "0s", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["verb"], "verify");
    assert_eq!((&report["outcome"], &report["findings"][0]["code"]), (&"finding".into(), &"no_answer".into()));
}
