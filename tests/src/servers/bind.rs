//! named(8): authoritative for zones of a test's own, which take signed updates; with a second one that follows it.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::{Home, LIMIT, Server, User, argv};
use crate::ports;
use crate::process::run;
use crate::program::program;

/// The key that may update TXT records in every zone, and the file that holds its secret in the home of its server.
pub const KEY: &str = "update_key";
const SECRET: &str = "c2VjcmV0IGZvciB0ZXN0cyBvbiBsb29wYmFjayBvbmx5IQ==";

/// A key that the server knows, and that may update nothing.
pub const POWERLESS: &str = "powerless";

/// One zone.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    /// Its name, without a dot at its end.
    pub name: &'a str,
    /// Lines of its file beside SOA and NS.
    pub records: &'a str,
}

/// When a follower hears of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Some seconds later.
    Late(SocketAddr),
    /// Never.
    None,
}

/// A server of names.
#[derive(Debug)]
pub struct Bind {
    /// The server itself; its log is what it said.
    pub server: Server,
    /// Where it is asked, by UDP and by TCP.
    pub address: SocketAddr,
    /// File with the secret of [`KEY`] and of [`POWERLESS`], base64, on one line.
    pub secret_file: PathBuf,
    /// The same secret of [`KEY`] as nsupdate(1) reads it.
    pub key_file: PathBuf,
}

impl Bind {
    /// One that has these zones, and answers for nothing else. The name server of each zone is `ns.ZONE`, at its address.
    ///
    /// # Errors
    ///
    /// With its last words, when it does not start.
    pub fn primary(zones: &[Zone<'_>], news: News) -> io::Result<Self> {
        let mut home = Home::new(User::STRANGER)?;
        home.address = place()?;
        Self::new(home, zones, news)
    }

    /// The same where name servers are looked for: on port 53 of 127.0.0.1, which takes root and a network of its own.
    ///
    /// # Errors
    ///
    /// As [`Bind::primary`].
    pub fn on_port_53(zones: &[Zone<'_>], news: News) -> io::Result<Self> {
        let mut home = Home::new(User::ROOT)?;
        home.address = (Ipv4Addr::LOCALHOST, 53).into();
        Self::new(home, zones, news)
    }

    fn new(home: Home, zones: &[Zone<'_>], news: News) -> io::Result<Self> {
        let ip = home.address.ip();
        let mut tables = String::new();
        for Zone { name, records } in zones {
            let file = home.join(&format!("{name}.zone"));
            let text = format!(
                "$TTL 60\n@ SOA ns hostmaster 1 3600 3600 86400 1\n@ NS ns\nns {} {ip}\n{records}\n",
                if ip.is_ipv4() { "A" } else { "AAAA" }
            );
            fs::write(&file, text)?;
            home.give(&file)?;
            let news = match news {
                News::Late(follower) => {
                    format!("notify explicit; also-notify {{ {} }};", listed(follower))
                }
                News::None => "notify no;".to_owned(),
            };
            tables += &format!(
                "zone \"{name}\" {{ type primary; file \"{}\"; allow-transfer {{ any; }}; {news}\n\
                 update-policy {{ grant {KEY} zonesub TXT; }}; }};\n",
                file.display()
            );
        }
        Self::configured(home, &tables)
    }

    /// One that follows another's zones. It has them when this returns.
    ///
    /// # Errors
    ///
    /// As [`Bind::primary`].
    pub fn follower(address: SocketAddr, primary: &Self, zones: &[&str]) -> io::Result<Self> {
        let mut home = Home::new(User::STRANGER)?;
        home.address = address;
        let tables: String = zones
            .iter()
            .map(|name| {
                let file = home.join(&format!("{name}.copy"));
                format!(
                    "zone \"{name}\" {{ type secondary; file \"{}\"; primaries {{ {} }}; notify no; }};\n",
                    file.display(),
                    listed(primary.address)
                )
            })
            .collect();
        let follower = Self::configured(home, &tables)?;
        crate::until::until(LIMIT, "the follower has every zone", || {
            match zones.iter().find(|zone| follower.ask(zone, "SOA").is_ok_and(|lines| lines.is_empty())) {
                Some(zone) => Err(io::Error::other(format!("it has no {zone}"))),
                None => Ok(()),
            }
        })?;
        Ok(follower)
    }

    fn configured(home: Home, zones: &str) -> io::Result<Self> {
        let (ip, port) = (home.address.ip(), home.address.port());
        let (v4, v6) = match ip {
            IpAddr::V4(ip) => (ip.to_string(), "none".to_owned()),
            IpAddr::V6(ip) => ("none".to_owned(), ip.to_string()),
        };
        let path = home.path();
        let keys: String = [KEY, POWERLESS]
            .iter()
            .map(|key| format!("key \"{key}\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n"))
            .collect();
        let text = format!(
            "options {{ directory \"{path}\"; pid-file \"{path}/pid\"; session-keyfile \"{path}/session.key\";\n\
             managed-keys-directory \"{path}\"; lock-file none; recursion no; dnssec-validation no;\n\
             listen-on port {port} {{ {v4}; }}; listen-on-v6 port {port} {{ {v6}; }}; query-source address {v4};\n\
             notify-delay 2; empty-zones-enable no; }};\ncontrols {{ }};\n{keys}{zones}"
        );
        let config = home.join("named.conf");
        fs::write(&config, text)?;
        let secret_file = home.join("secret");
        fs::write(&secret_file, format!("{SECRET}\n"))?;
        fs::set_permissions(&secret_file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let key_file = home.join("update.key");
        fs::write(&key_file, keys.lines().next().unwrap_or_default())?;
        let address = home.address;
        let mut server = Server {
            preset: "bind",
            binary: program("named"),
            pid: home.join("pid"),
            places: vec![home.place(None)],
            argv: argv("named", ["-g".as_ref(), "-n".as_ref(), "1".as_ref(), "-c".as_ref(), config.as_os_str()]),
            main: config.clone(),
            config,
            stop: Signal::TERM,
            variables: Vec::new(),
            running: None,
            home,
        };
        server.start()?;
        Ok(Self { server, address, secret_file, key_file })
    }

    /// What `dig` is told about a name, one line a record.
    ///
    /// # Errors
    ///
    /// When it gets no answer.
    pub fn ask(&self, name: &str, kind: &str) -> io::Result<Vec<String>> {
        dig(self.address, name, kind)
    }

    /// The TXT records of a name, sorted.
    ///
    /// # Errors
    ///
    /// As [`Bind::ask`].
    pub fn texts(&self, name: &str) -> io::Result<Vec<String>> {
        let mut texts: Vec<String> =
            self.ask(name, "TXT")?.iter().map(|line| line.trim_matches('"').to_owned()).collect();
        texts.sort_unstable();
        Ok(texts)
    }

    /// What the scripts in `tests/hooks` have to know, as arguments of env(1).
    pub fn variables(&self) -> [String; 2] {
        let (ip, port) = (self.address.ip(), self.address.port());
        [format!("SERVER={ip} {port}"), format!("KEY=hmac-sha256:{KEY}:{SECRET}")]
    }

    /// Changes a zone as its operator would, by nsupdate(1): `add NAME 60 IN TXT TEXT` or `delete NAME TXT TEXT`.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn update(&self, change: &str) -> io::Result<()> {
        let (ip, port) = (self.address.ip(), self.address.port());
        let script = self.server.join("nsupdate");
        fs::write(&script, format!("server {ip} {port}\nupdate {change}\nsend\n"))?;
        let mut command = Command::new(program("nsupdate"));
        command.args(["-y", &format!("hmac-sha256:{KEY}:{SECRET}")]).arg(&script);
        let output = run(&mut command, LIMIT)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
        }
    }
}

/// A place for a server. It can be on no other address than this: BIND looks for those that interfaces have.
///
/// # Errors
///
/// When there is none.
pub fn place() -> io::Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, ports::free()?).into())
}

/// What `dig +short` prints about a name at this server.
///
/// # Errors
///
/// When it gets no answer.
pub fn dig(server: SocketAddr, name: &str, kind: &str) -> io::Result<Vec<String>> {
    let mut command = Command::new(program("dig"));
    command.arg(format!("@{}", server.ip())).args(["-p", &server.port().to_string()]);
    command.args(["+short", "+norecurse", "+tries=2", "+time=5", name, kind]);
    let output = run(&mut command, Duration::from_secs(30))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed.lines().map(str::to_owned).collect());
    }
    Err(io::Error::other(printed))
}

/// An address in a list of named.conf.
fn listed(address: SocketAddr) -> String {
    format!("{} port {};", address.ip(), address.port())
}
