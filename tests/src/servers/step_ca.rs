//! step-ca, the real one: Debian's library with a small program of ours around it, keys made by OpenSSL, provisioners by
//! step-ca's own code.

mod keys;

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use self::keys::Pair;
use super::LIMIT;
use crate::http::Web;
use crate::ports;
use crate::process::{Running, run};
use crate::scratch::Scratch;
use crate::until::until;

/// The provisioner whose key is encrypted with [`PASSWORD`].
pub const JWK: &str = "deploy";
/// Opens the key of [`JWK`].
pub const PASSWORD: &str = "correct horse battery staple";
/// The provisioner that believes the holder of a certificate.
pub const X5C: &str = "machines";
/// The provisioner that speaks ACME.
pub const ACME: &str = "acme";

/// What kind of CA it is.
#[derive(Clone, Debug)]
pub struct Options {
    /// The claims of every provisioner, as in step-ca's configuration.
    pub claims: Value,
    /// How far beginnings of certificates lie back, in Go's notation.
    pub backdate: &'static str,
    /// Where it listens; `None` for an address of its own.
    pub address: Option<SocketAddr>,
}

impl Default for Options {
    /// A day, at least five minutes; nothing is renewed after its end; a minute back.
    fn default() -> Self {
        Self { claims: json!({}), backdate: "1m", address: None }
    }
}

impl Options {
    /// Certificates of some seconds, renewed also when they have ended.
    pub fn short_lived(default: &str) -> Self {
        let claims = json!({
            "minTLSCertDuration": "1s",
            "defaultTLSCertDuration": default,
            "allowRenewalAfterExpiry": true,
        });
        Self { claims, backdate: "0s", ..Self::default() }
    }
}

/// A step in the change of a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The new one is listed beside the old one, which is in use.
    Announce,
    /// The new one is in use, and the old one listed.
    Switch,
    /// The new one alone is listed.
    Retire,
}

/// One that answers. It ends when it is dropped.
#[derive(Debug)]
pub struct StepCa {
    /// Where it is.
    pub url: String,
    /// The SHA-256 of its root, in hexadecimal digits.
    pub fingerprint: String,
    /// The certificate and the key by which [`X5C`] lets its holder in.
    pub holder: (PathBuf, PathBuf),
    address: SocketAddr,
    root: Pair,
    intermediate: Pair,
    provisioner: Value,
    config: PathBuf,
    running: Option<Running>,
    home: Scratch,
}

impl StepCa {
    /// Starts one, and waits until it says that it is healthy.
    ///
    /// # Errors
    ///
    /// With its last words, when it ends or does not answer in time.
    ///
    /// # Panics
    ///
    /// When it was not built: `cargo xtask services` does it.
    pub fn start(options: &Options) -> io::Result<Self> {
        let address = match options.address {
            Some(address) => address,
            None => ports::own()?,
        };
        let home = Scratch::on_disk()?;
        let root = keys::root(home.path(), "root")?;
        let intermediate = keys::intermediate(home.path(), "intermediate", &root)?;
        let holders = keys::root(home.path(), "holders")?;
        let holder = keys::holder(home.path(), "holder", &holders)?;
        let provisioner: Value = serde_json::from_slice(&printed(&["provisioner", PASSWORD])?)?;
        let config = home.join("ca.json");
        let text = json!({
            "root": root.certificate,
            "crt": intermediate.certificate,
            "key": intermediate.key,
            "address": address.to_string(),
            "dnsNames": [address.ip().to_string(), "localhost"],
            // A line for every request.
            "logger": { "format": "json" },
            "db": { "type": "bbolt", "dataSource": home.join("db"), "database": "step" },
            "authority": {
                "backdate": options.backdate,
                "claims": options.claims,
                "provisioners": [
                    { "type": "JWK", "name": JWK, "key": provisioner["key"], "encryptedKey": provisioner["encryptedKey"] },
                    { "type": "X5C", "name": X5C, "roots": keys::base64(&holders.certificate)? },
                    { "type": "ACME", "name": ACME, "forceCN": false },
                ],
            },
        });
        fs::write(&config, text.to_string())?;
        let mut server = Self {
            url: format!("https://{address}"),
            fingerprint: keys::fingerprint(&root.certificate)?,
            holder: (holder.certificate, holder.key),
            address,
            root,
            intermediate,
            provisioner,
            config,
            running: None,
            home,
        };
        server.run()?;
        Ok(server)
    }

    /// Changes its configuration, to count from the next start.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub fn configure(&self, change: impl FnOnce(&mut Value)) -> io::Result<()> {
        let mut config = serde_json::from_slice(&fs::read(&self.config)?)?;
        change(&mut config);
        fs::write(&self.config, config.to_string())
    }

    /// Starts it again, when it was stopped.
    ///
    /// # Errors
    ///
    /// As [`StepCa::start`].
    pub fn run(&mut self) -> io::Result<()> {
        let log = File::options().create(true).append(true).open(self.home.join("output.log"))?;
        let mut command = Command::new(program());
        command.arg("serve").arg(&self.config).env("STEPPATH", self.home.path());
        command.current_dir("/").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut running = Running::start(&mut command)?;
        let answers = until(LIMIT, "step-ca is healthy", || {
            if let Ok(status) = running.wait(Duration::ZERO) {
                return Ok(Err(io::Error::other(format!("step-ca ended with {status}"))));
            }
            Web::secure(self.address, &self.roots_file()?)?.get("/health").map(|_| Ok(()))
        });
        self.running = Some(running);
        answers
            .and_then(|answers| answers)
            .map_err(|error| io::Error::new(error.kind(), format!("{error}; it said: {}", self.said())))
    }

    /// Ends it, so that it can be started again with what it remembers.
    ///
    /// # Errors
    ///
    /// When it does not end in time.
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        running.signal(Signal::TERM)?;
        running.wait(LIMIT).map(drop)
    }

    /// The process, while it runs.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn process(&self) -> io::Result<&Running> {
        self.running.as_ref().ok_or_else(|| io::Error::other("step-ca does not run"))
    }

    /// Its roots, PEM.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn roots(&self) -> io::Result<Vec<u8>> {
        fs::read(self.roots_file()?)
    }

    /// A change of its root, one step further, to count from the next start.
    ///
    /// # Errors
    ///
    /// When keys or configuration cannot be made.
    pub fn turn(&mut self, turn: Turn) -> io::Result<()> {
        let path = |pair: &Pair| pair.certificate.clone();
        match turn {
            Turn::Announce => {
                let root = keys::root(self.home.path(), "root-2")?;
                self.configure(|config| config["root"] = json!([path(&self.root), path(&root)]))?;
                self.root = root;
            }
            Turn::Switch => {
                self.intermediate = keys::intermediate(self.home.path(), "intermediate-2", &self.root)?;
                let intermediate = &self.intermediate;
                self.configure(|config| {
                    config["crt"] = json!(intermediate.certificate);
                    config["key"] = json!(intermediate.key);
                })?;
            }
            Turn::Retire => self.configure(|config| config["root"] = json!(path(&self.root)))?,
        }
        Ok(())
    }

    /// A one-time token for these claims, signed by step-ca's own code with the key of [`JWK`].
    ///
    /// # Errors
    ///
    /// When it cannot be signed.
    pub fn token(&self, claims: &Value) -> io::Result<String> {
        let encrypted = self.provisioner["encryptedKey"].as_str().unwrap_or_default();
        let printed = printed(&["token", encrypted, PASSWORD, &claims.to_string()])?;
        Ok(String::from_utf8_lossy(&printed).trim().to_owned())
    }

    /// The key of [`JWK`] as a file of the `step` command has it (a JWE in JSON).
    pub fn key_file(&self) -> String {
        self.provisioner["flattened"].to_string()
    }

    /// The same as it is sent (a compact JWE).
    pub fn encrypted_key(&self) -> String {
        self.provisioner["encryptedKey"].as_str().unwrap_or_default().to_owned()
    }

    /// What it printed.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.home.join("output.log")).unwrap_or_default()).into_owned()
    }

    /// A path in its home directory.
    pub fn join(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// All roots that it may be trusted by now, in one file.
    fn roots_file(&self) -> io::Result<PathBuf> {
        let config: Value = serde_json::from_slice(&fs::read(&self.config)?)?;
        let paths: Vec<&str> = match &config["root"] {
            Value::Array(paths) => paths.iter().filter_map(Value::as_str).collect(),
            path => path.as_str().into_iter().collect(),
        };
        let all = paths.iter().map(fs::read).collect::<io::Result<Vec<_>>>()?.concat();
        let file = self.home.join("roots.pem");
        fs::write(&file, all)?;
        Ok(file)
    }
}

impl Drop for StepCa {
    fn drop(&mut self) {
        // What does not end by itself is ended with its process group.
        let _ = self.stop();
    }
}

/// The program, as `cargo xtask services` has built it.
#[expect(clippy::panic, reason = "the test that asked cannot go on")]
fn program() -> PathBuf {
    let path = xtask::step_ca::path();
    if !path.is_file() {
        panic!("`{}` was not built; run `cargo xtask services` first", path.display());
    }
    path
}

fn printed(arguments: &[&str]) -> io::Result<Vec<u8>> {
    let output = run(Command::new(program()).args(arguments), LIMIT)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(format!("step-ca {arguments:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_again_after_it_was_stopped_and_ends_with_its_owner() {
        let mut server = StepCa::start(&Options::default()).unwrap();
        let web = Web::secure(server.address, &server.root.certificate).unwrap();
        let root: Value =
            serde_json::from_slice(&web.get(&format!("/root/{}", server.fingerprint)).unwrap().body).unwrap();
        assert_eq!(root["ca"].as_str().unwrap().as_bytes(), server.roots().unwrap());
        let provisioners: Value = serde_json::from_slice(&web.get("/provisioners").unwrap().body).unwrap();
        assert_eq!(provisioners["provisioners"].as_array().unwrap().len(), 3);
        server.stop().unwrap();
        assert!(web.get("/health").is_err());
        server.run().unwrap();
        web.get("/health").unwrap();
        drop(server);
        assert!(web.get("/health").is_err());
    }
}
