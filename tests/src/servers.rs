//! Real servers, each with a home directory and a loopback address of its own, in the foreground, ended with its owner.

pub mod acme2certifier;
pub mod apache;
pub mod bind;
pub mod challtestsrv;
pub mod dovecot;
pub mod haproxy;
pub mod knot;
pub mod nginx;
pub mod pebble;
pub mod postfix;
pub mod postgres;
pub mod step_ca;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::ports;
use crate::process::Running;
use crate::program::program;
use crate::scratch::Scratch;
use crate::until::until;

/// For a server to start or to end; on an idle machine both take some ten milliseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Who a server runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id. It is in no other group.
    pub gid: u32,
}

impl User {
    /// Who may do everything.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// Nobody in particular: a number that no account has.
    pub const STRANGER: Self = Self { uid: 65_533, gid: 65_533 };

    /// An account of this machine.
    ///
    /// # Errors
    ///
    /// When `/etc/passwd` does not have it.
    pub fn named(name: &str) -> io::Result<Self> {
        let accounts = fs::read_to_string("/etc/passwd")?;
        let account = accounts.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let numbers = account.and_then(|fields| {
            let mut fields = fields.split(':').skip(1);
            Some(Self { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
        });
        numbers.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no account `{name}`")))
    }
}

/// The files that a server is configured to read.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// Leaf and chain.
    pub fullchain: &'a Path,
    /// The private key.
    pub key: &'a Path,
}

/// Where a server listens, and the dialect that it speaks there before TLS, as both the configuration of certwright and
/// `openssl s_client -starttls` call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub address: SocketAddr,
    /// The dialect, where there is one.
    pub dialect: Option<&'static str>,
}

/// One server. It does not run before it is started, and ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Which program it is, as the configuration of certwright calls it.
    pub preset: &'static str,
    /// The program that runs, or that tests the configuration.
    pub binary: PathBuf,
    /// Its configuration file, or directory where the program has one.
    pub config: PathBuf,
    /// The file of its configuration that is read first.
    pub main: PathBuf,
    /// Its pid file.
    pub pid: PathBuf,
    /// Where it listens.
    pub places: Vec<Place>,
    argv: Vec<OsString>,
    variables: Vec<(String, PathBuf)>,
    stop: Signal,
    running: Option<Running>,
    home: Home,
}

/// A server's home directory, which it owns, with its address.
#[derive(Debug)]
struct Home {
    scratch: Scratch,
    address: SocketAddr,
    user: User,
}

impl Home {
    fn new(user: User) -> io::Result<Self> {
        let home = Self { scratch: Scratch::on_disk()?, address: ports::own()?, user };
        home.give(home.scratch.path())?;
        Ok(home)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Its address, where this dialect is spoken.
    fn place(&self, dialect: Option<&'static str>) -> Place {
        Place { address: self.address, dialect }
    }

    fn path(&self) -> std::path::Display<'_> {
        self.scratch.path().display()
    }

    /// A directory of the server's own in it.
    fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.join(name);
        fs::create_dir(&path)?;
        self.give(&path)?;
        Ok(path)
    }

    /// Makes the server the owner.
    fn give(&self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.user.uid), Some(self.user.gid))
    }
}

impl Server {
    /// The table that names this instance in the configuration of certwright.
    pub fn service(&self) -> String {
        self.service_with("")
    }

    /// The same with more keys.
    pub fn service_with(&self, more: &str) -> String {
        let (config, pid, binary) = (self.config.display(), self.pid.display(), self.binary.display());
        let preset = self.preset;
        format!(r#"{{ preset = "{preset}", config = "{config}", pid = "{pid}", binary = "{binary}"{more} }}"#)
    }

    /// Gives it a variable of its environment when it is started next.
    pub fn set(&mut self, variable: &str, value: &Path) {
        self.variables.push((variable.to_owned(), value.to_owned()));
    }

    /// Where it listens first.
    ///
    /// # Panics
    ///
    /// When it listens nowhere, which none does.
    pub fn address(&self) -> SocketAddr {
        self.places[0].address
    }

    /// Who it runs as.
    pub fn user(&self) -> User {
        self.home.user
    }

    /// A path in its home directory.
    pub fn join(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Starts it, and waits until it listens and has written its pid file.
    ///
    /// # Errors
    ///
    /// With its last words, when it ends or does not listen in time.
    pub fn start(&mut self) -> io::Result<()> {
        let log = File::create(self.join("output.log"))?;
        let mut command = Command::new(program_of(&self.argv)?);
        command.args(self.argv.iter().skip(1)).envs(self.variables.iter().cloned());
        command.current_dir("/").stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        let User { uid, gid } = self.home.user;
        if self.home.user != User::ROOT {
            // Drops the supplementary groups as well.
            command.uid(uid).gid(gid);
        }
        self.running = Some(Running::start(&mut command)?);
        let started = until(LIMIT, "the server listens", || {
            if let Some(status) = self.ended() {
                return Ok(Err(io::Error::other(format!("{} ended with {status}", self.preset))));
            }
            let written = fs::read_to_string(&self.pid)?;
            let number = written.lines().next().unwrap_or_default().trim();
            if number.is_empty() {
                return Err(io::Error::other("the pid file is empty"));
            }
            let mut places = self.places.iter();
            places.try_for_each(|place| ports::reachable(place.address, Duration::ZERO)).map(Ok)
        });
        started.and_then(|started| started).map_err(|error| self.with_last_words(&error))
    }

    fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.running.as_mut().and_then(|running| running.wait(Duration::ZERO).ok())
    }

    fn with_last_words(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{error}; it said: {}", self.said()))
    }

    /// What it printed and logged in its home directory.
    pub fn said(&self) -> String {
        let read = |name: &str| fs::read(self.join(name)).unwrap_or_default();
        let logs = ["output.log", "error.log"].map(read);
        String::from_utf8_lossy(&logs.concat()).into_owned()
    }

    /// Its process, while it runs.
    ///
    /// # Errors
    ///
    /// When it was not started.
    pub fn process(&self) -> io::Result<&Running> {
        self.running.as_ref().ok_or_else(|| io::Error::other(format!("{} does not run", self.preset)))
    }

    /// Ends it in its own way, or by force when it takes too long. Nobody listens in its places afterwards.
    ///
    /// # Errors
    ///
    /// When it had to be forced, or somebody listens all the same.
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        running.signal(self.stop)?;
        running.wait(LIMIT)?;
        // A worker may outlive its master by a moment.
        until(LIMIT, "its places are free", || match self.places.iter().find(|place| listens(place)) {
            Some(place) => Err(io::Error::other(format!("somebody listens on {}", place.address))),
            None => Ok(()),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // By its own process, which takes its children along; the rest of its group goes by force.
        let _ = self.stop();
    }
}

fn listens(place: &Place) -> bool {
    ports::reachable(place.address, Duration::ZERO).is_ok()
}

fn program_of(argv: &[OsString]) -> io::Result<&OsString> {
    argv.first().ok_or_else(|| io::Error::other("a server without a program"))
}

/// A program of the table, with its arguments.
fn argv<const N: usize>(name: &str, arguments: [&std::ffi::OsStr; N]) -> Vec<OsString> {
    std::iter::once(program(name).into_os_string()).chain(arguments.map(OsString::from)).collect()
}

#[cfg(test)]
mod as_root;
