//! A real HAProxy as an unprivileged user, with the bundle beside its configuration, reloaded by signal and through its
//! runtime API.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing test may panic")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use certwright_tests::cli;
use certwright_tests::host::{Host, NONSENSE, ONE, TWO};
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::served;
use certwright_tests::servers::{User, haproxy};
use certwright_tests::site::Site;
use certwright_tests::until::until;

const LIMIT: Duration = Duration::from_secs(30);

/// HAProxy loads `crt`, and the lineage puts its bundle to `bundle`: the lineage is for root alone, that file for HAProxy.
fn host(site: Site, crt: &Path, bundle: &Path) -> Host {
    fs::create_dir_all(bundle.parent().unwrap()).unwrap();
    let mut host = Host::new(site, |_| haproxy::reading(User::STRANGER, crt)).unwrap();
    let readers = std::mem::take(&mut host.keys);
    host.tables = format!(
        "[[lineage.www.output]]\npath = \"{}\"\nstrategy = \"replace\"\nform = \"bundle\"\n{readers}\n",
        bundle.display(),
    );
    host
}

/// The same with both beside the store, and everything as wished.
fn up(crt: &str, bundle: &str) -> Host {
    let site = Site::new().unwrap();
    let (crt, bundle) = (site.join(crt), site.join(bundle));
    let mut host = host(site, &crt, &bundle);
    host.bring_up().unwrap();
    host
}

/// The certificate in a file, which must be that of the active generation.
fn expect_placed(host: &Host, bundle: &Path) {
    assert_eq!(served::leaf_of(bundle).unwrap(), host.site.leaf().unwrap());
    host.expect_served(&host.site.leaf().unwrap()).unwrap();
    let directory = bundle.parent().unwrap();
    let hidden = fs::read_dir(directory).unwrap().filter(|entry| is_hidden(&entry.as_ref().unwrap().path())).count();
    assert_eq!(hidden, 0, "nothing is left beside it");
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."))
}

/// What HAProxy answers on its admin socket.
fn ask(socket: &Path, line: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The number of the worker that answers on the admin socket.
fn worker(socket: &Path) -> String {
    let facts = ask(socket, "show info");
    facts.lines().find_map(|line| line.strip_prefix("Pid: ")).unwrap().to_owned()
}

/// Certificates that HAProxy has loaded.
fn loaded(socket: &Path) -> Vec<PathBuf> {
    let answer = ask(socket, "show ssl cert");
    answer.lines().filter(|line| line.starts_with('/')).map(PathBuf::from).collect()
}

#[test]
fn a_bundle_is_replaced_and_taken_at_a_reload_of_the_process() {
    let host = up("www.pem", "www.pem");
    let (bundle, socket) = (host.site.join("www.pem"), haproxy::socket(&host.server));
    expect_placed(&host, &bundle);
    let (first, before) = (host.site.leaf().unwrap(), worker(&socket));
    host.wish(TWO, "").unwrap();
    host.apply_to(0).unwrap();
    assert_ne!(host.site.leaf().unwrap(), first);
    expect_placed(&host, &bundle);
    assert_ne!(worker(&socket), before, "USR2 starts a new worker");
    assert_eq!(host.site.run(&["verify", "--ready"]).unwrap().code, 0);

    let second = host.site.leaf().unwrap();
    host.wish(ONE, "").unwrap();
    let broken = host.break_configuration().unwrap();
    let said = host.apply_to(1).unwrap().said();
    assert!(said.contains(NONSENSE), "the words of HAProxy are told: {said}");
    assert_eq!(host.site.leaf().unwrap(), second);
    expect_placed(&host, &bundle);
    drop(broken);
}

#[test]
fn a_bundle_is_handed_over_at_run_time_and_is_on_disk_for_the_next_start() {
    let mut host = up("www.pem", "www.pem");
    let (bundle, socket) = (host.site.join("www.pem"), haproxy::socket(&host.server));
    let before = worker(&socket);
    let service = host.server.service_with(&format!(", socket = \"{}\"", socket.display()));
    let reload = format!("reload = {{ haproxy = \"{}\", certificate = \"{}\" }}", socket.display(), bundle.display());
    for (identifiers, how) in [(TWO, &format!("service = {service}")), (ONE, &reload)] {
        let old = host.site.leaf().unwrap();
        host.wish(identifiers, how).unwrap();
        host.apply_to(0).unwrap();
        assert_ne!(host.site.leaf().unwrap(), old);
        expect_placed(&host, &bundle);
        assert_eq!(worker(&socket), before, "no process was started for it");
    }
    host.server.stop().unwrap();
    host.server.start().unwrap();
    expect_placed(&host, &bundle);
}

/// Has OpenSSL, in this process alone, insist on 128 bits of security, which 2048 bits of RSA do not have. The check,
/// which root makes, passes.
fn insist_on_128_bits(host: &mut Host) {
    let settings = host.site.join("openssl.cnf");
    let text = "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = strict\n\
                [strict]\nCipherString = DEFAULT@SECLEVEL=3\n";
    fs::write(&settings, text).unwrap();
    host.server.set("OPENSSL_CONF", &settings);
}

/// Through the runtime API the process refuses the commit; told by signal it says so in its log alone.
#[test]
fn a_bundle_that_the_process_refuses_is_rolled_back() {
    let site = Site::new().unwrap();
    let bundle = site.join("www.pem");
    let mut host = host(site, &bundle, &bundle);
    insist_on_128_bits(&mut host);
    host.bring_up().unwrap();
    let (old, socket) = (host.site.leaf().unwrap(), haproxy::socket(&host.server));
    let by_socket =
        format!("reload = {{ haproxy = \"{}\", certificate = \"{}\" }}", socket.display(), bundle.display());
    for (how, kind, words) in [
        (by_socket.as_str(), "reload_failed", "unable to load SSL certificate"),
        ("", "probe_mismatch", "another certificate is served"),
    ] {
        host.wish_within("2s", ONE, &format!("key = \"rsa-2048\"\n{how}")).unwrap();
        let ran = host.site.json(&["apply"]).unwrap();
        assert_eq!(ran.code, 1, "{}", ran.said());
        let error = ran.report().unwrap()["lineages"][0]["error"].clone();
        assert_eq!((&error["kind"], &error["aftermath"]), (&kind.into(), &"rolled_back".into()), "{error}");
        assert!(error["message"].to_string().contains(words), "{error}");
        assert_eq!(host.site.leaf().unwrap(), old);
        expect_placed(&host, &bundle);
        let left = ask(&socket, "show ssl cert");
        assert!(!left.contains("# transaction"), "no transaction is left open: {left}");
        assert_eq!(host.site.leaves().unwrap().len(), 2, "a second order was placed");
        host.release().unwrap();
    }
}

/// What is active keeps the process from starting, so that nobody can be told of something better.
#[test]
fn a_process_that_cannot_start_on_what_is_active_can_on_what_comes_next() {
    let site = Site::new().unwrap();
    let bundle = site.join("www.pem");
    let mut host = host(site, &bundle, &bundle);
    insist_on_128_bits(&mut host);
    host.site.wish(&format!("identifiers = [{ONE}]\nkey = \"rsa-2048\"\n{}", host.tables)).unwrap();
    host.apply_to(0).unwrap();
    assert!(host.server.start().unwrap_err().to_string().contains("unable to load SSL certificate"));
    host.wish_within("1s", ONE, "").unwrap();
    host.apply_to(1).unwrap();
    host.server.start().unwrap();
    host.release().unwrap();
    host.apply_to(0).unwrap();
    expect_placed(&host, &bundle);
    assert_eq!(host.site.leaves().unwrap().len(), 2);
}

#[test]
fn a_socket_that_nobody_listens_on_is_named_before_anything_is_activated() {
    let host = up("www.pem", "www.pem");
    let (bundle, active) = (host.site.join("www.pem"), host.site.active().unwrap());
    let absent = host.site.join("no.sock");
    host.wish(
        TWO,
        &format!("reload = {{ haproxy = \"{}\", certificate = \"{}\" }}", absent.display(), bundle.display()),
    )
    .unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    let error = ran.report().unwrap()["lineages"][0]["error"].clone();
    assert_eq!((ran.code, &error["aftermath"]), (1, &"untouched".into()), "{}", ran.said());
    assert!(error["message"].to_string().contains("no.sock"), "{error}");
    assert_eq!(host.site.active().unwrap(), active);
    expect_placed(&host, &bundle);
}

/// A wrong path, or a `stats socket` that somebody took out of the configuration: the process reads the disk as well.
#[test]
fn without_its_socket_the_process_is_reloaded_and_that_is_told() {
    let host = up("www.pem", "www.pem");
    let (bundle, socket) = (host.site.join("www.pem"), haproxy::socket(&host.server));
    let (before, absent) = (worker(&socket), host.site.join("no.sock"));
    let service = host.server.service_with(&format!(", socket = \"{}\"", absent.display()));
    host.wish(TWO, &format!("service = {service}")).unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    let report = ran.report().unwrap()["lineages"][0].clone();
    assert_eq!((ran.code, &report["changed"]), (0, &true.into()), "{}", ran.said());
    let note = report["notes"][0].to_string();
    assert!(note.contains("no.sock") && note.contains("USR2"), "{note}");
    expect_placed(&host, &bundle);
    assert_ne!(worker(&socket), before, "USR2 starts a new worker");
    let status = host.site.json(&["status"]).unwrap().report().unwrap();
    assert!(status.to_string().contains("reload_instead"), "{status}");
}

/// A run that is killed between staging a file and renaming it leaves it under a dot name in a directory that HAProxy
/// loads as a whole.
#[test]
fn a_file_that_waits_in_a_directory_of_bundles_is_not_loaded() {
    let host = up("crt/", "crt/www.pem");
    let (bundle, socket) = (host.site.join("crt/www.pem"), haproxy::socket(&host.server));
    let old = host.site.leaf().unwrap();
    host.wish(TWO, "").unwrap();
    let waits = (1..40).find_map(|rename| {
        killed_at(&host, rename);
        let mut entries = fs::read_dir(bundle.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        entries.find(|path| is_hidden(path) && served::leaf_of(path).is_ok_and(|leaf| leaf != old))
    });
    let waits = waits.expect("one of the renames is that of the output");
    assert_eq!(served::leaf_of(&bundle).unwrap(), old);
    let before = worker(&socket);
    host.server.process().unwrap().signal(rustix::process::Signal::USR2).unwrap();
    until(LIMIT, "a new worker", || {
        let stream = UnixStream::connect(&socket)?;
        drop(stream);
        if worker(&socket) == before { Err(std::io::Error::other("the old one answers")) } else { Ok(()) }
    })
    .unwrap();
    assert_eq!(loaded(&socket), [bundle.as_path()]);
    host.expect_served(&old).unwrap();
    host.apply_to(0).unwrap();
    assert!(!waits.exists());
    assert_ne!(host.site.leaf().unwrap(), old, "the new one is active");
    expect_placed(&host, &bundle);
    assert_eq!(host.site.leaves().unwrap().len(), 2);
}

/// Runs `apply` and kills it as it enters the rename with this number.
fn killed_at(host: &Host, rename: usize) {
    let calls = "rename,renameat,renameat2";
    let mut strace = Command::new(program("strace"));
    strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
    strace.args(["-e", &format!("inject={calls}:signal=KILL:when={rename}")]);
    strace.arg(cli::certwright_bin()).args(["apply", "-c"]).arg(host.site.config());
    run(&mut strace, LIMIT).unwrap();
}
