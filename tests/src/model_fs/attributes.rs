//! Facts and permissions of inodes: asked, changed, and what follows from them.

use std::io;
use std::path::Path;

use certwright::{AclKind, Identity, NodeKind, Open, Stat};
use rustix::io::Errno;

use super::access::{READ, allows};
use super::acl::{Acl, decode};
use super::handle::Mode;
use super::inode::{Attributes, Body, Ino};
use super::resolve::{Last, Walk};
use super::settings::{Acls, Settings};
use super::volume::Volume;

fn irregular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

/// The mode of a handle on what exists.
pub(super) fn existing(volume: &Volume, ino: Ino, how: Open) -> io::Result<Mode> {
    match (volume.inode(ino)?.body.kind(), how) {
        (NodeKind::Directory, Open::Directory) => Ok(Mode::Directory),
        (NodeKind::Directory, Open::Search) => Ok(Mode::Facts),
        (_, Open::Directory | Open::Search) => Err(Errno::NOTDIR.into()),
        (NodeKind::Directory, _) => Err(Errno::ISDIR.into()),
        (NodeKind::File, Open::Append) => volume.writable(ino).map(|()| Mode::Append),
        (NodeKind::File, _) => Ok(Mode::Read),
        _ => Err(irregular()),
    }
}

impl Volume {
    pub(super) fn stat(&self, ino: Ino) -> io::Result<Stat> {
        let inode = self.inode(ino)?;
        let Attributes { mode, uid, gid, .. } = inode.attributes;
        let identity = (inode.device, ino);
        Ok(Stat::new(inode.body.kind(), mode, uid, gid, inode.body.size(), self.links(ino)?, identity))
    }

    pub(super) fn change_attributes(
        &mut self,
        ino: Ino,
        change: impl FnOnce(&mut Attributes, &Body) -> io::Result<()>,
    ) -> io::Result<()> {
        self.writable(ino)?;
        let inode = self.inode(ino)?;
        let mut attributes = inode.attributes.clone();
        change(&mut attributes, &inode.body)?;
        self.set_attributes(ino, attributes)
    }

    /// The mode that was asked for, whatever an ACL or a set-group-id directory handed down.
    pub(super) fn settle_mode(&mut self, ino: Ino, mode: u32) -> io::Result<Ino> {
        if self.inode(ino)?.attributes.mode != mode {
            self.change_attributes(ino, |attributes, _| {
                attributes.chmod(mode);
                Ok(())
            })?;
        }
        Ok(ino)
    }

    /// Whether the kernel would let `who`, without capabilities, open this for reading.
    pub(super) fn can_open(&self, who: &Identity, path: &Path) -> io::Result<bool> {
        let denied = |error: &io::Error| error.raw_os_error() == Some(Errno::ACCESS.raw_os_error());
        let spot = match (Walk { volume: self, who: Some(who) }).absolute(path, Last::Follow) {
            Err(error) if denied(&error) => return Ok(false),
            spot => spot?,
        };
        let inode = self.inode(spot.found.ok_or(Errno::NOENT)?)?;
        match inode.body {
            Body::File(_) | Body::Directory(_) => Ok(allows(&inode.attributes, who, READ)),
            Body::Link(_) | Body::Fifo => Err(irregular()),
        }
    }
}

impl Attributes {
    pub(super) fn chmod(&mut self, mode: u32) {
        self.mode = mode & 0o7777;
        if let Some(acl) = &mut self.acl {
            acl.chmod(mode);
        }
    }

    pub(super) const fn stored(&self, kind: AclKind) -> Option<&Acl> {
        match kind {
            AclKind::Default => self.default_acl.as_ref(),
            _ => self.acl.as_ref(),
        }
    }

    pub(super) fn set_acl(&mut self, kind: AclKind, value: &[u8], settings: &Settings, body: &Body) -> io::Result<()> {
        if settings.acls == Acls::Unsupported {
            return Err(Errno::OPNOTSUPP.into());
        }
        let acl = decode(value)?;
        if kind == AclKind::Default && body.entries().is_none() {
            return if acl.is_some() { Err(Errno::ACCESS.into()) } else { Ok(()) };
        }
        if let Some(acl) = &acl {
            acl.valid()?;
        }
        match settings.acls {
            Acls::Kept { named } if acl.as_ref().is_some_and(|acl| acl.named() > named) => {
                return Err(Errno::NOSPC.into());
            }
            Acls::Dropped => return Ok(()),
            Acls::Kept { .. } | Acls::Unsupported => {}
        }
        self.take_acl(kind, acl);
        Ok(())
    }

    /// An ACL that is accepted. One that the mode bits can say becomes just that.
    pub(super) fn take_acl(&mut self, kind: AclKind, acl: Option<Acl>) {
        match (kind, acl) {
            (AclKind::Default, acl) => self.default_acl = acl,
            (_, None) => self.acl = None,
            (_, Some(acl)) => {
                let (bits, whole) = acl.as_mode();
                self.mode = (self.mode & !0o777) | bits;
                self.acl = (!whole).then_some(acl);
            }
        }
    }
}
