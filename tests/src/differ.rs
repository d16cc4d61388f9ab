//! Comparing two file systems by random acts: what nobody thought of writing into the conformance suite.
//!
//! Both sides do the same acts on handles opened in step; every answer and, at the end, everything that is there must be
//! equal. A difference names its seed and the acts that led to it.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use certwright::{AclKind, Identity, Node, NodeKind, Open, Rename, Stat};

use crate::conformance::filesystem::Bench;
use crate::prng::Prng;

/// One act. Handles are numbers into the list of those open.
#[derive(Clone, Debug)]
enum Act {
    Open(Option<usize>, PathBuf, Open),
    MakeDirectory(usize, &'static str, u32),
    Write(usize, Vec<u8>),
    Read(usize, usize),
    Stat(usize),
    StatAt(usize, &'static str),
    SetOwner(usize, u32, u32),
    SetMode(usize, u32),
    Acl(usize, AclKind),
    SetAcl(usize, AclKind, Vec<u8>),
    Rename(usize, &'static str, usize, &'static str, Rename),
    MakeLink(usize, &'static str, Target),
    ReadLink(usize, &'static str),
    RemoveFile(usize, &'static str),
    RemoveDirectory(usize, &'static str),
    List(usize),
    TryLock(usize),
    Close(usize),
    CanOpenAs(Identity, PathBuf),
    HardLink(&'static str, &'static str),
    Fifo(&'static str),
}

/// Where a link leads.
#[derive(Clone, Debug)]
enum Target {
    Relative(PathBuf),
    /// Below the directory under test.
    Absolute(PathBuf),
}

/// What an act answered, without what may differ between file systems.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Yes(bool),
    Bytes(Option<Vec<u8>>),
    Facts { kind: NodeKind, mode: u32, uid: u32, gid: u32, size: Option<u64>, links: u64 },
    Names(Vec<OsString>),
    Path(PathBuf),
    Failed(Option<i32>, io::ErrorKind),
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const MODES: [u32; 12] = [0o600, 0o640, 0o644, 0o755, 0o700, 0o711, 0o2755, 0o2745, 0o4711, 0o1777, 0o000, 0o070];
const USERS: [u32; 3] = [0, 1001, 1002];
const GROUPS: [u32; 3] = [0, 2001, 2002];
const OPEN_AT_ONCE: usize = 8;
/// The directory, below the bench's, in which it happens.
const ROOT: &str = "1/2/3/4";

struct Side<'a> {
    bench: &'a Bench,
    open: Vec<Node>,
}

/// Does `count` random acts on both, and compares.
///
/// # Errors
///
/// The first difference, with the acts that led to it.
pub fn compare(seed: u64, count: usize, left: &Bench, right: &Bench) -> Result<(), Difference> {
    let mut lot = Prng::new(seed);
    let mut story = String::new();
    let mut sides = [Side::new(left)?, Side::new(right)?];
    for number in 0..count {
        let open = sides.each_ref().map(|side| side.open.len()).into_iter().min().unwrap_or(0);
        let act = random(&mut lot, open);
        // Writing to a string cannot fail.
        let _ = writeln!(story, "{number}: {act:?}");
        let [one, two] = sides.each_mut().map(|side| side.answer(&act));
        if one != two {
            return Err(Difference(format!("seed {seed}:\n{story}{left:?}: {one:?}\n{right:?}: {two:?}")));
        }
    }
    let [one, two] = sides.each_ref().map(Side::everything);
    let (one, two) = (one?, two?);
    if one == two { Ok(()) } else { Err(Difference(format!("seed {seed}:\n{story}{left:?}:\n{one}{right:?}:\n{two}"))) }
}

/// What differs, and what led to it.
pub struct Difference(String);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Difference {}

fn random(lot: &mut Prng, open: usize) -> Act {
    let node = lot.below(open);
    let name = NAMES[lot.below(NAMES.len())];
    let other = NAMES[lot.below(NAMES.len())];
    match lot.below(30) {
        0..=5 => {
            let how =
                [Open::Directory, Open::Search, Open::Read, Open::Create, Open::Append, Open::Facts][lot.below(6)];
            // Made beneath a handle alone, where no link can lead out of the directory under test.
            let at = (matches!(how, Open::Create | Open::Append) || !lot.chance(4)).then_some(node);
            Act::Open(at, path(lot, at.is_none()), how)
        }
        6..=8 => Act::MakeDirectory(node, name, MODES[lot.below(MODES.len())]),
        9 => Act::Write(node, vec![b'x'; lot.below(5)]),
        10 => Act::Read(node, lot.below(12)),
        11 => Act::Stat(node),
        12 => Act::StatAt(node, name),
        13 => Act::SetOwner(node, USERS[lot.below(3)], GROUPS[lot.below(3)]),
        14 => Act::SetMode(node, MODES[lot.below(MODES.len())]),
        15 => Act::Acl(node, kind(lot)),
        16..=17 => Act::SetAcl(node, kind(lot), acl(lot)),
        18..=20 => {
            let how = if lot.chance(2) { Rename::Replace } else { Rename::NoReplace };
            Act::Rename(node, name, lot.below(open), other, how)
        }
        21 => {
            let target = path(lot, false);
            Act::MakeLink(node, name, if lot.chance(3) { Target::Absolute(target) } else { Target::Relative(target) })
        }
        22 => Act::ReadLink(node, name),
        23 => Act::RemoveFile(node, name),
        24 => Act::RemoveDirectory(node, name),
        25 => Act::List(node),
        26 => {
            if lot.chance(2) {
                Act::TryLock(node)
            } else {
                Act::Close(node)
            }
        }
        27..=28 => {
            let groups = (0..lot.below(3)).map(|_| GROUPS[lot.below(3)]).collect();
            let (user, group) = (USERS[lot.below(3)], GROUPS[lot.below(3)]);
            Act::CanOpenAs(Identity::new(user, group, groups), path(lot, true))
        }
        _ => {
            if lot.chance(4) {
                Act::Fifo(name)
            } else {
                Act::HardLink(name, other)
            }
        }
    }
}

/// At most one step upward, and only where it cannot leave the directories made for the comparison.
fn path(lot: &mut Prng, upward: bool) -> PathBuf {
    let mut path = PathBuf::new();
    for _ in 0..1 + lot.below(3) {
        path.push(NAMES[lot.below(NAMES.len())]);
    }
    if upward && lot.chance(6) {
        path.push("..");
        path.push(NAMES[lot.below(NAMES.len())]);
    }
    path
}

fn kind(lot: &mut Prng) -> AclKind {
    if lot.chance(3) { AclKind::Default } else { AclKind::Access }
}

/// A stored ACL, well formed mostly.
fn acl(lot: &mut Prng) -> Vec<u8> {
    let mut value = 2u32.to_le_bytes().to_vec();
    let mut entry = |lot: &mut Prng, tag: u16, id: u32| {
        value.extend(tag.to_le_bytes());
        value.extend((lot.below(8) as u16).to_le_bytes());
        value.extend(id.to_le_bytes());
    };
    entry(lot, 0x01, u32::MAX);
    for _ in 0..lot.below(3) {
        let user = USERS[lot.below(3)];
        entry(lot, 0x02, user);
    }
    entry(lot, 0x04, u32::MAX);
    for _ in 0..lot.below(3) {
        let group = GROUPS[lot.below(3)];
        entry(lot, 0x08, group);
    }
    if !lot.chance(5) {
        entry(lot, 0x10, u32::MAX);
    }
    entry(lot, 0x20, u32::MAX);
    match lot.below(12) {
        0 => value.truncate(lot.below(value.len() + 1)),
        1 => {
            let at = lot.below(value.len());
            if let Some(byte) = value.get_mut(at) {
                *byte ^= 1 << lot.below(8);
            }
        }
        _ => {}
    }
    value
}

impl<'a> Side<'a> {
    fn new(bench: &'a Bench) -> Result<Self, Difference> {
        // Four levels down: one step upward from there is still inside.
        let made = ["1", "1/2", "1/2/3", ROOT].map(|path| bench.directory(path, 0o755));
        let root = made.into_iter().next_back().into_iter().collect::<io::Result<Vec<_>>>();
        Ok(Self { bench, open: root.map_err(|error| Difference(format!("{bench:?}: {error}")))? })
    }

    /// Everything that is there, in words.
    fn everything(&self) -> Result<String, Difference> {
        let mut out = String::new();
        let told = self.open.first().map_or(Ok(()), |root| self.tell(root, Path::new(""), &mut out));
        told.map(|()| out).map_err(|error| Difference(format!("{:?}: {error}", self.bench)))
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        self.bench.path(ROOT).join(path)
    }

    fn answer(&mut self, act: &Act) -> Answer {
        self.act(act).unwrap_or_else(|error| Answer::Failed(error.raw_os_error(), error.kind()))
    }

    fn act(&mut self, act: &Act) -> io::Result<Answer> {
        let fs = &self.bench.fs;
        let node = |number: &usize| &self.open[*number];
        let done = |()| Answer::Done;
        match act {
            Act::Open(at, path, how) => {
                let node = match at {
                    Some(at) => fs.open(Some(node(at)), path, *how)?,
                    None => fs.open(None, &self.absolute(path), *how)?,
                };
                // The root, at the front, stays.
                if self.open.len() == OPEN_AT_ONCE {
                    self.open.remove(1);
                }
                self.open.push(node);
                Ok(Answer::Done)
            }
            Act::MakeDirectory(at, name, mode) => fs.make_directory(node(at), OsStr::new(name), *mode).map(done),
            Act::Write(file, bytes) => fs.write(node(file), bytes).map(done),
            // A directory's size is its own affair, and decides which of two errors a reader gets.
            Act::Read(file, _) if fs.stat(node(file))?.kind == NodeKind::Directory => Ok(Answer::Done),
            Act::Read(file, limit) => Ok(Answer::Bytes(Some(fs.read(node(file), *limit)?))),
            Act::Stat(file) => fs.stat(node(file)).map(Answer::facts),
            Act::StatAt(at, name) => fs.stat_at(node(at), OsStr::new(name)).map(Answer::facts),
            Act::SetOwner(file, uid, gid) => fs.set_owner(node(file), *uid, *gid).map(done),
            Act::SetMode(file, mode) => fs.set_mode(node(file), *mode).map(done),
            Act::Acl(file, kind) => fs.acl(node(file), *kind).map(Answer::Bytes),
            Act::SetAcl(file, kind, value) => fs.set_acl(node(file), *kind, Some(value)).map(done),
            Act::Rename(from, name, to, new_name, how) => {
                fs.rename(node(from), OsStr::new(name), node(to), OsStr::new(new_name), *how).map(done)
            }
            Act::MakeLink(at, name, target) => {
                let target = match target {
                    Target::Relative(path) => path.clone(),
                    Target::Absolute(path) => self.absolute(path),
                };
                fs.make_link(node(at), OsStr::new(name), &target).map(done)
            }
            Act::ReadLink(at, name) => fs.read_link(node(at), OsStr::new(name)).map(|path| self.relative(path)),
            Act::RemoveFile(at, name) => fs.remove_file(node(at), OsStr::new(name)).map(done),
            Act::RemoveDirectory(at, name) => fs.remove_directory(node(at), OsStr::new(name)).map(done),
            Act::List(at) => fs.list(node(at)).map(Answer::Names),
            Act::TryLock(file) => fs.try_lock(node(file)).map(Answer::Yes),
            Act::Close(number) => {
                if *number > 0 {
                    self.open.remove(*number);
                }
                Ok(Answer::Done)
            }
            Act::CanOpenAs(who, path) => fs.can_open_as(who, &self.absolute(path)).map(Answer::Yes),
            Act::HardLink(old, new) => {
                let [old_path, new_path] = [old, new].map(|name| format!("{ROOT}/{name}"));
                // A directory gets no second name, and the model's outside world does not refuse it.
                if fs.stat_at(&self.open[0], OsStr::new(old))?.kind == NodeKind::Directory {
                    return Ok(Answer::Done);
                }
                self.bench.make_hard_link(&old_path, &new_path).map(done)
            }
            Act::Fifo(name) => self.bench.make_fifo(&format!("{ROOT}/{name}")).map(done),
        }
    }

    fn relative(&self, path: PathBuf) -> Answer {
        match path.strip_prefix(self.bench.path(ROOT)) {
            Ok(inside) => Answer::Path(Path::new("/root").join(inside)),
            Err(_) => Answer::Path(path),
        }
    }

    /// Everything below a directory, in words.
    fn tell(&self, at: &Node, path: &Path, out: &mut String) -> io::Result<()> {
        let fs = &self.bench.fs;
        for name in fs.list(at)? {
            let node = fs.open(Some(at), Path::new(&name), Open::Facts)?;
            let stat = fs.stat(&node)?;
            let path = path.join(&name);
            let acls = match stat.kind {
                NodeKind::Link => [None, None],
                _ => [fs.acl(&node, AclKind::Access)?, fs.acl(&node, AclKind::Default)?],
            };
            let inside = match stat.kind {
                NodeKind::File => {
                    Answer::Bytes(Some(fs.read(&fs.open(Some(at), Path::new(&name), Open::Read)?, 1 << 20)?))
                }
                NodeKind::Link => self.relative(fs.read_link(at, &name)?),
                _ => Answer::Done,
            };
            let _ = writeln!(out, "{} {:?} {acls:?} {inside:?}", path.display(), Answer::facts(stat));
            if stat.kind == NodeKind::Directory {
                self.tell(&fs.open(Some(at), Path::new(&name), Open::Directory)?, &path, out)?;
            }
        }
        Ok(())
    }
}

impl Answer {
    fn facts(stat: Stat) -> Self {
        let Stat { kind, mode, uid, gid, links, .. } = stat;
        let size = (kind != NodeKind::Directory && kind != NodeKind::Link).then_some(stat.size);
        Self::Facts { kind, mode, uid, gid, size, links }
    }
}
