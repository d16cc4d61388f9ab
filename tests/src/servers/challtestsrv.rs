//! pebble-challtestsrv(1): name server of a world in which every name has one address unless told otherwise.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::LIMIT;
use crate::http::Web;
use crate::ports;
use crate::process::Running;
use crate::program::program;
use crate::scratch::Scratch;
use crate::until::until;

/// One that answers. It ends when it is dropped.
#[derive(Debug)]
pub struct ChallTestSrv {
    /// Where it is asked, by UDP and by TCP.
    pub dns: SocketAddr,
    management: Web,
    running: Running,
    home: Scratch,
}

impl ChallTestSrv {
    /// Starts one in which every name has this address, and waits until it can be told more.
    ///
    /// # Errors
    ///
    /// With its last words, when it ends or does not answer in time.
    pub fn start(every: IpAddr) -> io::Result<Self> {
        let [dns, management] = ports::several()?;
        let home = Scratch::on_disk()?;
        let (v4, v6) = match every {
            IpAddr::V4(address) => (address.to_string(), String::new()),
            IpAddr::V6(address) => (String::new(), address.to_string()),
        };
        let mut command = Command::new(program("pebble-challtestsrv"));
        command.args(["-dns01", &dns.to_string(), "-management", &management.to_string()]);
        command.args(["-defaultIPv4", &v4, "-defaultIPv6", &v6]);
        command.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        let log = File::create(home.join("output.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let running = Running::start(&mut command)?;
        let mut server = Self { dns, management: Web::plain(management), running, home };
        server.ready().map_err(|error| io::Error::new(error.kind(), format!("{error}; it said: {}", server.said())))?;
        Ok(server)
    }

    fn ready(&mut self) -> io::Result<()> {
        until(LIMIT, "the name server listens", || {
            if let Ok(status) = self.running.wait(Duration::ZERO) {
                return Ok(Err(io::Error::other(format!("pebble-challtestsrv ended with {status}"))));
            }
            self.clear_txt("ready.invalid.")?;
            ports::reachable(self.dns, Duration::ZERO).map(Ok)
        })?
    }

    /// What it printed.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.join("output.log")).unwrap_or_default()).into_owned()
    }

    /// Gives a name one more TXT record. Names are written with their final dot.
    ///
    /// # Errors
    ///
    /// When it does not take it.
    pub fn add_txt(&self, name: &str, value: &str) -> io::Result<()> {
        self.tell("/set-txt", &json!({ "host": name, "value": value }))
    }

    /// Takes every TXT record of a name away.
    ///
    /// # Errors
    ///
    /// As [`ChallTestSrv::add_txt`].
    pub fn clear_txt(&self, name: &str) -> io::Result<()> {
        self.tell("/clear-txt", &json!({ "host": name }))
    }

    /// Gives a name these IPv4 addresses in place of the one of every name.
    ///
    /// # Errors
    ///
    /// As [`ChallTestSrv::add_txt`].
    pub fn set_addresses(&self, name: &str, addresses: &[&str]) -> io::Result<()> {
        self.tell("/add-a", &json!({ "host": name, "addresses": addresses }))
    }

    /// Gives a name one more CAA record (RFC 8659).
    ///
    /// # Errors
    ///
    /// As [`ChallTestSrv::add_txt`].
    pub fn add_caa(&self, name: &str, tag: &str, value: &str) -> io::Result<()> {
        self.tell("/add-caa", &json!({ "host": name, "policies": [{ "tag": tag, "value": value }] }))
    }

    /// Makes a name an alias of another.
    ///
    /// # Errors
    ///
    /// As [`ChallTestSrv::add_txt`].
    pub fn set_alias(&self, name: &str, target: &str) -> io::Result<()> {
        self.tell("/set-cname", &json!({ "host": name, "target": target }))
    }

    /// Fails whatever is asked about a name (SERVFAIL).
    ///
    /// # Errors
    ///
    /// As [`ChallTestSrv::add_txt`].
    pub fn fail(&self, name: &str) -> io::Result<()> {
        self.tell("/set-servfail", &json!({ "host": name }))
    }

    fn tell(&self, path: &str, what: &serde_json::Value) -> io::Result<()> {
        self.management.post(path, &what.to_string()).map(drop)
    }
}

impl Drop for ChallTestSrv {
    fn drop(&mut self) {
        let _ = self.running.signal(Signal::TERM);
        let _ = self.running.wait(LIMIT);
    }
}
