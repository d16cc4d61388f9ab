//! The name server, as a test has it in hand.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certwright::{Error, ErrorKind, Result};

use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::dns::faults::NameFaults;
use crate::dns::file::Watched;
use crate::dns::log::{NameEntry, NameLog};
use crate::dns::name;
use crate::dns::records::Records;
use crate::dns::settings::{NameSettings, UnsignedUpdates};
use crate::dns::store::Store;
use crate::dns::tsig::Keys;

/// The name of this server in the records of every zone.
const PRIMARY: &str = "ns.testbed.example.";

/// A name server that is authoritative for every name. Clones are the same server.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{RecordKind, Settings, Testbed};
///
/// let bed = Testbed::with(Settings::whole())?;
/// let names = bed.dns().unwrap();
/// names.records().add("a.example", RecordKind::CAA, r#"0 issue "ca.example""#)?;
/// assert!(names.tsig().starts_with("hmac-sha256:certwright:"));
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NameServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    tsig: String,
}

impl NameServer {
    pub(crate) fn new(
        settings: &NameSettings,
        address: SocketAddr,
        seed: u64,
        clock: Arc<VirtualClock>,
    ) -> Result<Self> {
        let ttl = u32::try_from(settings.ttl.as_secs()).ok().filter(|ttl| i32::try_from(*ttl).is_ok());
        let ttl = ttl.ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "records cannot be kept that long").context("ttl", settings.ttl)
        })?;
        let mut store = Store::new(name::parse(PRIMARY, None)?, address, ttl, Arc::clone(&clock));
        store.every.clone_from(&settings.every);
        store.set_zones(settings.zones.iter().map(|zone| name::parse(zone, None)).collect::<Result<_>>()?);
        let keys = if settings.keys.is_empty() { vec![made(seed)] } else { settings.keys.clone() };
        let mut file = settings.file.clone().map(Watched::new);
        if let Some(read) = file.as_mut().and_then(|file| file.changed(ttl)) {
            store.replace_file(read?);
        }
        let shared = Shared {
            clock,
            faults: NameFaults::new(seed),
            keys: Keys::read(&keys)?,
            unsigned: settings.unsigned,
            store: Mutex::new(store),
            log: Mutex::default(),
            file: file.map(Mutex::new),
        };
        Ok(Self { shared: Arc::new(shared), address, tsig: keys.into_iter().next().unwrap_or_default() })
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Where it listens, by UDP and by TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that updates of any zone are signed with (RFC 2136, RFC 8945), as `ALGORITHM:NAME:BASE64`.
    pub fn tsig(&self) -> &str {
        &self.tsig
    }

    /// Its records.
    pub fn records(&self) -> Records {
        Records(self.shared())
    }

    /// What goes wrong from now on.
    pub fn faults(&self) -> &NameFaults {
        &self.shared.faults
    }

    /// The addresses of every name that was not given one, from now on. Where there are none, a name without records does
    /// not exist.
    pub fn set_every(&self, addresses: Vec<IpAddr>) {
        self.shared.store().every = addresses;
    }

    /// The addresses of every name that was not given one.
    pub fn every(&self) -> Vec<IpAddr> {
        self.shared.store().every.clone()
    }

    /// What it was asked, in order; the last 10,000 messages.
    pub fn log(&self) -> Vec<NameEntry> {
        self.shared.log().after(0).map(|(_, entry)| entry.clone()).collect()
    }

    /// Forgets what it was asked.
    pub fn clear_log(&self) {
        self.shared.log().clear();
    }
}

/// The key of a seed.
fn made(seed: u64) -> String {
    // Another sequence than that of the authority with the same seed.
    let mut dice = Dice::new(seed ^ 0x0074_7369_675f_6b65);
    let secret: Vec<u8> = (0..4).flat_map(|_| dice.roll().to_be_bytes()).collect();
    format!("hmac-sha256:certwright:{}", STANDARD.encode(secret))
}

/// What every task of the server works on.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) faults: NameFaults,
    pub(crate) keys: Keys,
    pub(crate) unsigned: UnsignedUpdates,
    store: Mutex<Store>,
    log: Mutex<NameLog>,
    file: Option<Mutex<Watched>>,
}

impl Shared {
    /// Every record, with those of the file as it is now.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            let changed = file.lock().unwrap_or_else(PoisonError::into_inner).changed(store.ttl);
            // What cannot be read is kept as it was; `trouble` says why.
            if let Some(Ok(read)) = changed {
                store.replace_file(read);
            }
        }
        store
    }

    /// Takes every record away but those of the file.
    pub(crate) fn begin_again(&self) {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.clear();
        if let Some(file) = &self.file {
            file.lock().unwrap_or_else(PoisonError::into_inner).forget();
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, NameLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the file of records could not be read, since it was changed last.
    pub(crate) fn file_trouble(&self) -> Option<String> {
        drop(self.store());
        let file = self.file.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        file.trouble.clone()
    }
}
