//! The calls of one deployment that write, in their order, as `strace` shows them of `Lifecycle::deploy` for a lineage
//! with a link and a bundle outside. What is read, checked and tried under other identities is left out, so that whatever
//! ours takes longer is the price of being sure.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, XattrFlags};

use crate::Fault;
use crate::measure::wall;

const ACL: &str = "system.posix_acl_access";
/// As many generations as ours keeps.
const KEPT: u64 = 5;

/// A file of a generation.
struct File {
    name: String,
    bytes: Vec<u8>,
    acl: Option<Vec<u8>>,
}

/// A lineage that is only written.
pub(crate) struct Placement {
    files: Vec<File>,
    lineage: OwnedFd,
    generations: OwnedFd,
    out: OwnedFd,
    number: u64,
}

impl Placement {
    /// Beside a real lineage, with files of the same size and access, in `folder`.
    pub(crate) fn like(lineage: &Path, folder: &Path) -> Result<Self, Fault> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(lineage.join("current"))? {
            let path = entry?.path();
            let mut buffer = vec![0; 1_024];
            let acl = rustix::fs::getxattr(&path, ACL, &mut buffer[..]).ok().map(|length| buffer[..length].to_vec());
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push(File { name, bytes: std::fs::read(&path)?, acl });
        }
        for part in ["generations", "out"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        let open = |path: &Path| rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
        let (generations, out) = (open(&folder.join("generations"))?, open(&folder.join("out"))?);
        let mut placement = Self { files, lineage: open(folder)?, generations, out, number: 0 };
        for _ in 0..KEPT {
            placement.deploy()?;
        }
        Ok(placement)
    }

    /// One deployment, and how many seconds it took.
    pub(crate) fn deploy(&mut self) -> Result<f64, Fault> {
        self.number += 1;
        wall(|| Ok(self.steps()?))
    }

    fn steps(&self) -> rustix::io::Result<()> {
        let (lineage, generations, out) = (self.lineage.as_fd(), self.generations.as_fd(), self.out.as_fd());
        let (stage, id) = (format!(".stage-{}", self.number), format!("{:04}", self.number));
        // Stage: a directory, each file with its access, all of it durable.
        rustix::fs::mkdirat(generations, &stage, Mode::from_raw_mode(0o700))?;
        let directory = rustix::fs::openat(generations, &stage, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        for file in &self.files {
            write(directory.as_fd(), &file.name, file)?;
        }
        rustix::fs::fchmod(&directory, Mode::from_raw_mode(0o711))?;
        rustix::fs::fsync(&directory)?;
        self.journal()?;
        // Prepare the bundle outside, give the generation its name.
        if let Some(bundle) = self.files.iter().find(|file| file.name == "bundle.pem") {
            write(out, ".bundle.pem.next", bundle)?;
        }
        rustix::fs::fsync(out)?;
        rustix::fs::renameat_with(generations, &stage, generations, &id, RenameFlags::NOREPLACE)?;
        rustix::fs::fsync(generations)?;
        // Activate, each step noted before it is taken.
        self.note()?;
        rustix::fs::symlinkat(format!("generations/{id}"), lineage, ".tmp-current")?;
        rustix::fs::renameat(lineage, ".tmp-current", lineage, "current")?;
        rustix::fs::fsync(lineage)?;
        self.journal()?;
        self.note()?;
        rustix::fs::renameat(out, ".bundle.pem.next", out, "bundle.pem")?;
        rustix::fs::fsync(out)?;
        self.note()?;
        self.note()?;
        self.journal()?;
        self.retire()
    }

    /// The file of the unsettled, replaced durably.
    fn note(&self) -> rustix::io::Result<()> {
        let lineage = self.lineage.as_fd();
        let file = create(lineage, ".tmp-txn")?;
        rustix::io::write(&file, &[b' '; 275])?;
        rustix::fs::fsync(&file)?;
        rustix::fs::renameat(lineage, ".tmp-txn", lineage, "txn")?;
        rustix::fs::fsync(lineage)
    }

    /// A line of history, not synced.
    fn journal(&self) -> rustix::io::Result<()> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.lineage, "journal", flags, Mode::from_raw_mode(0o600))?;
        rustix::io::write(&file, &[b' '; 68]).map(drop)
    }

    /// The oldest generation goes.
    fn retire(&self) -> rustix::io::Result<()> {
        let Some(old) = self.number.checked_sub(KEPT).filter(|old| *old > 0) else { return Ok(()) };
        let (generations, old) = (self.generations.as_fd(), format!("{old:04}"));
        rustix::fs::renameat(generations, &old, generations, ".trash")?;
        let directory = rustix::fs::openat(generations, ".trash", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        for file in &self.files {
            rustix::fs::unlinkat(&directory, &file.name, AtFlags::empty())?;
        }
        rustix::fs::unlinkat(generations, ".trash", AtFlags::REMOVEDIR)?;
        rustix::fs::fsync(generations)
    }
}

fn create(at: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::from_raw_mode(0o600))
}

fn write(at: BorrowedFd<'_>, name: &str, content: &File) -> rustix::io::Result<()> {
    let file = create(at, name)?;
    rustix::io::write(&file, &content.bytes)?;
    match &content.acl {
        Some(acl) => rustix::fs::fsetxattr(&file, ACL, acl, XattrFlags::empty())?,
        None => rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?,
    }
    rustix::fs::fsync(&file)
}
