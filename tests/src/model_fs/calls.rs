//! The trait, call by call. Each call is one critical section: count, check, change, tell the watchers.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use certwright::{AclKind, Filesystem, Identity, Node, Open, Rename, Space, Stat};
use rustix::io::Errno;

use super::acl::encode;
use super::attributes::existing;
use super::handle::{Handle, Mode};
use super::inode::Body;
use super::resolve::{Last, Walk, component};
use super::settings::{Acls, Identities};
use super::step::{Call, Dead};
use super::volume::Volume;
use super::{ModelFs, State};

/// A call that is under way.
struct Running<'a> {
    state: &'a mut State,
    call: Call,
    what: String,
}

impl ModelFs {
    fn call<T>(
        &self,
        call: Call,
        what: impl ToString,
        act: impl FnOnce(&mut Running<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let state = &mut *self.lock();
        let what = what.to_string();
        state.progress.call(call, &what)?;
        act(&mut Running { state, call, what })
    }

    /// A call that is one mutating step.
    fn step<T>(
        &self,
        call: Call,
        what: impl ToString,
        act: impl FnOnce(&mut Volume) -> io::Result<T>,
    ) -> io::Result<T> {
        self.call(call, what, |running| running.step(act))
    }

    /// A handle on a directory and a name in it, for people.
    fn named<'n>(&self, at: &'n Node, name: &OsStr) -> io::Result<(&'n Handle, String)> {
        let at = self.handle(at)?;
        Ok((at, show(&at.path.join(name))))
    }
}

impl Running<'_> {
    fn step<T>(&mut self, act: impl FnOnce(&mut Volume) -> io::Result<T>) -> io::Result<T> {
        self.state.progress.step(self.call, &self.what)?;
        let result = act(&mut self.state.volume);
        self.state.progress.record(self.call, &self.what, result.as_ref().err());
        if result.is_ok() {
            self.state.forget_unused();
            if let Some(op) = self.state.progress.log.last().cloned() {
                self.state.stepped(&op);
            }
        }
        result
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

impl Filesystem for ModelFs {
    fn open(&self, at: Option<&Node>, path: &Path, how: Open) -> io::Result<Node> {
        let at = at.map(|node| self.handle(node)).transpose()?;
        let whole = at.map_or_else(|| path.to_owned(), |at| at.path.join(path));
        self.call(Call::Open, show(&whole), |running| {
            let last = if matches!(how, Open::Create | Open::Facts) { Last::Keep } else { Last::Follow };
            let volume = &running.state.volume;
            let resolve = |last| {
                let walk = Walk { volume, who: None };
                at.map_or_else(|| walk.absolute(path, last), |at| walk.beneath(at.ino, path, last))
            };
            let spot = resolve(last)?;
            let (ino, mode) = match (how, spot.found) {
                (Open::Create, Some(_)) => return Err(Errno::EXIST.into()),
                (Open::Create | Open::Append, None) => {
                    // A link that leads nowhere is not written through.
                    if resolve(Last::Keep)?.found.is_some() {
                        return Err(Errno::NOENT.into());
                    }
                    let name = spot.name.unwrap_or_default();
                    component(&name)?;
                    running.call = Call::Create;
                    let ino = running.step(|volume| {
                        let ino = volume.create(spot.directory, &name, Body::File(Vec::new()), 0o600)?;
                        volume.settle_mode(ino, 0o600)
                    })?;
                    (ino, if how == Open::Create { Mode::Write } else { Mode::Append })
                }
                (_, None) => return Err(Errno::NOENT.into()),
                (Open::Facts, Some(ino)) => (ino, Mode::Facts),
                (how, Some(ino)) => (ino, existing(volume, ino, how)?),
            };
            Ok(self.opened(running.state, ino, mode, &whole))
        })
    }

    fn make_directory(&self, at: &Node, name: &OsStr, mode: u32) -> io::Result<()> {
        component(name)?;
        let (at, what) = self.named(at, name)?;
        self.step(Call::MakeDirectory, what, |volume| {
            let ino = volume.create(at.ino, name, Body::Directory(std::collections::BTreeMap::new()), mode & 0o777)?;
            volume.settle_mode(ino, mode & 0o7777).map(drop)
        })
    }

    fn read(&self, file: &Node, limit: usize) -> io::Result<Vec<u8>> {
        let file = self.handle(file)?;
        self.call(Call::Read, show(&file.path), |running| {
            let body = &running.state.volume.inode(file.ino)?.body;
            if body.size() > limit as u64 {
                return Err(Errno::FBIG.into());
            }
            file.real()?;
            match body {
                Body::File(bytes) => Ok(bytes.clone()),
                Body::Directory(_) => Err(Errno::ISDIR.into()),
                Body::Link(_) | Body::Fifo => Err(Errno::BADF.into()),
            }
        })
    }

    fn write(&self, file: &Node, bytes: &[u8]) -> io::Result<()> {
        let file = self.handle(file)?;
        self.call(Call::Write, show(&file.path), |running| {
            let (half, rest) = bytes.split_at(bytes.len() / 2);
            let parts = [(half, "first half"), (rest, "the rest")];
            let path = running.what.clone();
            for (part, which) in parts.into_iter().filter(|(part, _)| !part.is_empty()) {
                if bytes.len() > 1 {
                    running.what = format!("{path}, {which}");
                }
                file.write_position(0)?;
                running.step(|volume| {
                    let size = volume.inode(file.ino)?.body.size() as usize;
                    let position = file.write_position(size)?;
                    let written = volume.write(file.ino, position, part)?;
                    file.wrote(position + written);
                    if written < part.len() { Err(Errno::NOSPC.into()) } else { Ok(()) }
                })?;
            }
            Ok(())
        })
    }

    fn stat(&self, node: &Node) -> io::Result<Stat> {
        let node = self.handle(node)?;
        self.call(Call::Stat, show(&node.path), |running| running.state.volume.stat(node.ino))
    }

    fn stat_at(&self, at: &Node, name: &OsStr) -> io::Result<Stat> {
        component(name)?;
        let (at, what) = self.named(at, name)?;
        self.call(Call::Stat, what, |running| {
            let volume = &running.state.volume;
            volume.stat(volume.named(at.ino, name)?)
        })
    }

    fn set_owner(&self, node: &Node, uid: u32, gid: u32) -> io::Result<()> {
        let node = self.handle(node)?;
        if uid == u32::MAX || gid == u32::MAX {
            return Err(Errno::INVAL.into());
        }
        self.call(Call::SetOwner, format!("{} to {uid}:{gid}", node.path.display()), |running| {
            let attributes = &running.state.volume.inode(node.ino)?.attributes;
            if (attributes.uid, attributes.gid) == (uid, gid) {
                return Ok(());
            }
            node.real()?;
            running.step(|volume| {
                volume.change_attributes(node.ino, |attributes, body| {
                    attributes.uid = uid;
                    attributes.gid = gid;
                    // A new owner does not inherit the right to act as the old one (chown(2)).
                    if !matches!(body, Body::Directory(_)) {
                        let set_group = if attributes.mode & 0o010 != 0 { 0o2000 } else { 0 };
                        attributes.mode &= !(0o4000 | set_group);
                    }
                    Ok(())
                })
            })
        })
    }

    fn set_mode(&self, node: &Node, mode: u32) -> io::Result<()> {
        let node = self.handle(node)?;
        self.call(Call::SetMode, format!("{} to {mode:04o}", node.path.display()), |running| {
            node.real()?;
            running.step(|volume| {
                volume.change_attributes(node.ino, |attributes, _| {
                    attributes.chmod(mode);
                    Ok(())
                })
            })
        })
    }

    fn acl(&self, node: &Node, kind: AclKind) -> io::Result<Option<Vec<u8>>> {
        let node = self.handle(node)?;
        self.call(Call::Acl, show(&node.path), |running| {
            let volume = &running.state.volume;
            let inode = volume.inode(node.ino)?;
            // A symbolic link has none and never will.
            if volume.settings.acls == Acls::Unsupported || matches!(inode.body, Body::Link(_)) {
                return Err(Errno::OPNOTSUPP.into());
            }
            Ok(inode.attributes.stored(kind).map(encode))
        })
    }

    fn set_acl(&self, node: &Node, kind: AclKind, value: Option<&[u8]>) -> io::Result<()> {
        let node = self.handle(node)?;
        self.call(Call::SetAcl, show(&node.path), |running| {
            node.real()?;
            running.step(|volume| {
                let settings = volume.settings.clone();
                volume.change_attributes(node.ino, |attributes, body| {
                    attributes.set_acl(kind, value.unwrap_or_default(), &settings, body)
                })
            })
        })
    }

    fn sync(&self, node: &Node) -> io::Result<()> {
        let node = self.handle(node)?;
        self.call(Call::Sync, show(&node.path), |running| {
            node.real()?;
            let synced = running.step(|volume| {
                volume.sync(node.ino);
                Ok(())
            });
            synced.inspect_err(|error| {
                if !Dead::caused(error) {
                    running.state.volume.give_up(node.ino);
                }
            })
        })
    }

    fn sync_all(&self, node: &Node) -> io::Result<()> {
        let node = self.handle(node)?;
        self.call(Call::SyncAll, show(&node.path), |running| {
            node.real()?;
            let device = running.state.volume.inode(node.ino)?.device;
            let synced = running.step(|volume| {
                volume.sync_device(device);
                Ok(())
            });
            synced.inspect_err(|error| {
                if !Dead::caused(error) {
                    running.state.volume.give_up_device(device);
                }
            })
        })
    }

    fn rename(&self, from: &Node, name: &OsStr, to: &Node, new_name: &OsStr, how: Rename) -> io::Result<()> {
        component(name)?;
        component(new_name)?;
        let (from, old) = self.named(from, name)?;
        let (to, new) = self.named(to, new_name)?;
        self.step(Call::Rename, format!("{old} -> {new}"), |volume| {
            volume.rename((from.ino, name), (to.ino, new_name), how)
        })
    }

    fn make_link(&self, at: &Node, name: &OsStr, target: &Path) -> io::Result<()> {
        component(name)?;
        if target.as_os_str().is_empty() {
            return Err(Errno::NOENT.into());
        }
        let (at, what) = self.named(at, name)?;
        self.step(Call::MakeLink, format!("{what} -> {}", target.display()), |volume| {
            volume.create(at.ino, name, Body::Link(target.to_owned()), 0o777).map(drop)
        })
    }

    fn read_link(&self, at: &Node, name: &OsStr) -> io::Result<PathBuf> {
        component(name)?;
        let (at, what) = self.named(at, name)?;
        self.call(Call::ReadLink, what, |running| {
            let volume = &running.state.volume;
            match &volume.inode(volume.named(at.ino, name)?)?.body {
                Body::Link(target) => Ok(target.clone()),
                Body::File(_) | Body::Directory(_) | Body::Fifo => Err(Errno::INVAL.into()),
            }
        })
    }

    fn remove_file(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        component(name)?;
        let (at, what) = self.named(at, name)?;
        self.step(Call::RemoveFile, what, |volume| volume.unlink(at.ino, name))
    }

    fn remove_directory(&self, at: &Node, name: &OsStr) -> io::Result<()> {
        component(name)?;
        let (at, what) = self.named(at, name)?;
        self.step(Call::RemoveDirectory, what, |volume| volume.remove_directory(at.ino, name))
    }

    fn list(&self, directory: &Node) -> io::Result<Vec<OsString>> {
        let directory = self.handle(directory)?;
        self.call(Call::List, show(&directory.path), |running| {
            let volume = &running.state.volume;
            let names = volume.entries(directory.ino)?.keys().cloned().collect();
            directory.real()?;
            Ok(names)
        })
    }

    fn try_lock(&self, file: &Node) -> io::Result<bool> {
        let file = self.handle(file)?;
        self.call(Call::TryLock, show(&file.path), |running| {
            file.real()?;
            Ok(*running.state.locks.entry(file.ino).or_insert(file.id) == file.id)
        })
    }

    fn space(&self, node: &Node) -> io::Result<Space> {
        let node = self.handle(node)?;
        self.call(Call::Space, show(&node.path), |running| {
            let volume = &running.state.volume;
            let (bytes, inodes) = volume.room();
            Ok(Space::new(bytes, inodes, volume.settings.read_only))
        })
    }

    fn identity(&self) -> Identity {
        Identity::new(0, 0, Vec::new())
    }

    fn can_open_as(&self, who: &Identity, path: &Path) -> io::Result<bool> {
        self.call(Call::CanOpenAs, format!("{} as {who}", path.display()), |running| {
            let volume = &running.state.volume;
            if volume.settings.identities == Identities::OwnOnly {
                let message = "this process may not take on another identity";
                return Err(io::Error::new(io::ErrorKind::Unsupported, message));
            }
            if [who.uid, who.gid].iter().chain(&who.groups).any(|id| *id == u32::MAX) {
                return Err(Errno::INVAL.into());
            }
            volume.can_open(who, path)
        })
    }
}
