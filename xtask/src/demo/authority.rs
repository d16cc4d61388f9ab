//! The ACME server of the demonstration: the test bed, as a command.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A test bed that runs; ended with its owner.
pub(super) struct Authority {
    bed: Child,
    /// The URL of its directory.
    pub(super) directory: String,
    /// Where it looks for answers to http-01.
    pub(super) port: u16,
}

impl Authority {
    /// One with its files in `bed` below this folder.
    pub(super) fn start(certwright: &Path, folder: &Path) -> Result<Self, String> {
        let port = free_port()?;
        let mut command = Command::new(certwright);
        command.args(["testbed", "--dir", "bed", "--http-port", &port.to_string()]);
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut bed = command.spawn().map_err(|fault| format!("the test bed cannot be started: {fault}"))?;
        let mut line = String::new();
        let read = bed.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        let directory = line.split("\"directory\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let directory = directory.map(str::to_owned);
        let mut authority = Self { bed, directory: String::new(), port };
        // Dropped when it said something else, and ended with that.
        authority.directory = directory.ok_or_else(|| format!("the test bed is not ready: {line}{read:?}"))?;
        Ok(authority)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        // It has nothing that outlives it: its files go with the folder.
        let _ = self.bed.kill();
        let _ = self.bed.wait();
    }
}

/// A port of loopback that nobody has.
pub(super) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|fault| format!("no port is free on the loopback address: {fault}"))
}
