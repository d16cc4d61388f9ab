//! Random trees, random identities: every answer of the model is compared with the kernel's.

use std::path::{Path, PathBuf};
use std::thread;

use certwright::access::{Access, Capabilities, PathFacts, Permissions};
use certwright::{Filesystem, Identity, OsFilesystem};
use certwright_tests::campaign::{knob, tell};
use certwright_tests::prng::Prng;
use certwright_tests::scratch::Scratch;
use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};

const UIDS: [u32; 5] = [0, 62_001, 62_002, 62_003, 62_004];
const GIDS: [u32; 5] = [0, 63_001, 63_002, 63_003, 63_004];
const STRANGER: u32 = 64_999;

/// Trees in a run; each is asked about by [`ASKERS`] identities in [`WANTS`] ways.
const TREES: u64 = 600;
const ASKERS: usize = 5;
const WANTS: [u32; 7] = [4, 2, 1, 6, 5, 3, 7];

#[derive(Default)]
struct Tally {
    decisions: u64,
    allowed: u64,
    /// Where models that are simpler than Linux would have been wrong.
    mode_alone: u64,
    textbook: u64,
}

#[test]
fn the_model_and_the_kernel_agree_on_every_decision() {
    let seed: u64 = knob("CERTWRIGHT_SEED", 0x00ac_ce55);
    let trees: u64 = knob("CERTWRIGHT_TREES", TREES);
    let mut tally = Tally::default();
    for (place, scratch) in [("memory", Scratch::in_memory().unwrap()), ("disk", Scratch::on_disk().unwrap())] {
        println!("{place}: seed {seed}, {trees} trees");
        for tree in 0..trees {
            // Each tree has a seed of its own, so that one that fails can be run alone.
            let seed = seed.wrapping_add(tree);
            let at = scratch.join(format!("t{tree}"));
            compare(&at, seed, &mut tally);
            std::fs::remove_dir_all(&at).unwrap();
        }
    }
    println!(
        "{} decisions, {} allowed; wrong would be: mode bits alone {}, the textbook's ACL check {}",
        tally.decisions, tally.allowed, tally.mode_alone, tally.textbook
    );
    tell("decisions on which model and kernel agree", tally.decisions, 0).unwrap();
    assert!(tally.decisions >= 10_000, "{} decisions are too few", tally.decisions);
    // The cases have to be ones in which the simpler models fail, or this test proves nothing.
    assert!(tally.mode_alone > tally.decisions / 100 && tally.textbook > 0, "the cases are too tame");
    assert!(tally.allowed > tally.decisions / 20, "hardly anything was allowed");
}

fn compare(at: &Path, seed: u64, tally: &mut Tally) {
    let mut prng = Prng::new(seed);
    let (file, directory) = plant(at, &mut prng);
    let fs = OsFilesystem::new();
    for path in [&file, &directory] {
        let facts = PathFacts::read(&fs, path).unwrap();
        for _ in 0..ASKERS {
            let who = anybody(&mut prng);
            let kernel = ask_kernel(&who, path);
            for (want, expected) in WANTS.into_iter().zip(kernel) {
                let want = Permissions::from_bits(want);
                let answer = facts.explain(&who, Capabilities::NONE, want);
                assert_eq!(
                    answer.is_allow(),
                    expected,
                    "seed {seed}: {who} wants {want} of {}; the kernel says {expected}, the model {answer}\n{facts:#?}",
                    path.display()
                );
                assert!(answer.is_allow() != answer.verdict.is_deny(), "a doubt where there is none: {answer}");
                let access = facts.access().unwrap();
                tally.decisions += 1;
                tally.allowed += u64::from(expected);
                tally.mode_alone += u64::from(by_mode(&who, access, want) != answer.alone.as_ref().unwrap().is_allow());
                tally.textbook += u64::from(by_the_book(&who, access, want) != answer.alone.unwrap().is_allow());
            }
            // The library's own way to ask the kernel.
            assert_eq!(fs.can_open_as(&who, path).unwrap(), kernel[0], "seed {seed}: {who} reads {}", path.display());
        }
    }
}

/// A chain of one to three directories with a file at its end, reached straight or by a link.
fn plant(at: &Path, prng: &mut Prng) -> (PathBuf, PathBuf) {
    std::fs::create_dir(at).unwrap();
    std::fs::set_permissions(at, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut chain = vec![at.to_owned()];
    for depth in 0..=prng.below(3) {
        let next = chain.last().unwrap().join(format!("d{depth}"));
        std::fs::create_dir(&next).unwrap();
        chain.push(next);
    }
    let directory = chain.last().unwrap().clone();
    let file = directory.join("file");
    std::fs::write(&file, "x").unwrap();
    let link = prng.chance(4).then(|| {
        // Through a directory of its own, so that the link's ancestors differ from the target's.
        let beside = at.join("beside");
        std::fs::create_dir(&beside).unwrap();
        std::os::unix::fs::symlink("../d0", beside.join("link")).unwrap();
        chain.push(beside.clone());
        beside.join("link").join(directory.strip_prefix(at.join("d0")).unwrap())
    });
    for inode in chain.iter().skip(1).rev() {
        dress(inode, prng, true);
    }
    dress(&file, prng, false);
    match link {
        Some(directory) => (directory.join("file"), directory),
        None => (file, directory),
    }
}

/// Owner, group, and a mode or an ACL, with everything that the kernel stores without complaint.
fn dress(path: &Path, prng: &mut Prng, directory: bool) {
    let (uid, gid) = (*prng.pick(&UIDS).unwrap(), *prng.pick(&GIDS).unwrap());
    rustix::fs::chownat(CWD, path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), AtFlags::empty()).unwrap();
    if prng.chance(3) {
        let mode = bits(prng, directory) << 6 | bits(prng, directory) << 3 | bits(prng, directory);
        rustix::fs::chmod(path, Mode::from_raw_mode(mode)).unwrap();
        return;
    }
    // Written out here, so that the library's codec is not its own witness (linux/posix_acl_xattr.h).
    let mut acl = vec![2, 0, 0, 0];
    let mut put = |tag: u16, bits: u32, id: u32| {
        acl.extend_from_slice(&tag.to_le_bytes());
        acl.extend_from_slice(&u16::try_from(bits).unwrap().to_le_bytes());
        acl.extend_from_slice(&id.to_le_bytes());
    };
    put(0x01, bits(prng, directory), u32::MAX);
    for _ in 0..prng.below(4) {
        put(0x02, bits(prng, directory), *prng.pick(&UIDS).unwrap());
    }
    put(0x04, bits(prng, directory), u32::MAX);
    for _ in 0..prng.below(4) {
        put(0x08, bits(prng, directory), *prng.pick(&GIDS).unwrap());
    }
    // An empty mask is where Linux leaves the textbook.
    let mask = if prng.chance(4) { 0 } else { bits(prng, directory) };
    put(0x10, mask, u32::MAX);
    put(0x20, bits(prng, directory), u32::MAX);
    rustix::fs::setxattr(path, "system.posix_acl_access", &acl, XattrFlags::empty()).unwrap();
}

/// Directories mostly let pass: otherwise every second answer would come from the first of them.
fn bits(prng: &mut Prng, directory: bool) -> u32 {
    let bits = u32::try_from(prng.below(8)).unwrap();
    if directory && !prng.chance(5) { bits | 1 } else { bits }
}

fn anybody(prng: &mut Prng) -> Identity {
    let one = |prng: &mut Prng, from: &[u32]| if prng.chance(5) { STRANGER } else { *prng.pick(from).unwrap() };
    let (uid, gid) = (one(prng, &UIDS), one(prng, &GIDS));
    let groups = (0..prng.below(4)).map(|_| one(prng, &GIDS)).collect();
    Identity::new(uid, gid, groups)
}

/// For each of [`WANTS`], in a thread that becomes `who` altogether.
fn ask_kernel(who: &Identity, path: &Path) -> [bool; 7] {
    let asked = || {
        let groups: Vec<Gid> = who.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        let (uid, gid) = (Uid::from_raw(who.uid), Gid::from_raw(who.gid));
        rustix::thread::set_thread_groups(&groups).unwrap();
        rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
        rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        rustix::thread::set_capabilities(None, sets).unwrap();
        WANTS.map(|want| may(path, want))
    };
    thread::scope(|scope| scope.spawn(asked).join().unwrap())
}

fn may(path: &Path, want: u32) -> bool {
    let granted = |result: Result<(), Errno>| match result {
        Ok(()) => true,
        Err(Errno::ACCESS) => false,
        Err(error) => panic!("{}: {error}", path.display()),
    };
    let answer = granted(rustix::fs::accessat(CWD, path, rustix::fs::Access::from_bits_retain(want), AtFlags::EACCESS));
    // Where an open asks the same, it has to answer the same. A directory cannot be opened for writing.
    let flags = match want {
        4 => Some(OFlags::RDONLY),
        2 => Some(OFlags::WRONLY),
        6 => Some(OFlags::RDWR),
        _ => None,
    };
    let flags = flags.filter(|flags| *flags == OFlags::RDONLY || path.ends_with("file"));
    if let Some(flags) = flags {
        let opened = granted(rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).map(drop));
        assert_eq!(opened, answer, "open and access of {}", path.display());
    }
    answer
}

/// The check of `chmod` alone.
fn by_mode(who: &Identity, access: &Access, want: Permissions) -> bool {
    let mode = access.acl.mode();
    let class = if who.uid == access.uid {
        mode >> 6
    } else if who.is_member(access.gid) {
        mode >> 3
    } else {
        mode
    };
    Permissions::from_bits(class).contains(want)
}

/// The algorithm of acl(5), "Access check algorithm".
fn by_the_book(who: &Identity, access: &Access, want: Permissions) -> bool {
    let acl = &access.acl;
    let mask = acl.mask().unwrap_or(Permissions::ALL);
    if who.uid == access.uid {
        return acl.owner().contains(want);
    }
    if let Some(named) = acl.users().iter().find(|named| named.id == who.uid) {
        return (named.permissions & mask).contains(want);
    }
    let groups = acl.groups().iter().map(|named| (named.id, named.permissions));
    let mut matching =
        [(access.gid, acl.owning_group())].into_iter().chain(groups).filter(|(gid, _)| who.is_member(*gid)).peekable();
    if matching.peek().is_some() {
        return matching.any(|(_, permissions)| (permissions & mask).contains(want));
    }
    acl.other().contains(want)
}
