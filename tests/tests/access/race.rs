//! Somebody swaps a directory for a link to elsewhere while files are made below it.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use certwright::{Filesystem, Open, OsFilesystem};
use certwright_tests::campaign::{knob, tell};
use certwright_tests::scratch::Scratch;
use rustix::fs::{CWD, RenameFlags};

const TRIES: u64 = 20_000;

fn tries() -> u64 {
    knob("CERTWRIGHT_TRIES", TRIES)
}

/// Swaps `name` and `other` as fast as it can, each swap one step.
fn swap(name: &Path, other: &Path, stop: &AtomicBool, swaps: &AtomicU64) {
    while !stop.load(Ordering::Relaxed) {
        rustix::fs::renameat_with(CWD, name, CWD, other, RenameFlags::EXCHANGE).unwrap();
        swaps.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs `attempt` against the racer, and gives the number of attempts that met a link.
fn race(one: &Path, other: &Path, attempt: impl Fn(u64) -> std::io::Result<()>) -> u64 {
    let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let racer = scope.spawn(|| swap(one, other, &stop, &swaps));
        let mut refused = 0;
        let (mut tries, wanted) = (0, tries());
        // On one processor the two take turns, so go on until each has had many.
        while !racer.is_finished() && (tries < wanted || swaps.load(Ordering::Relaxed) < TRIES / 100) {
            refused += u64::from(attempt(tries).is_err());
            tries += 1;
            if tries % 64 == 0 {
                thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
        println!("{tries} tries, {refused} refused, {} swaps", swaps.load(Ordering::Relaxed));
        tell("names swapped for links while files are made", tries, 0).unwrap();
        refused
    })
}

#[test]
fn a_directory_in_the_middle_never_leads_outside() {
    for (how, fs) in [("openat2", OsFilesystem::new()), ("step by step", OsFilesystem::stepwise())] {
        let scratch = Scratch::in_memory().unwrap();
        for directory in ["in", "in/middle", "out"] {
            std::fs::create_dir(scratch.join(directory)).unwrap();
        }
        std::os::unix::fs::symlink("../out", scratch.join("in/evil")).unwrap();
        let at = fs.open(None, &scratch.join("in"), Open::Directory).unwrap();
        let refused = race(&scratch.join("in/middle"), &scratch.join("in/evil"), |number| {
            let path = format!("middle/{number}");
            let file = fs.open(Some(&at), Path::new(&path), Open::Create)?;
            fs.write(&file, b"secret")
        });
        assert_eq!(std::fs::read_dir(scratch.join("out")).unwrap().count(), 0, "{how}: a file was made outside");
        assert!(refused > 0, "{how}: the racer never won a turn, so nothing was shown");
    }
}

#[test]
fn a_link_in_the_place_of_a_file_is_never_followed() {
    for fs in [OsFilesystem::new(), OsFilesystem::stepwise()] {
        let scratch = Scratch::in_memory().unwrap();
        std::fs::create_dir(scratch.join("in")).unwrap();
        std::fs::write(scratch.join("victim"), "untouched").unwrap();
        std::fs::write(scratch.join("in/file"), "").unwrap();
        std::os::unix::fs::symlink("../victim", scratch.join("in/evil")).unwrap();
        let at = fs.open(None, &scratch.join("in"), Open::Directory).unwrap();
        let before =
            fs.stat_at(&fs.open(None, scratch.path(), Open::Directory).unwrap(), OsStr::new("victim")).unwrap();
        let refused = race(&scratch.join("in/file"), &scratch.join("in/evil"), |_| {
            let file = fs.open(Some(&at), Path::new("file"), Open::Append)?;
            fs.write(&file, b"x")?;
            fs.set_owner(&file, 62_001, 63_001)?;
            fs.set_mode(&file, 0o666)
        });
        assert!(refused > 0, "the racer never won a turn, so nothing was shown");
        assert_eq!(std::fs::read(scratch.join("victim")).unwrap(), b"untouched");
        let after = fs.stat_at(&fs.open(None, scratch.path(), Open::Directory).unwrap(), OsStr::new("victim")).unwrap();
        assert_eq!(before, after);
    }
}
