//! Proof that the crash model finds bugs: ways of the field to replace a pair of files, and a sound one.
//!
//! The ways are the ones that ACME clients use, as short lists of steps. Each unsound one must be caught, by the crash
//! that breaks it in life; the sound one must pass, and must not pass with any one of its syncs left out.

#![expect(clippy::print_stdout, reason = "the number of states tried is told")]

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use certwright::{Filesystem, Node, Open, Rename};
use certwright_tests::crash::{Crash, Crashed, Points, Tally, for_each_crash, for_each_errno, for_each_stop};
use certwright_tests::model_fs::{Counted, Dead, ModelFs};
use rustix::io::Errno;

type Outcome = Result<(), Box<dyn std::error::Error>>;
type Way = fn(&ModelFs) -> io::Result<()>;

const POWER: Crash = Crash::PowerCut { most: 2000 };
const FILES: [&str; 2] = ["key", "cert"];

fn directory(fs: &ModelFs, path: &str) -> io::Result<Node> {
    fs.open(None, Path::new(path), Open::Directory)
}

fn write_new(fs: &ModelFs, at: &Node, name: &str, bytes: &[u8]) -> io::Result<Node> {
    let file = fs.open(Some(at), Path::new(name), Open::Create)?;
    fs.write(&file, bytes)?;
    Ok(file)
}

/// Two files under their names, or through `current`: each way starts from the old pair, whole and durable.
fn start() -> io::Result<ModelFs> {
    let fs = ModelFs::default();
    fs.plant_directory("/www/gen/1", 0o755)?;
    for name in FILES {
        fs.plant_file(format!("/www/gen/1/{name}"), b"old pair", 0o600)?;
        fs.plant_file(format!("/www/{name}"), b"old pair", 0o600)?;
        fs.plant_link(format!("/www/{name}.link"), format!("gen/1/{name}"))?;
    }
    fs.plant_link("/www/current", "gen/1")?;
    Ok(fs)
}

/// What a service finds: the old pair or the new one, and the new one when the writer had ended well.
fn whole_pair(paths: [&str; 2], points: &Points, crashed: &Crashed<'_>) -> Result<(), String> {
    let pair =
        paths.map(|path| crashed.fs.look(|view| view.read(path)).unwrap_or_else(|error| error.to_string().into()));
    let done = crashed.number + 1 == points.len();
    match pair.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).each_ref().map(String::as_str) {
        ["new pair", "new pair"] => Ok(()),
        ["old pair", "old pair"] if !done => Ok(()),
        ["old pair", "old pair"] => Err("the new pair was said to be durable and is lost".to_owned()),
        [key, cert] => Err(format!("key {key:?} and cert {cert:?}")),
    }
}

fn crashes(way: Way, paths: [&str; 2], crash: Crash) -> Result<Tally, Box<dyn std::error::Error>> {
    let (points, done) = Points::of(&start()?, way);
    done?;
    Ok(for_each_crash(&points, &[crash], |crashed| whole_pair(paths, &points, &crashed)))
}

/// Plain files, through one link each, and through one link to their directory.
const PLAIN: [&str; 2] = ["/www/key", "/www/cert"];
const LINKS: [&str; 2] = ["/www/key.link", "/www/cert.link"];
const CURRENT: [&str; 2] = ["/www/current/key", "/www/current/cert"];

/// The file is emptied, then written. (The seam cannot truncate; removing and making anew stands for it.)
fn write_in_place(fs: &ModelFs) -> io::Result<()> {
    let www = directory(fs, "/www")?;
    for name in FILES {
        fs.remove_file(&www, OsStr::new(name))?;
        let file = write_new(fs, &www, name, b"new pair")?;
        fs.sync(&file)?;
    }
    fs.sync(&www)
}

#[test]
fn writing_in_place_is_caught_by_a_kill() -> Outcome {
    let tally = crashes(write_in_place, PLAIN, Crash::Kill)?;
    // Per file: gone, empty, half; and between the files and in the second one, a torn pair: all but before and at the
    // end. 11 steps are 12 moments.
    assert_eq!((tally.points, tally.violations.len()), (12, 8), "{tally}");
    Ok(())
}

/// The link is removed, then made again.
fn unlink_and_link(fs: &ModelFs) -> io::Result<()> {
    let www = directory(fs, "/www")?;
    let new = new_generation(fs, true)?;
    fs.sync(&new)?;
    for name in FILES {
        let link = format!("{name}.link");
        fs.remove_file(&www, OsStr::new(&link))?;
        fs.make_link(&www, OsStr::new(&link), &Path::new("gen/2").join(name))?;
    }
    fs.sync(&www)
}

/// The new generation under its last name, its files synced or not.
fn new_generation(fs: &ModelFs, synced: bool) -> io::Result<Node> {
    let gens = directory(fs, "/www/gen")?;
    fs.make_directory(&gens, OsStr::new("2"), 0o755)?;
    let new = directory(fs, "/www/gen/2")?;
    for name in FILES {
        let file = write_new(fs, &new, name, b"new pair")?;
        if synced {
            fs.sync(&file)?;
        }
    }
    if synced {
        fs.sync(&gens)?;
    }
    Ok(new)
}

#[test]
fn a_link_removed_and_made_again_is_caught_by_a_kill() -> Outcome {
    let tally = crashes(unlink_and_link, LINKS, Crash::Kill)?;
    // First link gone; torn; second link gone.
    assert_eq!(tally.violations.len(), 3, "{tally:?}");
    Ok(())
}

/// Each file is replaced by a rename, with all the syncs.
fn rename_each(fs: &ModelFs) -> io::Result<()> {
    let www = directory(fs, "/www")?;
    for name in FILES {
        let temporary = format!(".{name}");
        let file = write_new(fs, &www, &temporary, b"new pair")?;
        fs.sync(&file)?;
        fs.rename(&www, OsStr::new(&temporary), &www, OsStr::new(name), Rename::Replace)?;
        fs.sync(&www)?;
    }
    Ok(())
}

#[test]
fn two_renames_are_caught_by_a_kill() -> Outcome {
    let tally = crashes(rename_each, PLAIN, Crash::Kill)?;
    // From the first rename to before the second one: renamed, synced, second file made, two writes, synced.
    assert_eq!(tally.violations.len(), 6, "{tally:?}");
    assert!(tally.violations.iter().all(|violation| violation.contains(r#"key "new pair" and cert "old pair""#)));
    Ok(())
}

/// One link to the directory of both, flipped by a rename, without any sync.
fn flip_without_sync(fs: &ModelFs) -> io::Result<()> {
    new_generation(fs, false)?;
    flip(fs, &directory(fs, "/www")?)
}

fn flip(fs: &ModelFs, www: &Node) -> io::Result<()> {
    fs.make_link(www, OsStr::new(".current"), Path::new("gen/2"))?;
    fs.rename(www, OsStr::new(".current"), www, OsStr::new("current"), Rename::Replace)
}

#[test]
fn a_flip_without_sync_survives_a_kill_and_is_caught_by_a_power_cut() -> Outcome {
    crashes(flip_without_sync, CURRENT, Crash::Kill)?.verdict()?;
    let tally = crashes(flip_without_sync, CURRENT, POWER)?;
    let seen = |what: &str| tally.violations.iter().any(|violation| violation.contains(what));
    assert!(seen(r#"key "" and cert """#), "both empty, as ext4 and XFS leave them: {tally}");
    assert!(seen("No such file"), "{tally}");
    assert!(seen(r"\0"), "{tally}");
    Ok(())
}

/// One link to the directory of both, with the syncs in order but for the `skip`th.
fn flip_soundly(fs: &ModelFs, skip: Option<usize>) -> io::Result<usize> {
    let mut syncs = 0;
    let mut sync = |node: &Node| {
        syncs += 1;
        if skip == Some(syncs - 1) { Ok(()) } else { fs.sync(node) }
    };
    let gens = directory(fs, "/www/gen")?;
    fs.make_directory(&gens, OsStr::new(".stage"), 0o700)?;
    let stage = directory(fs, "/www/gen/.stage")?;
    for name in FILES {
        sync(&write_new(fs, &stage, name, b"new pair")?)?;
    }
    sync(&stage)?;
    fs.rename(&gens, OsStr::new(".stage"), &gens, OsStr::new("2"), Rename::NoReplace)?;
    sync(&gens)?;
    let www = directory(fs, "/www")?;
    flip(fs, &www)?;
    sync(&www)?;
    Ok(syncs)
}

fn sound(fs: &ModelFs) -> io::Result<()> {
    flip_soundly(fs, None).map(drop)
}

#[test]
fn the_sound_way_survives_every_crash() -> Outcome {
    let killed = crashes(sound, CURRENT, Crash::Kill)?;
    // 1 directory, 2 × (create, 2 writes, sync), sync, rename, sync, link, rename, sync: 15 steps.
    assert_eq!(killed.points, 16);
    killed.verdict()?;
    let cut = crashes(sound, CURRENT, POWER)?;
    println!("a flip with its syncs, power cuts: {cut}");
    cut.verdict()?;
    Ok(())
}

#[test]
fn no_sync_of_the_sound_way_can_be_left_out() -> Outcome {
    let syncs = flip_soundly(&start()?, None)?;
    assert_eq!(syncs, 5);
    for skipped in 0..syncs {
        let (points, done) = Points::of(&start()?, |fs| flip_soundly(fs, Some(skipped)));
        done?;
        let tally = for_each_crash(&points, &[POWER], |crashed| whole_pair(CURRENT, &points, &crashed));
        assert!(!tally.violations.is_empty(), "nobody missed sync {skipped}: {tally}");
    }
    Ok(())
}

#[test]
fn syncing_the_file_system_is_as_good_but_only_for_its_own_files() -> Outcome {
    let way = |fs: &ModelFs| -> io::Result<()> {
        let new = new_generation(fs, false)?;
        fs.sync_all(&new)?;
        let www = directory(fs, "/www")?;
        flip(fs, &www)?;
        fs.sync_all(&www)
    };
    crashes(way, CURRENT, POWER)?.verdict()?;
    let apart = start()?;
    apart.plant_directory("/other", 0o755)?;
    apart.plant_mount("/other")?;
    let (points, done) = Points::of(&apart, |fs| -> io::Result<()> {
        let other = directory(fs, "/other")?;
        fs.sync(&write_new(fs, &other, "f", b"whole")?)?;
        fs.sync_all(&directory(fs, "/www")?)
    });
    done?;
    let tally = for_each_crash(&points, &[POWER], |crashed| {
        let lost = crashed.number + 1 == points.len() && !crashed.fs.look(|view| view.exists("/other/f"));
        if lost { Err("lost".to_owned()) } else { Ok(()) }
    });
    assert!(!tally.violations.is_empty(), "a sync of one file system made another one durable");
    Ok(())
}

/// After `EIO` a second sync may succeed without having written anything (fsync(2)).
#[test]
fn trusting_a_second_sync_is_caught() -> Outcome {
    let way = |fs: &ModelFs| {
        let gens = directory(fs, "/www/gen")?;
        fs.make_directory(&gens, OsStr::new("2"), 0o755)?;
        let new = directory(fs, "/www/gen/2")?;
        for name in FILES {
            let file = write_new(fs, &new, name, b"new pair")?;
            fs.sync(&file).or_else(|_| fs.sync(&file))?;
        }
        fs.sync(&new)?;
        fs.sync(&gens)?;
        let www = directory(fs, "/www")?;
        flip(fs, &www)?;
        fs.sync(&www)
    };
    crashes(way, CURRENT, POWER)?.verdict()?;
    let tally = for_each_errno(&start()?, Counted::Mutating, &[Errno::IO], way, |failed| {
        if failed.result.is_err() {
            return Ok(());
        }
        let (points, ()) = Points::of(&failed.fs, |_| ());
        for_each_crash(&points, &[POWER], |crashed| whole_pair(CURRENT, &points, &crashed))
            .verdict()
            .map_err(|violated| violated.to_string())
    });
    // The two syncs of files, each failing once.
    assert_eq!(tally.violations.len(), 2, "{tally:?}");
    Ok(())
}

#[test]
fn an_error_at_any_call_leaves_the_old_pair_or_the_new() -> Outcome {
    let errnos = [Errno::NOSPC, Errno::IO];
    for counted in [Counted::Mutating, Counted::Every] {
        let tally = for_each_errno(&start()?, counted, &errnos, sound, |failed| {
            let pair = CURRENT.map(|path| failed.fs.look(|view| view.read(path)).unwrap_or_default());
            match (pair.each_ref().map(Vec::as_slice), failed.result) {
                ([b"new pair", b"new pair"], _) | ([b"old pair", b"old pair"], Err(_)) => Ok(()),
                (pair, result) => Err(format!("{pair:?} after {result:?}")),
            }
        });
        assert_eq!(tally.states, tally.points * errnos.len() * 2);
        tally.verdict()?;
    }
    Ok(())
}

#[test]
fn a_process_that_is_stopped_stays_dead() -> Outcome {
    let tally = for_each_stop(&start()?, sound, |failed| match failed.result {
        Err(error) if Dead::caused(&error) => Ok(()),
        Ok(()) if failed.fs.look(|view| view.read("/www/current/key").is_ok_and(|key| key == b"new pair")) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!((tally.points, tally.states), (16, 16));
    tally.verdict()?;
    Ok(())
}

#[test]
fn a_panic_in_a_check_names_its_crash() {
    let (points, ()) = Points::of(&ModelFs::default(), |_| ());
    let tally = for_each_crash(&points, &[Crash::Kill], |crashed| {
        assert!(crashed.fs.look(|view| view.exists("/x")), "no x");
        Ok(())
    });
    assert!(tally.violations.iter().all(|violation| violation.starts_with("panic: no x: Kill before the first step")));
    assert!(tally.verdict().is_err());
}
