//! From the name of a challenge to the record that answers it, and to the servers that have to show it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::rr::Name;

use super::lookup::Authoritative;
use super::lookup::Lookup;
use super::visible::{Fits, Wanted, named, values};
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;
use crate::place::filesystem::Filesystem;
use crate::place::resolvers;
use crate::place::wire::deadline;
use crate::plan::spec::Propagation;

/// How long looking something up may take, before there is anything to see.
pub(in crate::issue::solve) const LOOKING_UP: Duration = Duration::from_secs(30);

/// Follows records as wished.
#[derive(Debug)]
pub(in crate::issue::solve) struct Watch {
    wish: Propagation,
    fs: Arc<dyn Filesystem>,
}

impl Watch {
    pub(in crate::issue::solve) fn new(wish: Propagation, fs: Arc<dyn Filesystem>) -> Self {
        Self { wish, fs }
    }

    /// The name that an authority reads in place of this one.
    pub(in crate::issue::solve) fn canonical(&self, name: &Name, end: Instant, cancel: &Cancel) -> Result<Name> {
        let resolvers = self.resolvers()?;
        Lookup { resolvers: &resolvers, end, cancel }.canonical(name)
    }

    /// The zone of a name.
    pub(in crate::issue::solve) fn zone(&self, name: &Name, end: Instant, cancel: &Cancel) -> Result<Name> {
        let resolvers = self.resolvers()?;
        Lookup { resolvers: &resolvers, end, cancel }.zone(name)
    }

    /// Return once every authoritative server shows a value that fits, or nobody wishes to know.
    pub(in crate::issue::solve) fn wait(
        &self,
        name: &Name,
        zone: Option<&Name>,
        fits: Fits<'_>,
        cancel: &Cancel,
    ) -> Result<()> {
        if self.wish.limit.is_zero() {
            return cancel.check();
        }
        let end = deadline(self.wish.limit);
        let servers = self.servers(name, zone, cancel)?;
        let wanted = Wanted { name, fits, named: !self.wish.authoritative.is_empty() };
        wanted.seen_by_all(&servers, end, cancel)
    }

    /// The values that the first authoritative server that answers has for a name.
    pub(in crate::issue::solve) fn values(&self, name: &Name, cancel: &Cancel) -> Result<Vec<Vec<u8>>> {
        let end = deadline(LOOKING_UP);
        let mut last = Ok(Vec::new());
        for server in self.servers(name, None, cancel)? {
            last = values(server.address, name, end, cancel);
            if last.as_ref().is_ok_and(|values| !values.is_empty()) {
                break;
            }
            cancel.check()?;
        }
        last
    }

    /// The servers that have to show a name.
    fn servers(&self, name: &Name, zone: Option<&Name>, cancel: &Cancel) -> Result<Vec<Authoritative>> {
        if !self.wish.authoritative.is_empty() {
            return Ok(named(&self.wish.authoritative));
        }
        let resolvers = self.resolvers()?;
        let lookup = Lookup { resolvers: &resolvers, end: deadline(LOOKING_UP), cancel };
        match zone {
            Some(zone) => lookup.authoritative(zone),
            None => lookup.authoritative(&lookup.zone(name)?),
        }
    }

    fn resolvers(&self) -> Result<Vec<SocketAddr>> {
        match self.wish.resolver {
            Some(resolver) => Ok(vec![resolver]),
            None => resolvers::of_system(&*self.fs),
        }
    }
}
