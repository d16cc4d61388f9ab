//! The daemon: alone on its root, heard by systemd, seen by Prometheus, told by signals.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use certwright_tests::exposition;
use certwright_tests::process::Running;
use certwright_tests::until::until;
use rustix::process::Signal;

use crate::play::{LIMIT, Play};

const WWW: &str = "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n";

/// A daemon, and what it tells systemd.
struct Daemon {
    running: Running,
    socket: UnixDatagram,
}

impl Daemon {
    fn start(play: &Play, words: &[&str]) -> Self {
        let path = play.path("notify");
        let _ = fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        // Not by way of `timeout`: that would pass each signal on twice. It ends with this value.
        let mut command = play.command(&[&["run"], words].concat());
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
        command.stdout(fs::File::create(play.path("out")).unwrap());
        command.stderr(fs::File::create(play.path("err")).unwrap()).stdin(Stdio::null());
        Self { running: Running::start(&mut command).unwrap(), socket }
    }

    /// Waits until it says this, and answers the whole message.
    fn says(&self, what: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("it never says {what}: {error}"));
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.lines().any(|line| line.starts_with(what)) {
                return message;
            }
        }
    }

    /// Waits until it has nothing to do with so many lineages, of which so many are not well.
    fn rests(&self, lineages: usize, troubled: usize) {
        self.says(&format!("STATUS={lineages} lineages, {troubled} not well"));
    }

    fn signal(&self, signal: Signal) {
        self.running.signal(signal).unwrap();
    }
}

fn text(play: &Play, name: &str) -> String {
    fs::read_to_string(play.path(name)).unwrap()
}

/// A port that is free now.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn ask(address: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn it_issues_tells_systemd_and_stops_when_asked() {
    let play = Play::new(WWW);
    let mut daemon = Daemon::start(&play, &[]);
    daemon.says("READY=1");
    daemon.rests(1, 0);
    assert!(play.active("www").starts_with("0001-"));
    daemon.says("WATCHDOG=1");
    daemon.signal(Signal::TERM);
    daemon.says("STOPPING=1");
    let status = daemon.running.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(0), "{}", text(&play, "err"));
    let told = text(&play, "out");
    assert!(told.starts_with("www: changed; 0001-"), "{told}");
    assert_eq!(text(&play, "err"), "");
}

#[test]
fn there_is_one_for_each_root_and_verbs_go_on_beside_it() {
    let play = Play::new(WWW);
    let daemon = Daemon::start(&play, &[]);
    daemon.rests(1, 0);
    let ran = play.ends(5, &["run"]);
    assert!(ran.stderr.contains("another run holds the lock") && ran.stderr.contains("pid `"), "{}", ran.stderr);
    play.ends(0, &["apply"]);
    play.ends(0, &["status"]);
}

#[test]
fn a_new_configuration_is_taken_over_and_a_broken_one_is_not() {
    let play = Play::new(WWW);
    let daemon = Daemon::start(&play, &["--json"]);
    daemon.rests(1, 0);
    play.wish("[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lob\"\n");
    daemon.signal(Signal::HUP);
    let message = daemon.says("RELOADING=1");
    let moment = message.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!(moment.parse::<u64>().unwrap() > 0);
    assert!(daemon.says("READY=1").contains("cannot be used"));
    daemon.rests(1, 0);
    assert!(text(&play, "err").contains("there is no issuer `lob`"), "{}", text(&play, "err"));

    play.wish(&format!("{WWW}{}", WWW.replace("www", "mail")));
    daemon.signal(Signal::HUP);
    daemon.says("RELOADING=1");
    assert!(!daemon.says("READY=1").contains("cannot be used"));
    daemon.rests(2, 0);
    assert!(play.active("mail").starts_with("0001-") && play.active("www").starts_with("0001-"));
    let out = text(&play, "out");
    for line in out.lines() {
        let document: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&document["version"], &document["verb"]), (&1.into(), &"run".into()), "{line}");
    }
    assert!(out.contains("\"lineage\":\"mail\",\"outcome\":\"well\",\"plan\":\"issue\""), "{out}");
}

#[test]
fn metrics_are_in_the_format_by_file_and_by_listener() {
    let play = Play::new(&format!(
        "{WWW}probe = [{{ address = \"file:[DIR]/served.pem\" }}]\nreload = [\"/bin/cp\", \"[DIR]/store/www/current/leaf.pem\", \"[DIR]/served.pem\"]\n\
         [lineage.other]\nidentifiers = [\"other.example.org\"]\nissuer = \"lab\"\nprobe = [{{ address = \"file:[DIR]/nowhere.pem\" }}]\n"
    ));
    let address = free();
    let daemon = Daemon::start(&play, &["--metrics-file", "certwright.prom", "--metrics-listen", &address.to_string()]);
    daemon.rests(2, 1);
    daemon.says("STATUS=2");
    let file = text(&play, "certwright.prom");
    let mode = fs::metadata(play.path("certwright.prom")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);
    let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    for text in [file.as_str(), body] {
        let samples = exposition::read(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        let value = |name: &str, labels: &[(&str, String)]| {
            let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            samples.get(&(name.to_owned(), labels)).copied()
        };
        let www = [("lineage", "www".to_owned())];
        let not_after = value("certwright_not_after_timestamp_seconds", &www).unwrap();
        let renewal = value("certwright_renewal_timestamp_seconds", &www).unwrap();
        assert!(renewal < not_after && renewal > 1_700_000_000.0, "{renewal} {not_after}");
        assert_eq!(value("certwright_last_result", &www), Some(0.0));
        assert_eq!(value("certwright_changes_total", &www), Some(1.0));
        assert_eq!(value("certwright_last_result", &[("lineage", "other".to_owned())]), Some(1.0));
        let endpoint = |lineage: &str, file: &str| {
            let path = format!("{}/{file}", play.directory());
            value("certwright_endpoint_current", &[("endpoint", path), ("lineage", lineage.to_owned())])
        };
        assert_eq!(endpoint("www", "served.pem"), Some(1.0), "{text}");
        let version = [("version", env!("CARGO_PKG_VERSION").to_owned())];
        assert_eq!(value("certwright_build_info", &version), Some(1.0));
    }
    assert!(ask(address, "GET / HTTP/1.1\r\n\r\n").unwrap().starts_with("HTTP/1.1 404 "));
    assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").unwrap().starts_with("HTTP/1.1 405 "));
    // Whoever says nothing, or never ends, holds nobody up for long.
    let _silent = TcpStream::connect(address).unwrap();
    assert!(ask(address, "GET /metrics HTTP/1.0\r\n\r\n").unwrap().starts_with("HTTP/1.1 200 "));
    let ran = play.ends(1, &["run", "--root", "elsewhere", "--metrics-listen", &address.to_string()]);
    assert!(ran.stderr.contains("metrics cannot be offered at this address"), "{}", ran.stderr);
}

#[test]
fn it_stops_in_the_middle_of_a_reload_that_hangs_and_undoes_it() {
    let play = Play::new(WWW);
    play.ends(0, &["apply"]);
    play.wish(&format!(
        "{}reload = [\"/bin/sh\", \"-c\", \"test ! -e [DIR]/hang || {{ rm [DIR]/hang; echo > [DIR]/reloading; exec sleep 600; }}\"]\n",
        WWW.replace("\"www.example.org\"", "\"www.example.org\", \"more.example.org\"")
    ));
    play.write("hang", "");
    let mut daemon = Daemon::start(&play, &[]);
    until(LIMIT, "the reload", || fs::read(play.path("reloading"))).unwrap();
    daemon.signal(Signal::TERM);
    daemon.says("STOPPING=1");
    let status = daemon.running.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(0), "{}", text(&play, "err"));
    assert!(play.active("www").starts_with("0001-"), "the switch was undone");
}
