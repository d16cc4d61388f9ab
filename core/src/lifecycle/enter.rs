//! Entering a lineage to write: lock, recover, and look again.

use super::observe::{Endpoints, Sight, observe};
use super::{Lifecycle, Options};
use crate::deploy::attempt::{Attempt, ServedBefore, Service, Tools};
use crate::deploy::recover::{Recovered, recover};
use crate::ground::error::{Error, Phase, Result};
use crate::ground::identity::Identity;
use crate::pki::trust::Roots;
use crate::place::access::acl::Acl;
use crate::place::access::inode::Access;
use crate::place::access::trust::trusted;
use crate::place::filesystem::Open;
use crate::place::lineage::LineageDirectory;
use crate::place::lock::Lock;
use crate::place::store::Store;
use crate::place::txn::Txn;
use crate::place::wanted::Wanted;
use crate::plan::observed::Served;
use crate::plan::spec::Spec;

/// The largest file of roots that is read: a whole system's trust store fits.
const ROOTS_LIMIT: usize = 4 << 20;

/// Everything that a verb needs to know before it looks at a lineage.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) tools: &'a Tools,
    pub(super) spec: &'a Spec,
    pub(super) service: Service,
    pub(super) wanted: Wanted,
}

/// A lineage under its lock.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) directory: LineageDirectory,
    pub(super) store: Store,
    _lock: Lock,
}

impl<'a> Ground<'a> {
    /// `me` is who this process is, asked once for many lineages.
    pub(super) fn of(lifecycle: &Lifecycle, tools: &'a Tools, me: &Identity, spec: &'a Spec) -> Result<Self> {
        let service = lifecycle.service(spec)?;
        let wanted = Wanted::of(spec, &tools.names, me)
            .map_err(|error| error.in_phase(Phase::Plan).context("lineage", &spec.name))?;
        Ok(Self { tools, spec, service, wanted })
    }

    /// The same ground with other tools.
    pub(super) fn with<'b>(&'b self, tools: &'b Tools) -> Ground<'b> {
        Ground { tools, spec: self.spec, service: self.service.clone(), wanted: self.wanted.clone() }
    }

    /// Look without a lock.
    pub(super) fn observe(&self, store: Option<&Store>, endpoints: Endpoints) -> Result<Sight> {
        observe(self.tools, store, self.spec, &self.wanted, &self.service, endpoints)
    }

    /// Make the lineage's directory if need be, and keep other runs out.
    pub(super) fn enter(&self, lifecycle: &Lifecycle, options: &Options) -> Result<Entered> {
        let me = self.tools.fs.identity();
        let root = Access::new(me.uid, me.gid, Acl::from_mode(0o711));
        let store = Store::make(&self.tools.fs, &lifecycle.config.root, &root)?;
        // Whoever can replace a directory on the way decides what is deployed.
        trusted(&*self.tools.fs, &lifecycle.config.root, me.uid)?;
        let directory = store.make_lineage(&self.spec.name, &self.wanted.directory)?;
        let lock = directory.lock(options.wait, &self.tools.cancel)?;
        Ok(Entered { directory, store, _lock: lock })
    }

    /// An attempt in a lineage that was entered, after recovery.
    pub(super) fn attempt<'e>(&'e self, entered: &'e Entered, served: &Served) -> Result<(Attempt<'e>, Recovered)> {
        let mut attempt = Attempt {
            tools: self.tools,
            spec: self.spec,
            service: &self.service,
            directory: &entered.directory,
            wanted: self.wanted.clone(),
            roots: self.roots()?,
            txn: Txn::default(),
            active: None,
            served_before: match served {
                Served::Other(_) | Served::Unreachable(_) => ServedBefore::Otherwise,
                Served::Current => ServedBefore::AsActive,
                Served::NotConfigured | Served::NotAsked => ServedBefore::Unknown,
            },
        };
        let recovered = recover(&mut attempt)?;
        Ok((attempt, recovered))
    }

    fn roots(&self) -> Result<Option<Roots>> {
        let Some(path) = &self.spec.roots else { return Ok(None) };
        let fs = &*self.tools.fs;
        let bytes = fs.open(None, path, Open::Read).and_then(|file| fs.read(&file, ROOTS_LIMIT)).map_err(|source| {
            Error::io("the roots cannot be read", source)
                .context("path", path.as_path())
                .context("lineage", &self.spec.name)
        })?;
        Roots::from_pem(&bytes).map(Some).map_err(|error| error.context("path", path.as_path()))
    }
}
