//! From the name of a challenge to the record that answers it, and to the servers that have to show it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::rr::Name;

use super::lookup::Lookup;
use super::visible::{Wanted, named};
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

    /// Return once every authoritative server shows the value, or nobody wishes to know.
    pub(in crate::issue::solve) fn wait(
        &self,
        name: &Name,
        zone: Option<&Name>,
        value: &str,
        cancel: &Cancel,
    ) -> Result<()> {
        if self.wish.limit.is_zero() {
            return cancel.check();
        }
        let end = deadline(self.wish.limit);
        let servers = if self.wish.authoritative.is_empty() {
            let resolvers = self.resolvers()?;
            let lookup = Lookup { resolvers: &resolvers, end: deadline(LOOKING_UP), cancel };
            match zone {
                Some(zone) => lookup.authoritative(zone)?,
                None => lookup.authoritative(&lookup.zone(name)?)?,
            }
        } else {
            named(&self.wish.authoritative)
        };
        let wanted = Wanted { name, value, named: !self.wish.authoritative.is_empty() };
        wanted.seen_by_all(&servers, end, cancel)
    }

    fn resolvers(&self) -> Result<Vec<SocketAddr>> {
        match self.wish.resolver {
            Some(resolver) => Ok(vec![resolver]),
            None => resolvers::of_system(&*self.fs),
        }
    }
}
