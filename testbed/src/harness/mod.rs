//! A test bed with everything around it that a client of another kind looks at: files of trust, variables, ports, names.

mod child;
mod environment;
pub(crate) mod files;
mod isolate;
pub(crate) mod story;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use certwright::{Error, ErrorKind, Result};
use serde_json::{Value, json};

pub use child::Ended;

use crate::harness::files::Files;
use crate::harness::story::Story;
use crate::settings::{Real, Settings, Validation};
use crate::testbed::Testbed;

/// The port of the directory in a network of its own, where every port is free: the one that Pebble has.
const ACME_PORT: u16 = 14_000;
/// The port of the management there.
const MANAGEMENT_PORT: u16 = 15_000;
/// The port of name servers.
const NAME_PORT: u16 = 53;

/// What is wished of the world that a command is run in.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where the directory is. By default a port of the system's choice on loopback; 127.0.0.1:14000 when isolated.
    pub acme: Option<SocketAddr>,
    /// Where the name server is. By default a port of the system's choice on loopback; 127.0.0.1:53 when isolated.
    pub dns: Option<SocketAddr>,
    /// The port where answers to http-01 are looked for. By default 5002; 80 when isolated.
    pub http_port: Option<u16>,
    /// The port where answers to tls-alpn-01 are looked for. By default 5001; 443 when isolated.
    pub tls_port: Option<u16>,
    /// Where files are written, and stay. By default a directory that is removed at the end.
    pub dir: Option<PathBuf>,
    /// Whether the command is run apart from the machine.
    pub isolation: Isolation,
    /// Everything else about the authority; addresses and ports in it do not count.
    pub settings: Settings,
}

impl Default for Wish {
    /// The whole of it: authority, name server and management, with the machine's network.
    fn default() -> Self {
        Self {
            acme: None,
            dns: None,
            http_port: None,
            tls_port: None,
            dir: None,
            isolation: Isolation::Shared,
            settings: Settings::whole(),
        }
    }
}

/// Whether a command is run apart from the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// It has the machine's network and trust.
    #[default]
    Shared,
    /// It has a network with nothing in it but the test bed, every port free, and trusts the test bed as it trusts the
    /// authorities of the internet.
    Isolated,
}

/// A test bed and its surroundings, for commands.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{Ended, Harness, Wish};
///
/// let harness = Harness::set_up(Wish::default())?;
/// let words = ["sh", "-c", "test -r \"$ACME_CA_FILE\" && exit 3"].map(Into::into);
/// assert!(matches!(harness.run(&words)?, Ended::Status(3)));
/// assert!(harness.story().orders.is_empty());
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Debug)]
pub struct Harness {
    bed: Testbed,
    files: Files,
    isolation: Isolation,
    http_port: u16,
    tls_port: u16,
}

impl Harness {
    /// Everything that a command finds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when an address is taken, a file cannot be written or the kernel refuses the isolation.
    ///
    /// # Effects
    ///
    /// Network: listens. Disk: writes what the clients read into the directory. With [`Isolation::Isolated`] the calling
    /// thread is moved into namespaces of its own and never comes back; threads that were there before stay where they
    /// are. For an ordinary user the whole process has to have one thread.
    pub fn set_up(wish: Wish) -> Result<Self> {
        let isolated = wish.isolation == Isolation::Isolated;
        // Before anything listens or starts a thread, so that all of it is inside.
        if isolated {
            isolate::enter()?;
        }
        let choose = |wished: Option<u16>, there, here| wished.unwrap_or(if isolated { there } else { here });
        let usual = Real::default();
        let (http_port, tls_port) =
            (choose(wish.http_port, 80, usual.http_port), choose(wish.tls_port, 443, usual.tls_port));
        let mut settings = wish.settings;
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, choose(None, port, 0)));
        settings.listen = wish.acme.unwrap_or_else(|| at(ACME_PORT));
        settings.management = settings.management.map(|_| at(MANAGEMENT_PORT));
        if let Some(names) = &mut settings.dns {
            names.listen = wish.dns.unwrap_or_else(|| at(NAME_PORT));
        }
        if let Validation::Real(real) = &mut settings.validation {
            (real.http_port, real.tls_port) = (http_port, tls_port);
        }
        let bed = Testbed::with(settings)?;
        let files = Files::write(wish.dir, &bed)?;
        if isolated {
            isolate::furnish(&files)?;
        }
        Ok(Self { bed, files, isolation: wish.isolation, http_port, tls_port })
    }

    /// Where everything is, as one document.
    pub fn ready(&self) -> Value {
        let mut ready = json!({
            "directory": self.bed.directory(),
            "ca_file": self.files.ca().display().to_string(),
            "root_file": self.files.roots().display().to_string(),
            "http_port": self.http_port,
            "tls_port": self.tls_port,
        });
        if let Some(names) = self.bed.dns() {
            ready["dns"] = names.address().to_string().into();
            ready["tsig"] = names.tsig().into();
        }
        if let Some(management) = self.bed.management() {
            ready["management"] = format!("http://{management}").into();
        }
        ready
    }

    /// The test bed.
    pub const fn bed(&self) -> &Testbed {
        &self.bed
    }

    /// Runs a command to its end, with the standard streams and the signals of this process.
    ///
    /// # Errors
    ///
    /// When signals cannot be watched or the command cannot be waited for.
    ///
    /// # Effects
    ///
    /// Those of the command. It finds the variables of the test bed in its environment.
    pub fn run(&self, command: &[OsString]) -> Result<Ended> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(Error::new(ErrorKind::InvalidSpec, "there is no command to run"));
        };
        let unset: &[&str] = if self.isolation == Isolation::Isolated { &environment::PROXIES } else { &[] };
        child::run(program, arguments, &self.environment(), unset)
    }

    /// Stays until somebody wants an end: SIGINT, SIGTERM or SIGHUP.
    ///
    /// # Errors
    ///
    /// When signals cannot be watched.
    pub fn stay(&self) -> Result<()> {
        child::until_signal()
    }

    /// The variables that a command finds.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        environment::variables(&self.bed, &self.files, self.http_port, self.tls_port)
    }

    /// What was done so far.
    pub fn story(&self) -> Story {
        self.bed.story()
    }

    /// Writes what was done beside the other files, when they stay.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn keep(&self, story: &Story) -> Result<()> {
        self.files.keep("story.json", &format!("{}\n", story.document()))
    }
}
