//! The rules of the model that the kernel cannot be asked about: durability, faults, steps. What the kernel can be asked
//! is in `tests/filesystem.rs`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use certwright::{AclKind, Filesystem, Identity, Node, Open, Rename};
use rustix::io::Errno;

use super::*;

fn root(fs: &ModelFs) -> Node {
    fs.open(None, Path::new("/"), Open::Directory).unwrap()
}

fn open(fs: &ModelFs, path: &str, how: Open) -> Node {
    fs.open(Some(&root(fs)), Path::new(path), how).unwrap()
}

fn file(fs: &ModelFs, path: &str, content: &[u8]) -> Node {
    let file = open(fs, path, Open::Create);
    fs.write(&file, content).unwrap();
    file
}

fn rename(fs: &ModelFs, (from, name): (&Node, &str), (to, new): (&Node, &str)) {
    fs.rename(from, OsStr::new(name), to, OsStr::new(new), Rename::Replace).unwrap();
}

/// What may be left after a power cut now, told by `tell`.
fn left<T: Ord>(fs: &ModelFs, tell: impl Fn(&View<'_>) -> T) -> BTreeSet<T> {
    fs.record();
    let moments = fs.recorded();
    moments[0].survivors(10_000).iter().map(|survivor| survivor.look(&tell)).collect()
}

fn content<'p>(path: &'p str) -> impl Fn(&View<'_>) -> Option<String> + 'p {
    move |view| view.read(path).ok().map(|bytes| String::from_utf8(bytes).unwrap())
}

fn names(path: &'static str) -> impl Fn(&View<'_>) -> Vec<String> {
    move |view| view.names(path).unwrap().into_iter().map(|name| name.into_string().unwrap()).collect()
}

fn some(contents: &[&str]) -> BTreeSet<Option<String>> {
    contents.iter().map(|content| Some((*content).to_owned())).collect()
}

#[test]
fn an_unsynced_file_may_be_gone_empty_torn_or_zeros() {
    let fs = ModelFs::default();
    file(&fs, "f", b"ab");
    let mut all = some(&["", "a", "\0", "ab", "\0b", "a\0", "\0\0"]);
    all.insert(None);
    assert_eq!(left(&fs, content("/f")), all);
}

#[test]
fn syncing_a_file_keeps_its_content_and_not_its_name() {
    let fs = ModelFs::default();
    let node = file(&fs, "f", b"ab");
    fs.set_mode(&node, 0o640).unwrap();
    fs.sync(&node).unwrap();
    assert_eq!(left(&fs, content("/f")), BTreeSet::from([None, Some("ab".to_owned())]));
    fs.sync(&root(&fs)).unwrap();
    assert_eq!(left(&fs, content("/f")), some(&["ab"]));
    assert_eq!(left(&fs, |view| view.access("/f").unwrap().2), BTreeSet::from([0o640]));
}

#[test]
fn syncing_a_directory_keeps_names_and_not_content() {
    let fs = ModelFs::default();
    file(&fs, "f", b"ab");
    fs.sync(&root(&fs)).unwrap();
    let found = left(&fs, content("/f"));
    assert!(found.contains(&Some(String::new())) && found.contains(&Some("ab".to_owned())) && !found.contains(&None));
    assert_eq!(left(&fs, |view| view.access("/f").unwrap()), BTreeSet::from([(0, 0, 0o600)]));
}

#[test]
fn a_directory_that_is_not_named_takes_everything_with_it() {
    let fs = ModelFs::default();
    fs.make_directory(&root(&fs), OsStr::new("d"), 0o700).unwrap();
    let directory = open(&fs, "d", Open::Directory);
    fs.sync(&file(&fs, "d/f", b"ab")).unwrap();
    fs.sync(&directory).unwrap();
    assert_eq!(left(&fs, content("/d/f")), BTreeSet::from([None, Some("ab".to_owned())]));
    fs.sync(&root(&fs)).unwrap();
    assert_eq!(left(&fs, content("/d/f")), some(&["ab"]));
}

#[test]
fn a_rename_is_whole_and_may_outlive_the_content() {
    let fs = ModelFs::default();
    fs.plant_file("/f", b"old", 0o600).unwrap();
    file(&fs, "t", b"new");
    rename(&fs, (&root(&fs), "t"), (&root(&fs), "f"));
    let found = left(&fs, |view| (content("/f")(view), content("/t")(view).is_some()));
    assert!(found.contains(&(Some(String::new()), false)), "the classic: renamed and empty");
    assert!(found.contains(&(Some("old".to_owned()), true)) && found.contains(&(Some("new".to_owned()), false)));
    assert!(found.iter().all(|(f, t)| f.is_some() && (*t == (f.as_deref() == Some("old")) || !*t)), "{found:?}");
}

#[test]
fn a_rename_across_directories_is_whole_and_a_sync_of_either_keeps_it() {
    for synced in ["a", "b"] {
        let fs = ModelFs::default();
        fs.plant_directory("/a", 0o700).unwrap();
        fs.plant_directory("/b", 0o700).unwrap();
        fs.plant_file("/a/f", b"x", 0o600).unwrap();
        rename(&fs, (&open(&fs, "a", Open::Directory), "f"), (&open(&fs, "b", Open::Directory), "f"));
        let places = |view: &View<'_>| (view.exists("/a/f"), view.exists("/b/f"));
        assert_eq!(left(&fs, places), BTreeSet::from([(true, false), (false, true)]));
        fs.sync(&open(&fs, synced, Open::Directory)).unwrap();
        assert_eq!(left(&fs, places), BTreeSet::from([(false, true)]), "{synced}");
    }
}

#[test]
fn names_of_one_directory_are_lost_apart_but_each_name_in_order() {
    let fs = ModelFs::default();
    file(&fs, "a", b"");
    file(&fs, "b", b"");
    rename(&fs, (&root(&fs), "a"), (&root(&fs), "c"));
    let found: BTreeSet<Vec<String>> = left(&fs, names("/"));
    let expected: [&[&str]; 6] = [&[], &["a"], &["b"], &["a", "b"], &["c"], &["b", "c"]];
    assert_eq!(found, expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect()).into());
}

#[test]
fn nothing_ever_has_two_names_after_renames() {
    let fs = ModelFs::default();
    fs.plant_file("/a", b"", 0o600).unwrap();
    rename(&fs, (&root(&fs), "a"), (&root(&fs), "b"));
    rename(&fs, (&root(&fs), "b"), (&root(&fs), "c"));
    assert_eq!(left(&fs, names("/")), ["a", "b", "c"].map(|name| vec![name.to_owned()]).into());
}

#[test]
fn what_a_failed_sync_left_behind_never_undoes_what_came_after() {
    let fs = ModelFs::default();
    let root = root(&fs);
    fs.plant_file("/f", b"old", 0o600).unwrap();
    for (content, errno) in [(&b"1"[..], Some(Errno::IO)), (&b"2"[..], None)] {
        let node = file(&fs, "t", content);
        fs.sync(&node).unwrap();
        rename(&fs, (&root, "t"), (&root, "f"));
        fs.set_mode(&root, if errno.is_some() { 0o700 } else { 0o711 }).unwrap();
        if let Some(errno) = errno {
            fs.inject(Fault::On { call: Call::Sync, text: "/".into(), errno, lasting: Lasting::Once });
        }
        assert_eq!(fs.sync(&root).err().as_ref().and_then(Errno::from_io_error), errno);
    }
    let found = left(&fs, |view| (content("/f")(view), view.access("/").unwrap().2));
    assert_eq!(found, BTreeSet::from([(Some("2".to_owned()), 0o711)]));
}

#[test]
fn attributes_survive_in_the_order_they_were_set() {
    let fs = ModelFs::default();
    fs.plant_file("/f", b"", 0o600).unwrap();
    let node = open(&fs, "f", Open::Read);
    fs.set_owner(&node, 1, 2).unwrap();
    fs.set_mode(&node, 0o640).unwrap();
    let found = left(&fs, |view| view.access("/f").unwrap());
    assert_eq!(found, BTreeSet::from([(0, 0, 0o600), (1, 2, 0o600), (1, 2, 0o640)]));
}

#[test]
fn syncing_all_is_of_one_file_system() {
    let fs = ModelFs::default();
    fs.plant_directory("/m", 0o700).unwrap();
    fs.plant_mount("/m").unwrap();
    file(&fs, "f", b"ab");
    file(&fs, "m/f", b"ab");
    let moved =
        fs.rename(&root(&fs), OsStr::new("f"), &open(&fs, "m", Open::Directory), OsStr::new("g"), Rename::Replace);
    assert_eq!(Errno::from_io_error(&moved.unwrap_err()), Some(Errno::XDEV));
    fs.sync_all(&root(&fs)).unwrap();
    assert_eq!(left(&fs, content("/f")), some(&["ab"]));
    assert!(left(&fs, content("/m/f")).contains(&None));
}

#[test]
fn after_a_failed_sync_another_one_writes_nothing() {
    let fs = ModelFs::default();
    let node = file(&fs, "f", b"ab");
    fs.sync(&root(&fs)).unwrap();
    fs.inject(Fault::On { call: Call::Sync, text: "/f".into(), errno: Errno::IO, lasting: Lasting::Once });
    assert_eq!(Errno::from_io_error(&fs.sync(&node).unwrap_err()), Some(Errno::IO));
    fs.sync(&node).unwrap();
    fs.sync_all(&node).unwrap();
    assert_eq!(fs.read(&node, 10).unwrap(), b"ab", "the process sees it");
    assert!(left(&fs, content("/f")).contains(&Some(String::new())), "the disk may not have it");
    fs.write(&node, b"c").unwrap();
    fs.sync(&node).unwrap();
    assert!(left(&fs, content("/f")).contains(&Some("\0\0c".to_owned())), "what came later is written");
}

#[test]
fn a_kill_loses_nothing_and_makes_nothing_durable() {
    let fs = ModelFs::default();
    let lock = file(&fs, "l", b"");
    assert!(fs.try_lock(&lock).unwrap());
    let next = fs.restart(Loss::Nothing);
    assert!(Dead::caused(&fs.try_lock(&lock).unwrap_err()), "the dead process stays dead");
    assert!(Dead::caused(&next.try_lock(&lock).unwrap_err()), "its handles are no use to the next one");
    assert!(next.try_lock(&open(&next, "l", Open::Append)).unwrap(), "its locks are gone");
    assert!(!next.restart(Loss::Unsynced).look(|view| view.exists("/l")));
}

#[test]
fn losses_by_lot_repeat_and_differ() {
    let fs = ModelFs::default();
    for name in ["a", "b", "c", "d"] {
        file(&fs, name, b"ab");
    }
    let tree = |loss| fs.fork().restart(loss).look(|view| view.tree());
    let trees: BTreeSet<String> = (0..64).map(|seed| tree(Loss::ByLot { seed })).collect();
    assert!(trees.len() > 32, "{}", trees.len());
    assert_eq!(tree(Loss::ByLot { seed: 7 }), tree(Loss::ByLot { seed: 7 }));
    assert_eq!(fs.fork().restart(Loss::Content).look(content("/a")).as_deref(), Some(""));
    assert_eq!(fs.restart(Loss::Unsynced).look(names("/")), Vec::<String>::new());
}

#[test]
fn too_many_survivors_are_drawn_by_lot_with_the_extremes() {
    let fs = ModelFs::default();
    for number in 0..40 {
        file(&fs, &number.to_string(), b"ab");
    }
    fs.record();
    let survivors = fs.recorded()[0].survivors(50);
    assert!((50..=53).contains(&survivors.len()), "{}", survivors.len());
    let counts: BTreeSet<usize> = survivors.iter().map(|fs| fs.look(names("/")).len()).collect();
    assert!(counts.contains(&0) && counts.contains(&40) && counts.len() > 5, "{counts:?}");
}

#[test]
fn steps_are_numbered_and_told() {
    let fs = ModelFs::default();
    fs.sync(&file(&fs, "f", b"ab")).unwrap();
    assert!(fs.remove_directory(&root(&fs), OsStr::new("absent")).is_err());
    let log: Vec<String> = fs.log().iter().map(ToString::to_string).collect();
    let expected = [
        "  1 Create /f",
        "  2 Write /f, first half",
        "  3 Write /f, the rest",
        "  4 Sync /f",
        "  5 RemoveDirectory /absent failed: No such file or directory (os error 2)",
    ];
    assert_eq!(log, expected);
    assert_eq!(fs.count(Counted::Mutating), 5);
    // Two opens of the root, and one call for each step but the second half of the write.
    assert_eq!(fs.count(Counted::Every), 6);
}

#[test]
fn a_stopped_process_fails_from_the_next_step_on() {
    let fs = ModelFs::default();
    fs.inject(Fault::StopAfter(2));
    let node = open(&fs, "f", Open::Create);
    let error = fs.write(&node, b"ab").unwrap_err();
    assert!(Dead::caused(&error) && Dead::caused(&io::Error::other(error)));
    assert!(Dead::caused(&fs.stat(&node).unwrap_err()));
    assert!(!Dead::caused(&io::Error::from(Errno::IO)));
    assert_eq!(fs.restart(Loss::Nothing).look(content("/f")).as_deref(), Some("a"));
}

#[test]
fn errors_strike_by_number_once_or_from_there_on() {
    for (lasting, survivors) in [(Lasting::Once, vec!["1", "3", "4"]), (Lasting::Forever, vec!["1"])] {
        let fs = ModelFs::default();
        fs.inject(Fault::Errno { at: 2, errno: Errno::NOSPC, counted: Counted::Mutating, lasting });
        let root = root(&fs);
        for name in ["1", "2", "3", "4"] {
            let made = fs.open(Some(&root), Path::new(name), Open::Create);
            let expected = (!survivors.contains(&name)).then_some(Errno::NOSPC);
            assert_eq!(made.err().as_ref().and_then(Errno::from_io_error), expected, "{name} {lasting:?}");
        }
        assert_eq!(fs.look(names("/")), survivors);
        fs.clear_faults();
        open(&fs, "5", Open::Create);
    }
    let fs = ModelFs::default();
    fs.inject(Fault::Errno { at: 2, errno: Errno::IO, counted: Counted::Every, lasting: Lasting::Once });
    let root = root(&fs);
    assert_eq!(Errno::from_io_error(&fs.list(&root).unwrap_err()), Some(Errno::IO));
    assert!(fs.list(&root).unwrap().is_empty());
}

#[test]
fn watchers_see_every_instant() {
    let fs = ModelFs::default();
    let outsider = Identity::new(65_000, 65_000, Vec::new());
    fs.on_step(move |view, op| match view.leaks(&outsider, b"secret").first() {
        Some(path) => Err(format!("{} is open to outsiders at step {}", path.display(), op.number)),
        None => Ok(()),
    });
    let node = file(&fs, "key", b"a secret");
    assert!(fs.violations().is_empty());
    fs.set_mode(&node, 0o644).unwrap();
    fs.set_mode(&node, 0o600).unwrap();
    assert_eq!(fs.violations(), ["after   4 SetMode /key to 0644: /key is open to outsiders at step 4"]);
}

#[test]
fn leaks_do_not_count_on_directories_and_paths_do() {
    let fs = ModelFs::default();
    fs.plant_directory("/shut", 0o700).unwrap();
    fs.plant_file("/shut/f", b"secret", 0o644).unwrap();
    let who = Identity::new(1000, 1000, Vec::new());
    fs.look(|view| {
        assert_eq!(view.leaks(&who, b"secret"), [Path::new("/shut/f")]);
        assert!(view.could_read(&who, "/shut/f").unwrap() && !view.can_open(&who, "/shut/f").unwrap());
    });
}

#[test]
fn acts_from_outside_are_durable_and_carry_nothing_along() {
    let fs = ModelFs::default();
    file(&fs, "ours", b"x");
    fs.plant_directory("/a/b", 0o755).unwrap();
    fs.plant_file("/a/b/f", b"one", 0o640).unwrap();
    fs.plant_file("/a/b/f", b"two", 0o600).unwrap();
    fs.plant_link("/a/l", "b/f").unwrap();
    fs.plant_hard_link("/a/b/f", "/a/h").unwrap();
    fs.plant_owner("/a/l", 7, 8).unwrap();
    fs.plant_mode("/a/b", 0o711).unwrap();
    fs.plant_fifo("/a/gone", 0o600).unwrap();
    fs.uproot("/a/gone").unwrap();
    let after = fs.restart(Loss::Unsynced);
    assert_eq!(
        after.look(|view| view.tree()),
        "0755  0:0 //\n0755  0:0 /a/\n0711  0:0 /a/b/\n0640  7:8 /a/b/f \"two\"\n0640  7:8 /a/h \"two\"\n0777  0:0 /a/l -> b/f\n"
    );
    after.uproot("/a").unwrap();
    assert_eq!(after.restart(Loss::Unsynced).look(names("/")), Vec::<String>::new());
}

#[test]
fn an_immutable_inode_does_not_change() {
    let fs = ModelFs::default();
    fs.plant_file("/f", b"", 0o600).unwrap();
    fs.plant_immutable("/f").unwrap();
    let (root, name) = (root(&fs), OsStr::new("f"));
    let node = open(&fs, "f", Open::Read);
    let errors = [
        fs.set_mode(&node, 0o644),
        fs.set_acl(&node, AclKind::Access, None),
        fs.remove_file(&root, name),
        fs.rename(&root, name, &root, OsStr::new("g"), Rename::Replace),
        fs.open(Some(&root), Path::new("f"), Open::Append).map(drop),
    ];
    assert_eq!(errors.map(|error| Errno::from_io_error(&error.unwrap_err())), [Some(Errno::PERM); 5]);
}

#[test]
fn inodes_run_out() {
    let fs = ModelFs::default();
    fs.change(|settings| settings.inodes = Some(3));
    file(&fs, "a", b"");
    fs.make_link(&root(&fs), OsStr::new("b"), Path::new("a")).unwrap();
    let refused = fs.make_directory(&root(&fs), OsStr::new("c"), 0o700);
    assert_eq!(Errno::from_io_error(&refused.unwrap_err()), Some(Errno::NOSPC));
    assert_eq!(fs.space(&root(&fs)).unwrap().inodes, Some(0));
    fs.remove_file(&root(&fs), OsStr::new("a")).unwrap();
    fs.make_directory(&root(&fs), OsStr::new("c"), 0o700).unwrap();
}

#[test]
fn a_file_system_may_lie_about_acls_or_have_little_room_for_them() {
    let entry = |tag: u16, id: u32| [&tag.to_le_bytes()[..], &4u16.to_le_bytes(), &id.to_le_bytes()].concat();
    let value = |users: u32| {
        let named = (1..=users).flat_map(|uid| entry(2, uid));
        let rest = [entry(4, u32::MAX), entry(16, u32::MAX), entry(32, u32::MAX)].concat();
        [2u32.to_le_bytes().to_vec(), entry(1, u32::MAX), named.collect(), rest].concat()
    };
    let fs = ModelFs::default();
    let node = file(&fs, "f", b"");
    fs.change(|settings| settings.acls = Acls::Kept { named: 2 });
    fs.set_acl(&node, AclKind::Access, Some(&value(2))).unwrap();
    let refused = fs.set_acl(&node, AclKind::Access, Some(&value(3)));
    assert_eq!(Errno::from_io_error(&refused.unwrap_err()), Some(Errno::NOSPC));
    assert_eq!(fs.acl(&node, AclKind::Access).unwrap(), Some(value(2)));
    fs.change(|settings| settings.acls = Acls::Dropped);
    fs.set_acl(&node, AclKind::Access, Some(&value(1))).unwrap();
    assert_eq!(fs.acl(&node, AclKind::Access).unwrap(), Some(value(2)));
}

#[test]
fn without_the_right_to_change_identity_nobody_is_asked() {
    let fs = ModelFs::default();
    fs.change(|settings| settings.identities = Identities::OwnOnly);
    let asked = fs.can_open_as(&Identity::new(1, 1, Vec::new()), Path::new("/"));
    assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::Unsupported);
}

#[test]
fn room_comes_back_when_the_last_handle_is_gone() {
    let fs = ModelFs::default();
    fs.change(|settings| settings.bytes = Some(3 * 4096));
    let node = file(&fs, "f", &[0; 8192]);
    assert_eq!(fs.space(&node).unwrap().bytes, 0);
    fs.remove_file(&root(&fs), OsStr::new("f")).unwrap();
    assert_eq!(fs.space(&node).unwrap().bytes, 0);
    drop(node);
    assert_eq!(fs.space(&root(&fs)).unwrap().bytes, 8192);
}
