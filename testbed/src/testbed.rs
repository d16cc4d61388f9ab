//! The whole of it, started and ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use certwright::{Certificate, Error, ErrorKind, Result, Window};
use tokio::sync::oneshot;

use crate::acme::route::Site;
use crate::acme::world::World;
use crate::clock::VirtualClock;
use crate::dns;
use crate::dns::server::NameServer;
use crate::dns::settings::NameSettings;
use crate::faults::Faults;
use crate::harness::story::Story;
use crate::log::Entry;
use crate::management;
use crate::management::listener::Bed;
use crate::settings::{Names, Real, Settings, Validation};
use crate::state::{Keeper, Kept, Store};
use crate::wire::server::{Shared, serve};
use crate::wire::tls;

/// An ACME server in this process. It is gone when it is dropped, with every connection to it.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{Endpoint, Fault, Occurrence, Problem, ProblemKind, Testbed};
///
/// let bed = Testbed::start()?;
/// assert!(bed.directory().starts_with("https://127.0.0.1:"));
/// // The second order is refused.
/// let problem = Problem::new(ProblemKind::RateLimited, "too many orders");
/// bed.faults().on(Endpoint::NewOrder, Occurrence::Only(2), Fault::Refuse(problem));
/// // … a client at work …
/// assert!(bed.log().iter().all(|entry| entry.endpoint != Endpoint::NewOrder));
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Debug)]
pub struct Testbed {
    shared: Arc<Shared>,
    clock: Arc<VirtualClock>,
    directory: String,
    address: SocketAddr,
    tls_root: String,
    dns: Option<NameServer>,
    management: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Testbed {
    /// One with the default settings.
    ///
    /// # Errors
    ///
    /// As [`Testbed::with`].
    ///
    /// # Effects
    ///
    /// Network: listens on a port of loopback. A thread of its own answers.
    pub fn start() -> Result<Self> {
        Self::with(Settings::default())
    }

    /// One of this kind.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when it cannot listen, or the system has no thread or no random numbers.
    ///
    /// # Effects
    ///
    /// As [`Testbed::start`].
    pub fn with(mut settings: Settings) -> Result<Self> {
        let at = settings.listen;
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Io, "the test bed cannot listen").context("address", at).source(error)
        };
        let listener = std::net::TcpListener::bind(at).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let store = settings.state.as_deref().map(Store::open).transpose()?;
        let kept = store.as_ref().map_or(Ok(None), Store::read)?;
        let own = kept.as_ref().map_or_else(tls::root, Kept::tls)?;
        let (tls, tls_root) = (tls::acceptor(address, &own)?, own.root.pem());
        let clock = Arc::new(VirtualClock::new());
        let names = settings.dns.as_ref().map(|wish| names(wish, settings.seed, &clock)).transpose()?;
        look_at_own(&mut settings, names.as_ref().map(|names| names.server.address()))?;
        let managing = settings.management.map(managing).transpose()?;
        let initial = settings.clone();
        let mut world = World::new(settings, Site(format!("https://{address}")), Arc::clone(&clock))?;
        if let Some(kept) = kept {
            kept.restore(&mut world)?;
        }
        let directory = world.site.at("directory");
        let shared = Arc::new(Shared::new(world));
        let keeper = store.map(|store| Keeper { store, tls: own, shared: Arc::clone(&shared) });
        if let Some(keeper) = &keeper {
            // What cannot be written is said now.
            keeper.keep()?;
        }

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let dns = names.as_ref().map(|names| names.server.clone());
        let management = managing.as_ref().map(|(_, address)| *address);
        let managing = managing.map(|(listener, address)| {
            let bed = Bed {
                address,
                shared: Arc::clone(&shared),
                clock: Arc::clone(&clock),
                dns: dns.clone(),
                settings: initial,
                tls_root: tls_root.clone(),
            };
            (listener, Arc::new(bed))
        });
        let run = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::spawn(serve(listener, tls, served));
                if let Some(Listening { server, udp, tcp }) = names {
                    tokio::spawn(dns::wire::serve(udp, tcp, server.shared()));
                }
                if let Some((listener, bed)) = managing {
                    tokio::spawn(management::listener::serve(listener, bed));
                }
                // Until it is told or its owner is gone.
                match keeper {
                    Some(keeper) => keeper.until(stopped).await,
                    None => drop(stopped.await),
                }
            });
            // Every connection is a task of the runtime and goes with it.
        };
        let thread = std::thread::Builder::new().name("certwright-testbed".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self {
            shared,
            clock,
            directory,
            address,
            tls_root,
            dns,
            management,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The URL where everything begins.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The root that its own TLS is trusted by, PEM. Not one of those that it issues under.
    pub fn tls_root_pem(&self) -> &str {
        &self.tls_root
    }

    /// A root that it issues under, PEM: 0, and 1 to the number of alternates.
    pub fn root_pem(&self, number: usize) -> Option<String> {
        self.shared.world().ca.roots().get(number).map(Certificate::pem)
    }

    /// The name server of this world; `None` where [`Settings::dns`] was.
    pub fn dns(&self) -> Option<&NameServer> {
        self.dns.as_ref()
    }

    /// Where it is managed by plain HTTP; `None` where [`Settings::management`] was.
    pub fn management(&self) -> Option<SocketAddr> {
        self.management
    }

    /// What goes wrong from now on.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Its time.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// What was asked, in order; the last 10,000 requests.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.world().log.entries()
    }

    /// What clients did, told as a whole.
    pub fn story(&self) -> Story {
        let asked = self.dns().map(NameServer::log).unwrap_or_default();
        Story::of(&self.shared.world(), &asked)
    }

    /// Forgets what was asked.
    pub fn clear_log(&self) {
        self.shared.world().log.clear();
    }

    /// The leaves that it issued, in order.
    pub fn issued(&self) -> Vec<Certificate> {
        self.shared.world().certificates.iter().map(|certified| certified.leaf.clone()).collect()
    }

    /// The number of the reason why a leaf was revoked; `None` when it was not, or is not of this server.
    pub fn revoked(&self, leaf: &Certificate) -> Option<u64> {
        let world = self.shared.world();
        world.certificates.get(world.certificate_of(leaf.der())?)?.revoked
    }

    /// Other terms of service from now on, as a URL. Accounts that agreed to others before have to agree anew
    /// (`userActionRequired`, RFC 8555 §7.3.3).
    pub fn change_terms(&self, url: &str) {
        self.shared.world().settings.terms = Some(url.to_owned());
    }

    /// Suggests this window for the renewal of every certificate; `None` for what it suggests by itself: two thirds into
    /// the life, and at once for what was revoked.
    pub fn suggest(&self, window: Option<Window>) {
        self.shared.world().suggested = window;
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A name server whose sockets are open.
struct Listening {
    server: NameServer,
    udp: std::net::UdpSocket,
    tcp: std::net::TcpListener,
}

fn names(wish: &NameSettings, seed: u64, clock: &Arc<VirtualClock>) -> Result<Listening> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "the name server of the test bed cannot listen")
            .context("address", wish.listen)
            .source(error)
    };
    let (udp, tcp) = dns::wire::bind(wish.listen).map_err(failed)?;
    let server = NameServer::new(wish, udp.local_addr().map_err(failed)?, seed, Arc::clone(clock))?;
    Ok(Listening { server, udp, tcp })
}

/// The listener of management, which is for this machine alone: whoever reaches it can do everything.
fn managing(wish: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr)> {
    if !wish.ip().is_loopback() {
        return Err(Error::new(ErrorKind::InvalidSpec, "a test bed is managed from its own machine")
            .context("address", wish)
            .hint("listen on an address of loopback, such as 127.0.0.1"));
    }
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "the management of the test bed cannot listen").context("address", wish).source(error)
    };
    let listener = std::net::TcpListener::bind(wish).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The authority looks at the name server of this world where it was told to.
fn look_at_own(settings: &mut Settings, own: Option<SocketAddr>) -> Result<()> {
    let Validation::Real(Real { names, .. }) = &mut settings.validation else { return Ok(()) };
    if *names == Names::Own {
        *names = Names::Server(own.ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "a world without a name server cannot look at its own")
                .hint("set `dns` in the settings of the test bed")
        })?);
    }
    Ok(())
}
