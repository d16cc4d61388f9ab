//! knotd(8): authoritative for one zone of a test's own, which takes signed updates: a second reading of RFC 2136 and RFC 8945.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustix::process::Signal;

use super::bind::{KEY, POWERLESS, dig};
use super::{Home, Server, User, argv};
use crate::program::program;

const SECRET: &str = "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3RzIG9uIGxvb3BiYWNr";

/// A server of names.
#[derive(Debug)]
pub struct Knot {
    /// The server itself; its log is what it said.
    pub server: Server,
    /// Where it is asked, by UDP and by TCP.
    pub address: SocketAddr,
    /// File with the secret of [`KEY`], which may change TXT records, and of [`POWERLESS`], which may change nothing:
    /// base64, on one line.
    pub secret_file: PathBuf,
}

impl Knot {
    /// One that has this zone, with these records beside SOA and NS.
    ///
    /// # Errors
    ///
    /// With its last words, when it does not start.
    pub fn start(zone: &str, records: &str) -> io::Result<Self> {
        let home = Home::new(User::STRANGER)?;
        let (ip, port, path) = (home.address.ip(), home.address.port(), home.path());
        let file = home.join("zone");
        let text = format!(
            "$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 3600 86400 1\n@ NS ns\nns A {ip}\n{records}\n"
        );
        fs::write(&file, text)?;
        home.give(&file)?;
        let keys: String = [KEY, POWERLESS]
            .iter()
            .map(|key| format!("  - id: {key}\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"))
            .collect();
        let config = home.join("knot.conf");
        let text = format!(
            "server:\n    listen: {ip}@{port}\n    rundir: {path}\n    pidfile: {path}/pid\n    udp-workers: 1\n    \
             tcp-workers: 1\n    background-workers: 1\n\
             database:\n    storage: {path}\n\
             key:\n{keys}\
             acl:\n  - id: updates\n    key: {KEY}\n    action: update\n    update-type: TXT\n\
             zone:\n  - domain: {zone}\n    file: {}\n    journal-content: none\n    acl: updates\n",
            file.display(),
        );
        fs::write(&config, text)?;
        home.give(&config)?;
        let secret_file = home.join("secret");
        fs::write(&secret_file, format!("{SECRET}\n"))?;
        fs::set_permissions(&secret_file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let address = home.address;
        let mut server = Server {
            preset: "knot",
            binary: program("knotd"),
            pid: home.join("pid"),
            places: vec![home.place(None)],
            argv: argv("knotd", ["-c".as_ref(), config.as_os_str()]),
            main: config.clone(),
            config,
            stop: Signal::TERM,
            variables: Vec::new(),
            running: None,
            home,
        };
        server.start()?;
        Ok(Self { server, address, secret_file })
    }

    /// The TXT records of a name, sorted.
    ///
    /// # Errors
    ///
    /// When it gives no answer.
    pub fn texts(&self, name: &str) -> io::Result<Vec<String>> {
        let lines = dig(self.address, name, "TXT")?;
        let mut texts: Vec<String> = lines.iter().map(|line| line.trim_matches('"').to_owned()).collect();
        texts.sort_unstable();
        Ok(texts)
    }
}
