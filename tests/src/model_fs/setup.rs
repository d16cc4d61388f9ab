//! Acts of somebody outside the story: the packager before it, the administrator or the attacker in between. They are
//! durable at once and are not counted.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use certwright::AclKind;
use rustix::io::Errno;

use super::ModelFs;
use super::acl::decode;
use super::durable::Change;
use super::inode::{Body, Ino};
use super::resolve::{Last, Spot, Walk};
use super::volume::Volume;

impl ModelFs {
    /// Makes a directory, and those above it that are missing.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_directory(&self, path: impl AsRef<Path>, mode: u32) -> io::Result<()> {
        let path = path.as_ref();
        let missing: Vec<&Path> = path.ancestors().filter(|above| !self.look(|view| view.exists(above))).collect();
        for above in missing.iter().rev() {
            self.plant(above, Body::Directory(BTreeMap::new()), mode)?;
        }
        Ok(())
    }

    /// Makes a file, or gives the one that is there other content (and keeps its owner and permissions).
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_file(&self, path: impl AsRef<Path>, bytes: &[u8], mode: u32) -> io::Result<()> {
        if !self.look(|view| view.exists(&path)) {
            return self.plant(path.as_ref(), Body::File(bytes.to_vec()), mode);
        }
        self.outside(|volume| {
            let ino = found(&at(volume, path.as_ref(), Last::Follow)?)?;
            let Body::File(content) = &mut volume.inode_mut(ino)?.body else { return Err(Errno::ISDIR.into()) };
            *content = bytes.to_vec();
            let inode = volume.inode(ino)?.clone();
            volume.disk.insert(ino, std::sync::Arc::new(inode));
            Ok(())
        })
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_link(&self, path: impl AsRef<Path>, target: impl AsRef<Path>) -> io::Result<()> {
        self.plant(path.as_ref(), Body::Link(target.as_ref().to_owned()), 0o777)
    }

    /// Makes a FIFO.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_fifo(&self, path: impl AsRef<Path>, mode: u32) -> io::Result<()> {
        self.plant(path.as_ref(), Body::Fifo, mode)
    }

    /// Gives an inode one more name.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_hard_link(&self, old: impl AsRef<Path>, new: impl AsRef<Path>) -> io::Result<()> {
        self.outside(|volume| {
            let ino = found(&at(volume, old.as_ref(), Last::Keep)?)?;
            let (directory, name) = free(at(volume, new.as_ref(), Last::Keep)?)?;
            volume.change_names(vec![Change::new(directory, &name, Some(ino))])
        })
    }

    /// `chown`.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_owner(&self, path: impl AsRef<Path>, uid: u32, gid: u32) -> io::Result<()> {
        self.outside(|volume| {
            let ino = found(&at(volume, path.as_ref(), Last::Follow)?)?;
            volume.change_attributes(ino, |attributes, _| {
                attributes.uid = uid;
                attributes.gid = gid;
                Ok(())
            })
        })
    }

    /// `chmod`: the stray one that moves a mask, too.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_mode(&self, path: impl AsRef<Path>, mode: u32) -> io::Result<()> {
        self.outside(|volume| {
            let ino = found(&at(volume, path.as_ref(), Last::Follow)?)?;
            volume.change_attributes(ino, |attributes, _| {
                attributes.chmod(mode);
                Ok(())
            })
        })
    }

    /// Sets or removes an ACL.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_acl(&self, path: impl AsRef<Path>, kind: AclKind, value: &[u8]) -> io::Result<()> {
        self.outside(|volume| {
            let ino = found(&at(volume, path.as_ref(), Last::Follow)?)?;
            let acl = decode(value)?;
            volume.change_attributes(ino, |attributes, _| {
                attributes.take_acl(kind, acl);
                Ok(())
            })
        })
    }

    /// `chattr +i`.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_immutable(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.outside(|volume| {
            let ino = found(&at(volume, path.as_ref(), Last::Follow)?)?;
            volume.inode_mut(ino)?.immutable = true;
            Ok(())
        })
    }

    /// Makes an empty directory the root of another file system.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn plant_mount(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.outside(|volume| {
            let ino = found(&at(volume, path.as_ref(), Last::Follow)?)?;
            volume.mount(ino)
        })
    }

    /// Removes a name and everything below it.
    ///
    /// # Errors
    ///
    /// As the kernel would answer root.
    pub fn uproot(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.outside(|volume| {
            let spot = at(volume, path.as_ref(), Last::Keep)?;
            found(&spot)?;
            uproot(volume, spot.directory, &spot.name.ok_or(Errno::BUSY)?)
        })?;
        self.lock().forget_unused();
        Ok(())
    }

    /// Makes everything durable.
    pub fn settle(&self) {
        self.lock().volume.sync_since(0);
    }

    fn plant(&self, path: &Path, body: Body, mode: u32) -> io::Result<()> {
        self.outside(|volume| {
            let (directory, name) = free(at(volume, path, Last::Keep)?)?;
            volume.create(directory, &name, body, mode).map(drop)
        })
    }

    fn outside<T>(&self, act: impl FnOnce(&mut Volume) -> io::Result<T>) -> io::Result<T> {
        let volume = &mut self.lock().volume;
        let before = volume.pending.len();
        let done = act(volume);
        volume.sync_since(before);
        done
    }
}

fn at(volume: &Volume, path: &Path, last: Last) -> io::Result<Spot> {
    Walk { volume, who: None }.absolute(path, last)
}

fn found(spot: &Spot) -> io::Result<Ino> {
    Ok(spot.found.ok_or(Errno::NOENT)?)
}

fn free(spot: Spot) -> io::Result<(Ino, OsString)> {
    match (spot.found, spot.name) {
        (None, Some(name)) => Ok((spot.directory, name)),
        _ => Err(Errno::EXIST.into()),
    }
}

fn uproot(volume: &mut Volume, directory: Ino, name: &OsStr) -> io::Result<()> {
    let ino = volume.named(directory, name)?;
    let inside: Vec<OsString> =
        volume.inode(ino)?.body.entries().into_iter().flat_map(|entries| entries.keys().cloned()).collect();
    for name in inside {
        uproot(volume, ino, &name)?;
    }
    volume.change_names(vec![Change::new(directory, name, None)])
}
