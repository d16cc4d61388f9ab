//! One listener for each address in the process, whoever asks for it, and the answers that it gives.

use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::listener::{Listener, Serve};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::place::pause::pause;
use crate::place::process::listening::Listening;

/// How long to wait for another run of this program to leave the address, or another order to be done with a name.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an address may be in use by nobody who can be named: its last user is just going.
const GOING: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(50);

/// What is answered under which name, and for whom.
pub(super) struct Board<T>(Mutex<BTreeMap<String, Entry<T>>>);

struct Entry<T> {
    token: String,
    value: T,
    holders: BTreeSet<u64>,
}

impl<T> Default for Board<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Board<T> {
    /// What is answered under this name.
    pub(super) fn answer(&self, name: &str) -> Option<T> {
        self.entries().get(name).map(|entry| entry.value.clone())
    }

    /// Answer so from now on; `false` when another challenge needs the name.
    fn put(&self, holder: u64, answer: &Answer<T>) -> bool {
        let mut entries = self.entries();
        let entry = entries.entry(answer.name.clone()).or_insert_with(|| Entry {
            token: answer.token.clone(),
            value: answer.value.clone(),
            holders: BTreeSet::new(),
        });
        if entry.token != answer.token {
            return false;
        }
        entry.holders.insert(holder);
        true
    }

    /// Answer no more for this holder; everything of it when no token is said.
    fn remove(&self, holder: u64, token: Option<&str>) {
        self.entries().retain(|_, entry| {
            if token.is_none_or(|token| token == entry.token) {
                entry.holders.remove(&holder);
            }
            !entry.holders.is_empty()
        });
    }

    fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One answer to be given.
pub(super) struct Answer<T> {
    /// What is asked for.
    pub(super) name: String,
    /// The token of its challenge.
    pub(super) token: String,
    /// What is answered.
    pub(super) value: T,
}

/// A protocol that is served at a desk.
pub(super) trait Protocol: 'static {
    /// What one answer is.
    type Value: Clone + Send + Sync;

    /// Whoever talks to those who connect, from these answers.
    ///
    /// # Errors
    ///
    /// A defect: the server cannot be made.
    fn server(board: Arc<Board<Self::Value>>) -> Result<Arc<dyn Serve>>;

    /// The desks of this protocol that are open in this process.
    fn desks() -> &'static Desks<Self::Value>;
}

struct Desk<T> {
    board: Arc<Board<T>>,
    _listener: Listener,
}

/// The addresses that this process listens on for one protocol.
pub(super) struct Desks<T>(Mutex<BTreeMap<SocketAddr, Desk<T>>>);

impl<T> Desks<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Desk<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place at the desk of an address. Its answers are taken back when it is dropped.
pub(super) struct Seat<P: Protocol> {
    address: SocketAddr,
    holder: u64,
    protocol: std::marker::PhantomData<fn() -> P>,
}

impl<P: Protocol> Seat<P> {
    /// A place at this address. Nothing is listened on before there is an answer to give.
    pub(super) fn at(address: SocketAddr) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { address, holder: NEXT.fetch_add(1, Ordering::Relaxed), protocol: std::marker::PhantomData }
    }

    /// Give this answer from now on. Whoever connects after this returned gets it.
    ///
    /// # Errors
    ///
    /// `Conflict` when somebody else listens there, or another order has the name and does not give it back;
    /// `Permission`; `Network` for any other reason that the address cannot be listened on; `Cancelled`.
    pub(super) fn put(&self, answer: &Answer<P::Value>, cancel: &Cancel) -> Result<()> {
        let begun = Instant::now();
        loop {
            cancel.check()?;
            let waited = begun.elapsed();
            let put = self.desk(&mut P::desks().open()).map(|desk| desk.board.put(self.holder, answer));
            match put {
                Ok(true) => return Ok(()),
                Ok(false) if waited < PATIENCE => {}
                Ok(false) => {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        "another order answers a challenge for this name here",
                    )
                    .context("listen", self.address)
                    .context("waited", waited)
                    .retry(Retry::Now)
                    .hint("apply again when the other order is done"));
                }
                Err(source) => self.explain_or_wait(source, waited)?,
            }
            pause(PAUSE, cancel)?;
        }
    }

    /// The desk of the address, opened when it is not.
    fn desk<'d>(&self, desks: &'d mut BTreeMap<SocketAddr, Desk<P::Value>>) -> io::Result<&'d mut Desk<P::Value>> {
        match desks.entry(self.address) {
            MapEntry::Occupied(open) => Ok(open.into_mut()),
            MapEntry::Vacant(place) => {
                let board = Arc::new(Board::default());
                let server = P::server(Arc::clone(&board)).map_err(io::Error::other)?;
                let listener = Listener::start(self.address, server)?;
                Ok(place.insert(Desk { board, _listener: listener }))
            }
        }
    }

    /// Give this answer no more. Nothing is listened on once there is no answer left.
    pub(super) fn remove(&self, token: Option<&str>) {
        let mut desks = P::desks().open();
        let Some(desk) = desks.get(&self.address) else { return };
        desk.board.remove(self.holder, token);
        if desk.board.is_empty() {
            // Under the lock, so that nobody finds the address in use who comes after this.
            desks.remove(&self.address);
        }
    }

    /// Why the address cannot be listened on, unless that may change by waiting.
    fn explain_or_wait(&self, source: io::Error, waited: Duration) -> Result<()> {
        let error = |kind, message: &'static str| Error::new(kind, message).context("listen", self.address);
        let error = match source.kind() {
            io::ErrorKind::AddrInUse => {
                let found = Listening::on(self.address);
                let patience = match &found {
                    None => GOING,
                    Some(other) if other.kin => PATIENCE,
                    Some(_) => Duration::ZERO,
                };
                if waited < patience {
                    return Ok(());
                }
                let error =
                    error(ErrorKind::Conflict, "somebody else listens on the address for challenges").retry(Retry::Now);
                match found {
                    Some(other) => error.context("pid", other.pid).context("command", Public(&other.command)),
                    None => error,
                }
                .hint("listen on another port and let that server pass `/.well-known/acme-challenge/` on, or use `webroot`")
            }
            io::ErrorKind::PermissionDenied => error(
                ErrorKind::Permission,
                "this process may not listen on the address for challenges",
            )
            .hint("run as root, give the program CAP_NET_BIND_SERVICE, or listen on a port above 1023 behind a server"),
            io::ErrorKind::AddrNotAvailable => {
                error(ErrorKind::NotFound, "this machine does not have the address for challenges")
                    .hint("see with `ip address` which addresses there are, or listen on `[::]`")
            }
            _ => error(ErrorKind::Network, "the address for challenges cannot be listened on")
                .hint("see with `ulimit -n` and `ip address` what is in the way"),
        };
        Err(error.source(source))
    }
}

impl<P: Protocol> Drop for Seat<P> {
    fn drop(&mut self) {
        self.remove(None);
    }
}

impl<P: Protocol> fmt::Debug for Seat<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({})", self.address)
    }
}
