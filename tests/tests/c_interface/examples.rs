//! The programs in `ffi/examples` do what they are there for.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use certwright_tests::openssl::x509;
use certwright_tests::ports;
use certwright_tests::process::Running;
use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;
use certwright_tests::served;
use certwright_tests::servers::Place;
use rustix::process::Signal;

use crate::compiled::{Build, compile, flags, prefix, source};

const LIMIT: Duration = Duration::from_secs(60);

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn run(executable: &Path, arguments: &[&Path]) -> (i32, String, String) {
    said(&Build::Plain.command(executable).args(arguments).output().unwrap())
}

/// A lineage of the embedded CA, and what else the configuration says.
fn configured(scratch: &Scratch, more: &str) -> PathBuf {
    let path = scratch.join("certwright.toml");
    let text = format!(
        "version = 1\nroot = \"{}\"\n[issuer.lab]\ntype = \"local\"\n[lineage.www]\n\
         identifiers = [\"www.example.org\"]\nissuer = \"lab\"\n{more}",
        scratch.join("root").display()
    );
    fs::write(&path, text).unwrap();
    path
}

fn in_cpp(scratch: &Scratch, compiler: &str) -> PathBuf {
    let to = scratch.join(format!("apply-{compiler}"));
    let mut arguments =
        ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-o"].map(str::to_owned).to_vec();
    arguments.extend([to.display().to_string(), source("examples/apply.cpp").display().to_string()]);
    arguments.extend(flags(&["--cflags", "--libs"]));
    compile(compiler, &arguments);
    to
}

#[test]
fn a_program_in_cpp_has_owners_and_exceptions() {
    let scratch = Scratch::on_disk().unwrap();
    let config = configured(&scratch, "");
    for (compiler, ends) in [("g++", " is new\n"), ("clang++", " stays\n")] {
        let (code, out, error) = run(&in_cpp(&scratch, compiler), &[&config]);
        assert_eq!((code, error.as_str()), (0, ""));
        assert!(out.starts_with("www: 0001-") && out.ends_with(ends), "{out}");
    }
    fs::write(&config, "versoin = 1\n").unwrap();
    let (code, out, error) = run(&scratch.join("apply-g++"), &[&config]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.starts_with("apply: ") && error.contains("versoin") && error.contains("\nhint: "), "{error}");
}

#[test]
fn a_plug_in_for_monitoring_has_one_line_and_a_state() {
    let scratch = Scratch::on_disk().unwrap();
    let config = configured(&scratch, "");
    let check = Build::Sanitized.executable("gcc", &source("examples/check.c"), scratch.join("check"));
    let state = |more: &[&str]| {
        let (code, out, _) = said(&Build::Sanitized.command(&check).arg(&config).args(more).output().unwrap());
        assert_eq!(out.lines().count(), 1, "{out}");
        (code, out)
    };
    let (code, out) = state(&[]);
    assert!(code == 1 && out.starts_with("CERTWRIGHT WARNING - 1 lineage; www: is not as wished"), "{out}");
    assert_eq!(run(&in_cpp(&scratch, "g++"), &[&config]).0, 0);
    let (code, out) = state(&[]);
    assert!(code == 0 && out.starts_with("CERTWRIGHT OK - 1 lineage | days="), "{out}");
    let (code, out) = state(&["10000", "3"]);
    assert!(code == 1 && out.starts_with("CERTWRIGHT WARNING - 1 lineage; www: ends in "), "{out}");
    let (code, out) = state(&["10000", "9000"]);
    assert!(code == 2 && out.starts_with("CERTWRIGHT CRITICAL - 1 lineage; www: ends in "), "{out}");
    fs::write(&config, "no toml").unwrap();
    let (code, out) = state(&[]);
    assert!(code == 3 && out.starts_with("CERTWRIGHT UNKNOWN - "), "{out}");
}

#[test]
fn a_hook_deploys_what_certbot_renewed() {
    let scratch = Scratch::on_disk().unwrap();
    // Another client's, as certbot lays it out; here nobody issues.
    let (other, live) = (Scratch::on_disk().unwrap(), scratch.join("live/www"));
    assert_eq!(run(&in_cpp(&scratch, "g++"), &[&configured(&other, "")]).0, 0);
    let config = configured(&scratch, "");
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("issuer = \"lab\"\n", "")).unwrap();
    fs::create_dir_all(&live).unwrap();
    let current = other.join("root/www/current");
    fs::copy(current.join("key.pem"), live.join("privkey.pem")).unwrap();
    fs::copy(current.join("fullchain.pem"), live.join("fullchain.pem")).unwrap();

    let hook = Build::Sanitized.executable("gcc", &source("examples/hook.c"), scratch.join("hook"));
    let renewed = |more: &[&str]| {
        let mut command = Build::Sanitized.command(&hook);
        said(&command.env("RENEWED_LINEAGE", &live).arg(&config).args(more).output().unwrap())
    };
    let (code, out, error) = renewed(&[]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.starts_with("www: 0001-") && out.ends_with(" is active\n"), "{out}");
    let active = fs::read(scratch.join("root/www/current/fullchain.pem")).unwrap();
    assert_eq!(active, fs::read(live.join("fullchain.pem")).unwrap());
    // The same again changes nothing and says nothing.
    assert_eq!(renewed(&[]), (0, String::new(), String::new()));
    let (code, _, error) = renewed(&["wwww"]);
    assert!(code == 1 && error.starts_with("hook: ") && error.contains("\nhint: "), "{error}");
    assert_eq!(Build::Sanitized.command(&hook).arg(&config).output().unwrap().status.code(), Some(2));
}

#[test]
fn python_reads_a_report_by_ctypes() {
    let scratch = Scratch::on_disk().unwrap();
    let config = configured(&scratch, "");
    assert_eq!(run(&in_cpp(&scratch, "g++"), &[&config]).0, 0);
    let status = || {
        let mut command = Command::new(program("python3"));
        command.arg("-B").arg(source("examples/status.py")).arg(prefix().join("lib/libcertwright.so"));
        said(&command.arg(&config).output().unwrap())
    };
    let (code, out, error) = status();
    assert_eq!((code, error.as_str()), (0, ""));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["outcome"], &report["lineages"][0]["lineage"]), (&"well".into(), &"www".into()), "{out}");
    fs::write(&config, "versoin = 1\n").unwrap();
    let (code, _, error) = status();
    assert!(code == 1 && error.contains("\nhint: "), "{error}");
}

/// A server that never heard of files: it is handed each certificate in memory, and serves it.
#[test]
fn a_daemon_follows_renewals() {
    let scratch = Scratch::on_disk().unwrap();
    let port = ports::free().unwrap();
    let probe = format!("probe = [{{ address = \"127.0.0.1:{port}\", server_name = \"www.example.org\" }}]\n");
    let config = configured(&scratch, &probe);
    let daemon = scratch.join("reload_daemon");
    let mut arguments =
        ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-pthread", "-o"].map(str::to_owned).to_vec();
    arguments.extend([daemon.display().to_string(), source("examples/reload_daemon.c").display().to_string()]);
    arguments.extend(flags(&["--cflags", "--libs"]));
    arguments.extend(["-lssl", "-lcrypto"].map(str::to_owned));
    compile("gcc", &arguments);

    let start = || {
        let mut command = Build::Plain.command(&daemon);
        command.arg(&config).arg("www").arg(scratch.join("root/www/current/bundle.pem")).arg(port.to_string());
        let mut running = Running::start(command.stdout(Stdio::piped())).unwrap();
        let lines = BufReader::new(running.stdout().unwrap()).lines();
        (running, lines)
    };
    let place = Place { address: ([127, 0, 0, 1], port).into(), dialect: None };
    let seen = || served::leaf(place, Some("www.example.org")).unwrap();
    let active = || served::leaf_of(&scratch.join("root/www/current/leaf.pem")).unwrap();

    let (mut running, mut lines) = start();
    assert!(lines.next().unwrap().unwrap().starts_with("serving 0001-"));
    let first = seen();
    // Another wish, and the signal that legacy daemons know.
    let wish = fs::read_to_string(&config)
        .unwrap()
        .replace("\"www.example.org\"]\n", "\"www.example.org\", \"b.example.org\"]\n");
    fs::write(&config, wish).unwrap();
    running.signal(Signal::HUP).unwrap();
    assert!(lines.next().unwrap().unwrap().starts_with("serving 0002-"));
    let second = seen();
    assert_ne!(second, first);
    assert_eq!(second, active());
    let names =
        x509(&fs::read(scratch.join("root/www/current/leaf.pem")).unwrap(), &["-ext", "subjectAltName"]).unwrap();
    assert!(names.contains("DNS:b.example.org"), "{names}");
    running.signal(Signal::TERM).unwrap();
    assert!(running.wait(LIMIT).unwrap().success());

    // After a restart it serves what was active, and nothing is issued.
    let (mut running, mut lines) = start();
    assert!(lines.next().unwrap().unwrap().ends_with("current/bundle.pem"));
    assert_eq!(seen(), second);
    running.signal(Signal::TERM).unwrap();
    assert!(running.wait(LIMIT).unwrap().success());
    assert_eq!(active(), second);
}
