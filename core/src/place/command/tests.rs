use std::path::Path;
use std::thread;

use super::*;
use crate::place::scratch::Scratch;

/// Far beyond what a test needs; reached only by a defect.
const PLENTY: Duration = Duration::from_secs(60);
/// For programs that never end by themselves.
const SHORT: Duration = Duration::from_millis(200);

fn command(argv: &[&str], limit: Duration) -> Command {
    let mut command = Command::new(argv.iter().copied());
    command.limit = limit;
    command
}

fn shell(script: &str, limit: Duration) -> Outcome {
    run(&command(&["/bin/sh", "-c", script], limit), &[], &Cancel::new()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn refusal(name: &str) -> Error {
    let refused = preflight(&Command::new([name])).unwrap_err();
    let tried = run(&Command::new([name]), &[], &Cancel::new()).unwrap_err();
    assert_eq!(refused.to_string(), tried.to_string());
    assert!(refused.hint_text().is_some(), "{refused}");
    refused
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}

#[test]
fn tells_how_it_ended() {
    for (script, status) in [
        ("exit 0", Status::Exited(0)),
        ("exit 3", Status::Exited(3)),
        ("kill -9 $$", Status::Signalled(9)),
        ("kill -TERM $$", Status::Signalled(15)),
    ] {
        assert_eq!(shell(script, PLENTY).status, status, "{script}");
    }
}

#[test]
fn keeps_the_order_of_both_streams() {
    let outcome = shell("echo one; echo two >&2; echo three; echo four >&2", PLENTY);
    assert_eq!(outcome.output.text(), "one\ntwo\nthree\nfour\n");
}

#[test]
fn standard_output_can_be_kept_apart() {
    let script =
        "echo one; echo two >&2; printf 'three\\000\\033'; head -c 200000 /dev/zero >&2; echo four >&2; exit 3";
    let command = command(&["/bin/sh", "-c", script], PLENTY);
    let outcome = run_for_output(&command, &[], &Cancel::new()).unwrap();
    assert_eq!(outcome.status, Status::Exited(3));
    assert_eq!(outcome.printed.as_slice(), b"one\nthree\0\x1b");
    assert!(outcome.output.text().ends_with("four\n") && !outcome.output.text().contains("one"));
    assert!(run(&command, &[], &Cancel::new()).unwrap().printed.is_empty());
}

#[test]
fn the_environment_is_clean() {
    // The test itself has a full environment, which must not get through.
    assert!(std::env::vars_os().any(|(name, _)| name == "CARGO_MANIFEST_DIR"));
    let command = command(&["env"], PLENTY);
    let outcome = run(&command, &[("CERTWRIGHT_LINEAGE", "www"), ("ODD", "a b\n$(id)")], &Cancel::new()).unwrap();
    let mut lines: Vec<&str> = outcome.output.text().lines().collect();
    lines.sort_unstable();
    let path = format!("PATH={SEARCH}");
    assert_eq!(lines, ["$(id)", "CERTWRIGHT_LINEAGE=www", "LANG=C.UTF-8", "ODD=a b", &path]);
}

/// The numbers of our descriptors that were made inheritable by whoever started us: their O_CLOEXEC is not set
/// (proc_pid_fdinfo(5)).
fn inheritable() -> Vec<String> {
    let numbers = std::fs::read_dir("/proc/self/fdinfo").unwrap().map(|entry| entry.unwrap().file_name());
    let is_inheritable = |number: &String| {
        let facts = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let flags = facts.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
        flags.is_some_and(|flags| u32::from_str_radix(flags, 8).unwrap() & 0o2_000_000 == 0)
    };
    numbers.map(|number| number.into_string().unwrap()).filter(is_inheritable).collect()
}

#[test]
fn gets_no_descriptor_of_ours_and_stands_in_the_root() {
    let _ours = std::fs::File::open("/dev/null").unwrap();
    let (_reading, _writing) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let outcome = run(&command(&["ls", "-l", "/proc/self/fd"], PLENTY), &[], &Cancel::new()).unwrap();
    let foreign = inheritable();
    let given =
        outcome.output.text().lines().filter_map(|line| line.split_once(" -> ")).filter_map(|(facts, target)| {
            let number = facts.rsplit(' ').next()?;
            // `ls` has the directory open that it lists.
            let known = foreign.iter().any(|foreign| foreign == number) && number.parse::<u32>().ok()? > 2;
            (!known && !target.starts_with("/proc/")).then(|| format!("{number} {}", target.split('[').next().unwrap()))
        });
    assert_eq!(given.collect::<Vec<_>>(), ["0 /dev/null", "1 pipe:", "2 pipe:"], "{}", outcome.output);
    assert_eq!(run(&command(&["pwd"], PLENTY), &[], &Cancel::new()).unwrap().output.text(), "/\n");
}

#[test]
fn arguments_are_never_words_of_a_shell() {
    for hostile in ["$(touch /tmp/pwned)", "`id`", "; id", "a\nb", "*", "'\"\\", "-n", ""] {
        let outcome = run(&command(&["printf", "%s", hostile], PLENTY), &[], &Cancel::new()).unwrap();
        assert_eq!(outcome.output.text(), hostile);
    }
}

#[test]
fn ends_a_program_that_hangs() {
    let outcome = shell("echo begun; exec sleep 1000", SHORT);
    assert_eq!((outcome.status, outcome.output.text()), (Status::TimedOut, "begun\n"));
}

#[test]
fn a_program_may_tidy_up_at_the_limit() {
    let outcome = shell("trap 'echo tidy; exit 0' TERM; echo $$; while :; do sleep 0.01; done", SHORT);
    assert_eq!(outcome.status, Status::TimedOut);
    assert!(outcome.output.text().ends_with("tidy\n"), "{}", outcome.output);
}

#[test]
fn ends_the_whole_group_even_when_it_ignores_the_request() {
    let outcome =
        shell("trap '' TERM; sleep 1000 & echo $!; (trap '' TERM; sleep 1000) & echo $!; echo $$; wait", SHORT);
    assert_eq!(outcome.status, Status::TimedOut);
    let pids: Vec<&str> = outcome.output.text().lines().collect();
    assert_eq!(pids.len(), 3);
    for pid in pids {
        // The two that are not our children are reaped by whoever adopted them; SIGKILL has ended them all the same.
        while lives(pid) {
            thread::yield_now();
        }
    }
}

#[test]
fn a_member_of_the_group_that_outlives_its_leader_at_the_limit_is_ended() {
    let outcome = shell("(trap '' TERM; echo ready; exec sleep 1000) & echo $!; exec sleep 1000", SHORT);
    assert_eq!(outcome.status, Status::TimedOut);
    let pid = outcome.output.text().lines().find(|line| *line != "ready").unwrap().to_owned();
    while lives(&pid) {
        thread::yield_now();
    }
}

#[test]
fn does_not_wait_for_those_who_hold_the_output() {
    // In a session of its own, so that ending the group does not end it.
    let outcome = shell("setsid sleep 1000 & echo $!; sleep 0", PLENTY);
    assert_eq!(outcome.status, Status::Exited(0));
    let left = outcome.output.text().trim().to_owned();
    assert!(lives(&left), "what it left in the background is not ours to end");
    let left = Pid::from_raw(left.parse().unwrap()).unwrap();
    rustix::process::kill_process(left, Signal::KILL).unwrap();
}

#[test]
fn returns_at_the_limit_when_those_who_hold_the_output_escaped_the_group() {
    let outcome = shell("setsid sleep 1000 & echo $!; exec sleep 1000", SHORT);
    assert_eq!(outcome.status, Status::TimedOut);
    let left = Pid::from_raw(outcome.output.text().trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(left, Signal::KILL).unwrap();
}

#[test]
fn memory_stays_flat_whatever_is_printed() {
    let outcome = shell("head -c 1073741824 /dev/zero; echo; echo last", PLENTY);
    assert_eq!(outcome.status, Status::Exited(0));
    assert_eq!(outcome.output.left_out(), 1_073_741_824 + 6 - tail::KEPT as u64);
    assert!(outcome.output.text().ends_with("\\u{0}\nlast\n"));
    let peak = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 512 * 1024, "{kilobytes} kB for a gigabyte of output");
}

#[test]
fn a_program_that_prints_for_ever_is_ended() {
    let outcome = run(&command(&["yes"], SHORT), &[], &Cancel::new()).unwrap();
    assert_eq!(outcome.status, Status::TimedOut);
    assert!(outcome.output.left_out() > 0);
    assert!(outcome.output.text().ends_with("y\n"));
}

#[test]
fn a_background_process_that_prints_for_ever_does_not_hold_us() {
    let outcome = shell("setsid yes & exit 4", PLENTY);
    assert_eq!(outcome.status, Status::Exited(4));
}

#[test]
fn stops_when_asked() {
    let cancel = Cancel::new();
    let scratch = Scratch::new();
    let mark = scratch.path().join("started");
    let script = format!("touch {}; exec sleep 1000", mark.display());
    let outcome = thread::scope(|scope| {
        let running = scope.spawn(|| run(&command(&["/bin/sh", "-c", &script], PLENTY), &[], &cancel).unwrap());
        while !mark.exists() {
            thread::yield_now();
        }
        cancel.cancel();
        running.join().unwrap()
    });
    assert_eq!(outcome.status, Status::Cancelled);
    let refused = run(&command(&["true"], PLENTY), &[], &cancel).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Cancelled);
}

#[test]
fn does_not_report_secrets() {
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let outcome = run(&command(&["printf", "%s", &key], PLENTY), &[], &Cancel::new()).unwrap();
    assert_eq!(outcome.output.text().trim(), "[private key left out]");
}

#[test]
fn a_missing_program_is_named() {
    for name in ["certwright-no-such-program", "/no/such/program"] {
        let error = refusal(name);
        assert_eq!((error.kind(), error.fact("program")), (ErrorKind::NotFound, Some(name)));
    }
    assert_eq!(refusal("./program").kind(), ErrorKind::InvalidSpec);
    assert_eq!(refusal("").kind(), ErrorKind::InvalidSpec);
    assert_eq!(refusal("/tmp").kind(), ErrorKind::InvalidSpec);
    assert_eq!(refusal("tr\0ue").kind(), ErrorKind::InvalidSpec);
}

#[test]
fn a_program_that_may_not_be_executed_is_refused() {
    let scratch = Scratch::new();
    let path = scratch.file("hook", "#!/bin/sh\n", 0o644);
    assert_eq!(refusal(text(&path)).kind(), ErrorKind::Permission);
}

#[test]
fn a_program_that_everyone_may_change_is_refused() {
    let scratch = Scratch::new();
    let open = scratch.file("hook", "#!/bin/sh\n", 0o757);
    let error = refusal(text(&open));
    assert_eq!((error.kind(), error.fact("writable")), (ErrorKind::Permission, open.to_str()));

    // By its directory, or by the directory of what a link leads to.
    let inner = scratch.path().join("open");
    std::fs::create_dir(&inner).unwrap();
    let path = scratch.file("open/hook", "#!/bin/sh\n", 0o755);
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(preflight(&Command::new([text(&path)])).is_ok());
    std::fs::set_permissions(&inner, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    for path in [&path, &link] {
        assert_eq!(refusal(text(path)).fact("writable"), inner.to_str());
    }
    // In a sticky directory others may add but not replace.
    std::fs::set_permissions(&inner, std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
    assert!(preflight(&Command::new([text(&path)])).is_ok());
}

#[test]
fn an_interpreter_that_cannot_be_run_is_named() {
    let scratch = Scratch::new();
    let open = scratch.file("interpreter", "#!/bin/sh\n", 0o777);
    let looped = scratch.path().join("looped");
    for (line, kind) in [
        ("#!/no/such/interpreter".to_owned(), ErrorKind::NotFound),
        ("#! /etc/passwd -x".to_owned(), ErrorKind::Permission),
        (format!("#!{}", open.display()), ErrorKind::Permission),
        ("#!/usr/bin/env certwright-no-such-program".to_owned(), ErrorKind::NotFound),
        ("#!python3".to_owned(), ErrorKind::Unsupported),
        ("#!".to_owned(), ErrorKind::Unsupported),
        ("#!/bin/sh\r".to_owned(), ErrorKind::Unsupported),
        (format!("#!{}", looped.display()), ErrorKind::Unsupported),
        (String::new(), ErrorKind::Unsupported),
        ("echo no interpreter line".to_owned(), ErrorKind::Unsupported),
    ] {
        let path = scratch.file("looped", format!("{line}\necho ran\n"), 0o755);
        assert_eq!(refusal(text(&path)).kind(), kind, "{line}");
    }
}

#[test]
fn scripts_run_by_their_interpreter() {
    let scratch = Scratch::new();
    for line in ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env sh", "#!\t/usr/bin/env\tsh"] {
        let path = scratch.file("hook", format!("{line}\necho ran \"$1\"\n"), 0o755);
        let outcome = run(&command(&[text(&path), "with $0"], PLENTY), &[], &Cancel::new()).unwrap();
        assert_eq!((outcome.status, outcome.output.text()), (Status::Exited(0), "ran with $0\n"), "{line}");
    }
}
