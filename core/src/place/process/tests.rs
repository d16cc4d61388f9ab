use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::place::os::OsFilesystem;
use crate::place::scratch::Scratch;

/// A shell that says "ready" after its first words and is ended with its owner.
struct Service(Child, BufReader<std::process::ChildStdout>);

impl Service {
    fn start(script: &str) -> Self {
        let script = format!("{script}\necho ready\nwhile :; do sleep 0.01; done");
        let mut child = Command::new("/bin/sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self(child, output)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn named_by(content: impl AsRef<[u8]>) -> Result<Process> {
    let scratch = Scratch::new();
    Process::from_pid_file(&OsFilesystem::new(), &scratch.file("pid", content, 0o644))
}

#[test]
fn reads_the_first_line() {
    for text in ["4711", "4711\n", " 4711 \r\n", "4711\n/var/lib/postgresql\n1795509229\n5432\n", "0004711"] {
        assert_eq!(parse(text.as_bytes()).map(|pid| pid.as_raw_nonzero().get()), Ok(4711), "{text:?}");
    }
    let own = std::process::id().to_string();
    for text in ["", "\n", "\n4711", "0", "1", "-1", "-4711", "+4711", "4711x", "0x10", "99999999999", "\u{660}", &own]
    {
        assert!(parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(parse(b"\xff").is_err());
}

#[test]
fn sends_the_signal() {
    let mut service = Service::start("trap 'echo hup' HUP; trap 'echo usr1' USR1");
    let process = named_by(service.0.id().to_string()).unwrap();
    assert_eq!(process.program(), Path::new("/bin/sh").canonicalize().ok().as_deref());
    process.signal(Signal::Hup).unwrap();
    assert_eq!(service.line(), "hup\n");
    // The way of a kernel without pidfd.
    let process = Process { handle: None, ..process };
    process.signal(Signal::Usr1).unwrap();
    assert_eq!(service.line(), "usr1\n");
}

#[test]
fn does_not_end_who_does_not_listen() {
    let mut service = Service::start("trap '' USR1; trap 'echo still here' USR2");
    let process = named_by(service.0.id().to_string()).unwrap();
    for (signal, why) in [(Signal::Hup, "would end it"), (Signal::Usr1, "ignores")] {
        let error = process.signal(signal).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReloadFailed);
        assert!(error.message().contains(why), "{error}");
    }
    // The shell starts a program again and again, and blocks every signal for the moment of each.
    for _ in 0..200 {
        let process = named_by(service.0.id().to_string()).unwrap();
        assert!(process.expect_to_handle(Signal::Hup).is_err(), "a passing block was believed");
    }
    process.signal(Signal::Usr2).unwrap();
    assert_eq!(service.line(), "still here\n");
}

#[test]
fn a_blocked_signal_is_waited_for() {
    // Signals 1, 2, 10, 12 and 17 blocked (signal(7)), none of them caught.
    let status = "Name:\tserviced\nState:\tS (sleeping)\nUid:\t0\t0\t0\t0\n\
                  SigBlk:\t0000000000010a03\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000000\n";
    let stat = "4711 (a) b) S 1 4711 4711 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 123456 1 2";
    let facts = Facts::read(status, stat).unwrap();
    assert_eq!((facts.state, facts.uid, facts.started), ('S', 0, 123_456));
    assert_eq!(facts.deaf_to(Signal::Hup), None);
    assert!(facts.deaf_to(Signal::Usr2).is_none());
    assert!(facts.deaf_to(Signal::Usr1).is_none());
    assert!(Facts::read("", stat).is_none() && Facts::read(status, "").is_none());
}

#[test]
fn a_process_that_is_gone_is_not_found() {
    let mut child = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
    // Ended and not yet waited for: a zombie, which is no running service.
    let look = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
    let pid = Pid::from_child(&child);
    rustix::process::waitid(rustix::process::WaitId::Pid(pid), look).unwrap();
    assert_eq!(named_by(child.id().to_string()).unwrap_err().kind(), ErrorKind::NotFound);
    child.wait().unwrap();
    let error = named_by(child.id().to_string()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.fact("pid").is_some() && error.fact("pid_file").is_some() && error.hint_text().is_some(), "{error}");
    // Beyond every pid_max.
    assert_eq!(named_by("2147483647").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_process_that_ends_before_the_signal_is_not_found() {
    let service = Service::start("trap 'echo hup' HUP");
    let process = named_by(service.0.id().to_string()).unwrap();
    let without = Process { handle: None, facts: Facts::of(process.pid).unwrap(), pid: process.pid };
    drop(service);
    for process in [process, without] {
        assert_eq!(process.signal(Signal::Hup).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn a_thread_is_no_process() {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            tell.send(rustix::thread::gettid()).unwrap();
            let _ = wait.recv();
        });
        let thread = told.recv().unwrap().as_raw_nonzero().to_string();
        let error = named_by(thread).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        drop(done);
    });
}

#[test]
fn a_pid_file_that_others_control_is_not_believed_as_root() {
    let service = Service::start("trap 'echo hup' HUP");
    let pid = service.0.id().to_string();
    let scratch = Scratch::new();
    let fs = OsFilesystem::new();
    let path = scratch.file("pid", &pid, 0o644);
    assert!(Process::from_pid_file(&fs, &path).is_ok());
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(Process::from_pid_file(&fs, &path).unwrap_err().kind(), ErrorKind::Permission);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    // Needs root, as all tests of other identities do: nobody's file must not direct a signal at root's process.
    std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
    let error = Process::from_pid_file(&fs, &path).unwrap_err();
    assert_eq!((error.kind(), error.fact("file_uid")), (ErrorKind::Permission, Some("65534")));
}

#[test]
fn a_pid_file_that_cannot_be_read_is_named() {
    let scratch = Scratch::new();
    let fs = OsFilesystem::new();
    let missing = scratch.path().join("missing");
    assert_eq!(Process::from_pid_file(&fs, &missing).unwrap_err().kind(), ErrorKind::NotFound);
    let fifo = scratch.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    assert!(Process::from_pid_file(&fs, &fifo).is_err());
    let huge = scratch.file("huge", vec![b'1'; LIMIT + 1], 0o644);
    assert!(Process::from_pid_file(&fs, &huge).is_err());
}

#[test]
fn other_signals_are_refused() {
    for name in ["TERM", "KILL", "hup", "SIGHUP", "1", "", "STOP"] {
        assert_eq!(Signal::named(name).unwrap_err().kind(), ErrorKind::InvalidSpec, "{name}");
    }
    for (name, shown) in [("HUP", "SIGHUP"), ("USR1", "SIGUSR1"), ("USR2", "SIGUSR2")] {
        assert_eq!(Signal::named(name).unwrap().to_string(), shown);
    }
}
