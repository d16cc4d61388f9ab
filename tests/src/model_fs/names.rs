//! Taking names away and giving others, with the kernel's order of objections (`do_renameat2`, `may_delete` in fs/namei.c).

use std::ffi::OsStr;
use std::io;

use certwright::Rename;
use rustix::io::Errno;

use super::durable::Change;
use super::inode::Ino;
use super::volume::Volume;

impl Volume {
    pub(super) fn unlink(&mut self, directory: Ino, name: &OsStr) -> io::Result<()> {
        let ino = self.victim(directory, name)?;
        if self.is_directory(ino)? {
            return Err(Errno::ISDIR.into());
        }
        self.change_names(vec![Change::new(directory, name, None)])
    }

    pub(super) fn remove_directory(&mut self, directory: Ino, name: &OsStr) -> io::Result<()> {
        let ino = self.victim(directory, name)?;
        if !self.entries(ino)?.is_empty() {
            return Err(Errno::NOTEMPTY.into());
        }
        self.refuse_mount(directory, ino)?;
        self.change_names(vec![Change::new(directory, name, None)])
    }

    pub(super) fn rename(
        &mut self,
        (from, name): (Ino, &OsStr),
        (to, new_name): (Ino, &OsStr),
        how: Rename,
    ) -> io::Result<()> {
        self.entries(from)?;
        self.entries(to)?;
        if self.inode(from)?.device != self.inode(to)?.device {
            return Err(Errno::XDEV.into());
        }
        self.changeable()?;
        let moved = self.named(from, name)?;
        let replaced = self.lookup(to, new_name)?;
        if replaced.is_some() && how == Rename::NoReplace {
            return Err(Errno::EXIST.into());
        }
        if self.leads_to(moved, to)? {
            return Err(Errno::INVAL.into());
        }
        if let Some(replaced) = replaced
            && self.is_directory(replaced)?
            && self.leads_to(replaced, from)?
        {
            return Err(Errno::NOTEMPTY.into());
        }
        if replaced == Some(moved) {
            return Ok(());
        }
        self.victim(from, name)?;
        match replaced {
            None if self.inode(to)?.names == 0 => return Err(Errno::NOENT.into()),
            None => self.writable(to)?,
            Some(replaced) => {
                self.victim(to, new_name)?;
                match (self.is_directory(moved)?, self.is_directory(replaced)?) {
                    (true, false) => return Err(Errno::NOTDIR.into()),
                    (false, true) => return Err(Errno::ISDIR.into()),
                    (true, true) if !self.entries(replaced)?.is_empty() => return Err(Errno::NOTEMPTY.into()),
                    (true, true) | (false, false) => {}
                }
                self.refuse_mount(to, replaced)?;
            }
        }
        self.refuse_mount(from, moved)?;
        self.change_names(vec![Change::new(from, name, None), Change::new(to, new_name, Some(moved))])
    }

    /// What a name leads to, if the name may be taken away.
    fn victim(&self, directory: Ino, name: &OsStr) -> io::Result<Ino> {
        self.changeable()?;
        let ino = self.named(directory, name)?;
        self.writable(directory)?;
        self.writable(ino)?;
        Ok(ino)
    }

    fn changeable(&self) -> io::Result<()> {
        if self.settings.read_only { Err(Errno::ROFS.into()) } else { Ok(()) }
    }

    fn refuse_mount(&self, directory: Ino, ino: Ino) -> io::Result<()> {
        if self.inode(directory)?.device == self.inode(ino)?.device { Ok(()) } else { Err(Errno::BUSY.into()) }
    }

    fn is_directory(&self, ino: Ino) -> io::Result<bool> {
        Ok(self.inode(ino)?.body.entries().is_some())
    }

    /// Whether `below` is `above` or somewhere inside it.
    fn leads_to(&self, above: Ino, below: Ino) -> io::Result<bool> {
        let mut todo = vec![above];
        while let Some(ino) = todo.pop() {
            if ino == below {
                return Ok(true);
            }
            todo.extend(self.inode(ino)?.body.entries().into_iter().flat_map(|entries| entries.values().copied()));
        }
        Ok(false)
    }
}
