use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use super::*;
use crate::ground::error::ErrorKind;
use crate::place::os::OsFilesystem;
use crate::place::scratch::Scratch;
use crate::plan::spec::Command;

/// Call with the context of generation 8 of the lineage `www`.
pub(crate) fn with_context<T>(bundle: &[u8], call: impl FnOnce(&ReloadContext<'_>) -> T) -> T {
    let lineage: LineageName = "www".parse().unwrap();
    let bundle = SecretBytes::from(bundle.to_vec());
    let leaf = "1f3a9c20".repeat(8).parse().unwrap();
    call(&ReloadContext::new(&lineage, GenerationId::new(8, &leaf), leaf, &bundle))
}

fn made(wish: &Reload) -> Arc<dyn Reloader> {
    let fs: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
    reloader(wish, &fs).unwrap()
}

fn reload(reloader: &dyn Reloader) -> Result<Reloaded> {
    with_context(b"", |context| reloader.reload(context, &Cancel::new()))
}

fn signal(name: &str, pid_file: &Path) -> Reload {
    Reload::Signal { signal: name.to_owned(), pid_file: pid_file.to_owned() }
}

#[test]
fn a_command_knows_the_generation_and_is_only_believed_to_have_asked() {
    let scratch = Scratch::new();
    let told = scratch.path().join("told");
    let script = format!("echo \"$CERTWRIGHT_LINEAGE $CERTWRIGHT_GENERATION $*\" >> {}", told.display());
    let reloader = made(&Reload::Command(Command::new(["/bin/sh", "-c", &script, "sh", "a b"])));
    reloader.preflight(&Cancel::new()).unwrap();
    assert!(!told.exists(), "asking beforehand changes nothing");
    // Twice, as after a crash.
    for _ in 0..2 {
        assert_eq!(reload(&*reloader).unwrap(), Reloaded::Asked);
    }
    assert_eq!(std::fs::read_to_string(told).unwrap(), "www 0008-1f3a9c20 a b\n".repeat(2));
}

#[test]
fn a_command_that_fails_or_hangs_is_an_error() {
    let error = reload(&*made(&Reload::Command(Command::new(["/bin/sh", "-c", "echo no >&2; exit 1"])))).unwrap_err();
    assert_eq!((error.kind(), error.fact("output")), (ErrorKind::ReloadFailed, Some("no")));
    let mut hanging = Command::new(["sleep", "1000"]);
    hanging.limit = Duration::from_millis(100);
    assert_eq!(reload(&*made(&Reload::Command(hanging))).unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_command_that_cannot_be_run_is_known_beforehand() {
    let reloader = made(&Reload::Command(Command::new(["/no/such/program"])));
    // It is not the service that does not run.
    assert_eq!(reloader.preflight(&Cancel::new()).unwrap_err().kind(), ErrorKind::ReloadFailed);
    assert_eq!(reload(&*reloader).unwrap_err().kind(), ErrorKind::ReloadFailed);
    assert_eq!(reloader.describe(), "command `/no/such/program`");
}

#[test]
fn a_signal_reaches_the_process_in_the_pid_file() {
    let script = "trap 'echo hup' HUP; echo ready; while :; do sleep 0.01; done";
    let mut service = Program::new("/bin/sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(service.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let scratch = Scratch::new();
    let pid_file = scratch.file("pid", format!("{}\n", service.id()), 0o644);
    let reloader = made(&signal("HUP", &pid_file));
    reloader.preflight(&Cancel::new()).unwrap();
    for _ in 0..2 {
        assert_eq!(reload(&*reloader).unwrap(), Reloaded::Asked);
        assert_eq!(lines.next().unwrap().unwrap(), "hup");
    }
    // A signal that would end it is refused beforehand, and by the reload itself.
    let deadly = made(&signal("USR1", &pid_file));
    assert_eq!(deadly.preflight(&Cancel::new()).unwrap_err().kind(), ErrorKind::ReloadFailed);
    assert_eq!(reload(&*deadly).unwrap_err().kind(), ErrorKind::ReloadFailed);
    service.kill().unwrap();
    service.wait().unwrap();
    assert_eq!(reload(&*reloader).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_callback_decides_what_is_known() {
    let reloader = ReloadCallback::new("here", |context: &ReloadContext<'_>, _: &Cancel| {
        assert_eq!(context.generation.sequence(), 8);
        Ok(Reloaded::Confirmed)
    });
    assert_eq!(reload(&reloader).unwrap(), Reloaded::Confirmed);
    assert!(format!("{reloader:?}").contains("here"));
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(with_context(b"", |context| reloader.reload(context, &cancel)).is_err());
}

#[test]
fn every_reloader_stops_before_it_begins_and_describes_itself_without_secrets() {
    let cancel = Cancel::new();
    cancel.cancel();
    let haproxy = Reload::Haproxy {
        socket: "/no/such/socket".into(),
        certificate: "/srv/tls/bundle.pem".into(),
        otherwise: None,
    };
    for (wish, words) in [
        (Reload::Command(Command::new(["true"])), "command `true`"),
        (signal("USR2", Path::new("/run/a.pid")), "SIGUSR2 to the process in `/run/a.pid`"),
        (Reload::Unit("a.service".into()), "reload of unit `a.service`"),
        (haproxy, "`/srv/tls/bundle.pem` in HAProxy at `/no/such/socket`"),
    ] {
        let reloader = made(&wish);
        assert_eq!(reloader.describe(), words);
        assert_eq!(reloader.preflight(&cancel).unwrap_err().kind(), ErrorKind::Cancelled, "{words}");
        let bundle = rcgen_bundle();
        let stopped = with_context(&bundle, |context| reloader.reload(context, &cancel)).unwrap_err();
        assert_eq!(stopped.kind(), ErrorKind::Cancelled, "{words}");
    }
}

#[test]
fn wishes_that_cannot_be_meant_are_refused() {
    let fs: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
    let haproxy =
        |path: &str| Reload::Haproxy { socket: "/run/h.sock".into(), certificate: path.into(), otherwise: None };
    for wish in [
        signal("KILL", Path::new("/run/a.pid")),
        Reload::Unit("--force".into()),
        haproxy(""),
        haproxy("/a b.pem"),
        haproxy("/a;show info"),
        haproxy("/a\nshow info"),
        haproxy("*/a.pem"),
        haproxy("/a\\ b"),
    ] {
        assert_eq!(reloader(&wish, &fs).unwrap_err().kind(), ErrorKind::InvalidSpec, "{wish:?}");
    }
}

/// A key and a certificate for it.
pub(crate) fn rcgen_bundle() -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(["www.example.org".to_owned()]).unwrap();
    format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem()).into_bytes()
}
