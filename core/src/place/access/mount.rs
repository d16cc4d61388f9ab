//! Which mount an inode is on, for messages and for file systems that decide access elsewhere.

use std::path::{Path, PathBuf};

use crate::place::filesystem::{Filesystem, Open, Stat};

/// The largest mount table that is read.
const LIMIT: usize = 4 << 20;

/// A mount point and its file system type, as in `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) point: PathBuf,
    pub(crate) kind: String,
}

impl Mount {
    /// The mount of an inode, by its device number; `None` when procfs does not tell.
    pub(crate) fn of(fs: &dyn Filesystem, inode: &Stat) -> Option<Self> {
        let table = fs.open(None, Path::new("/proc/self/mountinfo"), Open::Read).ok()?;
        let table = fs.read(&table, LIMIT).ok()?;
        Self::find(&String::from_utf8_lossy(&table), inode.identity.0)
    }

    fn find(table: &str, device: u64) -> Option<Self> {
        let wanted = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
        table.lines().find_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let mut fields = before.split(' ').skip(2);
            let (number, point) = (fields.next()?, fields.nth(1)?);
            let kind = after.split(' ').next()?.to_owned();
            (number == wanted).then(|| Self { point: unescape(point), kind })
        })
    }

    /// Whether somebody else decides who may open a file there: a server with rules of its own, or mount options.
    pub(crate) fn decides_elsewhere(&self) -> bool {
        let kind = self.kind.as_str();
        matches!(kind, "nfs" | "nfs4" | "cifs" | "smb3" | "9p" | "virtiofs" | "afs" | "fuse" | "fuseblk" | "vboxsf")
            || kind.starts_with("fuse.")
    }
}

/// Space, tab, line end and backslash stand there as three octal digits.
fn unescape(field: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;

    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_mount_of_a_device() {
        // A line of proc_pid_mountinfo(5), and one with an escaped space and without optional fields.
        let table = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n\
                     40 35 0:52 / /srv/my\\040disk rw - fuse.sshfs host: rw\n";
        let ext = Mount::find(table, rustix::fs::makedev(98, 0)).unwrap();
        assert_eq!((ext.point.as_path(), ext.kind.as_str()), (Path::new("/mnt2"), "ext3"));
        assert!(!ext.decides_elsewhere());
        let fuse = Mount::find(table, rustix::fs::makedev(0, 52)).unwrap();
        assert_eq!(fuse.point, Path::new("/srv/my disk"));
        assert!(fuse.decides_elsewhere());
        assert_eq!(Mount::find(table, rustix::fs::makedev(0, 53)), None);
    }
}
